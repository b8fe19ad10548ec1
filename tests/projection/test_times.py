"""Instants and days, in every zone there is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from events.content import AllDay, Timed
from worker.projection.times import all_day, due, instant, midnight, span, timed, zone, zone_name

NOON = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)

zones = st.sampled_from(sorted(available_timezones() - {"localtime", "posixrules"})).map(ZoneInfo)
days = st.dates(date(1970, 1, 2), date(2199, 12, 30))
"""Since 1970 no clock was put forward across midnight, only from it."""
moments = st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


# Zones


@pytest.mark.parametrize(
    "unknown",
    [None, "", "Nowhere/City", "W. Europe Standard Time", "GMT+25", "America", "../../etc/passwd", "/etc/localtime",
     "Europe/Berlin ", "x" * 5000, "a\x00b", "zone.tab", "\ud83d"],
)  # fmt: skip
def test_a_zone_that_nobody_knows_is_passed_over(unknown: str | None) -> None:
    assert zone(unknown, "Europe/Berlin") == ZoneInfo("Europe/Berlin")
    assert zone(unknown) == ZoneInfo("UTC")
    assert zone_name(unknown, "Europe/Berlin") == "Europe/Berlin"
    assert zone_name(unknown) is None


def test_the_first_known_zone_counts() -> None:
    assert zone("America/New_York", "Europe/Berlin").key == "America/New_York"
    assert zone().key == "UTC"
    assert zone_name("America/New_York", "Europe/Berlin") == "America/New_York"
    assert zone_name() is None


# Instants


@given(moments, offsets)
def test_an_instant_is_the_same_from_wherever_it_is_seen(moment: datetime, offset: timezone) -> None:
    assert instant(moment.astimezone(offset)) == moment.replace(microsecond=0)
    assert instant(moment.astimezone(offset)).tzinfo is UTC


@given(moments, moments)
def test_a_span_has_whole_seconds_and_does_not_end_before_it_begins(start: datetime, end: datetime) -> None:
    found = timed(start, end)
    assert found.start == start.replace(microsecond=0)
    assert found.end == max(found.start, end.replace(microsecond=0))


def test_a_span_of_no_length_is_one() -> None:
    assert timed(NOON, NOON) == Timed(NOON, NOON)
    assert timed(NOON, NOON - DAY) == Timed(NOON, NOON)
    assert timed(NOON, NOON + timedelta(milliseconds=997)) == Timed(NOON, NOON)


# Whole days


@given(days, st.integers(-5, 400))
def test_whole_days_are_at_least_one(start: date, length: int) -> None:
    assert all_day(start, start + timedelta(days=length)) == AllDay(start, start + timedelta(days=max(1, length)))


@given(days, zones)
@example(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo"))  # begins at 01:00
@example(date(2026, 11, 1), ZoneInfo("America/Havana"))  # has two midnights
@example(date(2025, 10, 26), ZoneInfo("Atlantic/Azores"))  # so has this one
@example(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))  # never was
@example(date(2026, 3, 9), ZoneInfo("Etc/GMT+12"))
@example(date(2026, 3, 9), ZoneInfo("Pacific/Kiritimati"))
@example(date(1971, 1, 2), ZoneInfo("Africa/Monrovia"))  # an offset with seconds
def test_a_day_survives_the_way_through_its_midnight(day: date, where: ZoneInfo) -> None:
    """A to-do that is set to a whole day in the calendar must come back from the PSA as that day."""
    first = midnight(day, where)
    assume(first.astimezone(where).date() == day)  # others were skipped when a country changed sides
    assert due(first, HALF_AN_HOUR, where) == AllDay(day, day + DAY)


@given(moments, zones)
@example(datetime(2026, 11, 1, 4, 0, tzinfo=UTC), ZoneInfo("America/Havana"))
@example(datetime(2026, 11, 1, 5, 0, tzinfo=UTC), ZoneInfo("America/Havana"))
@example(datetime(2018, 11, 4, 3, 0, tzinfo=UTC), ZoneInfo("America/Sao_Paulo"))
def test_what_is_due_when_a_day_begins_takes_the_day_and_all_else_its_time(moment: datetime, where: ZoneInfo) -> None:
    now = instant(moment)
    local = now.astimezone(where)
    begins = (now - timedelta(seconds=1)).astimezone(where).date() < local.date()
    if local.time() == time() or (begins and now.year >= 1970):
        assert due(moment, HALF_AN_HOUR, where) == AllDay(local.date(), local.date() + DAY)
    elif not begins:
        assert due(moment, HALF_AN_HOUR, where) == timed(moment, moment + HALF_AN_HOUR)


@pytest.mark.parametrize(
    ("moment", "where", "whole_day"),
    [
        ("2026-03-09T00:00:00+00:00", "UTC", "2026-03-09"),
        ("2026-03-09T00:00:00.997+00:00", "UTC", "2026-03-09"),
        ("2026-03-09T00:00:01+00:00", "UTC", None),
        ("2026-03-08T23:00:00+00:00", "Europe/Berlin", "2026-03-09"),
        ("2026-03-29T22:00:00+00:00", "Europe/Berlin", "2026-03-30"),  # the day after the clocks were put forward
        ("2026-03-09T00:00:00+00:00", "Europe/Berlin", None),
        ("2026-03-09T05:00:00+00:00", "America/New_York", None),  # an hour too late since the day before
        ("2026-03-09T04:00:00+00:00", "America/New_York", "2026-03-09"),
        ("2026-03-09T12:00:00+00:00", "Etc/GMT+12", "2026-03-09"),
        ("2026-03-08T10:00:00+00:00", "Pacific/Kiritimati", "2026-03-09"),
        ("2026-03-08T18:15:00+00:00", "Asia/Kathmandu", "2026-03-09"),
        ("2018-11-04T03:00:00+00:00", "America/Sao_Paulo", "2018-11-04"),  # a day that begins at 01:00
        ("2018-11-04T04:00:00+00:00", "America/Sao_Paulo", None),
        ("2026-11-01T04:00:00+00:00", "America/Havana", "2026-11-01"),  # the first midnight of a day with two
        ("2026-11-01T05:00:00+00:00", "America/Havana", "2026-11-01"),  # and the second
        ("2011-12-30T10:00:00+00:00", "Pacific/Apia", "2011-12-31"),  # the day before was skipped
    ],
)
def test_which_midnight_makes_a_whole_day(moment: str, where: str, whole_day: str | None) -> None:
    at = datetime.fromisoformat(moment)
    day = date.fromisoformat(whole_day) if whole_day else None
    assert due(at, HALF_AN_HOUR, ZoneInfo(where)) == (AllDay(day, day + DAY) if day else timed(at, at + HALF_AN_HOUR))


@given(days, zones)
@example(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo"))
@example(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
@example(date(2026, 11, 1), ZoneInfo("America/Havana"))
def test_nothing_of_a_day_comes_before_its_first_moment(day: date, where: ZoneInfo) -> None:
    first = midnight(day, where)
    assert first.astimezone(where).date() >= day
    assert (first - timedelta(seconds=1)).astimezone(where).date() < day


# Events as they are read


@pytest.mark.parametrize(
    ("start", "end", "when"),
    [
        (None, None, None),
        (None, NOON, None),
        (NOON, NOON + DAY, Timed(NOON, NOON + DAY)),
        (NOON, NOON - DAY, Timed(NOON, NOON)),
        (NOON, None, Timed(NOON, NOON)),
        (NOON, date(2026, 3, 10), Timed(NOON, datetime(2026, 3, 10, tzinfo=UTC))),
        (date(2026, 3, 9), date(2026, 3, 12), AllDay(date(2026, 3, 9), date(2026, 3, 12))),
        (date(2026, 3, 9), date(2026, 3, 9), AllDay(date(2026, 3, 9), date(2026, 3, 10))),
        (date(2026, 3, 9), None, AllDay(date(2026, 3, 9), date(2026, 3, 10))),
        (date(2026, 3, 9), NOON + DAY * 2, AllDay(date(2026, 3, 9), date(2026, 3, 11))),
    ],
)
def test_every_pair_of_boundaries_is_a_span_or_none(
    start: datetime | date | None, end: datetime | date | None, when: Timed | AllDay | None
) -> None:
    assert span(start, end) == when


# Every zone there is


def test_in_no_zone_of_the_world_does_a_day_or_an_instant_change_on_its_way(every_zone: list[ZoneInfo]) -> None:
    """The days around both changes of the clocks, whatever these are there: out as a to-do's date, and back again."""
    for where in every_zone:
        for day in _days_of_change(where):
            begins = midnight(day, where)
            assert due(begins, HALF_AN_HOUR, where) == AllDay(day, day + DAY), (where.key, day)
            for hours in range(1, 27):
                moment = begins + timedelta(hours=hours)
                assert instant(moment.astimezone(where)) == moment, (where.key, moment)
                found = timed(moment.astimezone(where), (moment + HALF_AN_HOUR).astimezone(where))
                assert found == Timed(moment, moment + HALF_AN_HOUR), (where.key, moment)


@pytest.fixture
def every_zone() -> list[ZoneInfo]:
    return [ZoneInfo(name) for name in sorted(available_timezones() - {"localtime", "posixrules"})]


def _days_of_change(where: ZoneInfo) -> list[date]:
    """Return the days of a year on which the clocks are changed, and the days before and after."""
    noons = [datetime(2026, 1, 1, 12, tzinfo=UTC) + number * DAY for number in range(366)]
    offsets_then = [noon.astimezone(where).utcoffset() for noon in noons]
    changes = [number for number in range(1, 366) if offsets_then[number] != offsets_then[number - 1]] or [0]
    return [(noons[number] + days * DAY).astimezone(where).date() for number in changes for days in (-1, 0, 1)]
