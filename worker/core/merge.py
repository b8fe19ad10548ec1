"""Three-way merge, field by field: what becomes of each field when both the item and the event are there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from events.content import ALL_FIELDS, FIELDS, TEXT_FIELDS, Content, Field, Value
from events.link import Origin
from events.reasons import Reason
from events.tenant import Owner
from worker.core.compare import differing, keeping, overlay, same, take
from worker.core.ownership import Fits, Misfits, Traits, TypeRules, as_kept
from worker.core.plan import ChangeItem, Overruled, PutEvent
from worker.core.sides import news

if TYPE_CHECKING:
    from events.link import CalendarAsk, Link
    from worker.core.sides import PsaHolds


class Fate(Enum):
    """What becomes of one field."""

    SAME = auto()
    """Neither side changed it since they agreed (or what changed is under way already)."""
    AGREED = auto()
    """Both sides hold the same by themselves, or differ only in what the PSA cannot keep."""
    TO_CALENDAR = auto()
    TO_PSA = auto()
    RESTORE = auto()
    """The PSA does not accept the event's value: put the PSA's back at once."""
    FROZEN = auto()
    """It went to and fro between two values; each side keeps its own for now."""
    DRIFTS = auto()
    """The event's value is not taken over; the PSA's goes back with the next write."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The fate of one field, and the reason where it is not plain."""

    fate: Fate
    reason: Reason = Reason.IN_SYNC


@dataclass(frozen=True, slots=True)
class Merge:
    """The rulings on all fields, and the three contents they are about."""

    link: Link
    psa: Content
    traits: Traits
    shown: Content
    rulings: dict[Field, Ruling]
    conflicts: frozenset[Field]
    """Fields changed on both sides, to different values."""

    def fields(self, *fates: Fate) -> frozenset[Field]:
        """Return the fields that have one of these fates."""
        return frozenset(field for field, ruling in self.rulings.items() if ruling.fate in fates)

    def change_item(self) -> ChangeItem:
        """Bring the event's fields into the item."""
        fields = self.fields(Fate.TO_PSA)
        content = take(self.psa, self.shown, fields)
        if Field.WHEN in fields and isinstance(kept := as_kept(self.traits, self.shown.when), Fits):
            content = overlay(content, {Field.WHEN: kept.when})
        return ChangeItem(content=content, fields=fields)

    def put_event(self) -> PutEvent:
        """Bring the item's fields into the event, and send along what is under way already."""
        last = _last_put(self.link)
        held = last.content if last and last.content else self.link.calendar_base or self.shown
        ours = self.fields(Fate.TO_CALENDAR, Fate.RESTORE, Fate.DRIFTS)
        theirs = self.fields(Fate.TO_PSA, Fate.AGREED, Fate.FROZEN)
        content = self._with_blocks(take(take(held, self.psa, ours), self.shown, theirs))
        pending = last.fields - theirs if last else frozenset[Field]()
        # How a value that is shown was once sent; what is still on its way is sent as it is.
        sent_as = {f: value for f, value in self.link.rewritten.items() if f not in ours | theirs | pending}
        overwritten = differing(content, self.shown)
        wire = self._with_blocks(overlay(content, sent_as))
        return PutEvent(content=content, wire=wire, fields=ours | pending | overwritten)

    def _with_blocks(self, content: Content) -> Content:
        text = keeping(content.description, self.shown.description)
        return content if text == content.description else overlay(content, {Field.DESCRIPTION: text})

    def overruled_by_psa(self) -> tuple[Overruled, ...]:
        """Return the event's values that `put_event` writes over."""
        return tuple(
            Overruled(f, "psa", self.shown.value(f), self.rulings[f].reason)
            for f in FIELDS
            if self.rulings[f].fate in {Fate.RESTORE, Fate.DRIFTS}
            or (self.rulings[f].fate is Fate.TO_CALENDAR and f in self.conflicts)
        )

    def overruled_by_calendar(self) -> tuple[Overruled, ...]:
        """Return the item's values that `change_item` writes over."""
        # Whether whoever edited the event had seen a value that was still under way is not known.
        last = _last_put(self.link)
        unseen = last.fields - self.conflicts if last else frozenset[Field]()
        lost = {f: self.rulings[f].reason for f in self.conflicts} | dict.fromkeys(unseen, Reason.AWAITING_CONFIRMATION)
        fields = self.fields(Fate.TO_PSA)
        return tuple(Overruled(f, "calendar", self.psa.value(f), lost[f]) for f in FIELDS if f in fields and f in lost)

    def resting_reason(self) -> Reason:
        """Why nothing is done: equal, or a difference that is left alone."""
        drifting = self.fields(Fate.DRIFTS, Fate.FROZEN)
        return min((self.rulings[f].reason for f in drifting), default=Reason.IN_SYNC)


