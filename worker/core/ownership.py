"""Who owns which field, and what a change in the calendar can mean for each kind of item. The only such table.

Default: appointments are two-way in every field. Of the other four the times are two-way, everything else is generated
by the PSA, and deleting their event in the calendar detaches it and never deletes the work record. A tenant's
configuration may replace the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from events.content import ALL_FIELDS, AllDay, Field, Timed, When
from events.items import DEFAULT_LENGTH, ItemType
from events.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping


class Owner(StrEnum):
    """Which side's value counts."""

    BOTH = "both"
    """Either side may change it; a conflict is settled by the side of origin."""
    PSA = "psa"
    """Changes in the calendar are not taken over; the PSA's value is put back with the next write."""


@dataclass(frozen=True, slots=True)
class TypeRules:
    """What the calendar may do to items of one kind."""

    two_way: frozenset[Field]
    deletable: bool
    """Whether deleting the event deletes the item; if not, the link is detached."""

    def owner(self, name: Field) -> Owner:
        """Return who owns a field."""
        return Owner.BOTH if name in self.two_way else Owner.PSA


_WORK_RECORD = TypeRules(two_way=frozenset({Field.WHEN}), deletable=False)


def _default_rules() -> Mapping[ItemType, TypeRules]:
    rules = dict.fromkeys(ItemType, _WORK_RECORD)
    rules[ItemType.APPOINTMENT] = TypeRules(two_way=ALL_FIELDS, deletable=True)
    return MappingProxyType(rules)


@dataclass(frozen=True, slots=True)
class Ownership:
    """The table."""

    rules: Mapping[ItemType, TypeRules] = field(default_factory=_default_rules)

    def of(self, item_type: ItemType) -> TypeRules:
        """Return the rules of one kind of item."""
        return self.rules[item_type]


@dataclass(frozen=True, slots=True)
class Traits:
    """What this very item can hold, as far as its kind alone does not say."""

    item_type: ItemType
    keeps_end: bool = True
    """False: its end is always its start plus `DEFAULT_LENGTH` (a to-do, an activity with only a due time)."""
    keeps_all_day: bool = True
    movable: bool = True
    """False: it has no time of its own that could be moved (a task without a planned period)."""
    text_was_cut: bool = False
    """The description is longer than a calendar can hold."""


@dataclass(frozen=True, slots=True)
class Fits:
    """The PSA can hold this; `when` is what it will show."""

    when: When


@dataclass(frozen=True, slots=True)
class Misfits:
    """The PSA cannot hold this, and why."""

    reason: Reason


def as_kept(traits: Traits, when: When) -> Fits | Misfits:
    """What the PSA would make of a time that was set in the calendar. Source: psa.md, inbound rules per type."""
    if not traits.movable:
        return Misfits(Reason.NO_PLANNED_PERIOD)
    match when:
        case AllDay(start=start):
            if not traits.keeps_all_day:
                return Misfits(Reason.ONLY_TIMED)
            return Fits(when if traits.keeps_end else AllDay(start, start + timedelta(days=1)))
        case Timed(start=start):
            return Fits(when if traits.keeps_end else Timed(start, start + DEFAULT_LENGTH))
