"""Time that passes in a small world in which one of the two sides misbehaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from events.integration import Held
from events.items import ItemType
from events.link import Link
from tests.memory.platform import stamp
from tests.simulation.world import INTEGRATION, NOON, USER, World

HOUR = timedelta(hours=1)
TIMES: dict[str, Any] = {"start": stamp(NOON), "end": stamp(NOON + HOUR)}
_STEPS = 60_000


def appointment(world: World, subject: str = "Review") -> str:
    """Make an appointment. Returns its id."""
    return world.platform.make(ItemType.APPOINTMENT, USER, subject=subject, **TIMES)


def shown(world: World) -> list[str]:
    """Return the titles in the calendar."""
    return sorted(event.summary for event in world.calendar.live())


def held(world: World) -> Held:
    """Return what is held of the integration."""
    return world.integrations.rows[INTEGRATION].integration.held


def links(world: World) -> list[Link]:
    """Return all links."""
    return list(world.links.links.values())


def for_hours(world: World, hours: float) -> None:
    """Let everything happen that happens within so many hours."""
    end = world.clock.now() + timedelta(hours=hours)
    for _ in range(_STEPS):
        if world.tasks:
            world.advance_task(world.tasks[0])
        elif world.queue:
            world.deliver(world.queue[0])
        elif not _wait(world, end):
            return
    raise AssertionError("it goes round in circles\n" + world.story(30))


def _wait(world: World, end: Any) -> bool:
    """Wait for what comes next. False if nothing comes before the end."""
    world.calendar.tick()
    if world.queue:
        return True
    due = world.integrations.rows[INTEGRATION].integration.due_at
    coming = min([end, *(moment for moment in (due, world.calendar.next_at()) if moment is not None)])
    if coming >= end:
        world.clock.advance(max(0.0, (end - world.clock.now()).total_seconds()))
        return False
    world.clock.advance(max(0.001, (coming - world.clock.now()).total_seconds()))
    world.calendar.tick()
    if due is not None and due <= world.clock.now():
        world.sweep()
    return True
