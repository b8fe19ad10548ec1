"""Taking back what a run did to a link: step by step, and what stands in the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from events.content import ALL_FIELDS, Field
from events.link import Ending, Link, LinkState, PreImage, RunMark, RunResult, Undoing, Verdict
from events.reasons import Reason
from tests.core.examples import (
    AGREED,
    EDITED,
    EXTERNAL,
    LAPSED,
    NO_ASKS,
    NOTHING,
    NOW,
    OVERDUE,
    RETITLED,
    STAMP,
    TIMING,
    UNDER_WAY,
    ask,
    holds,
    link,
    seen,
)
from worker.core.decide import Asked, decide
from worker.core.ownership import Ownership
from worker.core.permit import permit
from worker.core.plan import (
    Action,
    Await,
    ChangeItem,
    CreateItem,
    Decision,
    DeleteItem,
    Detach,
    LetBe,
    PutEvent,
    RemoveEvent,
)
from worker.core.record import concluded, intend, left_by_run, redacted
from worker.core.sides import PsaGone, PsaView
from worker.core.undoing import let_be, marked_for_undoing, still_undoing

HERE = holds(AGREED)
GONE = PsaGone(Reason.PSA_DELETED)
MADE_EVENT = PreImage("run", inbound=False, wrote=RunResult.CREATED)
MADE_ITEM = PreImage("run", inbound=True, wrote=RunResult.CREATED)
CHANGED_EVENT = PreImage("run", inbound=False, wrote=RunResult.UPDATED, before=EDITED)
CHANGED_ITEM = PreImage("run", inbound=True, wrote=RunResult.UPDATED, before=RETITLED)


def wanted(*images: PreImage, of: Link | None = None) -> Link:
    """Return a link that a run has left like this, marked to be rid of it."""
    rested = of or link(EXTERNAL if images and images[0].inbound else None)
    left = tuple(replace(image, left=left_by_run(rested)) for image in images)
    return marked_for_undoing(replace(rested, images=left, run=RunMark("undo")), "run", NOW)


def step(of: Link, psa: PsaView = HERE, asked: Asked = NO_ASKS) -> tuple[Action, Reason]:
    decision = permit(decide(of, psa, Ownership(), asked), of, NOTHING)
    return decision.action, decision.reason


@pytest.mark.parametrize(
    ("image", "action"),
    [
        (MADE_EVENT, RemoveEvent()),
        (MADE_ITEM, DeleteItem()),
        (CHANGED_EVENT, PutEvent(EDITED, EDITED, ALL_FIELDS)),
        (CHANGED_ITEM, ChangeItem(RETITLED, frozenset({Field.SUMMARY}))),
    ],
    ids=["an event", "an item", "a changed event", "a changed item"],
)
def test_what_the_run_did_is_taken_back_whatever_is_ticked(image: PreImage, action: Action) -> None:
    if image is CHANGED_EVENT:
        assert decide(wanted(image), HERE, Ownership(), NO_ASKS)[0].action == action
    else:
        assert step(wanted(image)) == (action, Reason.UNDONE)


@pytest.mark.parametrize(
    ("of", "psa", "reason"),
    [
        (wanted(PreImage("run", inbound=False, wrote=RunResult.DELETED)), HERE, Reason.NOT_UNDOABLE),
        (redacted(wanted(CHANGED_EVENT)), HERE, Reason.REDACTED),
        (replace(wanted(MADE_ITEM), ending=Ending(NOW, Verdict.DISCARDED, Reason.UNDONE)), HERE, Reason.CANCELLED),
        (replace(wanted(MADE_ITEM), deletion_refused=True), HERE, Reason.PSA_REFUSED),
        (replace(wanted(MADE_EVENT), calendar_base=EDITED), HERE, Reason.CHANGED_SINCE),
        (replace(wanted(MADE_EVENT), calendar_seen=seen(EDITED)), HERE, Reason.CHANGED_SINCE),
        (wanted(MADE_EVENT), holds(RETITLED), Reason.CHANGED_SINCE),
        (wanted(MADE_ITEM), GONE, Reason.CHANGED_SINCE),
    ],
    ids=["deleted", "private", "discarded", "refused", "synced since", "edited", "edited in the PSA", "deleted since"],
)
def test_what_stands_in_the_way_is_said_and_both_go_on(of: Link, psa: PsaView, reason: Reason) -> None:
    assert step(of, psa) == (LetBe(), reason)
    after = let_be(of, reason, NOW)
    assert (after.undoing, after.images, after.due_at) == (None, (), NOW)
    assert after.run == RunMark("undo", result=RunResult.SKIPPED)


def test_what_another_run_did_or_nobody_did_is_not_marked() -> None:
    rested = link(images=(MADE_EVENT,))
    assert marked_for_undoing(rested, "another", NOW) is rested


def test_what_is_under_way_comes_to_its_end_first() -> None:
    assert step(replace(wanted(MADE_EVENT), calendar_asks=(ask(AGREED, sent=True),)), asked=UNDER_WAY)[0] == Await()


def begun(of: Link, psa: PsaView = HERE) -> Link:
    """Return the link with its step written down."""
    (decision,) = decide(of, psa, Ownership(), NO_ASKS)
    return intend(of, decision, psa, NOW, TIMING)


def test_an_event_is_seen_to_be_gone_and_then_the_two_are_apart() -> None:
    removing = begun(wanted(MADE_EVENT))
    assert removing.undoing is Undoing.BEGUN
    assert removing.run == RunMark("undo", wrote=RunResult.DELETED)
    sent = replace(removing, calendar_asks=(ask(None, sent=True),))
    assert step(sent, asked=UNDER_WAY) == (Await(), Reason.AWAITING_CONFIRMATION)
    assert step(sent, asked=OVERDUE) == (RemoveEvent(), Reason.UNDONE)
    edited = replace(sent, calendar_seen=seen(EDITED))
    assert step(edited, asked=OVERDUE) == (LetBe(), Reason.CHANGED_SINCE)
    gone = replace(
        removing, calendar_asks=(), calendar_base=None, psa_base=None, calendar_seen=seen(None, deleted=True)
    )
    assert step(gone, holds(RETITLED)) == (LetBe(), Reason.CHANGED_SINCE)
    assert step(gone) == (Detach(), Reason.UNDONE)
    apart = concluded(gone, Decision(Detach(), Reason.UNDONE), HERE)
    assert (apart.state, apart.undoing, apart.images) == (LinkState.DETACHED, None, ())
    assert permit(decide(apart, HERE, Ownership(), NO_ASKS), apart, NOTHING).reason is Reason.UNDONE
    assert decide(apart, holds(RETITLED), Ownership(), NO_ASKS)[0].reason is Reason.PSA_CHANGED


def test_an_event_that_was_edited_while_its_item_was_deleted_brings_the_item_back() -> None:
    deleting = replace(begun(wanted(MADE_ITEM)), psa_asks=())
    assert step(deleting, GONE) == (Detach(), Reason.UNDONE)
    edited = replace(deleting, calendar_seen=seen(EDITED))
    (decision,) = decide(edited, GONE, Ownership(), NO_ASKS)
    assert (decision.action, decision.reason) == (CreateItem(EDITED), Reason.CALENDAR_CHANGED)
    again = intend(edited, decision, GONE, NOW, TIMING)
    assert (again.undoing, again.images, again.generation) == (None, (), 1)


def test_an_item_that_was_changed_while_it_was_to_be_deleted_stays() -> None:
    deleting = begun(wanted(MADE_ITEM))
    assert step(deleting) == (DeleteItem(), Reason.UNDONE), "whether it arrived is not known"
    assert step(replace(deleting, psa_asks=()), holds(RETITLED)) == (LetBe(), Reason.CHANGED_SINCE)


def test_both_sides_are_put_back_one_after_the_other() -> None:
    first = begun(wanted(CHANGED_EVENT, CHANGED_ITEM, of=link()))
    assert [image.inbound for image in first.images] == [True]
    assert step(first, asked=UNDER_WAY)[0] == Await()
    shown = replace(first, calendar_asks=(), calendar_base=EDITED, calendar_seen=seen(EDITED))
    assert step(shown) == (ChangeItem(RETITLED, frozenset({Field.SUMMARY})), Reason.UNDONE)
    second = begun(shown)
    assert still_undoing(second) == second, "nobody knows whether it arrived"
    answered = still_undoing(replace(second, psa_asks=()))
    assert (answered.undoing, answered.images) == (None, ())


def test_a_run_remembers_what_it_found_unless_that_is_private() -> None:
    mark = RunMark("run")
    changed = intend(
        link(run=mark), Decision(PutEvent(RETITLED, RETITLED, ALL_FIELDS), Reason.PSA_CHANGED), HERE, NOW, TIMING
    )
    assert changed.images == (PreImage("run", inbound=False, wrote=RunResult.UPDATED, before=AGREED),)
    private = replace(AGREED, private=True)
    hidden = link(run=mark, calendar_seen=seen(private))
    hidden = intend(hidden, Decision(PutEvent(RETITLED, RETITLED, ALL_FIELDS), Reason.PSA_CHANGED), HERE, NOW, TIMING)
    assert hidden.images == (PreImage("run", inbound=False, wrote=RunResult.UPDATED),)
    once_more = intend(changed, Decision(PutEvent(EDITED, EDITED, ALL_FIELDS), Reason.PSA_CHANGED), HERE, NOW, TIMING)
    assert once_more.images == changed.images, "what it found first is what was there before"
    left_there = link(run=mark, calendar_base=None)
    left_there = intend(
        left_there, Decision(PutEvent(RETITLED, RETITLED, ALL_FIELDS), Reason.PSA_CREATED), HERE, NOW, TIMING
    )
    assert left_there.images == changed.images, "it was there before the run, left by a former integration"


def test_a_former_tombstone_says_nothing_about_an_event_that_is_made_again_though_nobody_knows_whether_it_arrived() -> (
    None
):
    gone = link(calendar_seen=seen(None, deleted=True, updated=STAMP))
    (decision, *_) = decide(gone, holds(RETITLED), Ownership(), LAPSED)
    assert decision.reason is Reason.EDIT_BEATS_DELETE
    intended = intend(gone, decision, holds(RETITLED), NOW, TIMING)
    assert (intended.calendar_seen, intended.calendar_gone) == (None, STAMP)
    (again, *_) = decide(intended, holds(RETITLED), Ownership(), Asked(overdue=True, lapsed=True, hopeless=False))
    assert isinstance(again.action, PutEvent), "not a deletion of what somebody has just worked on"
