"""What the PSA is told about an integration as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from events.failures import Refused
from events.integration import (
    Account,
    CalendarInfo,
    DeletionWish,
    Grant,
    Held,
    Integration,
    Lease,
    Status,
    Taken,
    Tokens,
)
from events.orders import Order, OrderKind
from events.outcomes import OUTCOME, Outcome
from events.reasons import Reason
from tests.core.examples import NOW
from worker import outcomes
from worker.holding import Holding

ACCOUNT: Final = Account("acc_1", "pro_1", "ann@psa.example", "live_connect", "office365")
CALENDAR: Final = CalendarInfo(
    calendar_id="cal_1",
    name="Calendar",
    profile_id="pro_1",
    profile_name="ann@psa.example",
    provider_name="live_connect",
    provider_service="office365",
    primary=True,
)


def holding(fence: int = 7, **held: Any) -> Holding:
    """Return what the holder of a lease knows. Nothing is asked of the store or the clock."""
    known = Held(account=ACCOUNT, status=Status.CONNECTED, reason=Reason.IN_SYNC, calendars=(CALENDAR,))
    integration = Integration("int_1", 1204, 5571, epoch=1, held=replace(known, **held))
    lease = Lease("int_1", "message-1", fence, epoch=1, deadline=90.0)
    return Holding(NOBODY, NOBODY, Taken(lease, integration))


NOBODY: Any = None
LOST: Final = Held(reason=Reason.REVOKED_BY_USER, relink_url="https://app.cronofy.example/relink")
OFFERED: Final = Held(account=ACCOUNT, offered=Grant(replace(ACCOUNT, profile_name="b@c.d"), Tokens("", "", NOW)))
ORDER: Final = Order("int_1/41", "int_1", 41, OrderKind.AUTHORIZE, NOW)
EVERY: Final[list[Callable[[Holding, Any], Outcome]]] = [
    outcomes.connected,
    lambda held, at: outcomes.disconnected(held, LOST, at),
    lambda held, at: outcomes.calendars_found(held, held.held, at),
    lambda held, at: outcomes.configured(held, 41, "cal_1", at),
    outcomes.synced,
    lambda held, at: outcomes.authorization(held, 41, "https://app.cronofy.example", at),
    lambda held, at: outcomes.account_changed(held, OFFERED, at),
    lambda held, at: outcomes.switched(held, 41, at, active=False),
    lambda held, at: outcomes.copies_counted(held, 41, {"todo": 2}, at),
    lambda held, at: outcomes.deleted(held, DeletionWish(41), at, complete=True),
    lambda held, at: outcomes.order_closed(held, ORDER, None, at),
]
IDS: Final = [
    "connected",
    "disconnected",
    "calendars_found",
    "configured",
    "synced",
    "authorization",
    "account_changed",
    "switched",
    "copies_counted",
    "deleted",
    "order_closed",
]


@pytest.mark.parametrize("tell", EVERY, ids=IDS)
def test_every_outcome_says_whose_it_is_and_keeps_its_contract(tell: Callable[[Holding, Any], Outcome]) -> None:
    told = tell(holding(), NOW)
    assert OUTCOME.validate_json(OUTCOME.dump_json(told)) == told
    assert (told.source, told.subject, told.time) == ("calsync", "int_1", NOW)
    about = told.data
    assert (about.tenant_id, about.user_id, about.integration_id) == (1204, 5571, "int_1")


@pytest.mark.parametrize("tell", EVERY, ids=IDS)
def test_told_again_it_has_the_same_id(tell: Callable[[Holding, Any], Outcome]) -> None:
    """Whoever goes on after a crash has another lease."""
    assert tell(holding(), NOW).id == tell(holding(fence=8), NOW).id


LATER: Final = NOW + timedelta(seconds=1)


def test_told_again_later_it_has_the_same_id_unless_it_says_something_else() -> None:
    assert {tell(holding(), NOW).id for tell in EVERY[:4]} == {tell(holding(), LATER).id for tell in EVERY[:4]}
    assert outcomes.synced(holding(last_sync=NOW), LATER).id != outcomes.synced(holding(last_sync=LATER), LATER).id
    renamed = holding(account=replace(ACCOUNT, profile_name="bob@psa.example"))
    assert outcomes.connected(renamed, NOW).id != outcomes.connected(holding(), NOW).id
    expired = replace(LOST, reason=Reason.REAUTHORISE_NEEDED)
    assert outcomes.disconnected(holding(), expired, NOW).id != outcomes.disconnected(holding(), LOST, NOW).id
    none = Held()
    assert outcomes.calendars_found(holding(), none, NOW).id != EVERY[2](holding(), NOW).id


@pytest.mark.parametrize("tell", EVERY[:3], ids=IDS[:3])
def test_the_next_time_it_has_another_id(tell: Callable[[Holding, Any], Outcome]) -> None:
    assert tell(holding(turns=1), NOW).id != tell(holding(), NOW).id


def test_every_list_that_was_asked_for_has_its_own_id() -> None:
    asked = Held(calendars=(CALENDAR,), listed_revision=7)
    assert outcomes.calendars_found(holding(), asked, NOW).id != EVERY[2](holding(), NOW).id


def test_all_of_them_have_different_ids() -> None:
    assert len({tell(holding(), NOW).id for tell in EVERY}) == len(EVERY)


def test_connected_names_the_service_and_the_account() -> None:
    told = outcomes.connected(holding(), NOW)
    assert (told.data.provider, told.data.profile_name) == ("office365", "ann@psa.example")
    unnamed = outcomes.connected(holding(account=replace(ACCOUNT, provider_service="")), NOW)
    assert unnamed.data.provider == "live_connect"
    unknown = outcomes.connected(holding(account=None), NOW)
    assert (unknown.data.provider, unknown.data.profile_name) == ("", "")


def test_disconnected_says_why_and_where_to_link_again() -> None:
    told = outcomes.disconnected(holding(), LOST, NOW)
    assert told.data.reason == "revoked_by_user"
    assert told.data.explanation == Reason.REVOKED_BY_USER.explanation
    assert told.data.relink_url == "https://app.cronofy.example/relink"


def test_calendars_that_are_gone_are_not_offered() -> None:
    read_only = replace(CALENDAR, calendar_id="cal_2", name="Holidays", read_only=True, primary=False)
    calendars = (CALENDAR, read_only, replace(CALENDAR, calendar_id="cal_3", deleted=True))
    told = outcomes.calendars_found(holding(), Held(calendars=calendars), NOW)
    found = [(one.calendar_id, one.name, one.writable, one.primary) for one in told.data.calendars]
    assert found == [("cal_1", "Calendar", True, True), ("cal_2", "Holidays", False, False)]
    assert {one.provider for one in told.data.calendars} == {"office365"}


def test_configured_answers_its_revision() -> None:
    told = outcomes.configured(holding(), 41, "cal_9", NOW)
    assert (told.data.revision, told.data.calendar_id) == (41, "cal_9")


def test_synced_moves_the_date() -> None:
    told = outcomes.synced(holding(last_sync=NOW, verified_at=NOW - timedelta(hours=1)), NOW).data
    assert (told.last_sync, told.verified_complete) == (NOW, NOW - timedelta(hours=1))


def test_the_answer_to_an_order_says_why_it_was_refused() -> None:
    told = outcomes.order_closed(holding(), ORDER, Refused(Reason.NOTHING_TO_ANSWER, "more"), NOW).data
    assert (told.revision, told.order, told.result) == (41, "authorize", "refused")
    assert (told.reason, told.message) == ("nothing_to_answer", "more")
    assert told.explanation == Reason.NOTHING_TO_ANSWER.explanation


def test_another_account_is_named_beside_the_former() -> None:
    told = outcomes.account_changed(holding(), OFFERED, NOW).data
    assert (told.former, told.connected, told.provider) == ("ann@psa.example", "b@c.d", "office365")


def test_copies_are_counted_by_type() -> None:
    told = outcomes.copies_counted(holding(), 41, {"todo": 2, "service_call": 3}, NOW).data
    assert (told.total, told.by_type) == (5, {"todo": 2, "service_call": 3})
