r"""The decision table: two observations and two bases in, what to do next out.

=====================  ==================  ==================  =======================  ==================
calendar \\ PSA          unchanged           changed             gone                     never / new
=====================  ==================  ==================  =======================  ==================
unchanged              rest                to the calendar     remove the event         create the event
changed                to the PSA          merge by field      edit beats delete [1]_   -
deleted, explicitly    delete or detach    edit beats delete   bury                     bury
missing                verify              verify              verify                   verify
new                    adopt or merge      adopt or merge      remove our event         create an item
=====================  ==================  ==================  =======================  ==================

.. [1] only for kinds of item that the calendar may delete; of the others the PSA's deletion counts.

`decide` knows nothing of ticks: `worker.core.permit` filters what it answers. It answers a *plan*, one or two steps in
order of preference, because a merge has a step towards each side and only one of them may be permitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.content import ALL_FIELDS, FIELDS, Content, Field
from events.items import ItemType
from events.link import ExternalEvent, LinkState, ManagedEvent, Verdict
from events.reasons import Reason
from worker.core.compare import differing
from worker.core.merge import Fate, agreement, merge, moved
from worker.core.plan import (
    Action,
    Agree,
    Await,
    Bury,
    CreateItem,
    Decision,
    DeleteItem,
    Detach,
    Ignore,
    Overruled,
    PutEvent,
    ReadItem,
    Rehome,
    RemoveEvent,
    Rest,
    VerifyEvent,
)
from worker.core.restoring import change_back
from worker.core.sides import PsaGone, PsaHolds, PsaNever, PsaUnread, PsaView, news
from worker.core.undoing import comes_back, take_back

if TYPE_CHECKING:
    from events.link import CalendarSeen, Link
    from worker.core.ownership import Ownership, TypeRules

Plan = tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """How things stand with what was asked of the calendar."""

    overdue: bool
    """It should have been seen by now, or is not known to have been accepted: time to ask again."""
    lapsed: bool
    """So much time has passed that it has arrived, if it ever will: what is shown is not about to be overwritten."""
    hopeless: bool
    """It was asked again and again, and for so long that a person must look."""


def decide(link: Link, psa: PsaView, ownership: Ownership, asked: Asked) -> Plan:
    """Return the next step, or the two next steps of a merge. Total and deterministic."""
    seen = link.calendar_seen
    if isinstance(psa, PsaUnread):
        return _do(ReadItem(), Reason.PSA_CHANGED)
    if seen is not None and seen.missing:
        return _do(VerifyEvent(), Reason.CALENDAR_DELETED)
    if (back := take_back(link, psa, asked)) is not None:
        return (back,)
    match psa:
        case PsaNever():
            return _without_item(link, seen)
        case PsaGone(reason=reason):
            return _item_gone(link, seen, ownership, reason, asked)
        case PsaHolds():
            return _with_item(link, psa, ownership.of(psa.traits.item_type), asked)


def _do(action: Action, reason: Reason) -> Plan:
    return (Decision(action, reason),)


def _ask_again(link: Link, action: Action, reason: Reason, asked: Asked) -> Decision:
    """The last ask goes out once more: it was not shown in time, or it is not known to have been accepted.

    `reason`: why it is asked, where the link's own says why that failed.
    """
    if not link.calendar_asks[-1].sent:
        failed = link.attempts > 0 or link.state is LinkState.BLOCKED
        return Decision(action, reason if failed else link.reason)
    if asked.hopeless:
        return Decision(Rest(blocked=True), Reason.NEVER_APPLIED)
    return Decision(action, Reason.NOT_CONFIRMED)


def leave_behind(link: Link, psa: PsaView) -> Decision:
    """Return what becomes of the user's own event in a calendar that is not linked any more. It is never touched."""
    if link.state is LinkState.DETACHED:
        return Decision(Rest(), link.reason)
    match psa:
        case PsaHolds() | PsaUnread():
            return Decision(Rehome(), Reason.CALENDAR_LEFT)
        case PsaGone(reason=reason):
            return Decision(Bury(), reason)
        case PsaNever():
            return Decision(Bury() if link.state is LinkState.BURIED else Ignore(), Reason.CALENDAR_LEFT)


