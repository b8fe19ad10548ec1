"""What has become of an item among the dead letters, its link says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from events.letters import Kind, Replay, Status, Verdict
from events.link import Link, LinkState, ManagedEvent, Origin
from events.reasons import Reason
from tests.dead_letters.examples import NOW, letter
from worker.dead_letters.settling import Ended, ended

REPLAY = Replay("r-1", NOW, "ann")
OPEN = letter(kind=Kind.LINK)
REPLAYED = replace(OPEN, status=Status.REPLAYED, replays=(REPLAY,))
TAKEN = replace(REPLAYED, replays=(replace(REPLAY, taken_version=3),))
LINK = Link("int-7/x", "int-7", 1204, 5571, ManagedEvent("cal", "e"), Origin.PSA, reason=Reason.IN_SYNC, version=4)
AT_REST = [LinkState.SETTLED, LinkState.BURIED, LinkState.DETACHED, LinkState.IGNORED]


@pytest.mark.parametrize("state", AT_REST)
@pytest.mark.parametrize("one", [OPEN, REPLAYED, TAKEN], ids=["open", "replayed", "taken"])
def test_a_link_at_rest_resolves_it_replayed_or_not(one: object, state: LinkState) -> None:
    said = ended(one, replace(LINK, state=state))  # type: ignore[arg-type]  # parametrized
    assert said == Ended(OPEN.id, "", Verdict.RESOLVED, f"{state}: in_sync")


@pytest.mark.parametrize("state", LinkState)
def test_while_the_link_has_something_to_do_nothing_is_known(state: LinkState) -> None:
    assert ended(TAKEN, replace(LINK, state=state, due_at=NOW)) is None


def test_a_link_that_waits_for_a_read_back_says_nothing_yet() -> None:
    assert ended(TAKEN, replace(LINK, state=LinkState.PENDING)) is None


def test_a_blocked_link_failed_again_once_the_replay_reached_it_and_it_was_tried() -> None:
    blocked = replace(LINK, state=LinkState.BLOCKED, reason=Reason.CALENDAR_REFUSED, message="No.")
    assert ended(TAKEN, blocked) == Ended(OPEN.id, "r-1", Verdict.FAILED_AGAIN, "calendar_refused: No.")
    assert ended(TAKEN, replace(blocked, version=3)) is None, "not tried since"
    assert ended(REPLAYED, blocked) is None, "the replay has not reached it"
    assert ended(OPEN, blocked) is None, "it is open for just that"
    heard = replace(TAKEN, replays=(replace(TAKEN.replays[0], verdict=Verdict.FAILED_AGAIN),))
    assert ended(heard, blocked) is None, "that is known"


def test_a_link_that_is_gone_is_of_no_consequence() -> None:
    assert ended(OPEN, None) == Ended(OPEN.id, "", Verdict.STALE, "the link is gone")
