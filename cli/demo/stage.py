"""Where the story takes place: a PSA, a calendar, and what calendar sync is told and tells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Final, TypeVar

from adapters.mongodb.journal import Journal
from adapters.process.system import SystemClock
from cli.failing import Failed
from events.items import Appointment, CrmActivity, ServiceCall, Task, Todo
from events.journal import Entry, Which
from sandbox.cronofy.client.control import CronofyControl
from sandbox.cronofy.control.event_messages import EventView
from sandbox.psa.client import PsaControl, PsaItem

T = TypeVar("T")
PATIENCE: Final = 60.0
_GLANCE: Final = 0.05
_WRITES: Final = frozenset({"POST", "PATCH", "DELETE"})


class NotYet(Exception):
    """What is waited for has not happened."""


@dataclass(frozen=True)
class Stage:
    """Everything that the story needs. One technician, one linked calendar."""

    psa: PsaControl
    cronofy: CronofyControl
    journal: Journal
    clock: SystemClock
    user_id: int
    integration_id: str
    calendar_id: str = ""

    def hour(self, days: int, hour: int, minute: int = 0) -> datetime:
        """Return a time some days from today."""
        day = self.clock.now() + timedelta(days=days)
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0)

    async def until(self, what: str, look: Callable[[], Awaitable[T]]) -> tuple[T, float]:
        """Look until it is so (`NotYet`: it is not). Returns what was seen, and after how many seconds."""
        began = self.clock.monotonic()
        while True:
            try:
                seen = await look()
            except NotYet as error:
                if self.clock.monotonic() - began > PATIENCE:
                    raise Failed(f"This did not happen within {PATIENCE:.0f} s: {what}") from error
                await self.clock.sleep(_GLANCE)
            else:
                return seen, self.clock.monotonic() - began

    # What is where

    async def items(self) -> list[PsaItem]:
        """Return what My Calendar shows."""
        return [item for item in await self.psa.items(self.user_id) if not item.deleted and _is_shown(item)]

    async def events(self) -> list[EventView]:
        """Return what the linked calendar shows."""
        return await self.cronofy.events(self.calendar_id)

    async def pairs(self) -> list[tuple[PsaItem | None, EventView | None]]:
        """Return every item with its event, in order of time; None for what has no counterpart."""
        events = {event.event_uid: event for event in await self.events()}
        rows: list[tuple[str, PsaItem | None, EventView | None]] = []
        for item in await self.items():
            event = next((event for event in events.values() if self._belongs(event, item)), None)
            if event is not None:
                del events[event.event_uid]
            rows.append((f"{moment_of(item)}", item, event))
        rows += [(event.start.replace("T", " "), None, event) for event in events.values()]
        return [(item, event) for _, item, event in sorted(rows, key=itemgetter(0))]

    def _belongs(self, event: EventView, item: PsaItem) -> bool:
        part = f"-{item.part_id}" if item.part_id else ""
        ours = f"-{self.user_id}-{item.item_type}-{item.item_id}{part}"
        return (event.event_id or "").endswith(ours) or event.event_uid in _reference(item)

    async def event_of(self, item: PsaItem) -> EventView:
        """Return the event of an item. Raises `NotYet`."""
        return _only([event for event in await self.events() if self._belongs(event, item)])

    async def item_of(self, event: EventView) -> PsaItem:
        """Return the item of an event. Raises `NotYet`."""
        return _only([item for item in await self.items() if self._belongs(event, item)])

    async def writes(self) -> int:
        """Return how many writes calendar sync has sent, to both sides."""
        cronofy = [
            request
            for request in await self.cronofy.requests(path="/v1/")
            if request.method in _WRITES and request.operation not in {"create_channel", "revoke"}
        ]
        psa = [request for request in await self.psa.requests(path="/v2/calendar/*") if request.method in _WRITES]
        return len(cronofy) + len(psa)

    async def log(self, item: PsaItem) -> list[Entry]:
        """Return the sync log's lines about an item, oldest first."""
        which = Which(integration_id=self.integration_id, item=(item.item_type, item.item_id, item.part_id))
        return list(reversed(await self.journal.page(which, None, 50)))

    async def quiet(self, seconds: float = 3.0) -> None:
        """Return when for so long nobody has called, told or written anything."""
        async with asyncio.timeout(PATIENCE):
            writes = -1
            while writes != (writes := await self.writes()):
                await self.psa.wait_until_quiet(still_for=seconds, within=PATIENCE)
                await self.cronofy.wait_until_quiet(timeout=PATIENCE)


def _only(found: list[T]) -> T:
    if not found:
        raise NotYet
    if len(found) > 1:
        raise Failed(f"The same thing is there {len(found)} times: {found[0]}")
    return found[0]


def _is_shown(item: PsaItem) -> bool:
    """A task that is planned in periods is shown by these."""
    return item.part_id is not None or not getattr(item.facts.item, "periods", ())


def _reference(item: PsaItem) -> str:
    return str(getattr(item.facts.item, "external_reference", None) or "")


def moment_of(item: PsaItem) -> datetime | date | None:
    """Return when an item begins or is due."""
    match item.facts.item:
        case Appointment(all_day=True, start_date=start):
            return start
        case Appointment(start=start) | ServiceCall(start=start):
            return start
        case CrmActivity(due=due):
            return due
        case Todo(date=moment):
            return moment
        case Task() as task:
            planned = [period.start for period in task.periods if str(period.task_member_hour_id) == item.part_id]
            return planned[0] if planned else task.end_date
        case None:
            return None
