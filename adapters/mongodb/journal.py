"""The collection `sync_log`. Written before the state it tells of, under ids that are the same when written again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Final

from adapters.mongodb.codec import item_from_document, item_to_document
from adapters.mongodb.driver import Collection, Database, Document, away, insert_new
from adapters.mongodb.understanding import understood
from events.commands import Cause
from events.journal import Act, Entry, Mark, Result, Which
from events.link import ItemKey
from events.outcomes import Direction
from events.reasons import Reason

COLLECTION: Final = "sync_log"
KeepsUntil = Callable[[int, datetime], Awaitable[datetime]]
_THERE: Final[Document] = {"at": {"$ne": None}}
"""What was erased is empty until it goes with its time to live."""
_FIELDS: Final = tuple(field.name for field in fields(Entry))


def _query(which: Which) -> Document:
    named: Document = {"integration_id": which.integration_id, "run_id": which.run_id}
    query: Document = {name: value for name, value in named.items() if value}
    if which.tenant_id is not None:
        query["tenant_id"] = which.tenant_id
    if which.result is not None:
        query["result"] = which.result.value
    if which.direction is not None:
        query["direction"] = which.direction.value
    if which.manual:
        query["trigger"] = Cause.RUN.value
    if which.item is not None:
        query["item"] = item_to_document(ItemKey(0, *which.item))
    return query


def _before(mark: Mark) -> Document:
    earlier: Document = {"at": {"$lt": mark.at}}
    return {"at": {"$lte": mark.at}, "$or": [earlier, {"_id": {"$lt": mark.id}}]} if mark.id else earlier


class Journal:
    """See the module. `keeps_until`: until when a tenant keeps what is written at a moment."""

    def __init__(self, database: Database, keeps_until: KeepsUntil) -> None:
        self._collection: Collection = database[COLLECTION]
        self._keeps_until = keeps_until

    async def write(self, entries: Sequence[Entry]) -> int:
        """Write entries; those that are there already stay as they are. Returns how many are new."""
        documents = [entry_to_document(entry, await self._keeps_until(entry.tenant_id, entry.at)) for entry in entries]
        return len(documents) - len(await insert_new(self._collection, documents))

    async def redact(self, integration_id: str, link_ids: Sequence[str]) -> None:
        """Forget titles and values that were told of these links: what they are about has become private."""
        query = {"integration_id": integration_id, "link_id": {"$in": list(link_ids)}, "hidden": {"$ne": True}}
        blank = {"$map": {"input": "$lost", "in": [{"$first": "$$this"}, ""]}}
        with away():
            await self._collection.update_many(query, [{"$set": {"title": None, "lost": blank, "hidden": True}}])

    async def keep_anew(self, integration_id: str, tenant_id: int, now: datetime) -> None:
        """Keep what is written about an integration for as long as its tenant decides by now."""
        keep = await self._keeps_until(tenant_id, now) - now
        until = {"$add": ["$at", keep // timedelta(milliseconds=1)]}
        with away():
            await self._collection.update_many(
                {"integration_id": integration_id, **_THERE}, [{"$set": {"expires_at": until}}]
            )

    async def find(self, entry_id: str) -> Entry | None:
        """Return one entry."""
        with away():
            found = await self._collection.find_one({"_id": entry_id, **_THERE})
        return None if found is None else entry_from_document(found)

    async def mark(self, entry_id: str) -> Mark | None:
        """Return the place of an entry; None if it is not there (any more)."""
        with away():
            found = await self._collection.find_one({"_id": entry_id, **_THERE}, {"at": 1})
        return None if found is None else Mark(found["at"], entry_id)

    async def page(self, which: Which, before: Mark | None, limit: int) -> list[Entry]:
        """Return entries, newest first, from a place on."""
        span: Document = _before(before) if before else _THERE
        with away():
            found = (
                await self._collection
                .find({**_query(which), **span})
                .sort([("at", -1), ("_id", -1)])
                .limit(limit)
                .to_list(None)
            )
        return [understood(document, entry_from_document) for document in found]


def kept_for(keep: timedelta) -> KeepsUntil:
    """Return the rule that everybody's entries are kept for so long."""

    async def until(_tenant_id: int, at: datetime) -> datetime:  # noqa: RUF029 - others have to look it up
        return at + keep

    return until


def entry_to_document(entry: Entry, expires_at: datetime) -> Document:
    """Return the document of an entry that is kept until then."""
    document: Document = {name: getattr(entry, name) for name in _FIELDS}
    document["_id"] = document.pop("id")
    document["item"] = item_to_document(entry.item)
    document["lost"] = [list(pair) for pair in entry.lost]
    document["expires_at"] = expires_at
    return document


def entry_from_document(document: Document) -> Entry:
    """Return the entry that a document holds."""
    return Entry(
        id=document["_id"],
        at=document["at"],
        tenant_id=document["tenant_id"],
        integration_id=document["integration_id"],
        trigger=Cause(document["trigger"]),
        direction=Direction(document["direction"]),
        act=Act(document["act"]),
        result=Result(document["result"]),
        reason=Reason.of(document["reason"]),
        link_id=document["link_id"],
        item=item_from_document(document["item"], document["tenant_id"]),
        title=document["title"],
        message=document["message"],
        fields=tuple(document["fields"]),
        lost=tuple((name, value) for name, value in document["lost"]),
        hidden=document.get("hidden", False),
        attempt=document["attempt"],
        correlation_id=document["correlation_id"],
        run_id=document["run_id"],
    )
