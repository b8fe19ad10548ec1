"""What is written into the log and told to the PSA: everything, once, with its reason, and nothing private."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.commands import Cause
from events.content import ALL_FIELDS, Content, Field
from events.journal import Act, Entry, Result
from events.link import CREATION, ExternalEvent, Link, LinkState, PsaAsk
from events.outcomes import OUTCOME, Direction, ItemBlocked, ItemConflict, ItemSynced
from events.reasons import Reason
from tests.core import near
from tests.core.examples import (
    AGREED,
    EDITED,
    EVERYTHING,
    EXTERNAL,
    NO_ASKS,
    NOW,
    RETITLED,
    ask,
    holds,
    item,
    link,
    seen,
)
from worker import telling
from worker.core.decide import Asked, decide
from worker.core.permit import Policy, permit
from worker.core.plan import ChangeItem, CreateItem, Decision, DeleteItem, Overruled, PutEvent, RemoveEvent
from worker.core.record import concluded
from worker.core.sides import PsaGone, PsaHolds, PsaView
from worker.telling import Occasion, Report

OCCASION: Final = Occasion(at=NOW, trigger=Cause.PSA_EVENT, correlation_id="event-1")
LATER: Final = replace(OCCASION, at=NOW + timedelta(minutes=1), correlation_id="event-2")
CHANGE: Final = Decision(ChangeItem(EDITED, frozenset({Field.SUMMARY, Field.WHEN})), Reason.CALENDAR_CHANGED)
PUT: Final = Decision(PutEvent(RETITLED, RETITLED, frozenset({Field.SUMMARY})), Reason.PSA_CHANGED)
WRITES: Final = [
    (Decision(CreateItem(EDITED), Reason.CALENDAR_CREATED), Direction.FROM_CALENDAR, Act.CREATE, Result.DONE),
    (CHANGE, Direction.FROM_CALENDAR, Act.UPDATE, Result.DONE),
    (Decision(DeleteItem(), Reason.CALENDAR_DELETED), Direction.FROM_CALENDAR, Act.DELETE, Result.DONE),
    (PUT, Direction.TO_CALENDAR, Act.UPDATE, Result.ACCEPTED),
    (Decision(RemoveEvent(), Reason.PSA_DELETED), Direction.TO_CALENDAR, Act.DELETE, Result.ACCEPTED),
]


def only(report: Report) -> Entry:
    (entry,) = report.entries
    return entry


# Writes


@pytest.mark.parametrize(("decision", "direction", "act", "result"), WRITES)
def test_every_write_has_a_line(decision: Decision, direction: Direction, act: Act, result: Result) -> None:
    report = Report()
    telling.written(report, link(), decision, OCCASION)
    entry = only(report)
    assert (entry.direction, entry.act, entry.result, entry.reason) == (direction, act, result, decision.reason)
    assert (entry.tenant_id, entry.integration_id, entry.link_id, entry.item) == (1, "int_1", link().id, item())
    assert (entry.at, entry.trigger, entry.correlation_id) == (NOW, Cause.PSA_EVENT, "event-1")
    assert report.outcomes == [], "a write that was accepted is not in sync yet"


def test_a_write_names_its_fields_in_one_order_and_the_title_that_it_brings() -> None:
    report = Report()
    telling.written(report, link(), CHANGE, OCCASION)
    assert (only(report).fields, only(report).title) == (("summary", "when"), EDITED.summary)


def test_the_first_write_of_an_event_makes_it() -> None:
    report = Report()
    telling.written(report, link(calendar_base=None), PUT, OCCASION)
    assert only(report).act is Act.CREATE


@pytest.mark.parametrize(("decision", "direction", "act", "result"), WRITES)
def test_only_what_the_psa_has_carried_out_moves_the_last_sync_date(
    decision: Decision, direction: Direction, act: Act, result: Result
) -> None:
    del act, result
    report = Report()
    telling.written(report, link(), decision, OCCASION)
    assert report.synced is (direction is Direction.FROM_CALENDAR)


@pytest.mark.parametrize(("decision", "direction", "act", "result"), WRITES)
def test_the_words_of_an_earlier_refusal_are_on_no_other_line(
    decision: Decision, direction: Direction, act: Act, result: Result
) -> None:
    """What was refused is replayed, and taken this time."""
    report = Report()
    telling.overruled(report, BLOCKED, replace(decision, overruled=(LOST,)), OCCASION)
    telling.written(report, BLOCKED, decision, OCCASION)
    telling.stumbled(report, BLOCKED, OCCASION, direction)
    assert [(entry.act, entry.message) for entry in report.entries] == [(act, ""), (act, ""), (Act.SKIP, "")]
    assert report.entries[1].result is result


# Conclusions


def pending(**parts: Any) -> Link:
    return replace(link(state=LinkState.PENDING, reason=Reason.PSA_CHANGED), **parts)


SETTLED: Final = link()
IGNORED: Final = link(EXTERNAL, item=None, state=LinkState.IGNORED, reason=Reason.CREATE_NOT_TICKED)
BURIED: Final = link(state=LinkState.BURIED, reason=Reason.BOTH_DELETED)
BLOCKED: Final = link(state=LinkState.BLOCKED, reason=Reason.PSA_REFUSED, message="ticket is closed")
ASKED: Final = pending(calendar_asks=(ask(RETITLED),))
ASKED_PSA: Final = pending(reason=Reason.CALENDAR_CHANGED, psa_asks=(PsaAsk(EDITED, ALL_FIELDS, EDITED, 3),))
CREATED_AGAIN: Final = pending(
    reason=Reason.EDIT_BEATS_DELETE, psa_asks=(PsaAsk(EDITED, ALL_FIELDS, EDITED, CREATION),)
)
REMOVED: Final = pending(calendar_asks=(ask(None),), reason=Reason.PSA_DELETED)


@pytest.mark.parametrize(
    ("stored", "now", "direction", "action"),
    [
        (ASKED, SETTLED, "to_calendar", "update"),
        (ASKED_PSA, SETTLED, "from_calendar", "update"),
        (CREATED_AGAIN, SETTLED, "from_calendar", "update"),
        (replace(ASKED, reason=Reason.CALENDAR_CHANGED), SETTLED, "from_calendar", "update"),
        (REMOVED, BURIED, "to_calendar", "delete"),
        (replace(ASKED_PSA, reason=Reason.CALENDAR_DELETED), BURIED, "from_calendar", "delete"),
    ],
)
def test_what_was_under_way_and_is_confirmed_is_told(stored: Link, now: Link, direction: str, action: str) -> None:
    report = Report()
    telling.concluded(report, stored, now, OCCASION)
    entry = only(report)
    assert (entry.act, entry.result, entry.direction) == (Act.CONFIRM, Result.DONE, direction)
    (outcome,) = report.outcomes
    assert isinstance(outcome, ItemSynced)
    assert (outcome.data.direction, outcome.data.action) == (direction, action)
    assert (outcome.data.item_type, outcome.data.item_id, outcome.data.revision) == ("appointment", "7", 3)
    assert report.synced


@pytest.mark.parametrize(
    ("stored", "now", "act", "told"),
    [
        (pending(), SETTLED, Act.SKIP, False),
        (pending(), link(reason=Reason.TYPE_NOT_TICKED), Act.SKIP, False),
        (pending(), link(state=LinkState.DETACHED, reason=Reason.CALENDAR_DELETED), Act.SKIP, False),
        (pending(), IGNORED, Act.SKIP, False),
        (SETTLED, BURIED, Act.SKIP, False),
        (pending(), BLOCKED, Act.REJECT, True),
        (ASKED, replace(BLOCKED, reason=Reason.NEVER_APPLIED), Act.REJECT, True),
        (BLOCKED, replace(BLOCKED, reason=Reason.NOT_PERMITTED), Act.REJECT, True),
        (pending(), replace(BLOCKED, item=None), Act.REJECT, False),
    ],
)
def test_whatever_is_not_done_says_why(stored: Link, now: Link, act: Act, *, told: bool) -> None:
    report = Report()
    for_a_person = telling.concluded(report, stored, now, OCCASION)
    entry = only(report)
    result = Result.FAILED if act is Act.REJECT else Result.SKIPPED
    assert (entry.act, entry.result, entry.reason, entry.direction) == (act, result, now.reason, "none")
    assert for_a_person == (entry if act is Act.REJECT else None)
    assert entry.reason.explanation
    assert [type(outcome) for outcome in report.outcomes] == ([ItemBlocked] if told else [])
    assert not report.synced


@pytest.mark.parametrize("state", LinkState)
def test_what_rests_as_it_rested_before_is_not_told_again(state: LinkState) -> None:
    report = Report()
    telling.concluded(report, link(state=state, version=3), link(state=state, version=4), OCCASION)
    assert (report.entries, report.outcomes, report.synced) == ([], [], False)


def test_a_blocked_item_comes_with_its_reason_in_words() -> None:
    report = Report()
    telling.concluded(report, pending(), BLOCKED, OCCASION)
    (outcome,) = report.outcomes
    assert isinstance(outcome, ItemBlocked)
    assert outcome.data.reason == "psa_refused"
    assert outcome.data.explanation == Reason.PSA_REFUSED.explanation
    assert outcome.data.message == "ticket is closed"
    assert only(report).message == "ticket is closed"


# Failures


@pytest.mark.parametrize("direction", [Direction.TO_CALENDAR, Direction.FROM_CALENDAR])
def test_a_refusal_is_told_and_its_line_returned(direction: Direction) -> None:
    report = Report()
    entry = telling.refused(report, BLOCKED, BLOCKED, OCCASION, direction)
    assert entry is only(report)
    assert (entry.act, entry.result, entry.direction) == (Act.REJECT, Result.FAILED, direction)
    assert [type(outcome) for outcome in report.outcomes] == [ItemBlocked]
    assert telling.refused(Report(), BLOCKED, replace(BLOCKED, item=None), OCCASION, direction).item is None


def test_a_stumble_counts_its_attempts_and_is_nobodys_business_yet() -> None:
    report = Report()
    telling.stumbled(report, link(attempts=3, reason=Reason.SERVER_ERROR), OCCASION, Direction.TO_CALENDAR)
    entry = only(report)
    assert (entry.result, entry.attempt, entry.reason) == (Result.RETRYING, 3, Reason.SERVER_ERROR)
    assert report.outcomes == []


# What is overruled

LOST: Final = Overruled(Field.SUMMARY, "psa", "Review by the calendar", Reason.PSA_CHANGED)
OWNED: Final = replace(LOST, reason=Reason.PSA_OWNS_FIELD)
UNSEEN: Final = replace(LOST, reason=Reason.AWAITING_CONFIRMATION, winner="calendar")


@pytest.mark.parametrize(
    ("overruled", "lost"),
    [((LOST,), ["summary"]), ((LOST, OWNED), ["summary"]), ((OWNED,), []), ((UNSEEN,), []), ((OWNED, UNSEEN), [])],
)
def test_every_lost_value_has_a_line_and_every_conflict_is_told(
    overruled: tuple[Overruled, ...], lost: list[str]
) -> None:
    report = Report()
    telling.overruled(report, link(), replace(PUT, overruled=overruled), OCCASION)
    entry = only(report)
    assert (entry.result, entry.act, entry.direction) == (Result.CONFLICT, Act.UPDATE, Direction.TO_CALENDAR)
    assert entry.lost == tuple((one.field.value, str(one.value)) for one in overruled)
    assert entry.fields == tuple(one.field.value for one in overruled)
    told = [one for outcome in report.outcomes if isinstance(outcome, ItemConflict) for one in outcome.data.lost]
    assert [one.field for one in told] == lost
    assert [one.value for one in told] == ["Review by the calendar"] * len(lost)


def test_a_conflict_names_the_line_by_which_its_value_is_had_back() -> None:
    report = Report()
    telling.overruled(report, link(), replace(PUT, overruled=(LOST,)), OCCASION)
    (conflict,) = report.outcomes
    assert isinstance(conflict, ItemConflict)
    assert conflict.data.conflict_id == only(report).id
    assert not only(report).hidden


def test_nothing_is_told_where_nothing_was_lost() -> None:
    report = Report()
    telling.overruled(report, link(), PUT, OCCASION)
    assert (report.entries, report.outcomes) == ([], [])


def test_a_lost_value_of_an_event_without_an_item_has_a_line_only() -> None:
    report = Report()
    telling.overruled(report, link(EXTERNAL, item=None), replace(CHANGE, overruled=(LOST,)), OCCASION)
    assert len(report.entries) == 1
    assert report.outcomes == []


def test_the_edit_of_an_event_that_goes_with_its_item_is_on_record() -> None:
    """Nobody's edit vanishes without a line, not even together with its event."""
    edited = link(calendar_seen=seen(EDITED))
    plan = decide(edited, PsaGone(Reason.UNASSIGNED), EVERYTHING.ownership, NO_ASKS)
    report = Report()
    telling.overruled(report, edited, permit(plan, edited, EVERYTHING), OCCASION)
    assert only(report).lost == (("summary", EDITED.summary),)
    assert only(report).act is Act.DELETE


