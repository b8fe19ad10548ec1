"""Removing our events from a calendar that is not linked any more, or never will be again.

What there is to remove, the calendar itself says: so this can be repeated after a crash, and it is done when a read
shows nothing of ours. Events that the user made are never touched, and neither are those of another user.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from events.calendar import CalendarEvent, Rejected, RemoveEventWrite, Stumbled
from events.failures import Gone, Refused, System, TryLater
from events.link import ManagedEvent, managed_item
from events.reasons import Reason
from worker import telling
from worker.paging import next_page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from worker.slice import Slice

_BATCH: Final = 50
"""What Cronofy takes at once."""
_LOOK_AGAIN: Final = timedelta(seconds=5)
_LOOKS: Final = 2
"""How often to look at once; a calendar that is slower is looked at later."""


async def clear(work: Slice, calendar_id: str, reason: Reason) -> datetime | None:
    """Remove all our events of the user from a calendar. None when that is so, or when to look again.

    Raises `Refused` if the calendar does not take it, and what `Calendar.write` raises.
    """
    for _ in range(_LOOKS):
        began = work.now()
        left = await _ours(work, calendar_id)
        arrived = work.holding.held.clear_after
        if not left:
            return None if arrived is None or began >= arrived else arrived
        for first in range(0, len(left), _BATCH):
            await _remove(work, left[first : first + _BATCH], reason)
            if work.over:
                return work.now()
    return work.now() + _LOOK_AGAIN


async def _ours(work: Slice, calendar_id: str) -> list[CalendarEvent]:
    """Return what a calendar shows of what we made for this user, whichever integration it was."""
    integration = work.holding.integration
    try:
        page = await work.calendar.ours(calendar_id)
        events, walked = list(page.events), set[str]()
        while page.next_url is not None:
            page = await next_page(work, page.next_url, walked)
            events += page.events
    except Gone:
        return []  # with the calendar went what was in it
    whose = (integration.tenant_id, integration.user_id)
    return [
        event
        for event in events
        if not event.deleted
        and event.calendar_id == calendar_id
        and event.event_id is not None
        and managed_item(event.event_id, *whose) is not None
    ]


async def _remove(work: Slice, events: Sequence[CalendarEvent], reason: Reason) -> None:
    keys = [ManagedEvent(event.calendar_id, str(event.event_id)) for event in events]
    await work.holding.assure()
    results = await work.calendar.write([RemoveEventWrite(key) for key in keys])
    for key, result in zip(keys, results, strict=True):
        match result:
            case Rejected(reason=refusal, detail=detail):
                raise Refused(refusal, detail)
            case Stumbled(reason=trouble, detail=detail):
                raise TryLater(System.CRONOFY, trouble, detail)
            case _:
                telling.removed(work.report, work.holding.integration, key, reason, work.occasion)
    new = await work.tell_now()
    if reason is Reason.DELETED:
        work.holding.note(removed=work.holding.held.removed + new)
