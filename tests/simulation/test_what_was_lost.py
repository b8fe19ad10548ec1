"""A value is had back, and what is private is forgotten, whatever happens at any await on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine
from datetime import timedelta
from random import Random

import pytest

from events.commands import Cause, Wake
from events.items import ItemType
from events.journal import Entry, Result
from events.orders import OPERATOR, Order, OrderKind
from tests.memory.platform import stamp
from tests.simulation.properties import check_no_duplicates
from tests.simulation.schedules import check_it_stays_at_rest
from tests.simulation.test_every_step import Suffering, begin_wake_up, crashes, is_cut_off, stalls
from tests.simulation.world import USER, World

SUFFERINGS = [crashes, is_cut_off, stalls]


def in_conflict() -> tuple[World, Entry]:
    """Return a world in which a title of one side lost against one of the other."""
    world = World(Random(1))
    start = world.clock.now() + timedelta(days=1)
    times = {"start": stamp(start), "end": stamp(start + timedelta(hours=1))}
    item = world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", **times)
    world.settle()
    (event,) = world.calendar.live()
    world.calendar.edit(event.event_uid, summary="By the calendar")
    world.platform.edit(item, subject="By the PSA")
    world.settle()
    (entry,) = [one for one in world.journal.entries.values() if one.result is Result.CONFLICT]
    assert titles(world) == {"By the PSA", "By the calendar"} - {entry.lost[0][1]}
    return world, entry


def run_through(coroutine: Coroutine[object, None, object]) -> None:
    """Let something happen at once, without anything else in between."""
    with contextlib.suppress(StopIteration):
        while True:
            coroutine.send(None)


def titles(world: World) -> set[str]:
    """Return the titles that both sides show."""
    return {event.summary for event in world.calendar.live()} | {row.item["subject"] for row in world.platform.live()}


@pytest.mark.parametrize("suffering", SUFFERINGS, ids=lambda suffering: suffering.__name__)
@pytest.mark.parametrize("seconds", [0.0, 100.0])
def test_a_lost_value_is_had_back_whatever_happens_at_any_step(suffering: Suffering, seconds: float) -> None:
    tried = 0
    while True:
        world, entry = in_conflict()
        details = {"conflict_id": entry.id, "field": None}
        order = Order("restore", entry.integration_id, OPERATOR, OrderKind.RESTORE, world.clock.now(), details)
        world.orders.orders[order.id] = order
        run_through(world.integrations.mark_due([entry.integration_id], world.clock.now()))
        run_through(world.wake([Wake(integration_id=entry.integration_id, cause=Cause.SETTINGS)]))
        task = begin_wake_up(world)
        for _ in range(tried):
            if task.alive:
                world.advance_task(task)
        if not task.alive:
            world.close()
            break
        suffering(world, task)
        world.clock.advance(seconds)
        world.calendar.tick()
        world.settle()
        assert titles(world) == {entry.lost[0][1]}, f"at step {tried}\n{world.story()}"
        check_no_duplicates(world)
        check_it_stays_at_rest(world)
        world.close()
        tried += 1
    assert tried > 15, "the wake-up has become suspiciously short"


@pytest.mark.parametrize("suffering", SUFFERINGS, ids=lambda suffering: suffering.__name__)
def test_what_turns_private_is_nowhere_to_be_found_whatever_happens_at_any_step(suffering: Suffering) -> None:
    tried = 0
    while True:
        world = World(Random(1))
        start = world.clock.now() + timedelta(days=1)
        uid = world.calendar.create("Clinic", start, start + timedelta(hours=1))
        world.settle()
        assert any(entry.title == "Clinic" for entry in world.journal.entries.values())
        world.calendar.edit(uid, private=True)
        task = begin_wake_up(world)
        for _ in range(tried):
            if task.alive:
                world.advance_task(task)
        if not task.alive:
            world.close()
            break
        suffering(world, task)
        world.calendar.tick()
        world.settle()
        kept = repr([*world.links.links.values(), *world.journal.entries.values(), *world.platform.live()])
        assert "Clinic" not in kept, f"at step {tried}\n{world.story()}"
        world.close()
        tried += 1
    assert tried > 15, "the wake-up has become suspiciously short"
