"""The clock that all sandboxes share, and their chance."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.clock import Chance, Clock

START = datetime(2026, 3, 9, 12, tzinfo=UTC)


def test_a_frozen_clock_stands_still_until_it_is_moved() -> None:
    clock = Clock(START, frozen=True)
    assert clock.now() == clock.now() == START
    assert clock.advance(90) == clock.now() == START + timedelta(seconds=90)


def test_a_clock_can_be_set_to_any_instant() -> None:
    clock = Clock(START, frozen=True)
    assert clock.set(START - timedelta(days=1)) == clock.now() == START - timedelta(days=1)


def test_a_running_clock_goes_on_from_its_start() -> None:
    clock = Clock(START)
    first = clock.now()
    assert START <= first <= clock.now() < START + timedelta(minutes=1)


def test_a_clock_without_a_start_shows_the_real_time() -> None:
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(minutes=1)  # noqa: TID251 - the real time is the claim


def test_freezing_and_unfreezing_lose_no_time() -> None:
    clock = Clock(START)
    clock.freeze()
    frozen_at = clock.now()
    assert frozen_at == clock.now()
    clock.unfreeze()
    assert timedelta() <= clock.now() - frozen_at < timedelta(minutes=1)


async def test_a_sleeper_wakes_when_the_clock_is_moved_past_its_time() -> None:
    clock = Clock(START, frozen=True)
    async with asyncio.TaskGroup() as tasks:
        sleeper = tasks.create_task(clock.sleep(60))
        await asyncio.sleep(0)
        clock.advance(59)
        await asyncio.sleep(0)
        assert not sleeper.done()
        clock.advance(1)


async def test_a_sleeper_of_the_past_does_not_sleep() -> None:
    await Clock(START, frozen=True).sleep_until(START)


async def test_a_running_clock_wakes_its_sleepers_by_itself() -> None:
    await Clock(START).sleep(0.01)


async def test_unfreezing_lets_sleepers_go_on() -> None:
    clock = Clock(START, frozen=True)
    async with asyncio.TaskGroup() as tasks:
        _ = tasks.create_task(clock.sleep(0.01))
        await asyncio.sleep(0)
        clock.unfreeze()


def test_the_same_seed_draws_the_same() -> None:
    first, second = Chance(7), Chance(7)
    assert [first.between(0, 9) for _ in range(5)] == [second.between(0, 9) for _ in range(5)]
    assert first.hexadecimal(24) == second.hexadecimal(24)
    assert first.shuffled(range(9)) == second.shuffled(range(9))


def test_a_stream_is_not_disturbed_by_what_others_draw() -> None:
    quiet, busy = Chance(7), Chance(7)
    busy.hexadecimal(8)
    busy.stream("other").hexadecimal(8)
    assert quiet.stream("ids").hexadecimal(8) == busy.stream("ids").hexadecimal(8)


@pytest.mark.parametrize(("probability", "expected"), [(0, False), (1, True)])
def test_what_is_certain_draws_nothing(probability: float, *, expected: bool) -> None:
    chance, untouched = Chance(7), Chance(7)
    assert chance.happens(probability) is expected
    assert chance.between(3, 3) == 3
    assert chance.hexadecimal(8) == untouched.hexadecimal(8)


def test_chances_come_true_about_as_often_as_they_say() -> None:
    chance = Chance(7)
    assert 250 < sum(chance.happens(0.3) for _ in range(1000)) < 350
