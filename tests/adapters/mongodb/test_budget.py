"""The allowance of requests: never exceeded, the urgent first, and less of it after a refusal.

Time is the server's. It is not waited for here; the bucket's document says instead since when it has been filling.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient

from adapters.mongodb.budget import COLLECTION, Budget, bucket_of
from adapters.mongodb.driver import Database
from events.lanes import KEPT_AHEAD, Allowance, Lane

APPLICATION = "client_1"
ALLOWANCE = Allowance(per_second=50, per_minute=500)
SIZE, REFILL = bucket_of(ALLOWANCE).size, bucket_of(ALLOWANCE).refill
allowances = st.builds(Allowance, st.integers(1, 500), st.integers(2, 20_000))


@dataclass(frozen=True)
class Bucket:
    """The bucket as it is stored, and a hand in it."""

    mongodb: MongoClient[dict[str, Any]]
    database: str

    def put(self, tokens: float, *, filling: timedelta = timedelta(), factor: float = 1.0) -> None:
        stored = {"tokens": tokens, "at": self.now - filling if filling else None, "factor": factor}
        self._collection.replace_one({"_id": APPLICATION}, {**stored, "paused_until": None}, upsert=True)

    def let_pass(self, seconds: float) -> None:
        """Pretend that what is stored is older."""
        stored, earlier = self.stored, timedelta(milliseconds=int(seconds * 1000) + 1)
        moved = {name: stored[name] - earlier for name in ("at", "paused_until") if stored[name]}
        self._collection.update_one({"_id": APPLICATION}, {"$set": moved})

    @property
    def stored(self) -> dict[str, Any]:
        return self._collection.find_one({"_id": APPLICATION}) or {}

    @property
    def now(self) -> datetime:
        """The server's time."""
        moment: datetime = self.mongodb.admin.command("hello")["localTime"]
        return moment

    @property
    def _collection(self) -> Any:
        return self.mongodb[self.database][COLLECTION]


@pytest.fixture
def bucket(mongodb: MongoClient[dict[str, Any]], database: str) -> Bucket:
    return Bucket(mongodb, database)


@pytest.fixture
def budget(opened: Database) -> Budget:
    return Budget(opened, APPLICATION, ALLOWANCE)


# How much


@given(allowances)
def test_a_full_bucket_exceeds_neither_a_second_nor_a_minute(allowance: Allowance) -> None:
    bucket = bucket_of(allowance)
    assert int(bucket.size + bucket.refill * (1 + KEPT_AHEAD)) <= allowance.per_second, "requests are whole"
    assert bucket.size + bucket.refill * (60 + KEPT_AHEAD) <= allowance.per_minute + 1e-9


@given(allowances)
def test_every_bucket_holds_a_request_and_fills(allowance: Allowance) -> None:
    assert bucket_of(allowance).size >= 1
    assert bucket_of(allowance).refill > 0


def test_most_of_the_allowance_can_be_used() -> None:
    assert SIZE > 40
    assert 60 * REFILL > 450


async def test_however_many_ask_no_more_goes_out_than_the_bucket_held_and_what_flowed_in(opened: Database) -> None:
    budgets = [Budget(opened, APPLICATION, ALLOWANCE) for _ in range(4)]
    began = time.monotonic()
    waits = await asyncio.gather(*(budget.spend(1, Lane.REAL_TIME) for budget in budgets for _ in range(40)))
    granted = sum(wait == 0 for wait in waits)
    assert int(SIZE) <= granted <= SIZE + REFILL * (time.monotonic() - began)


async def test_another_application_has_an_allowance_of_its_own(opened: Database, bucket: Bucket) -> None:
    bucket.put(tokens=0)
    assert await Budget(opened, APPLICATION, ALLOWANCE).spend(1, Lane.REAL_TIME) > 0
    assert await Budget(opened, "client_2", ALLOWANCE).spend(1, Lane.REAL_TIME) == 0


async def test_all_or_nothing_is_taken(budget: Budget, bucket: Bucket) -> None:
    bucket.put(tokens=3)
    assert await budget.spend(4, Lane.REAL_TIME) > 0
    assert bucket.stored["tokens"] == pytest.approx(3, abs=0.1)
    bucket.put(tokens=3)
    assert await budget.spend(3, Lane.REAL_TIME) == 0
    assert bucket.stored["tokens"] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("lane", Lane)
async def test_more_than_the_bucket_holds_counts_as_all_of_it(budget: Budget, bucket: Bucket, lane: Lane) -> None:
    bucket.put(tokens=SIZE)
    assert await budget.spend(1000, lane) == 0
    assert bucket.stored["tokens"] == pytest.approx(0, abs=0.1)


