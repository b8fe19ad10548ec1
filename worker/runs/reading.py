"""The half of a run that reads the calendar: what is asked for comes in, and what was written is confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.failures import Gone
from events.link import ManagedEvent, link_id
from events.runs import Position
from events.values import replace
from worker.acting import Pair, advance
from worker.core.runs import onward, windows_of
from worker.core.sides import see
from worker.projection.events import key_of, observe
from worker.projection.times import zone
from worker.reconcile import newcomer, within_series
from worker.runs.marking import is_open, lies_in, marked

if TYPE_CHECKING:
    from events.calendar import CalendarEvent, Page
    from events.link import CalendarSeen, Link
    from events.runs import Phase, Run
    from worker.slice import Slice


async def read_page(work: Slice, run: Run) -> tuple[Phase, Position]:
    """Deal with one page of events. Returns where the run goes on. A page that has expired costs its window anew."""
    here = run.position
    page = await _page(work, run)
    if page is None:
        return run.phase, Position(here.window, again=here.again + 1)
    events = {
        link_id(work.holding.id, key_of(event)): event
        for event in page.events
        if event.calendar_id == work.policy.calendar_id
    }
    known = await work.tools.links.by_ids(list(events))
    private = work.policy.tenant.private_inbound
    pairs = [
        (link, shown(work, run, link, seen))
        for link in known.values()
        if (seen := observe(events[link.id], private)) is not None
    ]
    pairs += await _new(work, run, {id_: event for id_, event in events.items() if id_ not in known})
    await advance(work, [(before, after) for before, after in pairs if after is not before or is_open(after)])
    if page.next_url is None:
        return onward(run)
    return run.phase, replace(here, page=page.next_url)


async def _page(work: Slice, run: Run) -> Page | None:
    if run.position.page:
        try:
            return await work.calendar.next_page(run.position.page)
        except Gone:
            return None
    window = windows_of(run)[run.position.window]
    only_managed = run.retrieve is None
    return await work.calendar.span_page(work.policy.calendar_id, window.start, window.end, only_managed=only_managed)


def shown(work: Slice, run: Run, link: Link, seen: CalendarSeen) -> Link:
    """Return a link with what was just read of its event, marked if the run retrieves it."""
    link = see(link, seen)
    return marked(link, run, retrieve=True) if _is_asked_for(work, run, seen) else link


def _is_asked_for(work: Slice, run: Run, seen: CalendarSeen) -> bool:
    if run.retrieve is None or seen.content is None:
        return False
    return lies_in(seen.content.when, run.retrieve, zone(work.holding.held.time_zone))


async def _new(work: Slice, run: Run, events: dict[str, CalendarEvent]) -> list[Pair]:
    fresh = await newcomers(work, run, events)
    there = await work.tools.links.add(work.holding.lease, fresh)
    return [(link, link) for link in fresh if link.id not in there]


async def newcomers(work: Slice, run: Run, events: dict[str, CalendarEvent]) -> list[Link]:
    """Return links for events that have none: those that are asked for, and ours."""
    fresh: list[Link] = []
    for id_, event in events.items():
        link = newcomer(work, id_, event)
        if link is None or link.calendar_seen is None:
            continue
        if _is_asked_for(work, run, link.calendar_seen):
            fresh.append(marked(link, run, retrieve=True))
        elif isinstance(link.event, ManagedEvent):
            fresh.append(link)
    return await within_series(work, fresh)
