"""What a notification tells before a write goes out is looked at first, at whatever await of a wake-up it comes in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

import pytest

from events.items import ItemType
from tests.memory.platform import stamp
from tests.simulation.properties import check_no_duplicates
from tests.simulation.schedules import check_it_stays_at_rest
from tests.simulation.test_every_step import begin_wake_up
from tests.simulation.world import NOON, USER, Task, World

HOUR = timedelta(hours=1)
_LAST_QUESTION = "current"
"""Whether the work is still ours, and nothing has come in: right before a write."""
_MANY = 10


def in_sync(world: World) -> tuple[str, str]:
    """Have an appointment in sync. Returns its id, and its event's uid."""
    item = world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", start=stamp(NOON), end=stamp(NOON + HOUR))
    world.settle()
    (event,) = world.calendar.live()
    return item, event.event_uid


def moved(world: World, uid: str, hours: int) -> None:
    """Let the user move the event, and the notification of it be taken in."""
    world.calendar.edit(uid, start=NOON + hours * HOUR, end=NOON + (hours + 1) * HOUR)
    world.calendar.tick()
    told = [message for message in world.queue if message.kind == "notification"]
    assert told
    for message in told:
        to_its_end(world, world.deliver(message))


def to_its_end(world: World, task: Task) -> None:
    while task.alive:
        world.advance_task(task)


def both_sides(world: World) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return what is in the calendar and in the PSA: titles, and when they start."""
    events = {(event.summary, stamp(cast("datetime", event.start))) for event in world.calendar.live()}
    return events, {(row.item["subject"], row.item["start"]) for row in world.platform.live()}


def test_an_edit_that_is_told_of_before_our_write_goes_out_is_not_written_over(world: World) -> None:
    item, uid = in_sync(world)
    world.platform.edit(item, subject="Review 0")
    steps = 0
    while True:
        task, asked = begin_wake_up(world), False
        for _ in range(steps):
            asked = asked or task.at == _LAST_QUESTION
            world.advance_task(task)
        if not task.alive or asked:
            break
        moved(world, uid, steps + 1)
        world.settle()
        expected = {(f"Review {steps}", stamp(NOON + (steps + 1) * HOUR))}
        assert both_sides(world) == (expected, expected), f"at step {steps}\n{world.story()}"
        steps += 1
        world.clock.advance(24 * 3600)
        world.platform.edit(item, subject=f"Review {steps}")
    assert steps > _MANY, "the wake-up has become suspiciously short"
    world.settle()
    check_no_duplicates(world)


def test_whoever_edits_without_end_does_not_keep_our_write_waiting_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, uid = in_sync(world)
    honest, hours = world.integrations.current, iter(range(1, 1000))

    async def current(lease: object) -> object:
        moved(world, uid, next(hours))
        return await honest(lease)  # type: ignore[arg-type]

    monkeypatch.setattr(world.integrations, "current", current)
    world.platform.edit(item, subject="Later")
    to_its_end(world, begin_wake_up(world))
    assert next(hours) < _MANY
    monkeypatch.undo()
    world.settle()
    assert [event.summary for event in world.calendar.live()] == ["Later"]
    check_it_stays_at_rest(world)
