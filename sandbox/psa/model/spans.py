"""When an item is shown in a My Calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from events.items import DEFAULT_LENGTH, Appointment, CrmActivity, Item, ServiceCall, Task, Todo


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, which may be the same instant."""

    start: datetime
    end: datetime

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether any of it lies in [start, end)."""
        return self.start < end and (self.end > start or self.start >= start)


def span(item: Item, part_id: str | None) -> Span | None:
    """Return when it is shown; None if it has no date, or is shown by its parts."""
    match item:
        case Appointment(all_day=True):
            return _days(item.start_date, item.end_date, item.time_zone)
        case Appointment() | ServiceCall():
            return _timed(item.start, item.end)
        case CrmActivity():
            return _timed(item.due, item.end)
        case Todo():
            return _timed(item.date, item.end)
        case Task():
            return _planned(item, part_id)


def _planned(task: Task, part_id: str | None) -> Span | None:
    if part_id is None:
        return None if task.periods else _days(task.end_date, None, task.time_zone)
    return next((_timed(p.start, p.end) for p in task.periods if str(p.task_member_hour_id) == part_id), None)


def _timed(start: datetime | None, end: datetime | None) -> Span | None:
    if start is None:
        return None
    return Span(start, start + DEFAULT_LENGTH if end is None else max(start, end))


def _days(first: date | None, end: date | None, time_zone: str | None) -> Span | None:
    if first is None:
        return None
    zone = known_zone(time_zone or "UTC") or ZoneInfo("UTC")
    after = end or first + timedelta(days=1)
    return Span(datetime.combine(first, time(), zone), datetime.combine(after, time(), zone))


def known_zone(name: str) -> ZoneInfo | None:
    """Return the zone of this IANA name, if there is one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name of a folder of zones is an OSError
        return None
