"""What the PSA would make of a time that was set in the calendar, for every combination of what an item can hold."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.content import AllDay, Field, Timed, When
from events.items import ItemType
from events.reasons import Reason
from events.tenant import Override, Owner
from tests.core.examples import HOUR, NOW
from worker.core.ownership import Fits, Misfits, Ownership, Traits, TypeRules, as_kept, overridden

SPAN = Timed(NOW, NOW + 2 * HOUR)
HALF_AN_HOUR = Timed(NOW, NOW + HOUR / 2)
DAYS = AllDay(NOW.date(), NOW.date() + timedelta(days=3))
ONE_DAY = AllDay(NOW.date(), NOW.date() + timedelta(days=1))


@pytest.mark.parametrize(
    ("movable", "keeps_all_day", "keeps_end", "of_span", "of_days"),
    [
        (True, True, True, Fits(SPAN), Fits(DAYS)),
        (True, True, False, Fits(HALF_AN_HOUR), Fits(ONE_DAY)),
        (True, False, True, Fits(SPAN), Misfits(Reason.ONLY_TIMED)),
        (True, False, False, Fits(HALF_AN_HOUR), Misfits(Reason.ONLY_TIMED)),
        (False, True, True, Misfits(Reason.NO_PLANNED_PERIOD), Misfits(Reason.NO_PLANNED_PERIOD)),
        (False, True, False, Misfits(Reason.NO_PLANNED_PERIOD), Misfits(Reason.NO_PLANNED_PERIOD)),
        (False, False, True, Misfits(Reason.NO_PLANNED_PERIOD), Misfits(Reason.NO_PLANNED_PERIOD)),
        (False, False, False, Misfits(Reason.NO_PLANNED_PERIOD), Misfits(Reason.NO_PLANNED_PERIOD)),
    ],
)
def test_what_the_psa_makes_of_a_time(
    *, movable: bool, keeps_all_day: bool, keeps_end: bool, of_span: Fits | Misfits, of_days: Fits | Misfits
) -> None:
    traits = Traits(ItemType.TODO, keeps_end=keeps_end, keeps_all_day=keeps_all_day, movable=movable)
    assert as_kept(traits, SPAN) == of_span
    assert as_kept(traits, DAYS) == of_days


@pytest.mark.parametrize("when", [SPAN, HALF_AN_HOUR, DAYS, ONE_DAY])
@pytest.mark.parametrize("keeps_end", [True, False])
def test_what_the_psa_holds_it_holds_as_it_is(when: When, *, keeps_end: bool) -> None:
    kept = as_kept(Traits(ItemType.TODO, keeps_end=keeps_end), when)
    assert isinstance(kept, Fits)
    assert as_kept(Traits(ItemType.TODO, keeps_end=keeps_end), kept.when) == kept


def test_a_tenant_may_replace_the_table() -> None:
    mine = TypeRules(two_way=frozenset({Field.SUMMARY}), deletable=True)
    table = Ownership({**Ownership().rules, ItemType.TODO: mine})
    assert table.of(ItemType.TODO) is mine
    assert mine.owner(Field.SUMMARY) is Owner.BOTH
    assert mine.owner(Field.WHEN) is Owner.PSA
    assert table.of(ItemType.TASK) == Ownership().of(ItemType.TASK)


# What a tenant has changed


def test_a_tenant_that_changed_nothing_has_the_usual_table() -> None:
    assert overridden({}) == Ownership()
    assert overridden({kind: Override() for kind in ItemType}) == Ownership()


def test_a_tenant_changes_single_fields_of_single_types() -> None:
    table = overridden({
        ItemType.APPOINTMENT: Override(summary=Owner.PSA, deletable=False),
        ItemType.SERVICE_CALL: Override(when=Owner.PSA),
    })
    usual = Ownership()
    assert table.of(ItemType.APPOINTMENT).two_way == usual.of(ItemType.APPOINTMENT).two_way - {Field.SUMMARY}
    assert not table.of(ItemType.APPOINTMENT).deletable
    assert table.of(ItemType.SERVICE_CALL).two_way == frozenset()
    assert not table.of(ItemType.SERVICE_CALL).deletable
    assert table.of(ItemType.TODO) == usual.of(ItemType.TODO)


@pytest.mark.parametrize("name", list(Field))
def test_nobody_can_make_the_calendar_own_free_time_which_the_psa_does_not_know(name: Field) -> None:
    both = Owner.BOTH
    everything = Override(both, both, both, both, both)
    table = overridden(dict.fromkeys(ItemType, everything))
    assert (name in table.of(ItemType.APPOINTMENT).two_way) is (name is not Field.BUSY)
