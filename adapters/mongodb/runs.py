"""The collection `runs`. Only the holder of the integration's lease saves a run, guarded by version and fence."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Final

from adapters.mongodb.driver import Collection, Database, Document, away, insert_new
from events.integration import Lease
from events.reasons import Reason
from events.runs import Phase, Position, Run, RunKind, RunState, RunTrigger, Span, Totals

COLLECTION: Final = "runs"
_THERE: Final[Document] = {"started_at": {"$ne": None}}
"""What was erased is empty until it goes with its time to live."""
_NEWEST_FIRST: Final = [("started_at", -1), ("_id", -1)]


class Runs:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._collection: Collection = database[COLLECTION]

    async def begin(self, lease: Lease, run: Run) -> Run:
        """Store a run unless it is there already; return it as it is stored."""
        await insert_new(self._collection, [{**run_to_document(run), "fence": lease.fence}])
        return await self.get(run.id) or run

    async def get(self, run_id: str) -> Run | None:
        """Return one run."""
        with away():
            found = await self._collection.find_one({"_id": run_id, **_THERE})
        return None if found is None else run_from_document(found)

    async def under_way(self, integration_id: str) -> Run | None:
        """Return the run that is to be gone on with; of several, the oldest."""
        query = {"integration_id": integration_id, "state": RunState.RUNNING.value}
        with away():
            found = await self._collection.find(query).sort([("started_at", 1), ("_id", 1)]).limit(1).to_list(None)
        return run_from_document(found[0]) if found else None

    async def latest(self, integration_id: str) -> Run | None:
        """Return the run that began last."""
        runs = await self.page(integration_id, 1)
        return runs[0] if runs else None

    async def save(self, lease: Lease, before: Run, after: Run) -> Run | None:
        """Save a run. Returns it as it is stored then; None if somebody else saved it, or took the lease, meanwhile."""
        after = replace(after, version=before.version + 1)
        query = {"_id": before.id, "version": before.version, "fence": {"$lte": lease.fence}}
        update = {"$set": {**run_to_document(after), "fence": lease.fence}}
        with away():
            result = await self._collection.update_one(query, update)
        return after if result.matched_count else None

    async def page(self, integration_id: str, limit: int) -> list[Run]:
        """Return runs of an integration, newest first; of all, if its id is empty."""
        query = {"integration_id": integration_id} if integration_id else _THERE
        with away():
            found = await self._collection.find(query).sort(_NEWEST_FIRST).limit(limit).to_list(None)
        return [run_from_document(document) for document in found]


def run_to_document(run: Run) -> Document:
    """Return the document of a run, except its fence."""
    return {
        "_id": run.id,
        "integration_id": run.integration_id,
        "tenant_id": run.tenant_id,
        "user_id": run.user_id,
        "kind": run.kind.value,
        "trigger": run.trigger.value,
        "revision": run.revision,
        "epoch": run.epoch,
        "calendar_id": run.calendar_id,
        "retrieve": _span_to_document(run.retrieve),
        "send": _span_to_document(run.send),
        "started_at": run.started_at,
        "phase": run.phase.value,
        "of_run": run.of_run,
        "position": {name: getattr(run.position, name) for name in _POSITION},
        "state": run.state.value,
        "reason": run.reason.value if run.reason else None,
        "totals": {name: getattr(run.totals, name) for name in _TALLY},
        "told_at": run.told_at,
        "ended_at": run.ended_at,
        "version": run.version,
    }


def run_from_document(document: Document) -> Run:
    """Return the run that a document holds."""
    return Run(
        id=document["_id"],
        integration_id=document["integration_id"],
        tenant_id=document["tenant_id"],
        user_id=document["user_id"],
        kind=RunKind(document["kind"]),
        trigger=RunTrigger(document["trigger"]),
        revision=document["revision"],
        epoch=document["epoch"],
        calendar_id=document["calendar_id"],
        retrieve=_span_from_document(document["retrieve"]),
        send=_span_from_document(document["send"]),
        started_at=document["started_at"],
        phase=Phase(document["phase"]),
        of_run=document["of_run"],
        position=Position(**document["position"]),
        state=RunState(document["state"]),
        reason=Reason.of(document["reason"]) if document["reason"] else None,
        totals=Totals(**document["totals"]),
        told_at=document["told_at"],
        ended_at=document["ended_at"],
        version=document["version"],
    )


_POSITION: Final = tuple(field.name for field in fields(Position))
_TALLY: Final = tuple(field.name for field in fields(Totals))


def _span_to_document(span: Span | None) -> Document | None:
    return None if span is None else {"start": span.start, "end": span.end}


def _span_from_document(document: Document | None) -> Span | None:
    return None if document is None else Span(**document)