# No item was ever made


def _without_item(link: Link, seen: CalendarSeen | None) -> Plan:
    if seen is None or seen.content is None:
        # A creation may have reached the PSA before the event vanished: only the PSA can tell.
        return _do(ReadItem() if link.psa_asks else Bury(), Reason.CALENDAR_DELETED)
    if _refused(link, seen.content):
        return _do(Rest(blocked=True), Reason.PSA_REFUSED)
    return _do(CreateItem(seen.content), Reason.CALENDAR_CREATED)


def _refused(link: Link, shown: Content) -> bool:
    return bool(link.psa_refused) and all(shown.value(f) == value for f, value in link.psa_refused.items())


# The item is gone


def _item_gone(link: Link, seen: CalendarSeen | None, ownership: Ownership, reason: Reason, asked: Asked) -> Plan:
    asks = link.calendar_asks
    removing = bool(asks) and asks[-1].content is None
    if seen is None or seen.content is None:
        if asks and reason is Reason.ITEM_NOT_FOUND:
            return _do(Rest(blocked=True), reason)  # absence is never evidence
        if not asks or (removing and asks[-1].sent and asked.overdue):
            both = seen is not None and reason is Reason.PSA_DELETED
            return _do(Bury(), Reason.BOTH_DELETED if both else reason)
        return _do(Await() if removing and asks[-1].sent else RemoveEvent(), reason)
    if link.state is LinkState.DETACHED:
        again = comes_back(link, news(link, seen.content))
        return _do(CreateItem(seen.content), Reason.CALENDAR_CHANGED) if again else _do(Rest(), link.reason)
    if reason is Reason.ITEM_NOT_FOUND:
        return _do(Rest(blocked=True), reason)  # absence is never evidence
    if isinstance(link.event, ExternalEvent) and link.calendar_base is None:
        return _do(CreateItem(seen.content), Reason.CALENDAR_CREATED)  # taken out of the bin by its user
    if _discarded(link):
        if ownership.of(_type_of(link)).deletable:
            return _do(CreateItem(seen.content), Reason.RESTORED)
        return _do(Detach(), reason)
    edited = news(link, seen.content) if link.calendar_base is not None else frozenset[Field]()
    lost = tuple(Overruled(f, "psa", seen.content.value(f), reason) for f in FIELDS if f in edited)
    remove = _ask_again(link, RemoveEvent(), reason, asked) if removing else Decision(RemoveEvent(), reason, lost)
    beaten = bool(edited) and reason is Reason.PSA_DELETED and ownership.of(_type_of(link)).deletable
    if removing and not (asked.lapsed if beaten else asked.overdue):
        return _do(Await(), Reason.AWAITING_CONFIRMATION)
    return (Decision(CreateItem(seen.content), Reason.EDIT_BEATS_DELETE), remove) if beaten else (remove,)


def _type_of(link: Link) -> ItemType:
    return link.item.item_type if link.item else ItemType.APPOINTMENT


def _discarded(link: Link) -> bool:
    """Whether a person wants back what was deleted."""
    return link.ending is not None and link.ending.verdict is Verdict.DISCARDED


# The item is there


def _with_item(link: Link, psa: PsaHolds, rules: TypeRules, asked: Asked) -> Plan:
    if link.restoring:
        return _do(change_back(link, psa), Reason.WANTED_BACK)
    seen = link.calendar_seen
    if seen is not None and seen.deleted and _is_news(link):
        if not asked.lapsed:
            # Which came first, the deletion or our write? If the write did not, it brings the event back: wait and see.
            return _do(Await(), Reason.AWAITING_CONFIRMATION)
        return _event_deleted(link, psa, rules)
    if seen is None or seen.content is None:
        return _detached(link, psa) if link.state is LinkState.DETACHED else _no_event(link, psa, asked)
    if link.calendar_base is None and not link.calendar_asks:
        return _never_met(link, psa, seen.content)
    return _both(link, psa, seen.content, rules, asked)


