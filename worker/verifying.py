"""Looking for events that are not where they should be, before anything is concluded from that."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from events.calendar import CalendarEvent, Sought
from events.integration import Search
from events.link import CalendarSeen, EventKey, Link, LinkState, ManagedEvent
from events.values import replace
from worker.paging import next_page
from worker.projection.events import key_of, observe

if TYPE_CHECKING:
    from events.calendar import Page
    from worker.slice import Slice

_ONE_BY_ONE: Final = 3
"""Of more events than this, the whole calendar is read once rather than once for each."""

Shown = Mapping[EventKey, CalendarEvent]


async def shown_now(work: Slice, links: Sequence[Link]) -> Shown | None:
    """Read the whole calendar, if that is the quicker way to look for the events of these links."""
    search = work.holding.held.search
    if search is not None and search.link_id in {link.id for link in links}:
        return None  # it is too large for that, as was found out
    if len(links) <= _ONE_BY_ONE:
        return None
    shown = await shown_in_time(work)
    if shown is None:
        work.holding.note(search=Search(links[0].id, ""))
    return shown


async def all_shown(work: Slice) -> Shown:
    """Read the whole calendar, however long that takes: whoever began anew next time would never come to its end."""
    return {key_of(event): event async for page in _pages(work) for event in page.events}


async def shown_in_time(work: Slice) -> Shown | None:
    """Read the whole calendar; None if there was not enough time for that."""
    shown: dict[EventKey, CalendarEvent] = {}
    async with contextlib.aclosing(_pages(work)) as pages:
        async for page in pages:
            shown |= {key_of(event): event for event in page.events}
            if page.next_url is not None and work.over:
                return None
    return shown


async def _pages(work: Slice) -> AsyncGenerator[Page, None]:
    page, walked = await work.calendar.first_page(work.policy.calendar_id, None), set[str]()
    yield page
    while page.next_url is not None:
        page = await next_page(work, page.next_url, walked)
        yield page


def sought_first(work: Slice, link: Link) -> bool:
    """Whether it is the event of this link that is being looked for."""
    search = work.holding.held.search
    return search is not None and search.link_id == link.id


async def verified(work: Slice, link: Link, shown: Shown | None) -> Link | None:
    """Return the link with its event as it was found. What was not found was not deleted because of that.

    It is made again, unless it belongs to the user; or, if it was seen deleted before, it is as deleted as it was. None
    if the time is over before all was read: it is looked for further by whoever goes on.
    """
    sought = await _sought(work, link, shown)
    if sought.goes_on is not None:
        work.holding.note(search=Search(link.id, sought.goes_on))
        return None
    if sought_first(work, link):
        work.holding.note(search=None)
    found, seen = sought.event, link.calendar_seen
    if found is not None:
        # Where it shows no time it is there all the same, and what was agreed is all that is known of it.
        there = CalendarSeen(content=link.calendar_base, event_uid=found.event_uid)
        return replace(link, calendar_seen=observe(found, work.policy.tenant.private_inbound) or there)
    if seen is not None and seen.deleted:
        return replace(link, calendar_seen=replace(seen, missing=False))
    forgotten = replace(link, calendar_seen=None, calendar_base=None, calendar_asks=())
    return forgotten if isinstance(link.event, ManagedEvent) else replace(forgotten, state=LinkState.DETACHED)


async def _sought(work: Slice, link: Link, shown: Shown | None) -> Sought:
    if shown is not None and (link.event in shown or isinstance(link.event, ManagedEvent)):
        # All events of ours are shown, whenever they are; of others those within a window.
        return Sought(shown.get(link.event))
    search, when = work.holding.held.search, link.calendar_base.when if link.calendar_base else None
    begin = search.page if search is not None and search.link_id == link.id else ""
    return await work.calendar.look_for(link.event, when, begin, lambda: work.over)
