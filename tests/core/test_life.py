"""The life of a link, step by step: what each side may hold, what is news, and what proves that a write has arrived."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from events.content import AllDay, Field, Timed
from events.items import ItemType
from events.link import CREATION, LinkState
from events.reasons import Reason
from tests.core.examples import AGREED, DRAGGED, EDITED, HOUR, MISSING, NOW, RESCHEDULED, RETITLED, TIMING, item, seen
from tests.core.life import at_rest, of_new_event, of_new_item
from worker.core import record
from worker.core.sides import see

A: Final = AGREED
B: Final = RETITLED
SHORT: Final = 1.0
PATIENCE: Final = TIMING.patience.total_seconds()


# Out, and confirmed


def test_a_new_item_gets_its_event_and_is_in_sync_when_that_is_seen() -> None:
    life = of_new_item(A)
    assert life.plan == "PutEvent all (psa_created)"
    life.intends()
    (asked,) = life.link.calendar_asks
    assert (asked.content, asked.source, asked.sent) == (A, A, False)
    assert life.link.state is LinkState.PENDING
    life.sends().calendar_read()
    assert life.plan == "Await (awaiting_confirmation)"
    assert None in life.bases, "accepted is not applied"
    life.calendar_shows(A)
    assert life.plan == "Rest (in_sync)"
    life.rests()
    assert life.bases == (A, A)
    assert (life.link.calendar_asks, life.link.state, life.link.due_at) == ((), LinkState.SETTLED, None)


def test_a_change_goes_out_and_its_old_form_is_no_news_until_then() -> None:
    life = at_rest(A).psa_shows(B)
    assert life.plan == "PutEvent summary (psa_changed)"
    life.sends().calendar_shows(A)
    assert life.plan == "Await (awaiting_confirmation)"
    life.calendar_shows(B)
    assert life.plan == "Rest (in_sync)"
    assert life.link.calendar_base == B


def test_a_crash_before_the_write_went_out_sends_it_again() -> None:
    life = at_rest(A).psa_shows(B).intends().calendar_read()
    assert life.plan == "PutEvent summary (psa_changed)"
    assert len(life.sends().link.calendar_asks) == 1, "the same write again is one write"


def test_a_crash_after_the_write_went_out_is_settled_by_what_is_seen() -> None:
    life = at_rest(A).psa_shows(B).intends().calendar_shows(B)
    assert life.plan == "Rest (in_sync)"
    assert life.link.calendar_base == B


def test_an_edit_made_before_the_first_look_is_news_and_the_rest_is_confirmed() -> None:
    life = at_rest(A).psa_shows(replace(A, location="Room 2")).sends().waits(SHORT)
    life.calendar_shows(replace(EDITED, location="Room 2"))
    assert life.plan == "ChangeItem summary (calendar_changed)"
    assert life.link.calendar_base == replace(A, location="Room 2")


def test_an_edit_of_a_new_event_is_not_lost_when_another_field_agrees_by_chance() -> None:
    """The PSA's user writes the same room as the calendar's, who also changed the title, before anything was seen."""
    life = of_new_item(A).sends().waits(SHORT).psa_shows(DRAGGED).sends().waits(SHORT)
    life.psa_shows(replace(DRAGGED, location="Room 2")).calendar_shows(replace(EDITED, location="Room 2"))
    assert life.plan.startswith("ChangeItem summary (calendar_changed)")


def test_what_is_found_in_place_of_a_deleted_item_is_compared_in_every_field() -> None:
    """After an older store was restored: the item had been made anew since, and then edited in the PSA."""
    life = of_new_event(A).asks_psa().rests().calendar_shows(EDITED).psa_says(Reason.PSA_DELETED)
    assert life.plan.startswith("CreateItem (edit_beats_delete)")
    life.intends()
    life.link = record.found_there(replace(life.link, psa_asks=(), item=item()))
    life.psa_shows(replace(EDITED, location="Room 2"))
    assert life.plan == "PutEvent location (psa_changed)"


def test_why_something_is_written_does_not_change_because_it_failed_before() -> None:
    life = at_rest(A).psa_shows(B).intends().calendar_read()
    life.link = record.postponed(life.link, Reason.PROVIDER_ERROR, life.now, life.now)
    assert life.plan == "PutEvent summary (psa_changed)"
    life.link = record.blocked(life.link, Reason.PROVIDER_ERROR)
    assert life.plan == "PutEvent summary (psa_changed)"
    new = of_new_item(A).intends().calendar_read()
    new.link = record.blocked(new.link, Reason.PROVIDER_ERROR)
    assert new.plan == "PutEvent all (psa_created)"


# A, B, A


def test_the_first_sight_of_what_was_there_before_proves_nothing() -> None:
    """The item goes from A to B and back; B may still arrive and would then look like an edit."""
    life = at_rest(A).psa_shows(B).sends().waits(SHORT).psa_shows(A).sends().waits(SHORT).calendar_shows(A)
    assert life.plan == "Await (awaiting_confirmation)"
    life.waits(SHORT).calendar_shows(B)
    assert life.plan == "Await (awaiting_confirmation)", "B was ours"
    life.waits(SHORT).calendar_shows(A)
    assert life.plan == "Await (awaiting_confirmation)"
    life.waits(PATIENCE).calendar_read()
    assert life.plan == "Rest (in_sync)"
    assert life.link.calendar_base == A


def test_a_late_write_of_ours_is_never_an_edit() -> None:
    life = at_rest(A).psa_shows(B).sends().waits(SHORT).psa_shows(A).sends().waits(SHORT).calendar_shows(A)
    assert life.plan == "Await (awaiting_confirmation)"
    life.waits(SHORT).calendar_shows(B)
    assert "ChangeItem" not in life.plan


def test_what_is_unmistakable_needs_no_patience() -> None:
    life = at_rest(A).psa_shows(B).sends().calendar_shows(B)
    assert life.plan == "Rest (in_sync)"


def test_two_writes_under_way_are_told_apart_by_patience() -> None:
    newer = replace(B, summary="C")
    life = at_rest(A).psa_shows(B).sends().waits(SHORT).psa_shows(newer).sends().waits(SHORT).calendar_shows(newer)
    assert life.plan == "Await (awaiting_confirmation)"
    assert life.waits(PATIENCE).calendar_read().plan == "Rest (in_sync)"


def test_a_value_that_was_overruled_is_no_news_while_our_write_is_under_way() -> None:
    life = at_rest(A).calendar_shows(EDITED).psa_shows(B)
    assert life.plan == "PutEvent summary (psa_changed) over summary (psa_changed)"
    life.sends().waits(SHORT).calendar_shows(EDITED)
    assert life.plan == "Await (awaiting_confirmation)"
    life.calendar_shows(B)
    assert life.plan == "Rest (in_sync)"


# In, and what comes back


def test_an_edit_in_the_calendar_goes_into_the_psa_and_rests() -> None:
    life = at_rest(A).calendar_shows(EDITED)
    assert life.plan == "ChangeItem summary (calendar_changed)"
    life.asks_psa()
    assert life.plan == "Rest (in_sync)"
    assert (life.link.calendar_base, life.link.psa_base, life.link.psa_asks) == (EDITED, EDITED, ())


def test_the_psas_own_form_of_an_edit_is_no_change_of_the_psa() -> None:
    life = at_rest(A).calendar_shows(EDITED).intends()
    life.psa_shows(replace(EDITED, summary="Review by the calendar (shortened)"), answered=True)
    assert life.plan == "Rest (in_sync)"
    assert life.link.psa_base != life.link.calendar_base, "each side has its own form"


def test_a_crash_between_asking_the_psa_and_its_answer_is_settled_by_its_event() -> None:
    life = at_rest(A).calendar_shows(EDITED).intends().psa_shows(EDITED)
    assert life.plan == "Rest (in_sync)"
    life = at_rest(A).calendar_shows(EDITED).intends().psa_shows(replace(A, location="Room 2"))
    assert life.plan == "ChangeItem summary (calendar_changed)", "the item went another way: it is asked once more"


def test_a_change_of_the_psa_that_came_in_between_is_kept() -> None:
    life = at_rest(A).calendar_shows(EDITED).intends().psa_shows(replace(EDITED, location="Room 2"))
    assert life.plan == "PutEvent location (psa_changed)"
    assert life.wire == replace(EDITED, location="Room 2")


def test_a_new_event_becomes_an_appointment() -> None:
    life = of_new_event(A)
    assert life.plan == "CreateItem (calendar_created)"
    life.intends()
    assert [ask.revision for ask in life.link.psa_asks] == [CREATION]
    before = life.link
    assert life.intends().link.psa_asks == before.psa_asks, "the same creation again is the same creation"
    life.asks_psa()
    assert life.plan == "Rest (in_sync)"
    assert (life.link.psa_base, life.link.calendar_base, life.link.generation) == (A, A, 0)


def test_an_edit_made_while_the_appointment_was_created_is_kept() -> None:
    life = of_new_event(A).intends().calendar_shows(EDITED).asks_psa()
    assert life.plan == "ChangeItem summary (calendar_changed)"


def test_an_appointment_that_was_edited_at_once_is_compared_with_what_was_asked() -> None:
    life = of_new_event(A).intends()
    life.link = replace(life.link, item=at_rest(A).link.item)
    life.psa_shows(RETITLED)
    assert life.plan == "PutEvent summary (psa_changed)"


# Providers that rewrite

BLOCK: Final = f"{'_' * 80}\nTeams: https://teams.microsoft.com/l/meetup-join/1\n{'_' * 80}"


def test_a_rewritten_text_settles_after_one_write_and_stays_at_rest() -> None:
    rewritten = replace(A, description=f"{A.description}\n{BLOCK}")
    life = of_new_item(A).sends().calendar_shows(rewritten)
    assert life.plan == "Rest (in_sync)"
    assert life.link.calendar_base == rewritten
    assert life.link.rewritten == {Field.DESCRIPTION: A.description}
    assert life.waits(PATIENCE).calendar_read().plan == "Rest (in_sync)"


def test_a_later_write_sends_the_text_as_the_psa_has_it_and_the_meeting_that_is_shown() -> None:
    rewritten = replace(A, description=f"{A.description}\n{BLOCK}")
    life = of_new_item(A).sends().calendar_shows(rewritten).rests().psa_shows(DRAGGED)
    assert life.wire == replace(DRAGGED, description=rewritten.description)
    life.sends().calendar_shows(replace(rewritten, when=DRAGGED.when))
    assert life.plan == "Rest (in_sync)"


def test_a_text_under_way_is_not_replaced_by_the_one_before_it() -> None:
    rewritten = replace(A, description=f"{A.description}\n{BLOCK}")
    anew = replace(A, description="Anew")
    life = of_new_item(A).sends().calendar_shows(rewritten).rests().psa_shows(anew).sends().waits(SHORT)
    life.psa_shows(replace(anew, location="Room 2"))
    assert life.wire == replace(anew, location="Room 2", description=f"Anew\n\n{BLOCK}")


def test_a_rewriting_that_shows_late_is_no_edit() -> None:
    life = at_rest(A).calendar_shows(replace(A, description=f"{A.description}\n\n{BLOCK}"))
    assert life.plan == "Rest (in_sync)"


def test_an_edit_beside_a_rewritten_text_brings_in_the_edit_only() -> None:
    rewritten = replace(A, description=f"{A.description}\n{BLOCK}")
    life = of_new_item(A).sends().calendar_shows(rewritten).rests().calendar_shows(replace(rewritten, summary="Mine"))
    assert life.plan == "ChangeItem summary (calendar_changed)"


def test_seconds_that_a_provider_drops_are_no_edit() -> None:
    precise = replace(A, when=Timed(NOW + timedelta(seconds=30), NOW + HOUR))
    life = of_new_item(precise).sends().calendar_shows(A)
    assert life.plan == "Rest (in_sync)"
    life.rests().psa_shows(replace(precise, summary="New"))
    assert life.wire.when == precise.when


# What never arrives


def test_what_is_not_shown_in_time_is_sent_again_with_growing_patience() -> None:
    life = at_rest(A).psa_shows(B).sends()
    waits: list[float] = []
    for _ in range(4):
        waited = 0.0
        while life.waits(5).calendar_read().plan == "Await (awaiting_confirmation)":
            waited += 5
        assert life.plan == "PutEvent summary (not_confirmed)"
        waits.append(waited + 5)
        life.sends()
    assert waits == [PATIENCE, PATIENCE * 2, PATIENCE * 4, PATIENCE * 8]


def test_what_is_never_shown_is_left_to_a_person_after_a_day_and_tried_again_when_the_item_changes() -> None:
    life = at_rest(A).psa_shows(B).sends()
    for _ in range(30):
        life.waits(2.5 * 3600).calendar_read()
        if life.plan == "Rest blocked (never_applied)":
            break
        life.sends()
    assert life.plan == "Rest blocked (never_applied)"
    life.rests()
    assert (life.link.state, life.link.reason, life.link.due_at) == (LinkState.BLOCKED, Reason.NEVER_APPLIED, None)
    assert life.link.calendar_asks, "it may still arrive, and is no edit then"
    assert life.calendar_shows(B).plan == "Rest (in_sync)"
    life.psa_shows(replace(B, location="Room 2"))
    assert life.plan == "PutEvent location (psa_changed)"


def test_what_shows_late_after_all_ends_the_waiting() -> None:
    life = at_rest(A).psa_shows(B).sends().waits(PATIENCE).calendar_read().sends()
    assert life.link.attempts == 1
    life.calendar_shows(B).rests()
    assert (life.link.attempts, life.link.failing_since, life.link.state) == (0, None, LinkState.SETTLED)


# Deleted in the PSA


def test_a_deleted_item_takes_its_event_along() -> None:
    life = at_rest(A).psa_says(Reason.PSA_DELETED)
    assert life.plan == "RemoveEvent (psa_deleted)"
    life.sends().calendar_shows(A)
    assert life.plan == "Await (awaiting_confirmation)"
    life.calendar_shows(None)
    assert life.plan == "Bury (both_deleted)"
    life.rests()
    assert life.link.state is LinkState.BURIED
    assert (life.link.psa_base, life.link.calendar_base, life.link.calendar_asks) == (None, None, ())


def test_an_item_that_is_deleted_while_its_event_is_being_made_leaves_none() -> None:
    life = of_new_item(A).sends().psa_says(Reason.PSA_DELETED).calendar_read()
    assert life.plan == "RemoveEvent (psa_deleted)"
    life.sends().calendar_shows(None)
    assert life.plan.startswith("Await"), "the creation may arrive after the removal"
    life.waits(PATIENCE).calendar_read()
    assert life.plan == "Bury (both_deleted)"


def test_an_edit_of_the_event_makes_a_new_item_of_it() -> None:
    life = at_rest(A).psa_says(Reason.PSA_DELETED).calendar_shows(EDITED)
    assert life.plan == "CreateItem (edit_beats_delete)"
    life.intends()
    assert (life.link.generation, life.link.item, life.link.psa_seen) == (1, None, None)
    assert life.link.reference.endswith("#1"), "not the deleted one once more"
    life.asks_psa()
    assert life.plan == "Rest (in_sync)"


def test_an_item_that_comes_back_while_its_event_is_being_removed_gets_it_back() -> None:
    life = at_rest(A).psa_says(Reason.UNASSIGNED).sends().psa_shows(A)
    assert life.plan == "PutEvent all (psa_changed)"
    life.sends().waits(SHORT).calendar_shows(A)
    assert life.plan == "Await (awaiting_confirmation)", "it may be what was there before the removal"
    life.calendar_shows(None)
    assert life.plan == "Await (awaiting_confirmation)"
    life.calendar_shows(A).waits(PATIENCE).calendar_read()
    assert life.plan == "Rest (in_sync)"


def test_what_the_psa_does_not_know_is_not_taken_for_deleted() -> None:
    life = at_rest(A).psa_says(Reason.ITEM_NOT_FOUND)
    assert life.plan == "Rest blocked (item_not_found)"
    life = of_new_item(A).sends().psa_says(Reason.ITEM_NOT_FOUND)
    assert life.plan == "Rest blocked (item_not_found)", "the event that was just made stays"
    life.calendar_shows(A)
    assert life.plan == "Rest blocked (item_not_found)"
    assert life.psa_shows(B).plan == "PutEvent summary (psa_changed)"


# Deleted in the calendar


def test_a_deleted_event_takes_its_appointment_along() -> None:
    life = at_rest(A).calendar_shows(None)
    assert life.plan == "DeleteItem (calendar_deleted)"
    life.asks_psa()
    assert life.plan == "Bury (both_deleted)"


def test_a_deletion_while_a_write_is_under_way_is_waited_for() -> None:
    """If the write came after the deletion, the event comes back by itself."""
    life = at_rest(A).psa_shows(B).sends().waits(SHORT).calendar_shows(None)
    assert life.plan == "Await (awaiting_confirmation)"
    assert life.waits(SHORT).calendar_shows(B).plan == "Rest (in_sync)"
    life = at_rest(A).psa_shows(B).sends().waits(SHORT).calendar_shows(None).waits(PATIENCE).calendar_read()
    assert life.plan == "DeleteItem (calendar_deleted)"


def test_a_refused_deletion_brings_the_event_back_once() -> None:
    life = at_rest(A).calendar_shows(None).is_refused("timesheet is locked")
    assert (life.link.deletion_refused, life.link.message) == (True, "timesheet is locked")
    assert life.plan == "PutEvent all (restored)"
    life.sends()
    assert life.plan == "Await (awaiting_confirmation)", "the tombstone of the former event says nothing about this one"
    life.calendar_shows(A).waits(PATIENCE).calendar_read()
    assert life.plan == "Rest (in_sync)"
    assert not life.link.deletion_refused
    assert life.calendar_shows(None).plan == "DeleteItem (calendar_deleted)", "asked again, the PSA is asked again"


def test_an_old_tombstone_is_old_news() -> None:
    tombstone = seen(None)
    life = at_rest(A).calendar_shows(None).rests()
    life.link = replace(life.link, calendar_gone=tombstone.updated, calendar_seen=None)
    assert see(life.link, tombstone) is life.link


def test_a_removal_in_the_same_second_as_the_former_deletion_is_believed_once_it_was_asked_for_twice() -> None:
    life = at_rest(A)
    assert life.link.calendar_seen is not None
    tombstone = replace(seen(None), updated=life.link.calendar_seen.updated)
    life.link = replace(life.link, calendar_gone=tombstone.updated)
    life.psa_says(Reason.PSA_DELETED).sends()
    assert see(life.link, tombstone) is life.link, "it may be the former one, in a page that was read late"
    life.waits(PATIENCE).calendar_read()
    assert life.plan == "RemoveEvent (not_confirmed)"
    life.sends()
    assert see(life.link, tombstone).calendar_seen == tombstone


def test_a_work_record_is_detached_and_only_comes_back_when_it_is_moved() -> None:
    life = at_rest(A, ItemType.SERVICE_CALL).calendar_shows(None)
    assert life.plan == "Detach (calendar_deleted)"
    life.rests()
    assert (life.link.state, life.link.calendar_base) == (LinkState.DETACHED, None)
    for cosmetic in (RETITLED, replace(RETITLED, location="Room 9"), replace(RETITLED, description="")):
        assert life.psa_shows(cosmetic).plan == "Rest (calendar_deleted)"
        assert life.rests().link.state is LinkState.DETACHED
    life.psa_shows(RESCHEDULED)
    assert life.plan == "PutEvent all (rescheduled)"
    life.sends()
    assert life.plan == "Await (awaiting_confirmation)"
    life.calendar_shows(RESCHEDULED).rests()
    assert (life.link.state, life.link.reason) == (LinkState.SETTLED, Reason.IN_SYNC)


def test_an_unticked_deletion_detaches_an_appointment_just_so() -> None:
    life = at_rest(A)
    life.ticks = replace(life.ticks, inbound_delete=False)
    assert life.calendar_shows(None).plan == "Detach (delete_not_ticked)"
    life.rests()
    assert life.psa_shows(RETITLED).plan == "Rest (delete_not_ticked)"
    assert life.rests().psa_shows(RESCHEDULED).plan == "PutEvent all (rescheduled)"


def test_what_is_missing_is_looked_for() -> None:
    life = at_rest(A).calendar_read(MISSING)
    assert life.plan == "VerifyEvent (calendar_deleted)"


# An event of the user's own


def test_an_own_event_that_was_deleted_against_an_edit_leaves_its_item_to_an_event_of_ours() -> None:
    life = of_new_event(A).asks_psa().rests().psa_shows(RETITLED).calendar_shows(None)
    assert life.plan == "Rehome (edit_beats_delete)"
    buried = record.concluded(replace(life.link, item=None, psa_seen=None), record.BURY, life.psa)
    assert buried.state is LinkState.BURIED
    assert buried.calendar_gone is not None


def test_an_own_event_taken_out_of_the_bin_becomes_a_new_appointment() -> None:
    life = of_new_event(A).asks_psa().calendar_shows(None).asks_psa().rests()
    assert life.link.state is LinkState.BURIED
    life.calendar_shows(A)
    assert life.plan == "CreateItem (calendar_created)"
    assert life.intends().link.generation == 1


# Refused by the PSA


def test_a_refused_change_is_put_back_once_and_another_one_is_offered() -> None:
    life = at_rest(A).calendar_shows(DRAGGED).is_refused("ticket is closed")
    assert (life.link.reason, life.link.message) == (Reason.PSA_REFUSED, "ticket is closed")
    assert life.plan == "PutEvent when (restored) over when (psa_refused)"
    life.sends().waits(SHORT).calendar_shows(DRAGGED)
    assert life.plan == "Await (awaiting_confirmation)", "what was overruled is no news"
    life.calendar_shows(A).waits(PATIENCE).calendar_read()
    assert life.plan == "Rest (in_sync)"
    assert life.link.psa_refused == {}
    assert life.calendar_shows(DRAGGED).plan == "ChangeItem when (calendar_changed)"


def test_of_several_fields_only_the_refused_ones_are_put_back() -> None:
    life = at_rest(A).calendar_shows(DRAGGED).is_refused().calendar_shows(replace(DRAGGED, summary="Mine"))
    assert life.plan == "ChangeItem summary (calendar_changed)"
    life.asks_psa()
    assert life.plan == "PutEvent when (restored) over when (psa_refused)"
    assert life.wire == replace(A, summary="Mine")


def test_an_event_that_the_psa_refused_is_offered_again_when_it_changes() -> None:
    life = of_new_event(A).is_refused("user is not active")
    assert life.plan == "Rest blocked (psa_refused)"
    life.rests()
    assert (life.link.state, life.link.message) == (LinkState.BLOCKED, "user is not active")
    assert life.calendar_shows(EDITED).plan == "CreateItem (calendar_created)"


# Refused by the calendar


def test_what_the_calendar_refuses_is_blocked_until_something_changes() -> None:
    life = at_rest(A).psa_shows(B).intends()
    life.link = record.refused_by_calendar(life.link, Reason.CALENDAR_REFUSED, "summary: too odd")
    assert (life.link.state, life.link.reason, life.link.due_at) == (LinkState.BLOCKED, Reason.CALENDAR_REFUSED, None)
    assert (life.link.message, life.link.calendar_asks) == ("summary: too odd", ())
    assert life.link.calendar_base == A
    assert life.psa_shows(replace(B, summary="C")).plan == "PutEvent summary (psa_changed)"
    assert not life.intends().link.message, "words about a former try are gone"


def test_a_write_that_was_accepted_once_may_arrive_although_its_repetition_is_refused() -> None:
    """And is no edit then, even if the item has changed meanwhile."""
    life = at_rest(A).psa_shows(B).sends().waits(PATIENCE).calendar_read()
    assert life.plan == "PutEvent summary (not_confirmed)"
    life.intends()
    life.link = record.refused_by_calendar(life.link, Reason.CALENDAR_REFUSED, "no")
    life.psa_shows(replace(B, summary="C")).calendar_shows(B)
    assert life.plan == "PutEvent summary (psa_changed)"


# What the PSA cannot hold


def test_a_to_do_made_longer_rests_and_keeps_its_length_in_the_calendar() -> None:
    half = replace(A, when=Timed(NOW, NOW + HOUR / 2))
    longer = replace(A, when=Timed(NOW, NOW + 2 * HOUR))
    life = at_rest(half, ItemType.TODO, keeps_end=False).calendar_shows(longer)
    assert life.plan == "Rest (in_sync)"
    assert life.link.calendar_base == longer
    life.rests().psa_shows(replace(half, summary="New"))
    assert life.plan == "PutEvent summary (psa_changed)"
    assert life.wire.when == longer.when


def test_a_to_do_that_is_moved_is_asked_to_move_and_no_more() -> None:
    half = replace(A, when=Timed(NOW, NOW + HOUR / 2))
    moved = replace(A, when=Timed(NOW + HOUR, NOW + 3 * HOUR))
    life = at_rest(half, ItemType.TODO, keeps_end=False).calendar_shows(moved).asks_psa()
    assert life.plan == "Rest (in_sync)"
    assert life.link.psa_base is not None
    assert life.link.psa_base.when == Timed(NOW + HOUR, NOW + HOUR + HOUR / 2)


@pytest.mark.parametrize(
    ("traits", "reason"), [({"keeps_all_day": False}, "only_timed"), ({"movable": False}, "no_planned_period")]
)
def test_a_time_that_the_psa_cannot_hold_is_put_back_once(traits: dict[str, bool], reason: str) -> None:
    days = replace(A, when=AllDay(NOW.date(), NOW.date() + timedelta(days=1)))
    life = at_rest(A, ItemType.TASK, **traits).calendar_shows(days)
    assert life.plan == f"PutEvent when (restored) over when ({reason})"
    life.sends().waits(SHORT).calendar_shows(days)
    assert life.plan == "Await (awaiting_confirmation)"
    assert life.calendar_shows(A).waits(PATIENCE).calendar_read().plan == "Rest (in_sync)"


def test_text_that_the_psa_owns_drifts_and_goes_back_with_the_next_write() -> None:
    life = at_rest(A, ItemType.SERVICE_CALL).calendar_shows(EDITED)
    assert life.plan == "Rest (psa_owns_field)"
    life.rests().psa_shows(DRAGGED)
    assert life.plan == "PutEvent when+summary (psa_changed) over summary (psa_owns_field)"
    assert life.wire == DRAGGED


# Two that never met


def test_an_event_of_a_former_integration_is_adopted_without_a_write() -> None:
    life = of_new_item(A).calendar_shows(A)
    assert life.plan == "Rest (in_sync)"
    assert (life.link.psa_base, life.link.calendar_base, life.link.calendar_asks) == (A, A, ())
    stale = of_new_item(B).calendar_shows(A)
    assert stale.plan == "PutEvent summary (psa_changed)"
    assert stale.wire == B


def test_a_believed_value_is_expected_although_an_older_write_is_under_way() -> None:
    """Ours arrives after the edit was taken over, and undoes it in the calendar: that must be put right."""
    life = at_rest(A).psa_shows(B).sends().waits(SHORT).calendar_shows(EDITED).asks_psa()
    assert life.plan == "Await (awaiting_confirmation)"
    life.waits(SHORT).calendar_shows(B)
    assert life.plan == "Await (awaiting_confirmation)"
    life.waits(PATIENCE).calendar_read()
    assert life.plan == "PutEvent summary (not_confirmed)"
    assert life.wire == EDITED