# Ids


def all_told(found: Link, decision: Decision, occasion: Occasion) -> Report:
    """Tell all there is to tell about a decision, whatever becomes of it."""
    report = Report()
    telling.overruled(report, found, decision, occasion)
    telling.written(report, found, decision, occasion)
    for state in (LinkState.BLOCKED, LinkState.SETTLED, LinkState.BURIED):
        telling.concluded(report, replace(found, state=LinkState.PENDING), replace(found, state=state), occasion)
    telling.refused(report, found, found, occasion, Direction.TO_CALENDAR)
    telling.stumbled(report, found, occasion, Direction.FROM_CALENDAR)
    return report


def names(report: Report) -> list[str]:
    return [entry.id for entry in report.entries] + [outcome.id for outcome in report.outcomes]


@given(near.links(), near.views, near.policies, near.asked)
def test_told_twice_it_has_the_same_ids(found: Link, psa: PsaView, policy: Policy, asked: Asked) -> None:
    decision = permit(decide(found, psa, policy.ownership, asked), found, policy)
    again = replace(decision, overruled=tuple(reversed(decision.overruled)))
    assert names(all_told(found, decision, OCCASION)) == names(all_told(found, again, LATER))


@given(near.links(), near.views, near.policies, near.asked)
def test_after_the_next_save_it_is_another_line(found: Link, psa: PsaView, policy: Policy, asked: Asked) -> None:
    decision = permit(decide(found, psa, policy.ownership, asked), found, policy)
    once = all_told(found, decision, OCCASION)
    again = all_told(replace(found, version=found.version + 1), decision, OCCASION)
    assert not set(names(once)) & set(names(again))


