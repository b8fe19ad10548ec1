"""Reading events, and when there is time, page by page."""

from __future__ import annotations

from datetime import timedelta

from sandbox.cronofy.api.call import Call, Reply, done, invalid, not_found, plain
from sandbox.cronofy.api.showing import Shown, show_event
from sandbox.cronofy.api.site import Site
from sandbox.cronofy.model.event import Event
from sandbox.cronofy.model.form import Problems
from sandbox.cronofy.model.listing import Kind, Page
from sandbox.cronofy.model.moments import show_localized, show_moment
from sandbox.cronofy.model.reading import Query, parse_query, select
from sandbox.cronofy.model.state import Account, World


def read_events(site: Site, account: Account, call: Call) -> Reply:
    """Read events, first page."""
    query = parse_query(call.parameters)
    if isinstance(query, Problems):
        return invalid(query)
    if "include_geo" in query.flags and not site.world.settings.geo:
        return plain(402, "Payment Required")
    return _first_page(site.world, account, call, "events", query)


def read_free_busy(site: Site, account: Account, call: Call) -> Reply:
    """Read when there is time and when not, first page."""
    query = parse_query(call.parameters)
    if isinstance(query, Problems):
        return invalid(query)
    return _first_page(site.world, account, call, "free_busy", query)


def read_events_page(site: Site, account: Account, call: Call) -> Reply:
    """Read a later page of events."""
    return _later_page(site.world, account, call, "events")


def read_free_busy_page(site: Site, account: Account, call: Call) -> Reply:
    """Read a later page of free and busy times."""
    return _later_page(site.world, account, call, "free_busy")


def _first_page(world: World, account: Account, call: Call, kind: Kind, query: Query) -> Reply:
    settings = world.settings
    wanted = [
        calendar
        for calendar in account.calendars
        if not calendar.deleted and (query.calendar_ids is None or calendar.id in query.calendar_ids)
    ]
    events = select([calendar.seen for calendar in wanted], query, settings, call.now)
    hidden = {calendar.id for calendar in wanted if calendar.profile.free_busy_only}
    if kind == "events" and hidden:
        events = [event for event in events if event.managed or event.calendar_id not in hidden]
    if kind == "free_busy":
        events = [event for event in events if _occupies(event, query)]
    if call.kept_events < 1:
        events = [event for event in events if world.luck.happens(call.kept_events)]
    if settings.shuffled:
        events = world.luck.shuffled(events)
    expires = call.now + timedelta(seconds=settings.page_lifetime)
    page = world.listings.open(kind, account.sub, query, events, settings.page_size, expires)
    return done(_show_page(world, call, kind, page))


def _later_page(world: World, account: Account, call: Call, kind: Kind) -> Reply:
    page = world.listings.page(kind, account.sub, call.ids["page_id"], call.now)
    return not_found() if page is None else done(_show_page(world, call, kind, page))


def _show_page(world: World, call: Call, kind: Kind, page: Page) -> Shown:
    pages: Shown = {"current": page.number, "total": page.total}
    if page.next_id is not None:
        pages["next_page"] = f"{call.base_url}/v1/{kind}/pages/{page.next_id}"
    elif world.settings.last_page == "empty":
        pages["next_page"] = ""
    return {"pages": pages, kind: [_show(world, kind, event, page.query) for event in page.events]}


def _show(world: World, kind: Kind, event: Event, query: Query) -> Shown:
    match kind:
        case "events":
            return show_event(event, world.calendars[event.calendar_id], query, world.settings)
        case "free_busy":
            return _show_block(event, query)


def _occupies(event: Event, query: Query) -> bool:
    return "include_free" in query.flags or _occupation(event) != "free"


def _occupation(event: Event) -> str:
    if event.transparency == "transparent" or event.status == "cancelled":
        return "free"
    return "tentative" if event.status == "tentative" else "busy"


def _show_block(event: Event, query: Query) -> Shown:
    show = show_localized if "localized_times" in query.flags else show_moment
    block: Shown = {
        "calendar_id": event.calendar_id,
        "start": show(event.start),
        "end": show(event.end),
        "free_busy_status": _occupation(event),
    }
    if "include_ids" in query.flags:
        block |= {"event_uid": event.uid, "event_id": event.event_id}
    return block
