"""Looking for events that are not where they should be, before anything is concluded from that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from events.calendar import CalendarEvent
from events.link import CalendarSeen, EventKey, Link, LinkState, ManagedEvent
from events.values import replace
from worker.projection.events import key_of, observe

if TYPE_CHECKING:
    from worker.slice import Slice

_ONE_BY_ONE: Final = 3
"""Of more events than this, the whole calendar is read once rather than once for each."""

Shown = Mapping[EventKey, CalendarEvent]


async def shown_now(work: Slice, links: Sequence[Link]) -> Shown | None:
    """Read the whole calendar, if that is the quicker way to look for the events of these links."""
    return None if len(links) <= _ONE_BY_ONE else await all_shown(work)


async def all_shown(work: Slice) -> Shown:
    """Read the whole calendar."""
    page = await work.calendar.first_page(None)
    shown = {key_of(event): event for event in page.events}
    while page.next_url is not None:
        page = await work.calendar.next_page(page.next_url)
        shown |= {key_of(event): event for event in page.events}
    return shown


async def verified(work: Slice, link: Link, shown: Shown | None) -> Link:
    """Return the link with its event as it was found. What was not found was not deleted because of that.

    It is made again, unless it belongs to the user; or, if it was seen deleted before, it is as deleted as it was.
    """
    found = await _found(work, link, shown)
    seen = link.calendar_seen
    if found is not None:
        # Where it shows no time it is there all the same, and what was agreed is all that is known of it.
        there = CalendarSeen(content=link.calendar_base, event_uid=found.event_uid)
        return replace(link, calendar_seen=observe(found, work.policy.tenant.private_inbound) or there)
    if seen is not None and seen.deleted:
        return replace(link, calendar_seen=replace(seen, missing=False))
    forgotten = replace(link, calendar_seen=None, calendar_base=None, calendar_asks=())
    return forgotten if isinstance(link.event, ManagedEvent) else replace(forgotten, state=LinkState.DETACHED)


async def _found(work: Slice, link: Link, shown: Shown | None) -> CalendarEvent | None:
    if shown is not None and (link.event in shown or isinstance(link.event, ManagedEvent)):
        return shown.get(link.event)  # all events of ours are shown, whenever they are; of others those within a window
    return await work.calendar.look_for(link.event, link.calendar_base.when if link.calendar_base else None)