def test_other_values_overruled_by_the_same_step_are_another_line_and_another_conflict() -> None:
    """Begun again after a crash, a step may find another edit, which must not pass for the first one."""
    one, other = Report(), Report()
    telling.overruled(one, link(), replace(PUT, overruled=(LOST,)), OCCASION)
    telling.overruled(other, link(), replace(PUT, overruled=(replace(LOST, value="Another"),)), OCCASION)
    assert not set(names(one)) & set(names(other))


def test_several_overruled_values_are_named_alike_in_every_process() -> None:
    """The order of a set differs from process to process; that of what is told must not."""
    shown = replace(EDITED, location="Mine", description="Mine", private=True)
    found = link(calendar_seen=seen(shown))
    retitled = replace(RETITLED, location="Theirs", description="Theirs")
    (decision,) = decide(replace(found), holds(replace(retitled, private=True)), EVERYTHING.ownership, NO_ASKS)
    agreed = concluded(found, decision, holds(replace(retitled, private=True)))
    (decision,) = decide(agreed, holds(replace(retitled, private=True)), EVERYTHING.ownership, NO_ASKS)
    assert [one.field for one in decision.overruled] == [Field.SUMMARY, Field.DESCRIPTION, Field.LOCATION]


# Privacy

SECRET: Final = "s3cr3t"


