"""Two people who edit: one in the PSA, one in the calendar. Every value they set is unique, to be traced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from events.items import ItemType
from tests.memory.platform import Row, stamp
from tests.simulation.world import NOON, USER, World

_DUELS = 0.25
Action = Callable[[World], object]


@dataclass
class Edit:
    """One value that somebody set, or a deletion."""

    side: str
    where: str
    """`psa:<id>` or `calendar:<uid>`."""
    field: str
    value: str
    deleted: bool = False


@dataclass
class People:
    """Makes plans and remembers who set what."""

    random: Random
    kinds: tuple[ItemType, ...] = (ItemType.APPOINTMENT, ItemType.SERVICE_CALL)
    edits: list[Edit] = field(default_factory=list)
    _number: int = 0

    def plan(self, length: int) -> list[Action]:
        """Return a plan: something to begin with, then random edits on either side."""
        choices = [
            self.edit_item,
            self.edit_item,
            self.move_item,
            self.edit_event,
            self.edit_event,
            self.move_event,
            self.make_item,
            self.make_event,
            self.delete_item,
            self.delete_event,
        ]
        plan: list[Action] = [self.make_item, self.make_event]
        for _ in range(length):
            plan += self._duel() if self.random.random() < _DUELS else [self.random.choice(choices)]
        return plan

    def _duel(self) -> list[Action]:
        """Return edits of the same thing on both sides, at the same time or nearly so."""
        pairs = [
            (self.edit_item, self.edit_event),
            (self.move_item, self.move_event),
            (self.edit_item, self.delete_event),
            (self.delete_item, self.move_event),
        ]
        duel: list[Action] = list(self.random.choice(pairs))
        self.random.shuffle(duel)
        return duel

    def _unique(self) -> int:
        self._number += 1
        return self._number

    def _word(self, side: str) -> str:
        return f"{side}-{self._unique()}"

    def _time(self) -> datetime:
        return NOON + timedelta(minutes=self._unique())

    # In the PSA

    def make_item(self, world: World) -> str:
        """Make an item of some kind."""
        kind, text, start = self.random.choice(self.kinds), self._word("psa"), self._time()
        times = {"start": stamp(start), "end": stamp(start + timedelta(hours=1))}
        item = world.platform.make(kind, USER, **_fields(kind, text), **times)
        self._note("psa", item, "summary", text)
        self._note("psa", item, "start", stamp(start))
        return item

    def _some_item(self, world: World) -> Row | None:
        items = world.platform.live()
        return self.random.choice(items) if items else None

    def edit_item(self, world: World) -> None:
        """Change the text of some item."""
        if row := self._some_item(world):
            text = self._word("psa")
            world.platform.edit(row.key.item_id, **_fields(row.key.item_type, text))
            self._note("psa", row.key.item_id, "summary", text)

    def move_item(self, world: World) -> None:
        """Move some item."""
        if row := self._some_item(world):
            start = self._time()
            world.platform.edit(row.key.item_id, start=stamp(start), end=stamp(start + timedelta(hours=1)))
            self._note("psa", row.key.item_id, "start", stamp(start))

    def delete_item(self, world: World) -> None:
        """Delete some item."""
        if row := self._some_item(world):
            world.platform.remove(row.key.item_id)
            self.edits.append(Edit("psa", f"psa:{row.key.item_id}", "", "", deleted=True))

    # In the calendar

    def make_event(self, world: World) -> str:
        """Make an event."""
        summary, start = self._word("calendar"), self._time()
        uid = world.calendar.create(summary, start, start + timedelta(hours=1))
        self._note("calendar", uid, "summary", summary)
        self._note("calendar", uid, "start", stamp(start))
        return uid

    def _some_event(self, world: World) -> str | None:
        events = [event.event_uid for event in world.calendar.live()]
        return self.random.choice(events) if events else None

    def edit_event(self, world: World) -> None:
        """Change the title of some event."""
        if uid := self._some_event(world):
            summary = self._word("calendar")
            world.calendar.edit(uid, summary=summary)
            self._note("calendar", uid, "summary", summary)

    def move_event(self, world: World) -> None:
        """Move some event."""
        if uid := self._some_event(world):
            start = self._time()
            world.calendar.edit(uid, start=start, end=start + timedelta(hours=1))
            self._note("calendar", uid, "start", stamp(start))

    def delete_event(self, world: World) -> None:
        """Delete some event."""
        if uid := self._some_event(world):
            world.calendar.delete(uid)
            self.edits.append(Edit("calendar", f"calendar:{uid}", "", "", deleted=True))

    def _note(self, side: str, where: str, name: str, value: str) -> None:
        self.edits.append(Edit(side, f"{side}:{where}", name, value))


def _fields(kind: ItemType, text: str) -> dict[str, Any]:
    if kind is ItemType.APPOINTMENT:
        return {"subject": text}
    account, ticket = {"id": 1, "name": "Contoso"}, {"id": 1, "number": "1", "title": text}
    return {"account": account, "ticket": ticket, "user_id": USER}
