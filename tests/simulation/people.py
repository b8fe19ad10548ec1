"""Two people who edit: one in the PSA, one in the calendar. Every value they set is unique, to be traced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from events.items import ItemType
from tests.memory.platform import stamp
from tests.simulation.world import NOON, USER, World

Action = Callable[[World], object]


@dataclass
class Edit:
    """One value that somebody set."""

    side: str
    item: str
    """`psa:<id>` or `calendar:<uid>`: where it was set."""
    field: str
    value: str
    deleted: bool = False


@dataclass
class People:
    """Makes plans and remembers who set what."""

    random: Random
    edits: list[Edit] = field(default_factory=list)
    _number: int = 0

    def plan(self, length: int) -> list[Action]:
        """Return a plan: something to begin with, then random edits on either side."""
        actions: list[Action] = [self._make_item, self._make_event]
        choices = [
            self._edit_item,
            self._edit_item,
            self._move_item,
            self._edit_event,
            self._edit_event,
            self._move_event,
            self._make_item,
            self._make_event,
            self._delete_item,
            self._delete_event,
        ]
        return actions + [self.random.choice(choices) for _ in range(length)]

    def _unique(self) -> int:
        self._number += 1
        return self._number

    def _word(self, side: str) -> str:
        return f"{side}-{self._unique()}"

    def _time(self) -> datetime:
        return NOON + timedelta(minutes=self._unique())

    # In the PSA

    def _make_item(self, world: World) -> None:
        subject, start = self._word("psa"), self._time()
        item = world.platform.make(
            ItemType.APPOINTMENT, USER, subject=subject, start=stamp(start), end=stamp(start + timedelta(hours=1))
        )
        self._note("psa", item, "summary", subject)
        self._note("psa", item, "start", stamp(start))

    def _some_item(self, world: World) -> str | None:
        items = [row.key.item_id for row in world.platform.live()]
        return self.random.choice(items) if items else None

    def _edit_item(self, world: World) -> None:
        if item := self._some_item(world):
            subject = self._word("psa")
            world.platform.edit(item, subject=subject)
            self._note("psa", item, "summary", subject)

    def _move_item(self, world: World) -> None:
        if item := self._some_item(world):
            start = self._time()
            world.platform.edit(item, start=stamp(start), end=stamp(start + timedelta(hours=1)))
            self._note("psa", item, "start", stamp(start))

    def _delete_item(self, world: World) -> None:
        if item := self._some_item(world):
            world.platform.remove(item)
            self.edits.append(Edit("psa", f"psa:{item}", "", "", deleted=True))

    # In the calendar

    def _make_event(self, world: World) -> None:
        summary, start = self._word("calendar"), self._time()
        uid = world.calendar.create(summary, start, start + timedelta(hours=1))
        self._note("calendar", uid, "summary", summary)
        self._note("calendar", uid, "start", stamp(start))

    def _some_event(self, world: World) -> str | None:
        events = [event.event_uid for event in world.calendar.live()]
        return self.random.choice(events) if events else None

    def _edit_event(self, world: World) -> None:
        if uid := self._some_event(world):
            summary = self._word("calendar")
            world.calendar.edit(uid, summary=summary)
            self._note("calendar", uid, "summary", summary)

    def _move_event(self, world: World) -> None:
        if uid := self._some_event(world):
            start = self._time()
            world.calendar.edit(uid, start=start, end=start + timedelta(hours=1))
            self._note("calendar", uid, "start", stamp(start))

    def _delete_event(self, world: World) -> None:
        if uid := self._some_event(world):
            world.calendar.delete(uid)
            self.edits.append(Edit("calendar", f"calendar:{uid}", "", "", deleted=True))

    def _note(self, side: str, where: str, name: str, value: str) -> None:
        self.edits.append(Edit(side, f"{side}:{where}", name, value))
