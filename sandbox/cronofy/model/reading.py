"""Which events a read answers: the window, what is left out unless asked for, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sandbox.cronofy.model.event import Event, Position
from sandbox.cronofy.model.form import Problems
from sandbox.cronofy.model.moments import ETC_UTC, Moment, Unreadable, need_zone, parse_moment, parse_time
from sandbox.cronofy.model.settings import Settings
from sandbox.cronofy.model.shelf import Shelf

Parameters = Mapping[str, Sequence[str]]
"""A query string, each name with all its values."""

_FLAGS: Final = (
    "include_deleted",
    "include_moved",
    "include_managed",
    "only_managed",
    "localized_times",
    "include_geo",
    "google_event_ids",
    "include_free",
    "include_ids",
)


@dataclass(frozen=True, slots=True)
class Query:
    """A read's parameters. `start`, `end`: as given; the window fills them in."""

    zone: ZoneInfo
    start: Moment | None
    end: Moment | None
    last_modified: datetime | None
    calendar_ids: frozenset[str] | None
    flags: frozenset[str]

    @property
    def everything_managed(self) -> bool:
        """Whether the application's own events are asked for without bounds in time."""
        return self.start is None and self.end is None


def parse_query(parameters: Parameters) -> Query | Problems:
    """Read the parameters of a read. Unknown ones are ignored."""
    problems = Problems()
    zone = _zone(parameters, problems)
    start = _bound(parameters, "from", problems)
    end = _bound(parameters, "to", problems)
    last_modified = _last_modified(parameters, problems)
    calendar_ids = [*parameters.get("calendar_ids[]", ()), *parameters.get("calendar_ids", ())]
    flags = frozenset(name for name in _FLAGS if _flag(parameters, name, problems))
    return problems or Query(zone, start, end, last_modified, frozenset(calendar_ids) or None, flags)


def _one(parameters: Parameters, name: str) -> str:
    values = parameters.get(name, ())
    return values[-1] if values else ""


def _zone(parameters: Parameters, problems: Problems) -> ZoneInfo:
    tzid = _one(parameters, "tzid")
    if not tzid:
        problems.required("tzid")
        return ZoneInfo(ETC_UTC)
    try:
        return need_zone(tzid)
    except Unreadable as error:
        problems.add("tzid", error.key, error.description)
        return ZoneInfo(ETC_UTC)


def _bound(parameters: Parameters, name: str, problems: Problems) -> Moment | None:
    text = _one(parameters, name)
    if not text:
        return None
    try:
        return parse_moment(text, ETC_UTC)
    except Unreadable as error:
        problems.add(name, error.key, error.description)
        return None


def _last_modified(parameters: Parameters, problems: Problems) -> datetime | None:
    text = _one(parameters, "last_modified")
    if not text:
        return None
    try:
        return parse_time(text)
    except Unreadable as error:
        problems.add("last_modified", error.key, error.description)
        return None


def _flag(parameters: Parameters, name: str, problems: Problems) -> bool:
    """Client libraries send `True` as well as `true`."""
    text = _one(parameters, name).lower()
    if text not in {"", "true", "false"}:
        problems.add(name, "errors.must_be_boolean", "must be a boolean value, either true or false")
    return text == "true"


# Selecting


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, for a reader in one zone. Events that touch it are in it; `end` is not part of it."""

    start: datetime
    end: datetime
    zone: ZoneInfo

    def holds(self, position: Position) -> bool:
        """Tell whether something at this position is in the window."""
        start, end = position
        return end.at(self.zone) >= self.start and start.at(self.zone) < self.end


def synced_window(settings: Settings, zone: ZoneInfo, now: datetime) -> Window:
    """Give the window that Cronofy keeps in step with the provider. It moves on every day."""
    today = now.astimezone(zone).date()
    start = _midnight(today - timedelta(days=settings.window_past_days), zone)
    end = _midnight(today + timedelta(days=settings.window_future_days), zone)
    return Window(start, end, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def select(shelves: Iterable[Shelf], query: Query, settings: Settings, now: datetime) -> list[Event]:
    """Answer a read, earliest change first within a calendar."""
    events = (event for shelf in shelves for event in shelf.changed_since(query.last_modified))
    return list(_fitting(events, query, settings, now))


def _fitting(events: Iterable[Event], query: Query, settings: Settings, now: datetime) -> Iterator[Event]:
    synced = synced_window(settings, query.zone, now)
    asked = _asked(query, synced)
    external = Window(max(asked.start, synced.start), min(asked.end, synced.end), query.zone)
    buried = now - timedelta(days=settings.tombstones_kept_days)
    flags = query.flags
    managed = flags & {"include_managed", "only_managed"}
    for event in events:
        if event.managed and not managed:
            continue
        if not event.managed and "only_managed" in flags:
            continue
        if event.deleted and ("include_deleted" not in flags or event.updated < buried):
            continue
        unbound = event.managed and query.everything_managed
        if unbound or _inside(event, asked if event.managed else external, moved="include_moved" in flags):
            yield event


def _asked(query: Query, synced: Window) -> Window:
    start = synced.start if query.start is None else query.start.at(query.zone)
    end = synced.end if query.end is None else query.end.at(query.zone)
    return Window(start, end, query.zone)


def _inside(event: Event, window: Window, *, moved: bool) -> bool:
    if window.holds(event.position):
        return True
    return moved and any(window.holds(position) for position in event.moved_from)


def ever_synced(event: Event, settings: Settings, now: datetime) -> bool:
    """Tell whether Cronofy looks at an event at all: its own always, others while in the window now or lately."""
    window = synced_window(settings, ZoneInfo(ETC_UTC), now)
    return event.managed or _inside(event, window, moved=True)
