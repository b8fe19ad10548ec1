"""Values that lost a conflict and are wanted back: into the item, and from there into the calendar."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.content import AllDay, Content, Field, Timed, Value, value_of
from events.items import ItemType
from events.link import Link, PsaAsk, PsaSeen
from events.reasons import Reason
from tests.core.examples import AGREED, DRAGGED, HOUR, NO_ASKS, NOTHING, NOW, TIMING, holds, link, say
from tests.core.near import contents
from tests.core.test_judging import judged, shown
from worker.core import record
from worker.core.decide import decide
from worker.core.ownership import Ownership, Traits, writable
from worker.core.permit import permit
from worker.core.restoring import still_wanted
from worker.core.sides import PsaGone, PsaHolds, PsaNever, PsaUnread

LOST = "Review by the calendar"
TODAY = AllDay(NOW.date(), NOW.date().replace(day=NOW.day + 1))


def wanting(**values: Value) -> Link:
    back = {Field(name): value for name, value in values.items()}
    return link(psa_seen=shown(AGREED), restoring=back)


def test_a_value_that_is_wanted_back_goes_into_the_psa_first() -> None:
    one = judged(wanting(summary=LOST))
    assert say(one.decision) == "ChangeItem summary (wanted_back)"


def test_it_goes_there_though_update_is_not_ticked_because_somebody_asked_for_it() -> None:
    found = wanting(summary=LOST)
    plan = decide(found, holds(AGREED), Ownership(), NO_ASKS)
    assert say(permit(plan, found, NOTHING)) == "ChangeItem summary (wanted_back)"


def test_once_the_psa_shows_it_the_calendar_follows_as_after_any_change() -> None:
    one = judged(wanting(summary=LOST))
    asked = record.intend(one.link, one.decision, one.psa, NOW, TIMING)
    after = judged(replace(asked, psa_seen=shown(replace(AGREED, summary=LOST), 4)))
    assert say(after.decision) == "PutEvent summary (psa_changed)"
    assert after.link.restoring == {}


def test_a_crash_before_the_answer_repeats_it_unless_it_arrived() -> None:
    one = judged(wanting(summary=LOST))
    asked = record.intend(one.link, one.decision, one.psa, NOW, TIMING)
    assert say(judged(asked).decision) == "ChangeItem summary (wanted_back)"
    arrived = replace(asked, psa_seen=shown(replace(AGREED, summary=LOST), 4))
    assert say(judged(arrived).decision) == "PutEvent summary (psa_changed)"


def test_what_the_psa_refuses_is_not_wanted_any_more_and_nothing_is_put_back() -> None:
    one = judged(wanting(summary=LOST))
    asked = record.intend(one.link, one.decision, one.psa, NOW, TIMING)
    refused = record.refused_by_psa(asked, one.decision, "Closed.", NOW)
    assert (refused.restoring, refused.psa_refused, refused.psa_asks) == ({}, {}, ())
    assert say(judged(refused).decision) == "Rest (in_sync)"


@pytest.mark.parametrize(
    ("view", "left"),
    [
        (PsaHolds(AGREED, Traits(ItemType.APPOINTMENT)), {Field.SUMMARY: LOST}),
        (PsaHolds(replace(AGREED, summary=LOST), Traits(ItemType.APPOINTMENT)), {}),
        (PsaUnread(), {Field.SUMMARY: LOST}),
        (PsaGone(Reason.PSA_DELETED), {}),
        (PsaNever(), {}),
    ],
)
def test_it_is_wanted_for_as_long_as_there_is_an_item_that_lacks_it(
    view: PsaHolds | PsaUnread | PsaGone | PsaNever, left: dict[Field, Value]
) -> None:
    assert still_wanted(wanting(summary=LOST), view).restoring == left


def test_times_come_back_as_the_item_can_hold_them() -> None:
    todo = PsaHolds(AGREED, Traits(ItemType.TODO, keeps_end=False))
    back = still_wanted(wanting(when=Timed(NOW + HOUR, NOW + 5 * HOUR)), todo).restoring
    assert back == {Field.WHEN: Timed(NOW + HOUR, NOW + HOUR * 1.5)}
    call = PsaHolds(AGREED, Traits(ItemType.SERVICE_CALL, keeps_all_day=False))
    assert still_wanted(wanting(when=TODAY), call).restoring == {}
    assert still_wanted(wanting(when=DRAGGED.when), call).restoring == {Field.WHEN: DRAGGED.when}


@given(contents, st.sampled_from(Field))
def test_every_value_is_read_back_from_the_log_as_it_was(content: Content, name: Field) -> None:
    assert value_of(name, str(content.value(name))) == content.value(name)


@pytest.mark.parametrize("kind", list(ItemType))
def test_what_can_be_had_back_is_what_the_psa_takes(kind: ItemType) -> None:
    assert writable(kind) == Ownership().of(kind).two_way


def test_an_ask_for_what_is_wanted_back_says_nothing_of_the_event() -> None:
    one = judged(wanting(summary=LOST))
    (ask,) = record.intend(one.link, one.decision, one.psa, NOW, TIMING).psa_asks
    assert ask == PsaAsk(replace(AGREED, summary=LOST), frozenset({Field.SUMMARY}), None, 3)
    assert isinstance(one.link.psa_seen, PsaSeen)
