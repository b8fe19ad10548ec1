"""From a stored link to its next step: the item is pictured, what was asked is settled, then it is decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from events.content import AllDay, Content, Field, Timed
from events.items import ItemType
from events.link import Link, LinkState, ManagedEvent, PsaAsk, PsaSeen
from events.reasons import Reason
from tests.core.examples import AGREED, EVERYTHING, HOUR, NOW, SECOND, TIMING, ask, item, link, managed, say, seen
from tests.core.near import snapshot
from worker.core.plan import PutEvent
from worker.core.sides import PsaGone, PsaHolds
from worker.judging import Circumstances, Judged, judge

TITLED: Final = replace(AGREED, summary="New")


def shown(content: Content, revision: int = 3, **parts: Any) -> PsaSeen:
    """Return an observation of an appointment that holds this."""
    known = PsaSeen(revision, deleted=False, assigned=True, item=snapshot(ItemType.APPOINTMENT, content), at=NOW)
    return replace(known, **parts)


def judged(found: Link, *, answered: bool = False, **parts: Any) -> Judged:
    known = Circumstances(policy=EVERYTHING, time_zone=None, timing=TIMING, now=NOW, read_at=None)
    return judge(found, found, replace(known, **parts), answered=answered)


def at_rest(**parts: Any) -> Link:
    return replace(link(psa_seen=shown(AGREED)), **parts)


def test_what_is_in_sync_rests() -> None:
    one = judged(at_rest())
    assert say(one.decision) == "Rest (in_sync)"
    assert isinstance(one.psa, PsaHolds)
    assert one.item is not None
    assert (one.stored, one.link, one.begun) == (at_rest(), at_rest(), False)


@pytest.mark.parametrize(
    ("observation", "plan"),
    [
        (shown(TITLED, 4), "PutEvent summary (psa_changed)"),
        (shown(TITLED, 4, item=None), "ReadItem (psa_changed)"),
        (shown(TITLED, 4, deleted=True), "Weigh (psa_deleted)"),
        (shown(TITLED, 4, assigned=False), "RemoveEvent (unassigned)"),
        (shown(TITLED, 4, item=None, absent=True), "Rest blocked (item_not_found)"),
        (None, "ReadItem (psa_changed)"),
    ],
)
def test_the_newest_observation_of_the_item_counts(observation: PsaSeen | None, plan: str) -> None:
    one = judged(at_rest(psa_seen=observation))
    assert say(one.decision) == plan
    assert (one.item is not None) is isinstance(one.psa, PsaHolds)


def test_an_item_without_a_date_is_known_and_has_no_place() -> None:
    undated = '{"id": 7, "subject": "Review"}'
    one = judged(at_rest(psa_seen=shown(AGREED, item=undated)))
    assert one.psa == PsaGone(Reason.NO_DATE)
    assert one.item is not None


def test_intake_does_not_know_the_calendar_and_is_told() -> None:
    nowhere = at_rest(event=ManagedEvent("", managed().event_id), calendar_base=None, calendar_seen=None)
    assert judged(nowhere).link.event == managed()


def test_an_event_of_ours_follows_to_the_calendar_that_is_linked_now() -> None:
    elsewhere = at_rest(event=ManagedEvent("cal_9", managed().event_id))
    one = judged(elsewhere)
    assert one.link.event == managed()
    assert (one.link.calendar_seen, one.link.calendar_base) == (None, None)
    assert isinstance(one.decision.action, PutEvent)


def test_the_users_zone_decides_what_is_a_whole_day() -> None:
    midnight = NOW.replace(hour=23, minute=0)
    todo = snapshot(ItemType.TODO, replace(AGREED, when=Timed(midnight, midnight + HOUR)))
    found = link(managed(ItemType.TODO), item=item(ItemType.TODO), psa_seen=shown(AGREED, item=todo))
    in_berlin, in_london = judged(found, time_zone="Europe/Berlin"), judged(found, time_zone="Europe/London")
    assert isinstance(in_berlin.psa, PsaHolds)
    assert isinstance(in_london.psa, PsaHolds)
    assert isinstance(in_berlin.psa.content.when, AllDay)
    assert isinstance(in_london.psa.content.when, Timed)


def test_what_was_asked_is_settled_before_it_is_decided() -> None:
    confirmed = at_rest(psa_seen=shown(TITLED, 4), calendar_asks=(ask(TITLED),), calendar_seen=seen(TITLED))
    one = judged(confirmed)
    assert say(one.decision) == "Rest (in_sync)"
    assert (one.link.calendar_asks, one.link.calendar_base) == ((), TITLED)
    assert one.stored.calendar_asks, "as it was read from the store"


def test_the_psas_own_answer_settles_what_differs() -> None:
    asked = PsaAsk(TITLED, frozenset({Field.SUMMARY}), TITLED, 3)
    own_form = replace(TITLED, summary="New (by the PSA's rules)")
    found = at_rest(psa_seen=shown(own_form, 4), psa_asks=(asked,), calendar_seen=seen(TITLED))
    assert say(judged(found, answered=True).decision) == "Rest (in_sync)"
    assert say(judged(found).decision).startswith("PutEvent summary"), "without an answer it is somebody's change"


def test_agreed_fields_are_recorded_on_the_way_to_a_decision() -> None:
    both = replace(AGREED, summary="New", location="Room 2")
    found = at_rest(psa_seen=shown(both, 4), calendar_seen=seen(TITLED))
    one = judged(found)
    assert say(one.decision) == "PutEvent location (psa_changed)"
    assert one.link.calendar_base == TITLED


@pytest.mark.parametrize(
    ("asked_ago", "read_ago", "plan"),
    [
        (10 * SECOND, None, "Await (awaiting_confirmation)"),
        (10 * SECOND, 0 * SECOND, "Await (awaiting_confirmation)"),
        (TIMING.patience, None, "Await (awaiting_confirmation)"),
        (TIMING.patience, SECOND, "Await (awaiting_confirmation)"),
        (TIMING.patience, 0 * SECOND, "PutEvent all (not_confirmed)"),
        (TIMING.patience * 2, TIMING.patience, "PutEvent all (not_confirmed)"),
    ],
)
def test_only_a_read_that_began_late_enough_shows_that_a_write_was_lost(
    asked_ago: timedelta, read_ago: timedelta | None, plan: str
) -> None:
    waiting = at_rest(psa_seen=shown(TITLED, 4), calendar_asks=(ask(TITLED, at=NOW - asked_ago),))
    read_at = None if read_ago is None else NOW - read_ago
    assert say(judged(waiting, read_at=read_at).decision) == plan


def test_what_failed_for_a_day_is_left_to_a_person() -> None:
    old = ask(TITLED, at=NOW - timedelta(hours=3))
    waiting = at_rest(psa_seen=shown(TITLED, 4), calendar_asks=(old,), state=LinkState.PENDING)
    failing = replace(waiting, failing_since=NOW - TIMING.give_up)
    assert say(judged(failing, read_at=NOW).decision) == "Rest blocked (never_applied)"
    almost = replace(waiting, failing_since=NOW - TIMING.give_up + SECOND)
    assert say(judged(almost, read_at=NOW).decision) == "PutEvent all (not_confirmed)"


def test_ticks_filter_what_was_decided() -> None:
    found = at_rest(psa_seen=shown(TITLED, 4))
    unticked = replace(EVERYTHING, outbound=frozenset[ItemType]())
    assert say(judged(found, policy=unticked).decision) == "Rest (type_not_ticked)"
