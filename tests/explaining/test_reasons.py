"""Why something is not in a calendar: each reason, as a table. There is no case without one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from events.integration import Integration, Status
from events.items import ItemType
from events.letters import Failure, Kind, Letter, Original, Subject
from events.link import CalendarAsk, LinkState
from events.reasons import Reason
from events.runs import Phase, Run, RunKind, RunTrigger, Span
from events.tenant import PrivateInbound, TenantSettings
from tests.core.examples import AGREED, EXTERNAL, HOUR, NOW, ask, link
from tests.explaining.asking import (
    AWAY,
    BEGUN,
    DANA,
    LEAVING,
    NOT_THERE,
    WORKING,
    event_now,
    found,
    integration,
    item_now,
    saved,
    snapshot,
    told,
    wanting,
    why,
)
from worker.explaining.rules import Rule, advice, rule_of, unplaced

UNTICKED = saved(outbound=frozenset({ItemType.TODO}))
LETTER = Letter(
    "letter",
    Kind.MESSAGE,
    "print",
    Failure("breaks_schema", "item.start: no offset", 1, NOW),
    Subject(1, item="appointment/7"),
    Original("psa.events", "key", "queue", "message"),
    NOW,
    NOW,
)


def run_over(start: int, end: int) -> Run:
    """Return a run over days from now on, both ways."""
    span = Span(NOW + timedelta(days=start), NOW + timedelta(days=end))
    return Run("run", "int_1", 1, DANA, RunKind.SYNC, RunTrigger.ASKED, 1, 1, "cal_1", span, span, BEGUN, Phase.SETTLE)


# The integration as a whole


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (wanting(deletion=LEAVING), "integration_deleted"),
        (integration(deleted=True), "integration_deleted"),
        (wanting(active=False), "inactive"),
        (wanting(settings=None), "not_configured"),
        (replace(wanting(connect=None, settings=None), held=replace(WORKING.held, account=None)), "not_configured"),
        (integration(calendar_hold=NOW + HOUR), "rate_limited"),
        (integration(calendar_hold=NOW + HOUR, calendar_failures=2), "unreachable"),
        (integration(psa_hold=NOW + HOUR, psa_failures=1), "unreachable"),
        (integration(psa_hold=NOW + HOUR), "rate_limited"),
        *(
            (integration(status=Status.NOT_CONNECTED, reason=Reason.of(code)), code)
            for code in (
                "reauthorise_needed",
                "revoked_by_user",
                "calendar_missing",
                "calendar_read_only",
                "pending_initial_sync",
                "account_changed",
                "provider_error",
            )
        ),
    ],
)
@pytest.mark.parametrize("stored", [None, link(state=LinkState.PENDING, reason=Reason.PSA_CHANGED, due_at=NOW)])
def test_what_waits_waits_for_what_hinders_the_integration(state: Integration, reason: str, stored: Any) -> None:
    assert why(integration=state, link=stored) == reason
    assert why("evt_1", integration=state) == reason


def test_a_hold_that_is_over_hinders_nothing() -> None:
    assert why(integration=integration(calendar_hold=NOW - HOUR)) == "never_heard_of"


def test_what_rests_is_as_it_is_though_the_integration_is_off() -> None:
    assert why(integration=wanting(active=False), link=link()) == "in_sync"


# Nothing is stored of an item


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({}, "never_heard_of"),
        ({"item": found(item_now(DANA))}, "no_integration"),
        ({"item": NOT_THERE}, "item_not_found"),
        ({"item": AWAY}, "never_heard_of"),
        ({"item": found(item_now(DANA, deleted=True, item=None))}, "psa_deleted"),
        ({"item_deleted": True}, "psa_deleted"),
        ({"letters": (LETTER,)}, "breaks_schema"),
        ({"integration": WORKING}, "never_heard_of"),
        ({"integration": WORKING, "letters": (LETTER,)}, "breaks_schema"),
        ({"integration": WORKING, "item": NOT_THERE}, "item_not_found"),
        ({"integration": WORKING, "item_deleted": True}, "psa_deleted"),
        ({"integration": WORKING, "item": found(item_now(99))}, "not_assigned"),
        ({"integration": WORKING, "item": found(item_now(DANA, start=None))}, "no_date"),
        ({"integration": UNTICKED, "item": found(item_now(DANA))}, "type_not_ticked"),
        ({"integration": WORKING, "item": found(item_now(DANA))}, "never_heard_of"),
        ({"integration": WORKING, "item": found(item_now(DANA)), "runs": (run_over(-7, 0),)}, "out_of_range"),
        ({"integration": WORKING, "item": found(item_now(DANA)), "runs": (run_over(0, 7),)}, "never_heard_of"),
    ],
)
def test_nothing_is_stored_of_an_item(known: Any, reason: str) -> None:
    assert why(**known) == reason


def test_a_letter_of_a_newer_version_is_told_of_without_its_reason() -> None:
    newer = replace(LETTER, failure=replace(LETTER.failure, reason="of_tomorrow"))
    answer = told(letters=(newer,))
    assert answer.verdict.reason is Reason.NEVER_HEARD_OF
    assert [(line.step, line.reason) for line in answer.lines] == [("blocked", None)]


# Nothing is stored of an event

PRIVATE = TenantSettings(private_inbound=PrivateInbound.NOT_IMPORTED)
FAR = NOW + timedelta(days=300)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({}, "never_heard_of"),
        ({"integration": WORKING}, "never_heard_of"),
        ({"integration": saved(inbound_create=False)}, "create_not_ticked"),
        ({"integration": WORKING, "event": NOT_THERE}, "event_not_found"),
        ({"integration": WORKING, "event": AWAY}, "never_heard_of"),
        ({"integration": WORKING, "event": found(event_now())}, "never_heard_of"),
        ({"integration": WORKING, "event": found(event_now(deleted=True))}, "calendar_deleted"),
        ({"integration": WORKING, "event": found(event_now(start=None, end=None))}, "no_time"),
        ({"integration": saved(inbound_create=False), "event": found(event_now())}, "create_not_ticked"),
        ({"integration": WORKING, "event": found(event_now(start=FAR, end=FAR + HOUR))}, "out_of_window"),
        ({"integration": WORKING, "event": found(event_now(created=BEGUN - HOUR))}, "before_linking"),
        (
            {"integration": WORKING, "event": found(event_now(created=BEGUN - HOUR)), "runs": (run_over(-9, -1),)},
            "out_of_range",
        ),
        ({"integration": WORKING, "event": found(event_now(private=True)), "tenant": PRIVATE}, "private_not_imported"),
        (
            {
                "integration": WORKING,
                "event": found(
                    event_now(start=date(2026, 3, 11), end=date(2026, 3, 12), extended_transparency="working_elsewhere")
                ),
            },
            "working_location",
        ),
        (
            {
                "integration": WORKING,
                "event": found(
                    event_now(start=date(2026, 3, 11), end=date(2026, 3, 12), transparent=True, recurring=True)
                ),
            },
            "marks_a_day",
        ),
    ],
)
def test_nothing_is_stored_of_an_event(known: Any, reason: str) -> None:
    assert why("evt_1", **known) == reason


# There is a link

SENT: CalendarAsk = ask(AGREED)


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (link(), "in_sync"),
        (link(state=LinkState.PENDING, reason=Reason.PSA_CREATED, calendar_asks=(SENT,)), "awaiting_confirmation"),
        (
            link(state=LinkState.PENDING, reason=Reason.NOT_CONFIRMED, calendar_asks=(SENT,), attempts=2),
            "not_confirmed",
        ),
        *(
            (link(state=state, reason=Reason.of(code)), code)
            for state, code in (
                (LinkState.SETTLED, "type_not_ticked"),
                (LinkState.BLOCKED, "calendar_refused"),
                (LinkState.DETACHED, "calendar_deleted"),
                (LinkState.IGNORED, "before_linking"),
                (LinkState.QUARANTINED, "many_deletions"),
                (LinkState.BURIED, "both_deleted"),
                (LinkState.PENDING, "write_budget"),
            )
        ),
    ],
)
def test_a_link_says_its_own_reason(stored: Any, reason: str) -> None:
    assert why(integration=WORKING, link=stored) == reason


def test_an_event_that_is_not_there_any_more_is_told_though_all_seemed_well() -> None:
    assert why(integration=WORKING, link=link(), event=NOT_THERE) == "event_not_found"
    assert why(integration=WORKING, link=link(), event=AWAY) == "in_sync"


@pytest.mark.parametrize("state", LinkState)
def test_whatever_is_stored_there_is_an_answer(state: LinkState) -> None:
    for reason in Reason:
        for stored in (
            link(state=state, reason=reason),
            snapshot(state=state, reason=reason, due_at=NOW, event=EXTERNAL),
        ):
            verdict = told(integration=WORKING, link=stored).verdict
            assert (verdict.reason, bool(verdict.rule)) == (reason, True)


# The words


def test_every_reason_has_a_rule() -> None:
    assert unplaced() == []


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_decides_something(rule: Rule) -> None:
    assert any(rule_of(reason) is rule for reason in Reason)


def test_what_keeps_something_out_says_what_helps() -> None:
    answered = {"in_sync", "echo", "adopted", "psa_deleted", "both_deleted"}
    keeping_out = [r for r in Reason if rule_of(r) in {Rule.TICKS, Rule.LINKING, Rule.SWITCHED_OFF, Rule.CONNECTION}]
    assert [reason for reason in keeping_out if not advice(reason) and reason not in answered] == []
