"""The same day lived twice, with one thing different that should make no difference: both days end alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

import tests.simulation.people
from events.content import Content, Timed
from events.items import ItemType
from events.journal import Act
from events.outcomes import Direction
from tests.memory.calendar import Pace
from tests.memory.platform import stamp
from tests.simulation.people import People
from tests.simulation.properties import event_content, item_content
from tests.simulation.world import INTEGRATION, NOON, USER, World

SEEDS = range(8)
AT_ONCE = Pace(apply=0, lag=0)
Shown = list[tuple[str, datetime]]
State = tuple[Shown, Shown]
"""What the PSA and the calendar show in the end."""
Difference = Callable[[World], object]


def nothing(world: World) -> None:
    del world


def live_a_day(
    seed: int, *, before: Difference = nothing, now_and_then: Difference = nothing, plan: int = 6
) -> tuple[State, int]:
    """Let people edit, one thing after the other. Returns what is there in the end, and how much was written."""
    world, people = World(Random(0), pace=AT_ONCE), People(Random(seed))
    try:
        before(world)
        for action in people.plan(plan):
            action(world)
            now_and_then(world)
            world.settle()
        return state(world), len(world.calendar.applied) + len(world.platform.writes)
    finally:
        world.close()


def state(world: World) -> State:
    items = [item_content(world, row) for row in world.platform.live()]
    events = [event_content(event) for event in world.calendar.live()]
    return shown(items), shown(events)


def shown(contents: list[Content | None]) -> Shown:
    return sorted((one.summary, one.when.start) for one in contents if one is not None and isinstance(one.when, Timed))


def hand_over_twice(world: World) -> None:
    world.queue += [replace(message, id=f"{message.id}'") for message in world.queue]


def look_in_between(world: World) -> None:
    world.settle()
    world.look_again()


@pytest.mark.parametrize("difference", [hand_over_twice, look_in_between], ids=lambda one: one.__name__)
def test_messages_twice_and_looks_in_between_change_nothing_and_cost_no_write(difference: Difference) -> None:
    for seed in SEEDS:
        assert live_a_day(seed, now_and_then=difference) == live_a_day(seed)


def test_the_name_of_a_tenant_matters_to_nobody() -> None:
    def rename(world: World) -> None:
        world.platform.tenant_id = 4711
        row = world.integrations.rows[INTEGRATION]
        row.integration = replace(row.integration, tenant_id=4711)

    for seed in SEEDS:
        assert live_a_day(seed, before=rename) == live_a_day(seed)


def test_days_later_the_same_happens_days_later(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = {seed: live_a_day(seed) for seed in SEEDS}
    later = timedelta(days=30)
    monkeypatch.setattr(tests.simulation.people, "NOON", NOON + later)
    for seed in SEEDS:
        (items, events), written = live_a_day(seed, before=lambda world: world.clock.advance(later.total_seconds()))
        back = [[(text, start - later) for text, start in side] for side in (items, events)]
        assert ((back[0], back[1]), written) == ends[seed]


def test_whatever_order_messages_come_in_both_sides_end_alike() -> None:
    """People have done all they do before anybody hears of it."""
    for seed in SEEDS:
        ends = [live_unheard(seed, order) for order in range(6)]
        assert all(end == ends[0] for end in ends), f"seed {seed}: {ends}"


def live_unheard(seed: int, order: int) -> State:
    world, people = World(Random(0), pace=AT_ONCE), People(Random(seed))
    try:
        people.make_item(world)
        people.make_event(world)
        world.settle()
        for action in people.plan(6):
            action(world)
            world.calendar.tick()
        Random(order).shuffle(world.queue)
        world.settle()
        return state(world)
    finally:
        world.close()


def test_what_one_does_to_appointments_in_the_psa_and_another_one_in_the_calendar_ends_alike() -> None:
    """Fields that flow both ways flow both ways alike."""
    ends: list[State] = []
    for side in ("psa", "calendar"):
        world = World(Random(1), pace=AT_ONCE)
        try:
            (first, second) = (make(world, side, text) for text in ("one", "two"))
            world.settle()
            change(world, side, first, "changed", NOON + timedelta(hours=5))
            world.settle()
            remove(world, side, second)
            world.settle()
            ends.append(state(world))
        finally:
            world.close()
    expected = [("changed", NOON + timedelta(hours=5))]
    assert ends == [(expected, expected)] * 2


def make(world: World, side: str, text: str) -> str:
    if side == "calendar":
        return world.calendar.create(text, NOON, NOON + timedelta(hours=1))
    return world.platform.make(ItemType.APPOINTMENT, USER, subject=text, **times(NOON))


def change(world: World, side: str, id_: str, text: str, start: datetime) -> None:
    if side == "calendar":
        world.calendar.edit(id_, summary=text, start=start, end=start + timedelta(hours=1))
    else:
        world.platform.edit(id_, subject=text, **times(start))


def times(start: datetime) -> dict[str, str]:
    return {"start": stamp(start), "end": stamp(start + timedelta(hours=1))}


def remove(world: World, side: str, id_: str) -> None:
    if side == "calendar":
        world.calendar.delete(id_)
    else:
        world.platform.remove(id_)


def test_the_log_alone_says_what_was_written() -> None:
    """Who reads its lines knows of every write to either side, and what became of each link."""
    for seed in SEEDS:
        world, people = World(Random(0), pace=AT_ONCE), People(Random(seed))
        try:
            for action in people.plan(8):
                action(world)
                world.settle()
            assert told(world, Direction.TO_CALENDAR) == written_to_calendar(world)
            assert told(world, Direction.FROM_CALENDAR) == written_to_psa(world)
            links = {link.id for link in world.links.links.values()}
            assert links == {entry.link_id for entry in world.journal.entries.values() if entry.link_id}
        finally:
            world.close()


def told(world: World, direction: Direction) -> list[Act]:
    writes = {Act.CREATE, Act.UPDATE, Act.DELETE}
    entries = [one for one in world.journal.entries.values() if one.act in writes and one.direction is direction]
    return sorted(entry.act for entry in entries if not entry.lost)


def written_to_calendar(world: World) -> list[Act]:
    found: list[Act] = []
    for one in world.calendar.applied:
        if one.after.deleted:
            found.append(Act.DELETE)
        else:
            found.append(Act.CREATE if one.before is None else Act.UPDATE)
    return sorted(found)


def written_to_psa(world: World) -> list[Act]:
    acts = {"create": Act.CREATE, "change": Act.UPDATE, "delete": Act.DELETE}
    return sorted(acts[kind] for kind, _, _ in world.platform.writes)
