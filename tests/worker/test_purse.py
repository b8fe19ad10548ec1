"""Allowance taken ahead: for lone edits, for a moment, and never where little is left."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from events.lanes import KEPT_AHEAD, Lane
from tests.memory.steps import MemoryClock, Stepper
from worker.purse import Purse


@dataclass
class Bucket:
    """A budget that notes what is asked of it. `wait`: what it answers."""

    wait: float = 0.0
    asked: list[tuple[int, Lane]] = field(default_factory=list[tuple[int, Lane]])
    refusals: list[float | None] = field(default_factory=list["float | None"])

    async def spend(self, requests: int, lane: Lane) -> float:
        self.asked.append((requests, lane))
        return self.wait

    async def refused(self, retry_after: float | None) -> None:
        self.refusals.append(retry_after)


AHEAD = (2, Lane.BACKFILL)
ONE = (1, Lane.REAL_TIME)


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock(Stepper(by_hand=False))


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def purse(bucket: Bucket, clock: MemoryClock) -> Purse:
    return Purse(bucket, clock, largest=40)


async def test_what_is_in_hand_is_spent_first_and_only_once(purse: Purse, bucket: Bucket) -> None:
    await purse.fill()
    assert [await purse.spend(1, Lane.REAL_TIME) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.asked == [AHEAD, ONE]


async def test_a_purse_that_holds_something_is_not_filled_again(purse: Purse, bucket: Bucket) -> None:
    for _ in range(2):
        await purse.fill()
    await purse.spend(1, Lane.REAL_TIME)
    await purse.fill()
    assert bucket.asked == [AHEAD]


async def test_what_was_taken_ahead_is_good_for_a_moment_only(purse: Purse, bucket: Bucket, clock: MemoryClock) -> None:
    await purse.fill()
    clock.advance(KEPT_AHEAD)
    await purse.spend(1, Lane.REAL_TIME)
    assert bucket.asked == [AHEAD, ONE]


async def test_where_little_is_left_nothing_is_taken_ahead(purse: Purse, bucket: Bucket) -> None:
    bucket.wait = 0.5
    await purse.fill()
    assert await purse.spend(1, Lane.REAL_TIME) == 0.5  # noqa: RUF069 - as it was given
    assert bucket.asked == [AHEAD, ONE]


@pytest.mark.parametrize("largest", [1.0, 1.9, 3.9])
async def test_of_a_small_allowance_nothing_is_taken_ahead(bucket: Bucket, clock: MemoryClock, largest: float) -> None:
    """A bucket that holds less than what is asked for gives what it holds, and more would be in hand than was taken."""
    purse = Purse(bucket, clock, largest)
    await purse.fill()
    await purse.spend(1, Lane.REAL_TIME)
    assert bucket.asked == [ONE]


@pytest.mark.parametrize("lane", [Lane.ASKED, Lane.BACKFILL, Lane.AUDIT])
async def test_less_urgent_work_leaves_what_is_in_hand(purse: Purse, bucket: Bucket, lane: Lane) -> None:
    await purse.fill()
    await purse.spend(1, lane)
    await purse.spend(1, Lane.REAL_TIME)
    assert bucket.asked == [AHEAD, (1, lane)]


async def test_a_refusal_voids_what_is_in_hand(purse: Purse, bucket: Bucket) -> None:
    await purse.fill()
    await purse.refused(3.0)
    await purse.spend(1, Lane.REAL_TIME)
    assert (bucket.asked, bucket.refusals) == ([AHEAD, ONE], [3.0])
