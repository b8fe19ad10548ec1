"""Three-way merge: what becomes of each field, whoever owns it, whichever side changed it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.content import ALL_FIELDS, AllDay, Content, Field, Timed, Value
from events.items import ItemType
from events.link import CalendarAsk, Link, Origin
from events.reasons import Reason
from events.tenant import Owner
from tests.core import near
from tests.core.examples import AGREED, DRAGGED, EDITED, HOUR, NOW, ask, holds, link, seen
from worker.core.compare import differing, overlay, take
from worker.core.merge import Fate, Merge, Ruling, agreement, merge, moved
from worker.core.ownership import Ownership, Traits, TypeRules
from worker.core.plan import Overruled
from worker.core.sides import PsaHolds

OWNED_BY_BOTH: Final = TypeRules(two_way=ALL_FIELDS, deletable=True)
OWNED_BY_PSA: Final = TypeRules(two_way=frozenset(), deletable=False)
BY_CALENDAR: Final[dict[Field, Value]] = {
    Field.WHEN: Timed(NOW + HOUR, NOW + 2 * HOUR),
    Field.SUMMARY: "by the calendar",
    Field.DESCRIPTION: "by the calendar",
    Field.LOCATION: "by the calendar",
    Field.PRIVATE: True,
    Field.BUSY: False,
}
BY_PSA: Final[dict[Field, Value]] = {
    Field.WHEN: Timed(NOW + 3 * HOUR, NOW + 4 * HOUR),
    Field.SUMMARY: "by the PSA",
    Field.DESCRIPTION: "by the PSA",
    Field.LOCATION: "by the PSA",
}
"""A flag cannot be changed to two different values."""


def merged(
    shown: Content, kept: Content, rules: TypeRules = OWNED_BY_BOTH, origin: Origin = Origin.PSA, /, **traits: Any
) -> Merge:
    return merge(link(calendar_seen=seen(shown), origin=origin), holds(kept, **traits), shown, rules)


# Field by field


@pytest.mark.parametrize("field", Field)
@pytest.mark.parametrize("rules", [OWNED_BY_BOTH, OWNED_BY_PSA], ids=["both", "psa"])
@pytest.mark.parametrize("origin", Origin)
class TestEachField:
    """field x owner x origin, for each way in which it was changed."""

    def test_unchanged(self, field: Field, rules: TypeRules, origin: Origin) -> None:
        assert merged(AGREED, AGREED, rules, origin).rulings[field] == Ruling(Fate.SAME)

    def test_changed_in_the_psa(self, field: Field, rules: TypeRules, origin: Origin) -> None:
        kept = overlay(AGREED, {field: BY_CALENDAR[field]})
        found = merged(AGREED, kept, rules, origin)
        assert found.rulings[field] == Ruling(Fate.TO_CALENDAR, Reason.PSA_CHANGED)
        assert found.put_event().content == kept
        assert found.put_event().fields == {field}
        assert found.overruled_by_psa() == ()

    def test_changed_in_the_calendar(self, field: Field, rules: TypeRules, origin: Origin) -> None:
        shown = overlay(AGREED, {field: BY_CALENDAR[field]})
        found = merged(shown, AGREED, rules, origin)
        if rules.owner(field) is Owner.BOTH:
            assert found.rulings[field] == Ruling(Fate.TO_PSA, Reason.CALENDAR_CHANGED)
            assert found.change_item().content == shown
            assert found.change_item().fields == {field}
            assert found.overruled_by_calendar() == ()
        else:
            # A wrong time is put back at once, anything else with the next write.
            fate = Fate.RESTORE if field is Field.WHEN else Fate.DRIFTS
            assert found.rulings[field] == Ruling(fate, Reason.PSA_OWNS_FIELD)
            assert found.resting_reason() is (Reason.PSA_OWNS_FIELD if fate is Fate.DRIFTS else Reason.IN_SYNC)
            lost = Overruled(field, "psa", shown.value(field), Reason.PSA_OWNS_FIELD)
            assert found.overruled_by_psa() == (lost,), "when it is put back, it is on record"

    def test_changed_on_both_sides_to_the_same(self, field: Field, rules: TypeRules, origin: Origin) -> None:
        alike = overlay(AGREED, {field: BY_CALENDAR[field]})
        found = merged(alike, alike, rules, origin)
        assert found.rulings[field] == Ruling(Fate.AGREED)
        assert found.conflicts == frozenset()

    def test_changed_on_both_sides_to_something_else(self, field: Field, rules: TypeRules, origin: Origin) -> None:
        if field not in BY_PSA:
            return
        shown, kept = overlay(AGREED, {field: BY_CALENDAR[field]}), overlay(AGREED, {field: BY_PSA[field]})
        found = merged(shown, kept, rules, origin)
        assert found.conflicts == {field}
        if rules.owner(field) is Owner.BOTH and origin is Origin.CALENDAR:
            assert found.rulings[field] == Ruling(Fate.TO_PSA, Reason.CALENDAR_CHANGED)
            lost = Overruled(field, "calendar", BY_PSA[field], Reason.CALENDAR_CHANGED)
            assert found.overruled_by_calendar() == (lost,)
            assert found.change_item().content == shown
        else:
            assert found.rulings[field].fate is Fate.TO_CALENDAR
            assert [(one.field, one.winner, one.value) for one in found.overruled_by_psa()] == [
                (field, "psa", BY_CALENDAR[field])
            ]
            assert found.put_event().content == kept


# Different fields


@given(near.apart, near.apart, near.apart, st.sampled_from(Origin))
def test_edits_of_different_fields_all_survive_whichever_is_written_first(
    base: Content, shown: Content, kept: Content, origin: Origin
) -> None:
    theirs = differing(shown, base)
    kept = take(base, kept, differing(kept, base) - theirs)
    found = merge(
        link(origin=origin, psa_base=base, calendar_base=base, calendar_seen=seen(shown)),
        holds(kept),
        shown,
        OWNED_BY_BOTH,
    )
    both = take(kept, shown, theirs)
    assert found.change_item().content == both
    assert found.put_event().content == both
    assert found.overruled_by_psa() == found.overruled_by_calendar() == ()


@given(near.apart, near.apart, near.apart, st.sampled_from(Origin))
def test_every_losing_value_is_on_record(base: Content, shown: Content, kept: Content, origin: Origin) -> None:
    found = merge(
        link(origin=origin, psa_base=base, calendar_base=base, calendar_seen=seen(shown)),
        holds(kept),
        shown,
        OWNED_BY_BOTH,
    )
    lost_events = {one.field for one in found.overruled_by_psa()}
    lost_items = {one.field for one in found.overruled_by_calendar()}
    assert lost_events | lost_items == found.conflicts
    assert not lost_events & lost_items


@given(near.links(), near.contents, near.contents, near.traits)
def test_every_field_has_one_fate(some: Link, shown: Content, kept: Content, traits: Traits) -> None:
    found = merge(some, PsaHolds(kept, traits), shown, OWNED_BY_BOTH)
    assert found.rulings.keys() == ALL_FIELDS
    by_fate = [found.fields(fate) for fate in Fate]
    assert sum(map(len, by_fate)) == len(ALL_FIELDS)


# What is under way


def test_what_is_still_under_way_is_sent_along() -> None:
    """The calendar takes an event as a whole: a write that overtook another must not undo it."""
    sent = replace(AGREED, location="Room 2")
    under_way = ask(sent, fields=frozenset({Field.LOCATION}), over=AGREED)
    found = merge(
        link(calendar_asks=(under_way,)), holds(replace(sent, summary="New title")), AGREED, OWNED_BY_BOTH
    ).put_event()
    assert found.content == replace(AGREED, location="Room 2", summary="New title")
    assert found.fields == {Field.LOCATION, Field.SUMMARY}


def test_what_a_provider_rewrote_is_sent_as_it_was_sent_before() -> None:
    """And not as it came back: a provider that adds something would add it again and again."""
    shown = replace(AGREED, description="Figures [rewritten]")
    found = merge(
        link(calendar_base=shown, calendar_seen=seen(shown), rewritten={Field.DESCRIPTION: "Figures"}),
        holds(replace(AGREED, summary="New title")),
        shown,
        OWNED_BY_BOTH,
    ).put_event()
    assert found.wire.description == "Figures"
    assert found.content.description == "Figures [rewritten]", "which is what it is expected to show"
    assert found.fields == {Field.SUMMARY}


def test_a_text_that_is_under_way_is_not_sent_in_the_form_of_the_text_before_it() -> None:
    shown = replace(AGREED, description="Old [rewritten]")
    new = replace(AGREED, description="New")
    under_way = ask(new, fields=frozenset({Field.DESCRIPTION}), over=shown)
    found = merge(
        link(
            calendar_base=shown,
            calendar_seen=seen(shown),
            calendar_asks=(under_way,),
            rewritten={Field.DESCRIPTION: "Old"},
        ),
        holds(replace(new, location="Room 2")),
        shown,
        OWNED_BY_BOTH,
    ).put_event()
    assert found.wire.description == "New"
    assert found.content.description == "New"


def test_what_a_person_wrote_over_a_rewritten_text_is_sent_as_it_is() -> None:
    shown = replace(AGREED, description="By hand")
    found = merge(
        link(rewritten={Field.DESCRIPTION: "Figures"}, calendar_seen=seen(shown)),
        holds(replace(AGREED, summary="New title")),
        shown,
        OWNED_BY_BOTH,
    ).put_event()
    assert found.wire.description == "By hand"


def test_an_item_that_was_edited_while_its_last_value_was_under_way_is_on_record() -> None:
    """Whoever edited the event may not have seen that value yet."""
    sent = replace(AGREED, summary="Under way")
    under_way = ask(sent, fields=frozenset({Field.SUMMARY}))
    found = merge(link(calendar_asks=(under_way,), calendar_seen=seen(EDITED)), holds(sent), EDITED, OWNED_BY_BOTH)
    assert found.rulings[Field.SUMMARY] == Ruling(Fate.TO_PSA, Reason.CALENDAR_CHANGED)
    assert found.overruled_by_calendar() == (
        Overruled(Field.SUMMARY, "calendar", "Under way", Reason.AWAITING_CONFIRMATION),
    )


@pytest.mark.parametrize(
    ("now", "base", "asks", "fields"),
    [
        (AGREED, AGREED, (), frozenset[Field]()),
        (EDITED, AGREED, (), frozenset({Field.SUMMARY})),
        (AGREED, None, (), ALL_FIELDS),
        (EDITED, AGREED, (ask(EDITED, fields=frozenset({Field.SUMMARY})),), frozenset[Field]()),
        (EDITED, AGREED, (ask(EDITED, fields=frozenset({Field.WHEN})),), frozenset({Field.SUMMARY})),
        (AGREED, AGREED, (ask(EDITED, fields=frozenset({Field.SUMMARY})),), frozenset({Field.SUMMARY})),
        (EDITED, None, (ask(EDITED),), frozenset[Field]()),
        (AGREED, AGREED, (ask(None),), ALL_FIELDS),
    ],
)
def test_what_the_psa_changed_since_it_was_agreed_or_sent(
    now: Content, base: Content | None, asks: tuple[CalendarAsk, ...], fields: frozenset[Field]
) -> None:
    assert moved(link(psa_base=base, calendar_asks=asks), now) == fields


# What the PSA cannot hold

SAME_DAY: Final = AllDay(NOW.date(), NOW.date() + timedelta(days=1))


@pytest.mark.parametrize(
    ("traits", "when", "ruling"),
    [
        ({}, SAME_DAY, Ruling(Fate.TO_PSA, Reason.CALENDAR_CHANGED)),
        ({"keeps_all_day": False}, SAME_DAY, Ruling(Fate.RESTORE, Reason.ONLY_TIMED)),
        ({"movable": False}, DRAGGED.when, Ruling(Fate.RESTORE, Reason.NO_PLANNED_PERIOD)),
        ({"movable": False}, SAME_DAY, Ruling(Fate.RESTORE, Reason.NO_PLANNED_PERIOD)),
        ({"keeps_end": False}, DRAGGED.when, Ruling(Fate.TO_PSA, Reason.CALENDAR_CHANGED)),
    ],
)
def test_a_time_that_the_psa_cannot_hold_is_put_back(traits: dict[str, bool], when: Value, ruling: Ruling) -> None:
    shown = overlay(AGREED, {Field.WHEN: when})
    assert merged(shown, AGREED, **traits).rulings[Field.WHEN] == ruling


def test_an_end_that_the_psa_does_not_keep_is_left_to_the_calendar() -> None:
    """A to-do takes half an hour in the PSA; whoever makes its event longer only moves the end."""
    half = replace(AGREED, when=Timed(NOW, NOW + HOUR / 2))
    longer = replace(AGREED, when=Timed(NOW, NOW + 2 * HOUR))
    found = merge(
        link(psa_base=half, calendar_base=half, calendar_seen=seen(longer)),
        holds(half, ItemType.TODO, keeps_end=False),
        longer,
        OWNED_BY_BOTH,
    )
    assert found.rulings[Field.WHEN] == Ruling(Fate.AGREED, Reason.NOT_KEPT_BY_PSA)


def test_what_is_due_is_expected_to_end_when_the_psa_says_so() -> None:
    half = replace(AGREED, when=Timed(NOW, NOW + HOUR / 2))
    dragged = replace(AGREED, when=Timed(NOW + HOUR, NOW + 3 * HOUR))
    found = merge(
        link(psa_base=half, calendar_base=half, calendar_seen=seen(dragged)),
        holds(half, ItemType.TODO, keeps_end=False),
        dragged,
        OWNED_BY_BOTH,
    )
    assert found.change_item().content.when == Timed(NOW + HOUR, NOW + HOUR + HOUR / 2)


def test_an_edit_of_a_text_that_was_cut_is_not_taken_over_but_kept_on_record() -> None:
    shown = replace(AGREED, description="Only the beginning, edited")
    found = merged(shown, AGREED, text_was_cut=True)
    assert found.rulings[Field.DESCRIPTION] == Ruling(Fate.DRIFTS, Reason.TEXT_WAS_CUT)
    assert found.resting_reason() is Reason.TEXT_WAS_CUT
    changed = merged(shown, replace(AGREED, description="Anew"), text_was_cut=True)
    assert changed.rulings[Field.DESCRIPTION] == Ruling(Fate.TO_CALENDAR, Reason.TEXT_WAS_CUT)
    assert [one.value for one in changed.overruled_by_psa()] == ["Only the beginning, edited"]


@pytest.mark.parametrize("field", [Field.DESCRIPTION, Field.LOCATION])
def test_what_is_written_into_a_field_that_is_left_out_is_not_taken_over(field: Field) -> None:
    bare = overlay(AGREED, {field: ""})
    found = merged(overlay(AGREED, {field: BY_CALENDAR[field]}), AGREED, left_out=frozenset({field}))
    assert found.rulings[field] == Ruling(Fate.DRIFTS, Reason.FIELD_LEFT_OUT)
    assert field not in found.change_item().fields
    assert merged(AGREED, bare, left_out=frozenset({field})).put_event().content == bare


def test_a_drifting_text_goes_back_with_the_next_write_and_not_before() -> None:
    found = merged(EDITED, AGREED, OWNED_BY_PSA)
    assert found.fields(Fate.TO_CALENDAR, Fate.RESTORE) == frozenset()
    assert found.put_event().content == AGREED


# Two that never met


@given(near.contents, near.contents)
def test_two_that_never_met_agree_where_they_hold_the_same(psa: Content, shown: Content) -> None:
    equal = agreement(psa, shown)
    assert all(field in equal for field in Field if psa.value(field) == shown.value(field))
    assert Field.LOCATION in equal or psa.location != shown.location


def test_the_default_table_owns_what_is_generated() -> None:
    """Appointments flow both ways; of the other kinds only the time does, and their deletion never does."""
    table = Ownership()
    assert table.of(ItemType.APPOINTMENT) == TypeRules(ALL_FIELDS - {Field.BUSY}, deletable=True)
    for kind in set(ItemType) - {ItemType.APPOINTMENT}:
        assert table.of(kind) == TypeRules(frozenset({Field.WHEN}), deletable=False)
    assert table.rules.keys() == set(ItemType)
