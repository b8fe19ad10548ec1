"""Each tick, toggle and right: what may be done, and what a person is told instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from events.content import ALL_FIELDS, Field
from events.items import ItemType
from events.link import CREATION, Link, PsaAsk
from events.reasons import Reason
from events.tenant import PrivateInbound, TenantSettings
from tests.core.examples import AGREED, EVERYTHING, EXTERNAL, NOTHING, STAMP, item, link, managed, say, seen
from worker.core.permit import Policy, permit
from worker.core.plan import (
    Agree,
    Await,
    Bury,
    ChangeItem,
    CreateItem,
    Decision,
    DeleteItem,
    Detach,
    PutEvent,
    ReadItem,
    Rehome,
    RemoveEvent,
    Rest,
    VerifyEvent,
)

CREATE: Final = Decision(CreateItem(AGREED), Reason.CALENDAR_CREATED)
CREATE_AGAIN: Final = Decision(CreateItem(AGREED), Reason.EDIT_BEATS_DELETE)
CHANGE: Final = Decision(ChangeItem(AGREED, frozenset({Field.SUMMARY})), Reason.CALENDAR_CHANGED)
DELETE: Final = Decision(DeleteItem(), Reason.CALENDAR_DELETED)
PUT: Final = Decision(PutEvent(AGREED, AGREED, frozenset({Field.SUMMARY})), Reason.PSA_CHANGED)
REMOVE: Final = Decision(RemoveEvent(), Reason.PSA_DELETED)
WITHDRAW: Final = Decision(RemoveEvent(), Reason.UNASSIGNED)


def policy(**ticks: Any) -> Policy:
    return replace(EVERYTHING, **ticks)


def said(decision: Decision, found: Link, ticks: Policy) -> str:
    return say(permit((decision,), found, ticks))


# The three ticks under Linked Calendar

NEW: Final = link(EXTERNAL, item=None)


@pytest.mark.parametrize(
    ("decision", "untick", "instead"),
    [
        (CREATE, "inbound_create", "Ignore (create_not_ticked)"),
        (CREATE_AGAIN, "inbound_update", "Rest (update_not_ticked)"),
        (CHANGE, "inbound_update", "Rest (update_not_ticked)"),
        (DELETE, "inbound_delete", "Detach (delete_not_ticked)"),
    ],
)
def test_each_tick_gates_its_own_changes_and_no_others(decision: Decision, untick: str, instead: str) -> None:
    assert said(decision, NEW, EVERYTHING) == say(decision)
    assert said(decision, NEW, policy(**{untick: False})) == instead
    others = dict.fromkeys({"inbound_create", "inbound_update", "inbound_delete"} - {untick}, False)
    assert said(decision, NEW, policy(**others)) == say(decision)


def test_a_creation_that_has_begun_is_brought_to_its_end() -> None:
    """It may have reached the PSA: whether it did has to be found out, whatever is ticked by now."""
    begun = replace(NEW, psa_asks=(PsaAsk(AGREED, ALL_FIELDS, AGREED, CREATION),))
    assert said(CREATE, begun, NOTHING) == say(CREATE)


@pytest.mark.parametrize(
    ("created", "linked_since", "instead"),
    [
        (STAMP, None, None),
        (STAMP, STAMP, None),
        (STAMP, STAMP - timedelta(seconds=1), None),
        (STAMP, STAMP + timedelta(seconds=1), "ReadItem (before_linking)"),
        (None, STAMP, "ReadItem (before_linking)"),
        (None, None, None),
    ],
)
def test_only_events_made_after_linking_are_new(created: object, linked_since: object, instead: str | None) -> None:
    found = replace(NEW, calendar_seen=seen(AGREED, created=created))
    assert said(CREATE, found, policy(linked_since=linked_since)) == (instead or say(CREATE))


@pytest.mark.parametrize("ticked", [True, False])
def test_whether_an_older_event_has_an_appointment_is_asked_once_whatever_is_ticked(*, ticked: bool) -> None:
    linked_later = policy(linked_since=STAMP + timedelta(seconds=1), inbound_create=ticked)
    older = replace(NEW, calendar_seen=seen(AGREED, created=STAMP))
    assert said(CREATE, older, linked_later) == "ReadItem (before_linking)"
    assert said(CREATE, replace(older, reason=Reason.BEFORE_LINKING), linked_later) == "Ignore (before_linking)"


# The five ticks under Your Calendar


@pytest.mark.parametrize("kind", ItemType)
@pytest.mark.parametrize("decision", [PUT, REMOVE, WITHDRAW], ids=["put", "remove", "withdraw"])
def test_each_kind_of_item_has_its_own_tick(kind: ItemType, decision: Decision) -> None:
    found = link(managed(kind), item=item(kind))
    assert said(decision, found, policy(outbound=frozenset({kind}))) == say(decision)
    others = frozenset(ItemType) - {kind}
    assert said(decision, found, policy(outbound=others)) == "Rest (type_not_ticked)"


def test_a_link_without_an_item_is_an_appointments() -> None:
    assert said(REMOVE, link(item=None), policy(outbound=frozenset({ItemType.APPOINTMENT}))) == say(REMOVE)


# Events of the user's own


@pytest.mark.parametrize(
    ("rights", "unrestricted", "instead"),
    [
        ({}, True, None),
        ({}, False, "Rest blocked (not_permitted)"),
        ({"may_update": False}, True, "Rest blocked (not_permitted)"),
        ({"recurring": True}, True, "Rest blocked (one_of_a_series)"),
        ({"recurring": True}, False, "Rest blocked (not_permitted)"),
        ({"may_delete": False}, True, None),
    ],
)
def test_an_event_of_the_user_is_only_changed_where_that_is_allowed(
    rights: dict[str, bool],
    unrestricted: bool,
    instead: str | None,
) -> None:
    found = link(EXTERNAL, calendar_seen=seen(AGREED, **rights))
    assert said(PUT, found, policy(unrestricted=unrestricted)) == (instead or say(PUT))


def test_a_refused_change_that_cannot_be_put_back_says_that_it_was_refused() -> None:
    found = link(EXTERNAL, psa_refused={Field.SUMMARY: "Mine"})
    assert said(PUT, found, policy(unrestricted=False)) == "Rest blocked (psa_refused)"


@pytest.mark.parametrize(
    ("decision", "rights", "ticks", "instead"),
    [
        (REMOVE, {}, EVERYTHING, None),
        (REMOVE, {}, policy(unrestricted=False), "Detach (not_permitted)"),
        (REMOVE, {"may_delete": False}, EVERYTHING, "Detach (not_permitted)"),
        (REMOVE, {"recurring": True}, EVERYTHING, "Detach (not_permitted)"),
        (REMOVE, {}, policy(outbound=frozenset[ItemType]()), "Detach (not_permitted)"),
        (REMOVE, {"may_update": False}, EVERYTHING, None),
        (WITHDRAW, {}, EVERYTHING, "Detach (unassigned)"),
        (WITHDRAW, {}, policy(unrestricted=False), "Detach (unassigned)"),
    ],
)
def test_an_event_of_the_user_is_only_removed_if_its_appointment_was_deleted(
    decision: Decision, rights: dict[str, bool], ticks: Policy, instead: str | None
) -> None:
    found = link(EXTERNAL, calendar_seen=seen(AGREED, **rights))
    assert said(decision, found, ticks) == (instead or say(decision))


def test_an_unseen_event_of_the_user_is_left_alone() -> None:
    found = link(EXTERNAL, calendar_seen=None)
    assert said(PUT, found, EVERYTHING) == "Rest blocked (not_permitted)"
    assert said(REMOVE, found, EVERYTHING) == "Detach (not_permitted)"


# What needs no permission


@pytest.mark.parametrize(
    "decision",
    [
        Decision(action, Reason.IN_SYNC)
        for action in (
            ReadItem(),
            VerifyEvent(),
            Await(),
            Rest(),
            Rest(blocked=True),
            Agree(ALL_FIELDS),
            Detach(),
            Bury(),
            Rehome(),
        )
    ],
    ids=lambda decision: type(decision.action).__name__,
)
def test_looking_and_resting_need_no_tick(decision: Decision) -> None:
    assert permit((decision,), link(), NOTHING) is decision


# Plans of two steps


def test_of_two_steps_the_first_that_may_be_taken_is_taken() -> None:
    plan = (CHANGE, PUT)
    assert permit(plan, link(), EVERYTHING) is CHANGE
    assert permit(plan, link(), policy(inbound_update=False)) is PUT
    assert permit(plan, link(), policy(outbound=frozenset())) is CHANGE


def test_if_no_step_may_be_taken_the_reason_is_that_of_the_first() -> None:
    assert say(permit((CHANGE, PUT), link(), NOTHING)) == "Rest (update_not_ticked)"
    assert say(permit((CREATE_AGAIN, REMOVE), link(), NOTHING)) == "Rest (update_not_ticked)"


def test_what_is_withheld_stays_to_be_done() -> None:
    """A tick that is set later finds the same differences: nothing was recorded as agreed."""
    withheld = permit((CHANGE, PUT), link(), NOTHING)
    assert withheld.action == Rest(blocked=False)
    assert permit((CHANGE, PUT), link(), EVERYTHING) is CHANGE


@pytest.mark.parametrize("reason", [Reason.MARKS_A_DAY, Reason.WORKING_LOCATION])
def test_what_is_no_meeting_becomes_no_appointment_whatever_is_ticked(reason: Reason) -> None:
    found = link(EXTERNAL, calendar_seen=seen(AGREED, kept_out=reason))
    assert said(CREATE, found, policy()) == f"Ignore ({reason})"


@pytest.mark.parametrize("inbound", list(PrivateInbound))
@pytest.mark.parametrize("private", [True, False])
def test_a_private_event_becomes_an_appointment_unless_the_tenant_wants_none(
    inbound: PrivateInbound, *, private: bool
) -> None:
    found = link(EXTERNAL, calendar_seen=seen(replace(AGREED, private=private)))
    kept_away = private and inbound is PrivateInbound.NOT_IMPORTED
    tenant = TenantSettings(private_inbound=inbound)
    assert said(CREATE, found, policy(tenant=tenant)) == ("Ignore (private_not_imported)" if kept_away else say(CREATE))
