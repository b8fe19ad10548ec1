"""The collection `rate_budget`: Cronofy's allowance for the application, shared by all replicas and tenants.

A token bucket on server time. Its size is what may go out at once, and it refills so that neither a second nor a minute
can exceed the allowance. Less urgent lanes leave part of the bucket to the more urgent ones. After a 429 nothing goes
out for a while, and then less; the full rate comes back within minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo.write_concern import WriteConcern

from adapters.mongodb.driver import Collection, Database, Document, aggregate, away
from events.lanes import KEPT_AHEAD, Allowance, Lane

COLLECTION: Final = "rate_budget"
_LEFT_TO_OTHERS: Final[Mapping[Lane, float]] = {
    Lane.REAL_TIME: 0.0,
    Lane.ASKED: 0.2,
    Lane.BACKFILL: 0.4,
    Lane.AUDIT: 0.6,
}
_SLOWEST: Final = 0.25
_RECOVERY_PER_SECOND: Final = 0.25 / 60
_DEFAULT_PAUSE: Final = 5.0

_PASSED: Final[Document] = {"$divide": [{"$subtract": ["$$NOW", {"$ifNull": ["$at", "$$NOW"]}]}, 1000]}
"""Seconds since the bucket was last filled. Negative if a later request was carried out before this one, or if the
server that took over has a clock that is behind."""
_FILLED_UNTIL: Final[Document] = {"$cond": [{"$lt": [_PASSED, -60]}, "$$NOW", {"$max": ["$at", "$$NOW"]}]}


@dataclass(frozen=True, slots=True)
class Bucket:
    """What an allowance comes to. `refill`: tokens per second."""

    size: float
    refill: float


def bucket_of(allowance: Allowance) -> Bucket:
    """Return the largest bucket from which, when full, a second and a minute take no more than they may.

    It holds one request at least, and at most half of what a minute may see, so that the rest of it is not starved.
    What is sent within a second or a minute may have been taken a moment before its beginning.
    """
    per_second, per_minute = allowance.per_second, allowance.per_minute
    second, minute = 1 + KEPT_AHEAD, 60 + KEPT_AHEAD
    both_used_up = (minute * per_second - second * per_minute) / (minute - second)
    size = min(max(both_used_up, 1.0), per_minute / 2)
    # A size of one is a second's whole allowance where that is one: then half the rate keeps two of them apart.
    return Bucket(size, refill=min((per_minute - size) / minute, max((per_second - size) / second, per_second / 2)))


@dataclass(frozen=True, slots=True)
class Left:
    """How much of the allowance is left.

    `rate`: the part of the full rate at which it refills, 1 when nothing is wrong. `paused`: seconds for which nothing
    goes out.
    """

    requests: Mapping[Lane, float]
    rate: float
    paused: float


class Budget:
    """See the module. `application`: the client id."""

    def __init__(self, database: Database, application: str, allowance: Allowance) -> None:
        # It is asked before every request and worth nothing a minute later: it need not survive a failover.
        self._collection: Collection = database[COLLECTION].with_options(write_concern=WriteConcern(w=1, j=False))
        self._id = application
        self._bucket = bucket_of(allowance)

    @property
    def largest(self) -> float:
        """How many requests may go out at once when nothing has been spent for a while."""
        return self._bucket.size

    async def spend(self, requests: int, lane: Lane) -> float:
        """Take the allowance for some requests. Returns 0, or after how many seconds to ask again.

        All or nothing; `requests` beyond the size of the bucket count as the size.
        """
        wanted = min(float(requests), self._bucket.size)
        reserve = self._bucket.size * _LEFT_TO_OTHERS[lane]
        reserve = min(reserve, self._bucket.size - wanted)
        with away():
            found = await self._collection.find_one_and_update(
                {"_id": self._id}, self._taking(wanted, reserve), projection=None, return_document=True
            )
            if found is None:
                await self._collection.update_one({"_id": self._id}, {"$setOnInsert": self._full()}, upsert=True)
                return await self.spend(requests, lane)
        if found["granted"]:
            return 0.0
        paused = (found["paused_until"] - found["at"]).total_seconds() if found["paused_until"] else 0.0
        lacking = (wanted + reserve - found["tokens"]) / (self._bucket.refill * found["factor"])
        return float(max(paused, lacking, 0.05))

    async def refused(self, retry_after: float | None) -> None:
        """Cronofy said 429: pause, then go on at half the rate."""
        pause = int((retry_after or _DEFAULT_PAUSE) * 1000)
        update = {
            "tokens": 0.0,
            "at": _FILLED_UNTIL,
            "factor": {"$max": [_SLOWEST, {"$multiply": [{"$ifNull": ["$factor", 1.0]}, 0.5]}]},
            "paused_until": {"$max": ["$paused_until", {"$add": ["$$NOW", pause]}]},
        }
        with away():
            await self._collection.update_one({"_id": self._id}, [{"$set": update}], upsert=True)

    async def left(self) -> Left:
        """Return what each lane could take now. Takes nothing."""
        size = self._bucket.size
        paused = {"$max": [0, {"$subtract": [{"$ifNull": ["$paused_until", "$$NOW"]}, "$$NOW"]}]}
        looking = [{"$match": {"_id": self._id}}, self._filled(), {"$set": {"paused": paused}}]
        with away():
            found = await aggregate(self._collection, looking)
        document = found[0] if found else {**self._full(), "paused": 0}
        lanes = {lane: max(0.0, document["tokens"] - size * part) for lane, part in _LEFT_TO_OTHERS.items()}
        return Left(lanes, rate=document["factor"], paused=document["paused"] / 1000)

    def _full(self) -> Document:
        return {"tokens": self._bucket.size, "at": None, "factor": 1.0, "paused_until": None, "granted": False}

    def _filled(self) -> Document:
        elapsed: Document = {"$max": [0, _PASSED]}
        factor: Document = {"$min": [1.0, {"$add": ["$factor", {"$multiply": [elapsed, _RECOVERY_PER_SECOND]}]}]}
        refilled: Any = {"$add": ["$tokens", {"$multiply": [elapsed, self._bucket.refill, "$factor"]}]}
        return {"$set": {"tokens": {"$min": [self._bucket.size, refilled]}, "factor": factor, "at": _FILLED_UNTIL}}

    def _taking(self, wanted: float, reserve: float) -> list[Document]:
        granted: Document = {"$and": [{"$gte": ["$tokens", wanted + reserve]}, {"$lte": ["$paused_until", "$$NOW"]}]}
        return [
            self._filled(),
            {"$set": {"granted": granted}},
            {"$set": {"tokens": {"$cond": ["$granted", {"$subtract": ["$tokens", wanted]}, "$tokens"]}}},
        ]
