"""Series without end: the nearest occurrences come over, the rest waits, and nothing is taken for deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from events.content import AllDay, Timed
from events.items import ItemType
from events.link import ExternalEvent, ItemKey, Link, LinkState, ManagedEvent, managed_event_id
from events.reasons import Reason
from tests.core.examples import AGREED, HOUR, NOW, link, say, seen
from tests.core.test_judging import judged, shown
from worker.core import record
from worker.core.plan import Pause
from worker.core.series import BUDGET, HORIZON, NEAR, beyond_budget, series_of

DAY = timedelta(days=1)


def occurrence(days: int, series: str = "daily", **parts: object) -> Link:
    """Return the link of an event of the user's that was never seen before."""
    event = ExternalEvent("cal_1", f"evt_{days}")
    begins = NOW + days * DAY
    found = seen(replace(AGREED, when=Timed(begins, begins + HOUR)), series=series, recurring=True, **parts)
    fresh = {"psa_base": None, "calendar_base": None, "psa_seen": None, "item": None, "state": LinkState.PENDING}
    return link(event, calendar_seen=found, **fresh)


def test_of_a_series_that_is_too_long_the_earliest_are_let_in() -> None:
    newcomers = [occurrence(days) for days in range(20)]
    over = beyond_budget(list(reversed(newcomers)), {"daily": BUDGET - 15})
    assert over == {one.id for one in newcomers[15:]}


def test_each_series_has_a_budget_of_its_own_and_single_events_need_none() -> None:
    newcomers = [occurrence(1), occurrence(2, "weekly"), occurrence(3, "")]
    assert beyond_budget(newcomers, {"daily": BUDGET}) == {newcomers[0].id}
    assert [series_of(one) for one in newcomers] == ["daily", "weekly", ""]
    assert beyond_budget(newcomers, {}) == frozenset()


def test_what_is_withheld_waits_until_it_is_near_and_is_let_in_then() -> None:
    far = occurrence(30, kept_out=Reason.SERIES_TOO_LONG)
    waiting = judged(far)
    assert waiting.decision.reason is Reason.SERIES_TOO_LONG
    assert waiting.decision.action == Pause(NOW + 30 * DAY - NEAR)
    rested = record.concluded(waiting.link, waiting.decision, waiting.psa)
    assert (rested.state, rested.due_at, rested.churn.pauses) == (LinkState.PENDING, NOW + 30 * DAY - NEAR, 0)
    assert say(judged(rested, now=NOW + 24 * DAY).decision) == "CreateItem (calendar_created)"


def test_what_is_near_is_let_in_however_long_its_series_is() -> None:
    assert say(judged(occurrence(6, kept_out=Reason.SERIES_TOO_LONG)).decision) == "CreateItem (calendar_created)"


@pytest.mark.parametrize(("days", "waits"), [(HORIZON.days - 1, False), (HORIZON.days + 1, True)])
@pytest.mark.parametrize("part_id", ["2027-03-09T14:00:00Z", None])
def test_an_occurrence_of_the_psas_series_waits_until_a_calendar_would_show_it(
    days: int, part_id: str | None, *, waits: bool
) -> None:
    key = ItemKey(1, ItemType.APPOINTMENT, "7", part_id)
    begins = NOW + days * DAY
    content = replace(AGREED, when=Timed(begins, begins + HOUR))
    event = ManagedEvent("cal_1", managed_event_id(key, 5))
    never = {"psa_base": None, "calendar_base": None, "calendar_seen": None}
    one = judged(link(event, item=key, psa_seen=shown(content), **never))
    if waits and part_id is not None:
        assert one.decision.action == Pause(begins - HORIZON)
        assert one.decision.reason is Reason.TOO_FAR_AHEAD
    else:
        assert say(one.decision).startswith("PutEvent")


def test_whole_days_wait_as_well() -> None:
    far = occurrence(30, kept_out=Reason.SERIES_TOO_LONG)
    assert far.calendar_seen is not None
    day = (NOW + 30 * DAY).date()
    far = replace(far, calendar_seen=replace(far.calendar_seen, content=replace(AGREED, when=AllDay(day, day + DAY))))
    assert judged(far).decision.reason is Reason.SERIES_TOO_LONG
