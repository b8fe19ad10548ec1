"""Figures about the whole installation, to be looked at every now and then: what waits, who is connected, how fresh.

Each is one bounded query: it uses an index or reads a small collection, and the server gives up after two seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adapters.mongodb.driver import Collection, Database, Document, aggregate, away
from adapters.mongodb.links import COLLECTION as LINKS
from adapters.mongodb.wishes import COLLECTION as INTEGRATIONS
from adapters.mongodb.wishes import THERE
from events.link import LinkState

if TYPE_CHECKING:
    from datetime import datetime

DEAD_LETTERS: Final = "dead_letters"
_LIMIT_MS: Final = 2_000
_WHOLE_LIMIT_MS: Final = 20_000
"""For what goes over all integrations: 1.4 s for 100,000 on a busy machine, and rarely asked."""
_INTEGRATIONS: Final = 1_000
_LINKS: Final = 20_000
_OPEN: Final = 10_000


@dataclass(frozen=True, slots=True)
class Amount:
    """How many there are, and since when the oldest; None if that is not known."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits. `complete`: whether all of it was counted, or only what waits longest."""

    integrations: Amount
    """Due with nobody working on them. `since`: when the first became due."""
    links: dict[str, Amount]
    """By reason. `since`: when it was first asked or began to fail."""
    complete: bool


@dataclass(frozen=True, slots=True)
class Standings:
    """How integrations stand."""

    counts: dict[tuple[str, str, bool], int]
    """By status, reason, and whether they are active."""
    on_hold: dict[str, int]
    """How many leave a system alone for a while, by system."""
    stalest: datetime | None
    """The oldest last complete read among those that are connected and active."""


class Figures:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._integrations: Collection = database[INTEGRATIONS]
        self._links: Collection = database[LINKS]
        self._dead_letters: Collection = database[DEAD_LETTERS]

    async def waiting(self, now: datetime) -> Waiting:
        """Look at what is due. An integration with a link that waits is due itself, which is what the index is for."""
        due = await self._aggregate(
            self._integrations,
            {"$match": {"due_at": {"$type": "date"}}},
            {"$sort": {"due_at": 1}},
            {"$limit": _INTEGRATIONS},
            {"$project": {"due_at": 1}},
        )
        late = [document["due_at"] for document in due if document["due_at"] <= now]
        links = await self._links_of([document["_id"] for document in due])
        counted = sum(amount.count for amount in links.values())
        return Waiting(
            integrations=Amount(len(late), min(late, default=None)),
            links=links,
            complete=len(due) < _INTEGRATIONS and counted < _LINKS,
        )

    async def _links_of(self, integration_ids: list[str]) -> dict[str, Amount]:
        if not integration_ids:
            return {}
        asked: Document = {"$arrayElemAt": ["$calendar_asks.at", 0]}
        since: Document = {"$ifNull": ["$failing_since", {"$ifNull": [asked, "$due_at"]}]}
        found = await self._aggregate(
            self._links,
            {"$match": {"integration_id": {"$in": integration_ids}, "due_at": {"$type": "date"}}},
            {"$limit": _LINKS},
            {"$group": {"_id": "$reason", "count": {"$sum": 1}, "since": {"$min": since}}},
        )
        return {document["_id"]: Amount(document["count"], document["since"]) for document in found}

    async def standings(self, now: datetime) -> Standings:
        """Look at all integrations: there is one for each user."""
        active: Document = {"$ifNull": ["$wanted.active.value", True]}
        reads: Document = {"$ifNull": ["$held.verified_at", "$held.linked_since"]}
        live: Document = {"$and": [{"$eq": ["$held.status", "connected"]}, active]}
        found = await self._aggregate(
            self._integrations,
            {"$match": THERE},
            {
                "$group": {
                    "_id": {"status": "$held.status", "reason": "$held.reason", "active": active},
                    "count": {"$sum": 1},
                    "cronofy": _how_many({"$gt": ["$held.calendar_hold", now]}),
                    "psa": _how_many({"$gt": ["$held.psa_hold", now]}),
                    "stalest": {"$min": {"$cond": [live, reads, None]}},
                }
            },
            limit_ms=_WHOLE_LIMIT_MS,
        )
        stalest = [document["stalest"] for document in found if document["stalest"] is not None]
        return Standings(
            counts={(one["_id"]["status"], one["_id"]["reason"], one["_id"]["active"]): one["count"] for one in found},
            on_hold={system: sum(one[system] for one in found) for system in ("cronofy", "psa")},
            stalest=min(stalest, default=None),
        )

    async def held_back(self) -> Amount:
        """Look at the deletions that a brake holds back. `since`: when the first was."""
        found = await self._aggregate(
            self._links,
            # The range names no integration, but the index.
            {"$match": {"integration_id": {"$gt": ""}, "state": LinkState.QUARANTINED.value}},
            {"$limit": _LINKS},
            {"$group": {"_id": None, "count": {"$sum": 1}, "since": {"$min": "$ending.at"}}},
        )
        return Amount(found[0]["count"], found[0]["since"]) if found else Amount(0, None)

    async def dead_letters(self) -> dict[str, Amount]:
        """Look at the dead letters that nobody has dealt with yet, by reason."""
        found = await self._aggregate(
            self._dead_letters,
            {"$match": {"status": "open"}},
            {"$limit": _OPEN},
            {"$group": {"_id": "$reason", "count": {"$sum": 1}, "since": {"$min": "$first_at"}}},
        )
        return {document["_id"]: Amount(document["count"], document["since"]) for document in found}

    @staticmethod
    async def _aggregate(collection: Collection, *stages: Document, limit_ms: int = _LIMIT_MS) -> list[Document]:
        with away():
            return await aggregate(collection, list(stages), limit_ms)


def _how_many(condition: Document) -> dict[str, Any]:
    return {"$sum": {"$cond": [condition, 1, 0]}}