@st.composite
def cases(draw: st.DrawFn) -> tuple[Link, PsaView, Policy, Asked]:
    """Draw a link of which one side at least is private now; texts of private contents are secret, and no others."""
    found, view = draw(near.links()), draw(near.views)
    found = replace(
        found,
        psa_base=_marked(found.psa_base),
        calendar_base=_marked(found.calendar_base),
        calendar_seen=found.calendar_seen
        and replace(found.calendar_seen, content=_marked(found.calendar_seen.content)),
        calendar_asks=tuple(replace(one, content=_marked(one.content), source=None) for one in found.calendar_asks),
        psa_asks=tuple(replace(one, content=_marked(one.content)) for one in found.psa_asks),
        rewritten={},
    )
    if isinstance(view, PsaHolds):
        content = _marked(view.content)
        assert content is not None
        view = replace(view, content=content)
    return found, view, draw(near.policies), draw(near.asked)


def _marked(content: Content | None) -> Content | None:
    if content is None or not content.private:
        return content
    return replace(content, summary=SECRET, description=SECRET, location=SECRET)


@given(cases())
def test_no_text_of_a_private_content_is_told(case: tuple[Link, PsaView, Policy, Asked]) -> None:
    found, view, policy, asked = case
    for decision in decide(found, view, policy.ownership, asked):
        report = all_told(found, decision, OCCASION)
        assert SECRET not in repr(report.entries)
        for outcome in report.outcomes:
            assert SECRET not in OUTCOME.dump_json(outcome).decode()


