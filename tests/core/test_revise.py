"""New settings: which links they concern, and what follows to another calendar."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from events.link import Link, LinkState, ManagedEvent
from events.reasons import Reason
from tests.core.examples import AGREED, EVERYTHING, EXTERNAL, NOW, link, managed, seen
from worker.core.decide import leave_behind
from worker.core.permit import Policy
from worker.core.plan import Bury, Ignore, Rehome, Rest
from worker.core.record import Timing
from worker.core.revise import arrives_until, here, is_concerned, tombstone
from worker.core.sides import PsaGone, PsaNever, PsaUnread

OTHER = "cal_9"


def policy(**changes: Any) -> Policy:
    return replace(EVERYTHING, **changes)


def at_rest(**changes: Any) -> Link:
    return replace(
        link(calendar_seen=seen(AGREED), calendar_base=AGREED, psa_base=AGREED, state=LinkState.SETTLED), **changes
    )


def elsewhere(**changes: Any) -> Link:
    return at_rest(event=ManagedEvent(OTHER, managed().event_id), **changes)


def test_what_is_at_rest_in_the_linked_calendar_is_left_alone() -> None:
    assert not is_concerned(at_rest(), policy())
    assert here(at_rest(), managed().calendar_id) == at_rest()


def test_what_is_in_another_calendar_moves() -> None:
    assert is_concerned(elsewhere(), policy())
    moved = here(elsewhere(), managed().calendar_id)
    assert moved.event == managed()
    assert (moved.calendar_seen, moved.calendar_base, moved.calendar_asks, moved.psa_base) == (None, None, (), None)
    assert moved.psa_seen == elsewhere().psa_seen


@pytest.mark.parametrize("state", [LinkState.BURIED, LinkState.DETACHED, LinkState.IGNORED])
def test_what_was_let_go_is_not_brought_back_by_another_calendar(state: LinkState) -> None:
    assert not is_concerned(elsewhere(state=state), policy())


def test_a_detached_item_still_comes_back_only_when_it_is_rescheduled() -> None:
    detached = elsewhere(state=LinkState.DETACHED)
    assert here(detached, managed().calendar_id).psa_base == detached.psa_base


@pytest.mark.parametrize("reason", [Reason.CREATE_NOT_TICKED, Reason.UPDATE_NOT_TICKED, Reason.TYPE_NOT_TICKED])
def test_a_difference_that_a_tick_withheld_is_looked_at_again(reason: Reason) -> None:
    assert is_concerned(at_rest(reason=reason), policy())


def test_copies_of_an_unticked_type_are_removed_only_if_that_was_asked_for() -> None:
    unticked = policy(outbound=frozenset())
    assert not is_concerned(at_rest(), unticked)
    assert is_concerned(at_rest(), replace(unticked, remove_unticked=True))
    assert not is_concerned(at_rest(calendar_base=None, calendar_seen=None), replace(unticked, remove_unticked=True))


def test_the_users_own_event_in_a_former_calendar_is_never_touched() -> None:
    assert here(at_rest(event=EXTERNAL), OTHER).event == EXTERNAL
    assert isinstance(leave_behind(at_rest(), PsaUnread()).action, Rehome)
    assert isinstance(leave_behind(at_rest(), PsaGone(Reason.PSA_DELETED)).action, Bury)
    assert isinstance(leave_behind(at_rest(), PsaNever()).action, Ignore)
    assert isinstance(leave_behind(at_rest(state=LinkState.BURIED), PsaNever()).action, Bury)
    assert isinstance(leave_behind(at_rest(state=LinkState.DETACHED), PsaUnread()).action, Rest)


def test_a_tombstone_has_no_content_left() -> None:
    grave = tombstone(at_rest(message="words", attempts=3, due_at=NOW))
    assert (grave.state, grave.reason, grave.due_at) == (LinkState.BURIED, Reason.DELETED, None)
    assert AGREED.summary not in repr(grave)
    assert grave.item == at_rest().item


def test_what_was_never_asked_will_not_arrive() -> None:
    assert arrives_until(link(), Timing()) is None