async def test_the_bucket_fills_with_time_and_never_beyond_its_size(budget: Budget, bucket: Bucket) -> None:
    bucket.put(tokens=0, filling=timedelta(seconds=2))
    await budget.spend(0, Lane.REAL_TIME)
    assert 2 * REFILL <= bucket.stored["tokens"] <= SIZE
    bucket.put(tokens=0, filling=timedelta(hours=1))
    await budget.spend(0, Lane.REAL_TIME)
    assert bucket.stored["tokens"] == SIZE


async def test_a_server_whose_clock_is_behind_takes_nothing_away(budget: Budget, bucket: Bucket) -> None:
    bucket.put(tokens=SIZE, filling=timedelta(hours=-1))
    assert await budget.spend(1, Lane.REAL_TIME) == 0
    assert bucket.stored["tokens"] == pytest.approx(SIZE - 1)
    assert bucket.stored["at"] <= bucket.now, "it fills by the clock there is"


async def test_requests_that_overtake_each_other_fill_nothing_twice(budget: Budget, bucket: Bucket) -> None:
    """A request's time is that of its arrival, and it can be carried out after later ones."""
    bucket.put(tokens=0, filling=timedelta(seconds=-5))
    filled_until = bucket.stored["at"]
    await budget.spend(0, Lane.REAL_TIME)
    assert bucket.stored["at"] == filled_until
    await budget.refused(retry_after=1)
    assert bucket.stored["at"] == filled_until


async def test_whoever_waits_as_told_gets_it(budget: Budget, bucket: Bucket) -> None:
    for lane in Lane:
        bucket.put(tokens=0)
        wait = await budget.spend(2, lane)
        assert wait > 0
        bucket.let_pass(wait)
        assert await budget.spend(2, lane) == 0


# For whom


@pytest.mark.parametrize(
    ("lane", "left"), [(Lane.REAL_TIME, 0.0), (Lane.ASKED, 0.2), (Lane.BACKFILL, 0.4), (Lane.AUDIT, 0.6)]
)
async def test_a_lane_leaves_its_part_of_the_bucket_to_the_more_urgent(
    budget: Budget, bucket: Bucket, lane: Lane, left: float
) -> None:
    bucket.put(tokens=SIZE * left + 1.01)
    assert await budget.spend(1, lane) == 0
    bucket.put(tokens=SIZE * left + 0.99)
    assert await budget.spend(1, lane) > 0


# After a refusal


async def test_after_a_refusal_nothing_goes_out_for_as_long_as_was_asked(budget: Budget, bucket: Bucket) -> None:
    await budget.refused(retry_after=60)
    assert 30 < await budget.spend(1, Lane.REAL_TIME) <= 60
    bucket.let_pass(61)
    assert await budget.spend(1, Lane.REAL_TIME) == 0


async def test_after_a_refusal_without_a_time_nothing_goes_out_for_seconds(budget: Budget) -> None:
    await budget.spend(1, Lane.REAL_TIME)
    await budget.refused(retry_after=None)
    assert 0.5 < await budget.spend(1, Lane.REAL_TIME) <= 5


async def test_a_pause_is_not_cut_short_by_another_refusal(budget: Budget) -> None:
    await budget.refused(retry_after=60)
    await budget.refused(retry_after=None)
    assert await budget.spend(1, Lane.REAL_TIME) > 30


async def test_every_refusal_halves_the_rate_down_to_a_quarter(budget: Budget, bucket: Bucket) -> None:
    factors: list[float] = []
    for _ in range(4):
        await budget.refused(retry_after=1)
        factors.append(bucket.stored["factor"])
    assert factors == [0.5, 0.25, 0.25, 0.25]
    assert bucket.stored["tokens"] == 0


async def test_at_half_the_rate_the_bucket_fills_half_as_fast(budget: Budget, bucket: Bucket) -> None:
    bucket.put(tokens=0, filling=timedelta(seconds=4), factor=0.5)
    await budget.spend(0, Lane.REAL_TIME)
    assert 2 * REFILL <= bucket.stored["tokens"] < 4 * REFILL


async def test_the_full_rate_comes_back_within_minutes(budget: Budget, bucket: Bucket) -> None:
    bucket.put(tokens=0, filling=timedelta(minutes=1), factor=0.25)
    await budget.spend(0, Lane.REAL_TIME)
    assert 0.5 <= bucket.stored["factor"] < 0.6
    bucket.put(tokens=0, filling=timedelta(minutes=4), factor=0.25)
    await budget.spend(0, Lane.REAL_TIME)
    assert bucket.stored["factor"] == 1
