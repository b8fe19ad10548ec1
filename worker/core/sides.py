"""What a side shows, against what it may show: news, echo, or a write of ours that has (not yet) arrived.

The rules were paid for with lost edits elsewhere:

- a side holds one of a *set* of contents: its base, and everything asked of it since (an intention counts from the
  moment it is written down);
- what is seen and was allowed for is no news, whoever sent the hint;
- being asked is not being applied: only a read narrows the set;
- the first sight of a content proves nothing if that content was also there *before*; then patience has to pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.content import ALL_FIELDS, Content, Field, Value
from events.link import CREATION
from events.values import replace
from worker.core.compare import differing, overlay, same, take, unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from events.link import CalendarAsk, CalendarSeen, Link, PsaAsk
    from events.reasons import Reason
    from worker.core.ownership import Traits


@dataclass(frozen=True, slots=True)
class PsaHolds:
    """The item is there and belongs in this user's calendar."""

    content: Content
    traits: Traits


@dataclass(frozen=True, slots=True)
class PsaGone:
    """The item has no place in this user's calendar (any more): deleted, unassigned, without a date."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class PsaUnread:
    """A revision was announced without its content."""


@dataclass(frozen=True, slots=True)
class PsaNever:
    """No item was made for this event yet."""


PsaView = PsaHolds | PsaGone | PsaUnread | PsaNever


def see(link: Link, seen: CalendarSeen) -> Link:
    """Store an observation of the event, unless it is older than what is known.

    A page of a slow read can show an older state than an earlier one; a tombstone that was dealt with stays in every
    read for a while. Both stamps compared are the calendar's own.
    """
    known = link.calendar_seen
    if known and known.updated and seen.updated and seen.updated < known.updated and not seen.missing:
        return link
    if (
        seen.deleted
        and link.calendar_gone
        and seen.updated
        and not _is_new_tombstone(link, link.calendar_gone, seen.updated)
    ):
        return link
    if known == seen:
        return link
    return replace(link, calendar_seen=seen)


def _is_new_tombstone(link: Link, former: datetime, stamp: datetime) -> bool:
    """Whether a tombstone is another than the former one.

    Stamps have whole seconds, so two can be alike. Then it counts once a removal of ours was not shown in time.
    """
    removing = bool(link.calendar_asks) and link.calendar_asks[-1].content is None
    return stamp > former or (stamp == former and removing and link.attempts > 0)


def allowed(link: Link, field: Field) -> tuple[Value, ...]:
    """Return the values that the event may show in `field` without that being news."""
    values: list[Value] = [link.calendar_base.value(field)] if link.calendar_base else []
    for ask in link.calendar_asks:
        if ask.content is not None:
            values.append(ask.content.value(field))
        if ask.over is not None and field in ask.fields:
            values.append(ask.over.value(field))
    return tuple(values)


def news(link: Link, shown: Content) -> frozenset[Field]:
    """Return the fields of the event in which somebody else must have changed it."""
    if link.calendar_base == shown:
        return frozenset()
    return frozenset(field for field in ALL_FIELDS if not _is_allowed(link, field, shown.value(field)))


def _is_allowed(link: Link, field: Field, shown: Value) -> bool:
    """Whether a value is no news. What the side makes of a text is known, except of one that was just brought to it."""
    if any(unchanged(field, value, shown) for value in allowed(link, field)):
        return True
    brought = [ask.content.value(field) for ask in link.calendar_asks if ask.content and field in ask.fields]
    return any(same(field, value, shown) or _is_not_kept(link, field, value, shown) for value in brought)


def _is_not_kept(link: Link, field: Field, wanted: Value, shown: Value) -> bool:
    """Whether a calendar shows openly what it was given as private and has never shown so: it knows nothing private.

    Were that taken for an edit, what is private would become open in the PSA.
    """
    shown_so = link.calendar_base is not None and link.calendar_base.private
    return field is Field.PRIVATE and wanted is True and shown is False and not shown_so


def settle_calendar(link: Link, *, waited: bool) -> Link:
    """Take what the event shows as proof of what was asked, if it is one.

    `waited`: so much time has passed since the last ask that everything asked before must have been applied.
    """
    seen, asks = link.calendar_seen, link.calendar_asks
    if seen is None or not asks or seen.missing:
        return link
    last = asks[-1]
    if seen.content is None or last.content is None:
        return _settle_removal(link, seen, last, waited=waited)
    changed = news(link, seen.content)
    stubborn = _stubborn(link, last.content, seen.content) if waited else frozenset[Field]()
    arrived = all(
        same(f, last.content.value(f), seen.content.value(f))
        or _is_not_kept(link, f, last.content.value(f), seen.content.value(f))
        for f in ALL_FIELDS - changed - stubborn
    )
    if not arrived or not (waited or _unmistakable(link, seen.content, changed)):
        return link
    return _settled(link, seen.content, last, changed)


def _stubborn(link: Link, wanted: Content, shown: Content) -> frozenset[Field]:
    """Return the fields that show what they showed before, though another field of the same write has arrived.

    A write is applied as a whole, so that is what the calendar makes of them: "free", say, if it knows no such thing.
    """
    last = link.calendar_asks[-1]
    if last.over is None or any(ask.content != last.content for ask in link.calendar_asks):
        return frozenset()
    sent = differing(wanted, last.over) & last.fields
    stayed = frozenset(f for f in sent if shown.value(f) == last.over.value(f))
    came = any(same(f, wanted.value(f), shown.value(f)) for f in sent - stayed)
    return stayed if came else frozenset()


def _settle_removal(link: Link, seen: CalendarSeen, last: CalendarAsk, *, waited: bool) -> Link:
    if not (seen.deleted and last.content is None):
        return link
    earlier = [ask for ask in link.calendar_asks if ask.content is not None]
    if earlier and not waited:
        return link  # what was asked before the removal may still arrive, and would bring the event back
    return replace(
        link,
        calendar_base=None,
        calendar_asks=(),
        calendar_gone=seen.updated or link.calendar_gone,
        psa_base=None,
        rewritten={},
    )


def _unmistakable(link: Link, shown: Content, changed: frozenset[Field]) -> bool:
    """Whether what is shown can only be the last ask: it is the only one, and the event looked different before."""
    last = link.calendar_asks[-1]
    if any(ask.content != last.content for ask in link.calendar_asks):
        return False
    before = link.calendar_base
    return before is None or any(not same(f, before.value(f), shown.value(f)) for f in ALL_FIELDS - changed)


def _settled(link: Link, shown: Content, last: CalendarAsk, changed: frozenset[Field]) -> Link:
    assert last.content is not None
    base = link.calendar_base or last.content
    brought = last.fields - changed
    forms: dict[Field, Value] = {field: shown.value(field) for field in brought}
    # Somebody edited on top of what we wrote: what we wrote is the base that the edit is compared with.
    forms |= {field: last.content.value(field) for field in last.fields & changed}
    untouched = ALL_FIELDS - last.fields - changed
    forms |= {f: shown.value(f) for f in untouched if same(f, base.value(f), shown.value(f))}
    rewritten = {f: v for f, v in link.rewritten.items() if f not in last.fields}
    rewritten |= {f: last.content.value(f) for f in brought if last.content.value(f) != shown.value(f)}
    psa_base = link.psa_base
    if last.source is not None:
        psa_base = take(psa_base, last.source, last.fields) if psa_base else last.source
    return replace(
        link,
        calendar_base=overlay(base, forms),
        calendar_asks=(),
        psa_base=psa_base,
        rewritten=rewritten,
        psa_refused={},
        deletion_refused=False,
    )


def settle_psa(link: Link, psa: PsaView, *, answered: bool = False) -> Link:
    """Take what the item shows as proof of what was asked of the PSA.

    `answered`: it is the PSA's own answer to the last write, so whatever differs is the form that the PSA keeps. Its
    revision need not have grown then: it does with every change, and what is kept as it was has not changed.
    """
    asks = link.psa_asks
    if not asks or isinstance(psa, PsaUnread | PsaNever):
        return link
    if link.psa_seen is None or link.psa_seen.revision < asks[-1].revision + (0 if answered else 1):
        return link
    link = replace(link, psa_asks=())
    if asks[0].revision == CREATION:
        return _created(link, psa, asks[0], answered=answered)
    if not isinstance(psa, PsaHolds):
        return link
    arrived: dict[Field, Value] = {}
    for ask in asks:
        if ask.content is None or ask.source is None:
            continue
        sure = answered and ask is asks[-1]
        for field in ask.fields:
            if sure or same(field, ask.content.value(field), psa.content.value(field)):
                arrived[field] = ask.source.value(field)
    calendar_base = link.calendar_base and overlay(link.calendar_base, arrived)
    psa_base = link.psa_base and take(link.psa_base, psa.content, arrived)
    return believe(replace(link, psa_base=psa_base, calendar_base=calendar_base), arrived, psa.content)


def _created(link: Link, psa: PsaHolds | PsaGone, ask: PsaAsk, *, answered: bool) -> Link:
    assert ask.content is not None
    base = ask.content
    if isinstance(psa, PsaHolds):
        # Whatever is not as it was asked has been edited since, and is compared with what was asked.
        kept = psa.content
        base = take(base, kept, [f for f in ALL_FIELDS if answered or same(f, base.value(f), kept.value(f))])
    link = replace(link, psa_base=base, calendar_base=ask.source)
    shown = {f: ask.source.value(f) for f in ALL_FIELDS} if ask.source else {}
    return believe(link, shown, base)


def believe(link: Link, values: Mapping[Field, Value], psa: Content) -> Link:
    """Expect the event to go on showing `values`, on which both sides just came to agree.

    Without this, an older write of ours that is still under way could arrive afterwards and pass for settled.
    """
    if not link.calendar_asks or not values:
        return link
    last = link.calendar_asks[-1]
    if last.content is None or last.source is None:
        return link
    content, source = overlay(last.content, values), take(last.source, psa, values)
    return replace(
        link, calendar_asks=(*link.calendar_asks, replace(last, content=content, source=source, believed=True))
    )
