"""Dates and times on the wire: what is accepted, and how they are shown.

An event begins and ends at a `Day` (all day) or an `Instant`. Both remember the zone they were given with; an instant
is a point in time all the same, and its zone is for display only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from sandbox.cronofy.model.shapes import is_object

ETC_UTC: Final = "Etc/UTC"
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|UTC|[+-]\d\d:?\d\d)")


_NOT_A_ZONE: Final = ("errors.tzid_unrecognized", "TZID not recognized")
_NOT_A_TIME: Final = ("errors.must_be_time", "must be a valid time")
_FRACTION: Final = ("errors.must_be_time", "milliseconds are not supported")
_NOT_A_DATE: Final = ("errors.must_be_date", "must be a valid date")
_NEITHER: Final = ("errors.must_be_date_or_time", "must be a valid date or time")
_YEARS: Final = range(1000, 9999)
"""Further out, a change of zone could leave the calendar."""


class Unreadable(ValueError):
    """What was sent is no date, time or zone. `key` and `description` are Cronofy's words for it."""

    def __init__(self, key: str, description: str) -> None:
        super().__init__(description)
        self.key = key
        self.description = description


@dataclass(frozen=True, slots=True)
class Day:
    """The beginning of a day, in whatever zone the reader is."""

    date: date
    tzid: str = ETC_UTC

    def at(self, zone: ZoneInfo) -> datetime:
        """When that is for a reader in `zone`, in UTC."""
        return datetime(self.date.year, self.date.month, self.date.day, tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time, UTC and whole seconds."""

    time: datetime
    tzid: str = ETC_UTC

    def at(self, _zone: ZoneInfo) -> datetime:
        """When that is: the same for all readers."""
        return self.time


Moment = Day | Instant


@lru_cache(maxsize=1024)
def find_zone(tzid: str) -> ZoneInfo | None:
    """Find a zone by its IANA name."""
    try:
        return ZoneInfo(tzid)
    except (KeyError, ValueError, OSError):  # unknown, not a name at all, or the name of a folder
        return None


def need_zone(tzid: str) -> ZoneInfo:
    """Find a zone by its IANA name. Raises `Unreadable`."""
    zone = find_zone(tzid)
    if zone is None:
        raise Unreadable(*_NOT_A_ZONE)
    return zone


def parse_time(text: str) -> datetime:
    """Read a time with its offset from UTC. Raises `Unreadable`: also for fractions of a second other than zero."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise Unreadable(*_NOT_A_TIME)
    day, clock, fraction, offset = match.groups()
    if fraction and int(fraction):
        raise Unreadable(*_FRACTION)
    try:
        time = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in {'Z', 'UTC'} else offset}")
    except ValueError as error:
        raise Unreadable(*_NOT_A_TIME) from error
    if time.year not in _YEARS:
        raise Unreadable(*_NOT_A_TIME)
    return time.astimezone(UTC)


def parse_day(text: str) -> date:
    """Read a date. Raises `Unreadable`."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(*_NOT_A_DATE) from error
    if day.year not in _YEARS:
        raise Unreadable(*_NOT_A_DATE)
    return day


def parse_moment(value: object, tzid: str) -> Moment:
    """Read a date, a time, or `{"time": either, "tzid": …}`; `tzid` is for those that name no zone.

    Raises `Unreadable`.
    """
    if is_object(value):
        own = value.get("tzid", tzid)
        if not isinstance(own, str):
            raise Unreadable(*_NOT_A_ZONE)
        need_zone(own)
        value, tzid = value.get("time"), own
    if isinstance(value, str):
        return Day(parse_day(value), tzid) if _DATE.fullmatch(value) else Instant(parse_time(value), tzid)
    raise Unreadable(*_NEITHER)


def show_time(time: datetime) -> str:
    """Show a time that is in UTC, without fractions of a second."""
    return f"{time.isoformat()[:19]}Z"


def show_moment(moment: Moment) -> str:
    """Show a date, or a time in UTC."""
    match moment:
        case Day(date=day):
            return day.isoformat()
        case Instant(time=time):
            return show_time(time)


def show_localized(moment: Moment) -> dict[str, str]:
    """Show a date, or a time with its zone's offset; and the zone."""
    match moment:
        case Day(date=day, tzid=tzid):
            return {"time": day.isoformat(), "tzid": tzid}
        case Instant(time=time, tzid=tzid):
            zone = find_zone(tzid)
            if zone is None or tzid == ETC_UTC:
                return {"time": show_time(time), "tzid": ETC_UTC}
            return {"time": time.astimezone(zone).isoformat(timespec="seconds"), "tzid": tzid}


def whole_second(time: datetime) -> datetime:
    """Cut off fractions."""
    return time.replace(microsecond=0)
