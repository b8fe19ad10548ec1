"""Asking both sides just now, through the clients that the work uses. Nothing is written on either side.

Whoever speaks to the calendar for an integration may have to refresh its token, which only the holder of the lease may
do: so the lease is taken for a moment, and given back with a due time of now, for whatever came in meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from events.failures import SyncError
from events.integration import Busy, Taken, Unknown
from events.lanes import Lane
from events.reasons import Reason
from worker.explaining.known import Looked
from worker.holding import LEASE, Holding

if TYPE_CHECKING:
    from events.calendar import CalendarEvent
    from events.content import When
    from events.link import EventKey, ItemKey
    from events.platform import ItemNow
    from worker.ports import Calendar, Clock, Leases, Platform

_TRIES: Final = 10
_PAUSE: Final = 0.3
_LONG_ENOUGH: Final = 30.0
"""Seconds for which a calendar is read while somebody waits for the answer, and a worker for the lease."""


@dataclass(frozen=True, slots=True)
class LiveSides:
    """See the module and `worker.explaining.ports.BothSides`. `new_id`: names whoever takes the lease."""

    platform: Platform
    leases: Leases
    open_calendar: Callable[[Holding, Lane], Calendar]
    clock: Clock
    new_id: Callable[[], str]

    async def item(self, key: ItemKey) -> Looked[ItemNow]:
        """Read an item from the PSA."""
        try:
            return Looked(await self.platform.read(key))
        except SyncError as error:
            return Looked(trouble=error.reason, detail=error.detail)

    async def event(self, integration_id: str, event: EventKey, when: When | None) -> Looked[CalendarEvent]:
        """Look for an event in the linked calendar."""
        try:
            return await self._look(integration_id, event, when)
        except SyncError as error:
            return Looked(trouble=error.reason, detail=error.detail)

    async def _look(self, integration_id: str, event: EventKey, when: When | None) -> Looked[CalendarEvent]:
        taken = await self._taken(integration_id)
        if taken is None:
            return Looked(trouble=Reason.LEASE_LOST, detail="(a worker is busy with the integration)")
        holding = Holding(self.leases, self.clock, taken)
        try:
            ends = self.clock.monotonic() + _LONG_ENOUGH
            calendar = self.open_calendar(holding, Lane.ASKED)
            sought = await calendar.look_for(event, when, "", lambda: self.clock.monotonic() >= ends)
            if sought.goes_on is not None:
                return Looked(trouble=Reason.UNREACHABLE, detail="(the calendar holds more than can be read meanwhile)")
            return Looked(sought.event)
        finally:
            await holding.give_way(self.clock.now())

    async def _taken(self, integration_id: str) -> Taken | None:
        owner = self.new_id()
        for _ in range(_TRIES):
            match await self.leases.take(integration_id, owner, LEASE):
                case Taken() as taken:
                    return taken
                case Busy():
                    await self.clock.sleep(_PAUSE)
                case Unknown():
                    return None
        return None
