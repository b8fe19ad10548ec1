"""When a calendar is looked at unasked, in which parts, and when such a look is not believed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.content import AllDay, Timed, When
from events.integration import Audit, DeepLook, Stock
from worker.core import audits

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.text(min_size=1), moments, st.sampled_from([audits.LIGHT, audits.DEEP]))
def test_each_integration_has_one_moment_in_each_period(integration_id: str, now: datetime, period: timedelta) -> None:
    slot = audits.next_slot(integration_id, period, now)
    assert now < slot + timedelta(milliseconds=1)
    assert slot <= now + period
    after = audits.next_slot(integration_id, period, slot)
    assert abs(after - slot - period) < timedelta(seconds=1)


def test_moments_do_not_herd() -> None:
    hours = [audits.next_slot(f"int-{number}", audits.DEEP, NOW).hour for number in range(2400)]
    assert all(60 < hours.count(hour) < 140 for hour in range(24))


def test_what_was_planned_stays_planned() -> None:
    plan = audits.planned(Audit(), "int-1", NOW)
    assert plan.light_at is not None
    assert plan.deep_at is not None
    assert audits.planned(plan, "int-1", NOW + HOUR) == plan


@pytest.mark.parametrize(("known", "parts"), [(0, 1), (1000, 1), (1001, 2), (10_000, 10)])
def test_a_deep_look_has_a_part_for_each_thousand_events(known: int, parts: int) -> None:
    look = audits.begin(known, NOW)
    assert look.parts == parts
    spans = [audits.part(DeepLook(look.began, look.start, look.end, parts, done)) for done in range(parts)]
    assert (spans[0][0], spans[-1][1]) == (NOW - audits.PAST, NOW + audits.FUTURE)
    assert all(before[1] == after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize(
    ("when", "within"),
    [
        (Timed(NOW, NOW + HOUR), True),
        (Timed(NOW + 9 * DAY, NOW + 9 * DAY + HOUR), False),  # in the last day: at the edge
        (Timed(NOW - 10 * DAY, NOW + HOUR), False),
        (AllDay(date(2026, 3, 10), date(2026, 3, 12)), True),
        (AllDay(date(2026, 3, 18), date(2026, 3, 20)), False),
    ],
)
def test_only_what_lies_well_within_must_be_shown(when: When, within: bool) -> None:
    assert audits.is_within(when, NOW - 10 * DAY, NOW + 10 * DAY) is within


@pytest.mark.parametrize(
    ("known", "shown", "suspicious"),
    [(412, 0, True), (412, 165, True), (412, 206, False), (1, 0, True), (1, 1, False), (0, 0, False)],
)
def test_a_look_that_shows_less_than_half_is_not_believed(known: int, shown: int, suspicious: bool) -> None:
    assert audits.is_suspicious(known, shown) is suspicious


def test_a_look_that_is_not_believed_is_repeated_soon_and_then_daily() -> None:
    plan, waits = Audit(look=audits.begin(1, NOW)), list[timedelta]()
    for _ in range(5):
        plan = audits.doubted(plan, "int-1", NOW)
        assert plan.deep_at is not None
        waits.append(plan.deep_at - NOW)
        assert plan.look is None, "it begins anew"
    assert waits[:3] == [timedelta(minutes=15), HOUR, 6 * HOUR]
    assert all(wait <= DAY for wait in waits)
    assert audits.done(plan, "int-1", NOW).suspicious == 0


def test_a_deep_look_is_gone_on_with_unless_it_is_of_yesterday() -> None:
    look = DeepLook(NOW, NOW - audits.PAST, NOW + audits.FUTURE, parts=3, done=2)
    assert audits.resumed(look, 5000, NOW + HOUR) == look
    assert audits.resumed(look, 5000, NOW + DAY) == audits.begin(5000, NOW + DAY)
    assert audits.resumed(None, 0, NOW).done == 0


# The PSA's items


def test_the_first_complete_listing_says_from_when_on_nothing_may_be_unknown() -> None:
    stock = audits.taking(Stock(at=NOW), known=1500, now=NOW)
    assert stock.look is not None
    assert (stock.look.parts, stock.look.done) == (2, 0)
    for newest in (NOW - HOUR, NOW - 2 * HOUR):
        stock = audits.listed(stock, newest)
    first = audits.taken(stock, "int-1", NOW, nothing_there=False)
    assert (first.until, first.look, first.newest) == (NOW - HOUR, None, None)
    later = audits.listed(audits.taking(first, known=2, now=NOW + DAY), NOW + HOUR)
    assert audits.taken(later, "int-1", NOW + DAY, nothing_there=False).until == NOW - HOUR, "it stays"


def test_where_nothing_was_there_everything_is_news_and_where_no_change_is_dated_nothing_is() -> None:
    stock = audits.listed(audits.taking(Stock(), known=0, now=NOW), None)
    empty = audits.taken(stock, "int-1", NOW, nothing_there=True)
    assert empty.until is not None
    assert empty.until < NOW - 365 * DAY
    assert audits.taken(stock, "int-1", NOW, nothing_there=False).until is None


def test_a_listing_that_is_not_believed_is_repeated_soon_and_then_daily() -> None:
    stock, waits = audits.taking(Stock(), known=5, now=NOW), list[timedelta]()
    for _ in range(5):
        stock = audits.stock_doubted(stock, "int-1", NOW)
        assert stock.at is not None
        waits.append(stock.at - NOW)
        assert stock.look is None, "it begins anew"
    assert waits[:3] == [timedelta(minutes=15), HOUR, 6 * HOUR]
    assert all(wait <= DAY for wait in waits)


def test_the_psa_is_listed_within_hours_and_what_comes_first_is_due_first() -> None:
    plan = audits.planned(Audit(), "int-1", NOW)
    assert plan.stock.at is not None
    assert NOW < plan.stock.at <= NOW + 4 * HOUR
    assert audits.upcoming(plan) == min(moment for moment in (plan.light_at, plan.deep_at, plan.stock.at) if moment)
    assert audits.upcoming(Audit()) is None
