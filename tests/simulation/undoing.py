"""A run that is taken back while people work on what it made, each thing touched once at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from events.items import ItemType
from events.link import LinkState
from events.orders import OPERATOR, Order, OrderKind
from events.reasons import Reason
from events.runs import RunState
from tests.memory.platform import Row, stamp
from tests.simulation.properties import check_no_duplicates, event_content, item_content, trios
from tests.simulation.schedules import PACES, check_it_stays_at_rest
from tests.simulation.world import INTEGRATION, NOON, USER, Faults, World

if TYPE_CHECKING:
    from pydantic import JsonValue

_MONTH: dict[str, JsonValue] = {"past": "none", "future": "1_month"}
_EACH = 2


@dataclass
class Afterwards:
    """What was there before the run, and what people did since."""

    world: World
    random: Random
    things: list[str] = field(default_factory=list[str])
    """Titles, each of one item or of one event."""
    edited: dict[str, str] = field(default_factory=dict[str, str])
    """Titles of what was touched, with what can be traced of it."""

    def brought_together(self) -> None:
        """Let there be items and events that nobody has heard of, and a run that brings them together."""
        world, untold = self.world, self.world.platform.on_change
        world.platform.on_change = lambda _: None
        for number in range(_EACH):
            start = NOON + timedelta(days=1, hours=number)
            times = {"start": stamp(start), "end": stamp(start + timedelta(hours=1))}
            world.platform.make(ItemType.APPOINTMENT, USER, subject=f"item-{number}", **times)
            uid = world.calendar.create(f"event-{number}", start, start + timedelta(hours=1))
            since = world.integrations.rows[INTEGRATION].integration.held.linked_since
            assert since is not None
            known = replace(world.calendar.events[uid], created=since - timedelta(days=9))
            world.calendar.events[uid] = world.calendar.visible[uid] = known
            world.calendar.pending.clear()
            self.things += [f"item-{number}", f"event-{number}"]
        world.platform.on_change = untold
        self.order(OrderKind.SYNC, trigger="asked", retrieve=_MONTH, send=_MONTH)
        world.settle()
        assert len(world.calendar.live()) == len(world.platform.live()) == 2 * _EACH

    def order(self, kind: OrderKind, **details: JsonValue) -> None:
        """Order something as an operator."""
        world = self.world
        order = Order(f"{kind}", INTEGRATION, OPERATOR, kind, world.clock.now(), details)
        world.orders.orders[order.id] = order
        row = world.integrations.rows[INTEGRATION]
        row.integration = replace(row.integration, due_at=world.clock.now())

    def plan(self) -> list[Callable[[World], object]]:
        """Touch some things, and take the run back in between."""
        touched = self.random.sample(self.things, self.random.randint(0, len(self.things)))
        plan: list[Callable[[World], object]] = [partial(self.touch, title) for title in touched]
        plan.insert(self.random.randint(0, len(plan)), lambda _: self.order(OrderKind.UNDO_RUN, run_id="sync"))
        return plan

    def touch(self, title: str, _: World) -> None:
        """Change something on one side, if it is there."""
        side = self.random.choice((self._in_psa, self._in_calendar))
        side(title, self.random.random() < 0.5)

    def _in_psa(self, title: str, moves: bool) -> None:
        found = [row for row in self.world.platform.live() if row.item["subject"] == title]
        start = NOON + timedelta(days=2, minutes=len(self.edited))
        times = {"start": stamp(start), "end": stamp(start + timedelta(hours=1))}
        if found:
            self.edited[title] = stamp(start) if moves else f"{title}!"
            fields: dict[str, Any] = times if moves else {"subject": f"{title}!"}
            self.world.platform.edit(found[0].key.item_id, **fields)

    def _in_calendar(self, title: str, moves: bool) -> None:
        found = [event for event in self.world.calendar.live() if event.summary == title]
        start = NOON + timedelta(days=3, minutes=len(self.edited))
        if found:
            self.edited[title] = stamp(start) if moves else f"{title}!"
            fields: dict[str, Any] = (
                {"start": start, "end": start + timedelta(hours=1)} if moves else {"summary": f"{title}!"}
            )
            self.world.calendar.edit(found[0].event_uid, **fields)

    # In the end

    def check(self) -> None:
        """What nobody touched is as it was before the run; what somebody touched is on both sides, as it was left."""
        world = self.world
        assert world.runs.runs["undo_run"].state is RunState.FINISHED, world.runs.runs
        raced = {value.replace(" 12:", "T12:") for one in world.calendar.applied for value in one.late}
        items = {str(row.item["subject"]).rstrip("!"): row for row in world.platform.live()}
        events = {event.summary.rstrip("!"): event for event in world.calendar.live()}
        for title in self.things:
            row, event = items.get(title), events.get(title)
            story = f"{title} {self.edited}\n" + world.story(80)
            if title not in self.edited:
                assert (row is None) is title.startswith("event"), "an item is not as it was: " + story
                assert (event is None) is title.startswith("item"), "an event is not as it was: " + story
            elif not any(self.edited[title].rstrip("Z") in value for value in raced):
                shown = {str(c) for c in ((row and item_content(world, row)), (event and event_content(event)))}
                assert row, "what somebody worked on is gone from the PSA: " + story
                assert event, "what somebody worked on is gone from the calendar: " + story
                assert len(shown) == 1 or _may_not(world, row), f"the sides differ: {shown} " + story
        pending = [link for link, *_ in trios(world) if link.state is LinkState.PENDING or link.undoing]
        assert not pending, f"it does not come to an end: {pending}\n" + world.story()
        check_no_duplicates(world)
        check_it_stays_at_rest(world)


def _may_not(world: World, row: Row) -> bool:
    """Whether it is on record that the item's event is the user's own and may not be changed."""
    links = [link for link in world.links.links.values() if link.item == row.key]
    return all(link.state is LinkState.BLOCKED and link.reason is Reason.NOT_PERMITTED for link in links)


def run_undone(seed: int, faults: Faults) -> World:
    """Take a run back while people work, and check that it hurts nobody."""
    random = Random(seed)
    world = World(random, pace=random.choice(PACES), pressing=random.random() < 0.5)
    afterwards = Afterwards(world, random)
    try:
        afterwards.brought_together()
        world.faults = replace(faults)
        world.run(afterwards.plan())
        world.settle()
        afterwards.check()
    finally:
        world.close()
    return world
