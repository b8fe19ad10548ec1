"""How much is too much, as tables: deletions, texts that go to and fro, writes of one item."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from events.content import ALL_FIELDS, Content, Field
from events.items import ItemType
from events.link import Churn, Ending, Link, LinkState, Tally, Verdict
from events.reasons import Reason
from events.tenant import Brakes
from tests.core.examples import AGREED, DRAGGED, HOUR, NOW, RETITLED, ask, holds, item, link, managed, say, seen
from tests.core.examples import EVERYTHING as POLICY
from worker.core import brakes
from worker.core.decide import Asked, decide
from worker.core.ownership import Ownership
from worker.core.permit import permit
from worker.core.plan import ChangeItem, Decision, DeleteItem, Detach, Pause, PutEvent, RemoveEvent, Rest
from worker.core.record import concluded
from worker.core.rivals import rival
from worker.core.sides import PsaGone

USUAL = Brakes()
DAY = timedelta(days=1)
GONE = PsaGone(Reason.PSA_DELETED)
CALM = Asked(overdue=False, lapsed=True, hopeless=False)
FLIPPED = replace(AGREED, summary="[Busy] Review")


@pytest.mark.parametrize(
    ("gone", "held", "alive", "more", "many"),
    [
        (4, 0, 4, 1, False),  # five of eight over a day are few, even if they came within an hour
        (9, 0, 3, 1, False),  # ten are few
        (10, 0, 2, 1, True),
        (0, 0, 12, 11, True),
        (0, 0, 44, 11, False),  # a quarter is not more than a quarter
        (0, 0, 43, 11, True),
        (0, 11, 100, 15, True),  # what is held counts as well
        (0, 0, 1000, 100, False),
        (0, 0, 1000, 101, True),
        (100, 0, 10_000, 1, True),
    ],
)
def test_many_is_more_than_a_few_and_more_than_a_share_or_simply_many(
    gone: int, held: int, alive: int, more: int, many: bool
) -> None:
    assert brakes.holds(USUAL, Tally(gone, held, alive), more) is many


@pytest.mark.parametrize(
    ("step", "weighed"),
    [
        (Decision(DeleteItem(), Reason.CALENDAR_DELETED), True),
        (Decision(RemoveEvent(), Reason.PSA_DELETED), True),
        (Decision(Detach(), Reason.CALENDAR_DELETED), True),
        (Decision(Detach(), Reason.DELETE_NOT_TICKED), True),
        (Decision(RemoveEvent(), Reason.UNASSIGNED), False),
        (Decision(RemoveEvent(), Reason.TYPE_NOT_TICKED), False),
        (Decision(Rest(), Reason.IN_SYNC), False),
    ],
)
def test_what_carries_a_deletion_over_is_weighed_first(step: Decision, weighed: bool) -> None:
    """An item that lives on brings its event back whenever it wants to, so withdrawing that is no loss."""
    braked = brakes.braked(step, link())
    assert say(braked) == (f"Weigh ({step.reason})" if weighed else say(step))


def said(verdict: Verdict) -> Ending:
    return Ending(NOW, verdict, Reason.MANY_DELETIONS)


def test_what_was_said_of_a_deletion_holds_until_something_else_is_said() -> None:
    step = Decision(DeleteItem(), Reason.CALENDAR_DELETED)
    assert brakes.braked(step, link(ending=said(Verdict.PASSED))) == step
    assert brakes.braked(step, link(ending=said(Verdict.RELEASED))) == step
    held = brakes.braked(step, link(ending=said(Verdict.HELD)))
    assert say(held) == "Quarantine (many_deletions)"
    resting = concluded(link(ending=said(Verdict.HELD)), held, GONE)
    assert (resting.state, resting.due_at) == (LinkState.QUARANTINED, None)


def test_an_event_that_is_back_lets_the_link_live_and_be_weighed_anew() -> None:
    back = link(ending=said(Verdict.HELD), state=LinkState.QUARANTINED)
    plan = decide(back, holds(AGREED), Ownership(), CALM)
    rested = concluded(back, permit(plan, back, POLICY), holds(AGREED))
    assert (rested.state, rested.ending) == (LinkState.SETTLED, None)


def test_a_deletion_of_the_calendar_that_is_discarded_makes_the_event_again() -> None:
    for kind in (ItemType.APPOINTMENT, ItemType.SERVICE_CALL):
        gone = link(managed(kind), item=item(kind), ending=said(Verdict.DISCARDED), calendar_seen=seen(None))
        assert say(*decide(gone, holds(AGREED, kind), Ownership(), CALM)) == "PutEvent all (restored)"


def test_a_deletion_of_the_psa_that_is_discarded_makes_the_appointment_again_or_lets_the_event_be() -> None:
    gone = link(ending=said(Verdict.DISCARDED))
    assert say(*decide(gone, GONE, Ownership(), CALM)) == "CreateItem (restored)"
    call = link(managed(ItemType.SERVICE_CALL), item=item(ItemType.SERVICE_CALL), ending=said(Verdict.DISCARDED))
    assert say(*decide(call, GONE, Ownership(), CALM)) == "Detach (psa_deleted)"


def test_what_becomes_of_a_held_deletion_is_verified_first() -> None:
    held = link(ending=said(Verdict.HELD), state=LinkState.QUARANTINED, calendar_seen=seen(None))
    inbound = brakes.resolved(held, Verdict.RELEASED, NOW)
    assert say(*decide(inbound, holds(AGREED), Ownership(), CALM)) == "VerifyEvent (calendar_deleted)"
    outbound = brakes.resolved(replace(held, calendar_seen=seen(AGREED)), Verdict.DISCARDED, NOW)
    assert outbound.psa_seen is not None
    assert (outbound.psa_seen.deleted, outbound.psa_seen.item) == (False, None)


# To and fro


def put(content: Content) -> Decision:
    return Decision(PutEvent(content, content, frozenset({Field.SUMMARY})), Reason.PSA_CHANGED)


def change(content: Content) -> Decision:
    return Decision(ChangeItem(content, frozenset({Field.SUMMARY})), Reason.CALENDAR_CHANGED)


def quarrel(times: int, apart: timedelta = HOUR) -> tuple[Link, datetime]:
    """Another tool titles the event, the PSA titles it back; so many times each."""
    now, found = NOW, link()
    for _ in range(times):
        found = brakes.counted(replace(found, calendar_seen=seen(FLIPPED)), change(FLIPPED), holds(AGREED), USUAL, now)
        found = brakes.counted(found, put(AGREED), holds(AGREED), USUAL, now)
        now += apart
    return found, now


def test_a_text_that_came_back_three_times_within_a_day_is_frozen() -> None:
    once, now = quarrel(1)
    assert not brakes.frozen(once, change(FLIPPED), holds(AGREED), USUAL, now).frozen
    twice, now = quarrel(2)
    frozen = brakes.frozen(twice, change(FLIPPED), holds(AGREED), USUAL, now)
    assert frozen.frozen.keys() == {Field.SUMMARY}
    assert frozen.frozen[Field.SUMMARY].until == now + DAY


def test_over_days_a_text_may_change_as_it_likes() -> None:
    slow, now = quarrel(4, apart=DAY)
    assert not brakes.frozen(slow, change(FLIPPED), holds(AGREED), USUAL, now).frozen


def test_times_always_flow_and_what_is_private_always_becomes_so() -> None:
    private = replace(AGREED, private=True)
    found = link()
    for content in (DRAGGED, AGREED, private, AGREED) * 5:
        found = brakes.counted(found, put(content), holds(content), replace(USUAL, writes_an_hour=1000), NOW)
        assert not brakes.frozen(found, put(content), holds(content), USUAL, NOW).frozen


def test_a_write_that_is_asked_for_again_is_no_going_to_and_fro() -> None:
    found = replace(link(), calendar_seen=seen(FLIPPED))
    for _ in range(5):
        found = brakes.counted(found, put(AGREED), holds(AGREED), USUAL, NOW)
        found = replace(found, calendar_asks=(ask(AGREED),))
    assert len(found.churn.flips) == 1
    assert not brakes.frozen(found, put(AGREED), holds(AGREED), USUAL, NOW).frozen


def cold() -> Link:
    found, now = quarrel(2)
    return brakes.frozen(found, change(FLIPPED), holds(AGREED), USUAL, now)


def test_of_a_frozen_text_each_side_keeps_its_own_and_everything_else_flows() -> None:
    assert say(*decide(cold(), holds(AGREED), Ownership(), CALM)) == "Rest (field_flips)"
    moved = replace(AGREED, when=DRAGGED.when)
    (step,) = decide(cold(), holds(moved), Ownership(), CALM)
    assert say(step) == "PutEvent when (psa_changed)"
    assert isinstance(step.action, PutEvent)
    assert (step.action.content.summary, step.action.wire.summary) == (FLIPPED.summary, FLIPPED.summary)


def test_a_frozen_text_thaws_after_a_day_by_a_persons_edit_and_by_order() -> None:
    frozen = cold()
    until = frozen.frozen[Field.SUMMARY].until
    assert brakes.thawed(frozen, holds(AGREED), until - HOUR) == frozen
    assert not brakes.thawed(frozen, holds(AGREED), until).frozen
    assert not brakes.thawed(frozen, holds(RETITLED), NOW).frozen, "neither of the two texts"
    by_order = brakes.unfrozen(frozen, NOW)
    assert (by_order.frozen, by_order.churn.flips, by_order.due_at) == ({}, (), NOW)


def test_what_a_person_writes_into_a_frozen_text_counts_whatever_a_tool_left_on_the_other_side() -> None:
    left = replace(cold(), psa_base=FLIPPED)  # the PSA's title was put back and never brought over
    written_by_hand = replace(left, calendar_seen=seen(replace(AGREED, summary="Kick-off")))
    free = brakes.thawed(written_by_hand, holds(AGREED), NOW)
    assert say(*decide(free, holds(AGREED), Ownership(), CALM)) == "ChangeItem summary (calendar_changed)"
    by_psa = brakes.thawed(left, holds(RETITLED), NOW)
    assert say(*decide(by_psa, holds(RETITLED), Ownership(), CALM)) == "PutEvent summary (psa_changed)"


def test_a_frozen_link_rests_until_it_thaws() -> None:
    frozen = cold()
    rested = concluded(frozen, Decision(Rest(), Reason.FIELD_FLIPS), holds(AGREED))
    assert rested.due_at == frozen.frozen[Field.SUMMARY].until


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("[Busy] Review", None),
        ("Synced by OGCS", "Outlook Google Calendar Sync"),
        ("Review (via Reclaim)", "Reclaim"),
        ("created with https://www.calendarbridge.com", "CalendarBridge"),
        ("Claim an account", None),
    ],
)
def test_another_tool_is_named_if_its_text_names_it(text: str, tool: str | None) -> None:
    assert rival(["Review", text]) == tool


# The budget


def written(times: int, apart: timedelta = timedelta(minutes=1)) -> Link:
    found = link()
    for number in range(times):
        content = replace(AGREED, location=str(number))
        found = brakes.counted(found, put(content), holds(content), USUAL, NOW + number * apart)
    return found


def test_an_item_is_written_twenty_times_an_hour_and_then_waits() -> None:
    last = NOW + timedelta(minutes=19)
    assert brakes.within_budget(put(AGREED), written(19), USUAL, last) == put(AGREED)
    step = brakes.within_budget(put(AGREED), written(20), USUAL, last)
    assert step == Decision(Pause(NOW + HOUR), Reason.WRITE_BUDGET)
    assert brakes.within_budget(put(AGREED), written(20), USUAL, NOW + HOUR) == put(AGREED)


def test_each_pause_in_a_row_is_longer() -> None:
    found = written(20)
    pauses: list[timedelta] = []
    now = NOW + timedelta(minutes=20)
    for _ in range(8):
        step = brakes.within_budget(put(AGREED), found, USUAL, now)
        assert isinstance(step.action, Pause)
        pauses.append(step.action.until - found.churn.writes[0])
        found = concluded(found, step, holds(AGREED))
        now = step.action.until
        for _ in range(20):
            found = replace(brakes.counted(found, put(AGREED), holds(AGREED), USUAL, now), reason=Reason.PSA_CHANGED)
    assert [pause / HOUR for pause in pauses] == [1, 2, 4, 8, 16, 24, 24, 24]


def test_a_pause_is_the_same_however_often_it_is_decided_on() -> None:
    first = brakes.within_budget(put(AGREED), written(20), USUAL, NOW)
    paused = concluded(written(20), first, holds(AGREED))
    assert brakes.within_budget(put(AGREED), paused, USUAL, NOW) == first
    assert concluded(paused, first, holds(AGREED)) == paused


def test_a_failure_has_pauses_of_its_own() -> None:
    """What is not known to have been accepted goes out again, and counts once."""
    unsure = replace(written(20), calendar_asks=(ask(AGREED, sent=False),))
    assert brakes.within_budget(put(AGREED), unsure, USUAL, NOW) == put(AGREED)
    assert brakes.counted(unsure, put(AGREED), holds(AGREED), USUAL, NOW) is unsure


def test_some_quiet_days_forget() -> None:
    tired = replace(written(20), churn=replace(written(20).churn, pauses=5))
    later = brakes.counted(tired, put(AGREED), holds(AGREED), USUAL, NOW + 3 * DAY)
    assert later.churn == Churn(writes=(NOW + 3 * DAY,))


def test_looking_and_resting_cost_nothing() -> None:
    rest = Decision(Rest(), Reason.IN_SYNC)
    assert brakes.within_budget(rest, written(20), USUAL, NOW) == rest
    assert brakes.counted(written(20), rest, holds(AGREED), USUAL, NOW) == written(20)
    assert ALL_FIELDS > brakes.FREEZABLE
