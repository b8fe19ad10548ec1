"""The collections `replay_jobs` and `operator_actions`: what people have done with dead letters, and are doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from adapters.mongodb.driver import Collection, Database, Document, away, insert_new
from adapters.mongodb.understanding import all_understood, known, understood
from events.letters import Deed, Place, Status, Which
from events.replays import JobState, OperatorAction, ReplayJob, Tally

JOBS: Final = "replay_jobs"
ACTIONS: Final = "operator_actions"


class ReplayJobs:
    """Jobs. At any time one runner works on one of them: whoever claims it, for as long as they keep saving."""

    def __init__(self, database: Database) -> None:
        self._collection: Collection = database[JOBS]

    async def add(self, job: ReplayJob) -> None:
        """Add a job; one that is there stays as it is."""
        await insert_new(self._collection, [{**_job_to_document(job), "runner": None, "claimed_until": None}])

    async def claim(self, job_id: str, runner: str, now: datetime, length: timedelta) -> ReplayJob | None:
        """Take a job that nobody else works on, and that is not done; None if there is no such job."""
        free: list[Document] = [{"claimed_until": None}, {"claimed_until": {"$lt": now}}, {"runner": runner}]
        query = {"_id": job_id, "state": {"$ne": JobState.DONE.value}, "$or": free}
        update = {"$set": {"runner": runner, "claimed_until": now + length, "state": JobState.RUNNING.value}}
        with away():
            found = await self._collection.find_one_and_update(query, update, return_document=True)
        return None if found is None else understood(found, _job_from_document)

    async def save(self, job: ReplayJob, runner: str, until: datetime | None) -> bool:
        """Write down how far a job has come. `until`: claimed on; None gives it back. False if others work on it."""
        values = {"state": job.state.value, "place": _place_to_document(job.place), "tally": asdict(job.tally)}
        update = {"$set": {**values, "updated_at": job.updated_at, "claimed_until": until}}
        with away():
            saved = await self._collection.update_one({"_id": job.id, "runner": runner}, update)
        return saved.matched_count == 1

    async def get(self, job_id: str) -> ReplayJob | None:
        """Return a job."""
        with away():
            found = await self._collection.find_one({"_id": job_id})
        return None if found is None else understood(found, _job_from_document)

    async def newest(self, limit: int) -> list[ReplayJob]:
        """Return jobs, the newest first."""
        with away():
            found = await self._collection.find({}).sort([("created_at", -1)]).limit(limit).to_list(None)
        return all_understood(found, _job_from_document)


class OperatorActions:
    """What people did. A line stays for ever."""

    def __init__(self, database: Database) -> None:
        self._collection: Collection = database[ACTIONS]

    async def write(self, action: OperatorAction) -> None:
        """Write down an action; again under the same id, to how many letters it was done."""
        document = {**asdict(action), "deed": action.deed.value, "which": _which_to_document(action.which)}
        id_ = document.pop("id")
        with away():
            await self._collection.update_one({"_id": id_}, {"$set": document}, upsert=True)

    async def newest(self, limit: int) -> list[OperatorAction]:
        """Return actions, the newest first."""
        with away():
            found = await self._collection.find({}).sort([("at", -1), ("_id", -1)]).limit(limit).to_list(None)
        return all_understood(found, _action_from_document)


def _job_to_document(job: ReplayJob) -> Document:
    return {
        "_id": job.id,
        "who": job.who,
        "why": job.why,
        "which": _which_to_document(job.which),
        "created_at": job.created_at,
        "rate": job.rate,
        "stop_after": job.stop_after,
        "state": job.state.value,
        "place": _place_to_document(job.place),
        "tally": asdict(job.tally),
        "updated_at": job.updated_at,
    }


def _job_from_document(document: Document) -> ReplayJob:
    place = document["place"]
    return ReplayJob(
        id=document["_id"],
        who=document["who"],
        why=document["why"],
        which=_which_from_document(document["which"]),
        created_at=document["created_at"],
        rate=document["rate"],
        stop_after=document["stop_after"],
        state=JobState(document["state"]),
        place=None if place is None else Place(**known(Place, place)),
        tally=Tally(**known(Tally, document["tally"])),
        updated_at=document["updated_at"],
    )


def _action_from_document(document: Document) -> OperatorAction:
    values = {name: document[name] for name in ("at", "who", "why", "letters", "job")}
    which, deed = _which_from_document(document["which"]), Deed(document["deed"])
    return OperatorAction(
        id=document["_id"], deed=deed, which=which, detail=document.get("detail", ""), **values
    )  # older ones have no detail


def _place_to_document(place: Place | None) -> Document | None:
    return None if place is None else asdict(place)


def _which_to_document(which: Which) -> Document:
    statuses = sorted(status.value for status in which.statuses)
    return {**asdict(which), "statuses": statuses, "ids": sorted(which.ids)}


def _which_from_document(document: Mapping[str, Any]) -> Which:
    statuses = frozenset(Status(status) for status in document["statuses"])
    values: Document = {**known(Which, dict(document)), "statuses": statuses, "ids": frozenset(document["ids"])}
    return Which(**values)
