"""What the PSA is told about an integration as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from events.integration import Account, CalendarInfo, Held, Integration, Lease, Status, Taken
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
EVERY: Final[list[Callable[[Holding, Any], Outcome]]] = [
    outcomes.connected,
    lambda held, at: outcomes.disconnected(held, LOST, at),
    lambda held, at: outcomes.calendars_found(held, held.held, at),
    lambda held, at: outcomes.configured(held, 41, "cal_1", at),
    outcomes.synced,
]
IDS: Final = ["connected", "disconnected", "calendars_found", "configured", "synced"]


@pytest.mark.parametrize("tell", EVERY, ids=IDS)
def test_every_outcome_says_whose_it_is_and_keeps_its_contract(tell: Callable[[Holding, Any], Outcome]) -> None:
    told = tell(holding(), NOW)
    assert OUTCOME.validate_json(OUTCOME.dump_json(told)) == told
    assert (told.source, told.subject, told.time) == ("calsync", "int_1", NOW)
    about = told.data
    assert (about.tenant_id, about.user_id, about.integration_id) == (1204, 5571, "int_1")


@pytest.mark.parametrize("tell", EVERY, ids=IDS)
def test_its_id_is_a_function_of_what_happened_and_when(tell: Callable[[Holding, Any], Outcome]) -> None:
    """Told twice under one lease, the second may say something else, and must not be dropped as a copy."""
    told = tell(holding(), NOW)
    assert tell(holding(), NOW).id == told.id
    assert tell(holding(), NOW + timedelta(seconds=1)).id != told.id
    assert tell(holding(fence=8), NOW).id != told.id


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
    assert outcomes.synced(holding(), NOW).data.last_sync == NOW