def _is_news(link: Link) -> bool:
    """Whether a deletion that is seen was made by somebody else."""
    if any(ask.content is None for ask in link.calendar_asks):
        return False
    return link.calendar_base is not None or bool(link.calendar_asks)


def _no_event(link: Link, psa: PsaHolds, asked: Asked) -> Plan:
    if not isinstance(link.event, ManagedEvent):
        return _do(Rehome(), Reason.PSA_CHANGED)
    if not link.calendar_asks:
        return _do(_put(psa.content), Reason.PSA_CREATED)
    last = link.calendar_asks[-1]
    if last.content is None or last.source is None or differing(psa.content, last.source):
        return _do(_put(psa.content), Reason.PSA_CHANGED)
    if asked.overdue:
        return (_ask_again(link, _put(psa.content), Reason.PSA_CREATED, asked),)
    return _do(Await(), Reason.AWAITING_CONFIRMATION)


def _event_deleted(link: Link, psa: PsaHolds, rules: TypeRules) -> Plan:
    changed = moved(link, psa.content)
    if link.deletion_refused or _discarded(link):
        return _again(link, psa, Reason.RESTORED)
    if rules.deletable:
        return _again(link, psa, Reason.EDIT_BEATS_DELETE) if changed else _do(DeleteItem(), Reason.CALENDAR_DELETED)
    if Field.WHEN in changed:
        return _again(link, psa, Reason.RESCHEDULED)
    return _do(Detach(), Reason.CALENDAR_DELETED)


def _detached(link: Link, psa: PsaHolds) -> Plan:
    if comes_back(link, moved(link, psa.content)):
        return _again(link, psa, Reason.PSA_CHANGED)
    if Field.WHEN in moved(link, psa.content):
        return _again(link, psa, Reason.RESCHEDULED)
    return _do(Rest(), link.reason)


def _again(link: Link, psa: PsaHolds, reason: Reason) -> Plan:
    if not isinstance(link.event, ManagedEvent):
        return _do(Rehome(), reason)  # an external event cannot be brought back; the item gets one of ours
    return _do(_put(psa.content), reason)


def _put(content: Content) -> PutEvent:
    return PutEvent(content=content, wire=content, fields=ALL_FIELDS)


def _never_met(link: Link, psa: PsaHolds, shown: Content) -> Plan:
    # What they agreed on once is not known. The one that made us look is taken to have changed since, so that whatever
    # may not be written now, the two follow each other from here on.
    return _do(Agree(agreement(psa.content, shown), changed=link.origin), Reason.ADOPTED)


# Both are there


def _both(link: Link, psa: PsaHolds, shown: Content, rules: TypeRules, asked: Asked) -> Plan:
    merged = merge(link, psa, shown, rules)
    agreed = merged.fields(Fate.AGREED)
    if agreed:
        return _do(Agree(agreed), Reason.IN_SYNC)
    steps: list[Decision] = []
    if merged.fields(Fate.TO_PSA):
        steps.append(Decision(merged.change_item(), Reason.CALENDAR_CHANGED, merged.overruled_by_calendar()))
    if merged.fields(Fate.TO_CALENDAR):
        steps.append(Decision(merged.put_event(), Reason.PSA_CHANGED, merged.overruled_by_psa()))
    elif merged.fields(Fate.RESTORE):
        steps.append(Decision(merged.put_event(), Reason.RESTORED, merged.overruled_by_psa()))
    elif link.calendar_asks and asked.overdue:
        steps.append(_ask_again(link, merged.put_event(), Reason.PSA_CHANGED, asked))
    elif link.calendar_asks:
        steps.append(Decision(Await(), Reason.AWAITING_CONFIRMATION))
    return tuple(steps) or _do(Rest(), merged.resting_reason())