@pytest.mark.parametrize("event", [None, EXTERNAL])
def test_an_item_that_just_became_private_is_hidden_at_once(event: ExternalEvent | None) -> None:
    """Nothing in the link says so yet: only what is about to be written, or what is overruled."""
    now = holds(replace(RETITLED, summary=SECRET, private=True))
    found = link(event, calendar_seen=seen(EDITED))
    for decision in decide(found, now, EVERYTHING.ownership, NO_ASKS):
        report = all_told(found, decision, OCCASION)
        assert SECRET not in repr(report)
        assert EDITED.summary not in repr([entry.lost for entry in report.entries])


def test_an_event_that_the_psa_may_not_make_private_is_hidden_all_the_same() -> None:
    """The PSA refused the flag; the title that its user gave the event is private all the same."""
    shown = replace(EDITED, summary=SECRET, private=True)
    found = link(calendar_seen=seen(shown), psa_refused={Field.PRIVATE: True})
    plan = decide(found, holds(AGREED), EVERYTHING.ownership, NO_ASKS)
    assert len(plan) == 2
    for decision in plan:
        assert SECRET not in repr(all_told(found, decision, OCCASION))


@pytest.mark.parametrize("side", ["psa_base", "calendar_base"])
def test_what_was_private_when_it_was_agreed_has_no_title(side: str) -> None:
    found = link(**{side: replace(AGREED, private=True)})
    report = all_told(found, replace(PUT, overruled=(LOST,)), OCCASION)
    assert {entry.title for entry in report.entries} == {None}
    assert [entry.lost for entry in report.entries if entry.lost] == [(("summary", ""),)]
    lost = [one for outcome in report.outcomes if isinstance(outcome, ItemConflict) for one in outcome.data.lost]
    assert [(one.field, one.winner, one.value) for one in lost] == [("summary", "psa", None)]


def test_what_is_public_has_its_title_and_its_lost_value() -> None:
    report = all_told(link(), replace(PUT, overruled=(LOST,)), OCCASION)
    assert {entry.title for entry in report.entries} == {AGREED.summary, RETITLED.summary}


# The contract


@given(near.links(), near.views, near.policies, near.asked)
def test_every_outcome_keeps_its_contract(found: Link, psa: PsaView, policy: Policy, asked: Asked) -> None:
    decision = permit(decide(found, psa, policy.ownership, asked), found, policy)
    report = all_told(found, decision, OCCASION)
    for outcome in report.outcomes:
        assert OUTCOME.validate_json(OUTCOME.dump_json(outcome)) == outcome
        assert outcome.time == NOW
    assert all(entry.reason.explanation for entry in report.entries)
    assert all(isinstance(entry.reason, Reason) for entry in report.entries)
