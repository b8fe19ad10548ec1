"""Instants and dates: UTC, whole seconds; and which midnight makes a whole day."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from events.content import AllDay, Timed, When

_DAY = timedelta(days=1)


def zone(*names: str | None) -> ZoneInfo:
    """Return the first zone that is known; UTC if none is. Unknown names are common: tenants have typed them."""
    return next((found for name in names if (found := _known(name))), ZoneInfo("UTC"))


def zone_name(*names: str | None) -> str | None:
    """Return the first name of a zone that is known: others would refuse all that comes with an unknown one."""
    return next((name for name in names if _known(name)), None)


@functools.lru_cache(maxsize=1024)
def _known(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):
        return None


def instant(moment: datetime) -> datetime:
    """Return an aware datetime in UTC with whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0)


def timed(start: datetime, end: datetime) -> Timed:
    """Return a span; an end before the start counts as no length."""
    first = instant(start)
    return Timed(first, max(first, instant(end)))


def all_day(start: date, end: date) -> AllDay:
    """Return whole days; an end that is not after the start counts as one day."""
    return AllDay(start, max(end, start + _DAY))


def due(moment: datetime, length: timedelta, where: ZoneInfo) -> When:
    """Return the span of something due at a moment: that day if it is midnight there, else from the moment on."""
    local = instant(moment).astimezone(where)
    if is_midnight(local):
        return AllDay(local.date(), local.date() + _DAY)
    return timed(moment, moment + length)


def is_midnight(local: datetime) -> bool:
    """Whether a clock in its zone shows midnight, or it is the first moment of a day that has none.

    Where clocks are set back over midnight they show it twice, and programs differ in which one they mean.
    """
    where = local.tzinfo if isinstance(local.tzinfo, ZoneInfo) else ZoneInfo("UTC")
    # As instants: of times that are there twice, Python calls none equal to any in another zone.
    return local.time() == time() or local.astimezone(UTC) == midnight(local.date(), where)


def midnight(day: date, where: ZoneInfo) -> datetime:
    """Return the first moment of a day, in UTC."""
    return datetime.combine(day, time(), tzinfo=where).astimezone(UTC)


def span(start: datetime | date | None, end: datetime | date | None) -> When | None:
    """Return the span of an event as it was read; None if it has no time at all."""
    if start is None:
        return None
    if isinstance(start, datetime):
        if isinstance(end, datetime):
            return timed(start, end)
        return timed(start, start if end is None else datetime.combine(end, time(), tzinfo=UTC))
    if isinstance(end, datetime):
        end = end.date()
    return all_day(start, end or start + _DAY)
