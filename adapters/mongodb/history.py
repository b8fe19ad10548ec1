"""The collection `history`: one document for each minute in which something was done, by all workers together.

It is small, and stays whole on a sharded cluster: 1,440 documents a day, kept for eight days. An increment that was
made though its answer got lost is made once more; charts bear that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from adapters.mongodb.driver import Collection, Database, Document, aggregate, away
from events.history import DELAYS, Backlog, Counts, Stretch

COLLECTION: Final = "history"
KEPT: Final = timedelta(days=8)
_MINUTE: Final = timedelta(minutes=1)
_COUNTS: Final = ("done", "failed", "retried")
_DELAYS: Final = tuple(f"d{n}" for n in range(len(DELAYS) + 1))
_LIMIT_MS: Final = 2_000


class History:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._collection: Collection = database[COLLECTION]

    async def add(self, at: datetime, counts: Counts, backlog: Backlog | None) -> None:
        """Add what was done to the minute of a moment, and what waits then."""
        minute = at.replace(second=0, microsecond=0)
        more: Document = {name: getattr(counts, name) for name in _COUNTS}
        more |= dict(zip(_DELAYS, counts.delays, strict=True))
        update: Document = {"$inc": {name: count for name, count in more.items() if count} or {"done": 0}}
        if backlog is not None:
            update["$max"] = {"waiting": backlog.waiting, "letters": backlog.letters}
        with away():
            await self._collection.update_one({"_id": minute}, update | {"$set": {"at": minute}}, upsert=True)

    async def stretches(self, start: datetime, end: datetime, length: timedelta) -> list[Stretch]:
        """Return what happened between two moments, in stretches of this length; where nothing did, there is none."""
        minutes = length // _MINUTE
        truncated: Document = {"$dateTrunc": {"date": "$at", "unit": "minute", "binSize": minutes}}
        sums: Document = {name: {"$sum": f"${name}"} for name in (*_COUNTS, *_DELAYS)}
        largest: Document = {name: {"$max": f"${name}"} for name in ("waiting", "letters")}
        drawing: list[Document] = [
            {"$match": {"at": {"$gte": start, "$lt": end}}},
            {"$group": {"_id": truncated, **sums, **largest}},
            {"$sort": {"_id": 1}},
        ]
        with away():
            found = await aggregate(self._collection, drawing, _LIMIT_MS)
        return [_stretch(document) for document in found]


def _stretch(document: Document) -> Stretch:
    counts = Counts(**{name: document[name] for name in _COUNTS}, delays=tuple(int(document[name]) for name in _DELAYS))
    waiting, letters = document["waiting"], document["letters"]
    backlog = None if waiting is None else Backlog(int(waiting), int(letters))
    return Stretch(document["_id"], counts, backlog)