def merge(link: Link, psa: PsaHolds, shown: Content, rules: TypeRules) -> Merge:
    """Rule on every field."""
    edited = news(link, shown)
    changed = moved(link, psa.content)
    conflicts = frozenset(f for f in edited & changed if psa.content.value(f) != shown.value(f))
    rulings = {f: _rule(f, link, psa, shown, rules, f in edited, f in changed) for f in FIELDS}
    return Merge(link, psa.content, psa.traits, shown, rulings, conflicts)


def _last_put(link: Link) -> CalendarAsk | None:
    return link.calendar_asks[-1] if link.calendar_asks and link.calendar_asks[-1].content else None


def moved(link: Link, psa: Content) -> frozenset[Field]:
    """Return the fields that the PSA changed since they were agreed or sent."""
    last = link.calendar_asks[-1] if link.calendar_asks else None
    base = link.psa_base
    if last is not None and last.source is not None:
        base = take(base, last.source, last.fields) if base else last.source
    if base is None or (last is not None and last.content is None):
        return ALL_FIELDS
    return frozenset() if psa == base else frozenset(f for f in FIELDS if psa.value(f) != base.value(f))


def _rule(  # noqa: PLR0913, PLR0917 - one field seen from everywhere
    field: Field,
    link: Link,
    psa: PsaHolds,
    shown: Content,
    rules: TypeRules,
    edited: bool,
    moved: bool,
) -> Ruling:
    if not (edited or moved):
        return Ruling(Fate.SAME)
    there, here = shown.value(field), psa.content.value(field)
    if field in link.frozen and there != here:
        return Ruling(Fate.FROZEN, Reason.FIELD_FLIPS)
    if not edited:
        return Ruling(Fate.TO_CALENDAR, Reason.PSA_CHANGED)
    if there == here:
        return Ruling(Fate.AGREED)
    if rules.owner(field) is Owner.PSA:
        # A wrong text waits for the next write; a wrong time would send somebody to the wrong place.
        alone = Fate.RESTORE if field is Field.WHEN else Fate.DRIFTS
        return Ruling(Fate.TO_CALENDAR if moved else alone, Reason.PSA_OWNS_FIELD)
    obstacle = _obstacle(field, link, psa, there)
    if obstacle:
        return Ruling(Fate.TO_CALENDAR, obstacle.reason) if moved else obstacle
    if field is Field.WHEN and _kept(psa, shown) == here:
        return Ruling(Fate.AGREED, Reason.NOT_KEPT_BY_PSA)
    if moved and link.origin is Origin.PSA:
        return Ruling(Fate.TO_CALENDAR, Reason.PSA_CHANGED)
    return Ruling(Fate.TO_PSA, Reason.CALENDAR_CHANGED)


def _obstacle(field: Field, link: Link, psa: PsaHolds, there: Value) -> Ruling | None:
    if link.psa_refused.get(field) == there:
        return Ruling(Fate.RESTORE, Reason.PSA_REFUSED)
    if field in TEXT_FIELDS and psa.traits.text_is_hidden:
        return Ruling(Fate.DRIFTS, Reason.TEXT_IS_HIDDEN)
    if field in psa.traits.left_out:
        return Ruling(Fate.DRIFTS, Reason.FIELD_LEFT_OUT)
    if field is Field.DESCRIPTION and psa.traits.text_was_cut:
        return Ruling(Fate.DRIFTS, Reason.TEXT_WAS_CUT)
    if field is Field.WHEN and not isinstance(there, str | bool):
        kept = as_kept(psa.traits, there)
        if isinstance(kept, Misfits):
            return Ruling(Fate.RESTORE, kept.reason)
    return None


def _kept(psa: PsaHolds, shown: Content) -> Value | None:
    kept = as_kept(psa.traits, shown.when)
    return None if isinstance(kept, Misfits) else kept.when


def agreement(psa: Content, shown: Content) -> frozenset[Field]:
    """Return the fields in which an item and an event that never met hold the same."""
    return frozenset(f for f in FIELDS if same(f, psa.value(f), shown.value(f)))
