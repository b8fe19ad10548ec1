"""How a link changes with each step of its life. Every function takes a link and returns the next one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from events.content import ALL_FIELDS, FIELDS
from events.link import (
    CREATION,
    CalendarAsk,
    EventKey,
    ItemKey,
    Link,
    LinkState,
    Origin,
    PreImage,
    PsaAsk,
    PsaSeen,
    RunMark,
    RunResult,
    Undoing,
    Verdict,
    link_id,
)
from events.reasons import Reason
from events.values import replace
from worker.core.compare import take
from worker.core.plan import (
    Agree,
    Bury,
    ChangeItem,
    CreateItem,
    Decision,
    DeleteItem,
    Detach,
    Ignore,
    Pause,
    PutEvent,
    Quarantine,
    RemoveEvent,
    Rest,
)
from worker.core.sides import PsaHolds, PsaView, believe

if TYPE_CHECKING:
    from events.content import Field


@dataclass(frozen=True, slots=True)
class Timing:
    """When to look for what was asked of the calendar."""

    looks: tuple[timedelta, ...] = (timedelta(seconds=2), timedelta(seconds=5), timedelta(seconds=10))
    """How long after a write to look whether it shows."""
    patience: timedelta = timedelta(seconds=30)
    """After this, what was written down as asked has arrived, been accepted and been applied, if it ever will be.

    Longer than the longest call (15 s): a worker that was cut off can still be in the middle of one.
    """
    give_up: timedelta = timedelta(days=1)
    """A single item that fails for so long is blocked, for a person to look at."""


def overdue(link: Link, read_at: datetime | None, timing: Timing) -> bool:
    """Whether a read that began at `read_at` should have shown the last ask, or it was never known to be accepted.

    The patience doubles each time it was not shown.
    """
    if not link.calendar_asks:
        return False
    if not link.calendar_asks[-1].sent:
        return True
    return read_at is not None and read_at >= _overdue_at(link, timing)


def lapsed(link: Link, read_at: datetime | None, timing: Timing) -> bool:
    """Whether a read that began at `read_at` shows whatever became of the asks: nothing is on its way any more."""
    if not link.calendar_asks:
        return True
    return read_at is not None and read_at - link.calendar_asks[-1].at >= timing.patience


def waited(link: Link, read_at: datetime | None, timing: Timing) -> bool:
    """Whether a read that began at `read_at` shows everything that was asked before the last ask."""
    return bool(link.calendar_asks) and link.calendar_asks[-1].sent and lapsed(link, read_at, timing)


def _overdue_at(link: Link, timing: Timing) -> datetime:
    factor: int = 2 ** min(link.attempts, 8)
    return link.calendar_asks[-1].at + timing.patience * factor


def next_look(link: Link, now: datetime, timing: Timing) -> datetime:
    """When to look for the last ask."""
    if not link.calendar_asks:
        return now
    asked = link.calendar_asks[-1].at
    return next((asked + look for look in timing.looks if asked + look > now), max(now, _overdue_at(link, timing)))


def intend(link: Link, decision: Decision, psa: PsaView, now: datetime, timing: Timing) -> Link:
    """Write down a write before it goes out: from now on that side may hold it."""
    if decision.reason is Reason.NOT_CONFIRMED and link.calendar_asks and link.calendar_asks[-1].sent:
        link = replace(link, attempts=link.attempts + 1, failing_since=link.failing_since or now)
    link = replace(link, state=LinkState.PENDING, reason=decision.reason, message="", due_at=now)
    link = _undoing_begun(link, decision) if decision.reason is Reason.UNDONE else link
    link = _writing(link, decision, psa)
    shown = link.calendar_seen.content if link.calendar_seen else None
    kept = psa.content if isinstance(psa, PsaHolds) else None
    revision = link.psa_seen.revision if link.psa_seen else CREATION
    if not isinstance(decision.action, RemoveEvent | DeleteItem) and link.ending and not _is_discarded(link):
        link = replace(link, ending=None)  # it lives on: another deletion is to be weighed anew
    match decision.action:
        case PutEvent(content=content, fields=fields):
            link = _anew(link)
            return _ask_calendar(link, CalendarAsk(content, fields, kept, shown, now), timing)
        case RemoveEvent():
            return _ask_calendar(link, CalendarAsk(None, frozenset(), None, shown, now), timing)
        case CreateItem(content=content):
            if any(ask.revision == CREATION for ask in link.psa_asks):
                return link  # the same creation again
            if link.calendar_asks and link.calendar_asks[-1].content is None:
                # Made from an event that outlived its removal: nothing is on its way to it any more.
                link = replace(link, calendar_asks=())
            again = link.item is not None or link.psa_seen is not None
            fresh = replace(_undoing_over(link), item=None, psa_seen=None, psa_base=None, psa_asks=())
            generation = link.generation + (1 if again else 0)
            return replace(fresh, generation=generation, psa_asks=(PsaAsk(content, ALL_FIELDS, shown, CREATION),))
        case ChangeItem(content=content, fields=fields):
            # What is wanted back does not come from the event, so that is still to learn of it.
            source = None if decision.reason is Reason.WANTED_BACK else shown
            return _ask_psa(link, PsaAsk(content, fields, source, revision))
        case DeleteItem():
            return _ask_psa(link, PsaAsk(None, frozenset(), None, revision))
        case _:
            return link


def _anew(link: Link) -> Link:
    """Forget a former event: its tombstone says nothing about the one that is made now, whenever that is seen."""
    seen = link.calendar_seen
    if seen is None or not seen.deleted or seen.missing:
        return link
    return replace(link, calendar_seen=None, calendar_base=None, calendar_gone=seen.updated or link.calendar_gone)


def _is_discarded(link: Link) -> bool:
    return link.ending is not None and link.ending.verdict is Verdict.DISCARDED


def _writing(link: Link, decision: Decision, psa: PsaView) -> Link:
    """Note in the mark of a run under way what is first written in the course of it, and what was there before."""
    mark, wrote = link.run, _written(link, decision)
    if mark is None or mark.result is not None or wrote is None:
        return link
    if decision.reason is not Reason.UNDONE:
        link = _remembering(link, mark, decision, psa, wrote)
    return replace(link, run=replace(mark, wrote=mark.wrote or wrote))


def _remembering(link: Link, mark: RunMark, decision: Decision, psa: PsaView, wrote: RunResult) -> Link:
    inbound = isinstance(decision.action, CreateItem | ChangeItem | DeleteItem)
    images = tuple(image for image in link.images if image.run_id == mark.run_id)
    if any(image.inbound is inbound for image in images):
        return replace(link, images=images)
    shown = link.calendar_seen.content if link.calendar_seen else None
    before = (psa.content if isinstance(psa, PsaHolds) else None) if inbound else shown
    if wrote is RunResult.CREATED and not inbound and shown is not None:
        wrote = RunResult.UPDATED  # left there by a former integration
    kept = before if wrote is RunResult.UPDATED and before and not before.private else None
    return replace(link, images=(*images, PreImage(mark.run_id, inbound, wrote, kept)))


def _as_left(image: PreImage, run: RunMark, link: Link) -> PreImage:
    return replace(image, left=left_by_run(link)) if image.run_id == run.run_id else image


def left_by_run(link: Link) -> str:
    """Name what both sides are known to hold."""
    bases = [[str(base.value(f)) for f in FIELDS] if base else [] for base in (link.psa_base, link.calendar_base)]
    return hashlib.sha256(repr(bases).encode(errors="replace")).hexdigest()[:16]


def redacted(link: Link) -> Link:
    """Return the link without what a run found on its sides: it was, or has become, private."""
    return replace(link, images=tuple(replace(image, before=None, agreed=None) for image in link.images))


def at_event(link: Link, event: EventKey, now: datetime) -> Link:
    """Return a new link of the same item, to an event of which nothing is known yet."""
    return Link(
        id=link_id(link.integration_id, event),
        integration_id=link.integration_id,
        tenant_id=link.tenant_id,
        user_id=link.user_id,
        event=event,
        origin=Origin.PSA,
        item=link.item,
        psa_seen=link.psa_seen,
        due_at=now,
    )


def found_there(link: Link) -> Link:
    """Return the link of an item that a run was about to create, and that was there already."""
    mark = link.run
    if mark is not None and mark.result is None and mark.wrote is RunResult.CREATED:
        link = replace(link, run=replace(mark, wrote=None))
    return replace(link, images=tuple(image for image in link.images if not image.inbound))


def _undoing_begun(link: Link, decision: Decision) -> Link:
    """Write down that taking back is under way. An event that is put back is from then on written like any other."""
    if isinstance(decision.action, PutEvent):
        return without_first_image(link)
    first = [replace(image, begun=True, agreed=image.agreed or link.psa_base) for image in link.images[:1]]
    return replace(link, images=(*first, *link.images[1:]), undoing=Undoing.BEGUN)


def _undoing_over(link: Link) -> Link:
    return link if link.undoing is None else replace(link, images=(), undoing=None)


def without_first_image(link: Link) -> Link:
    """Return the link with one thing less to take back."""
    rest = link.images[1:]
    return replace(link, images=rest, undoing=Undoing.BEGUN if rest else None)


def _written(link: Link, decision: Decision) -> RunResult | None:
    match decision.action:
        case CreateItem():
            return RunResult.CREATED
        case PutEvent():
            return RunResult.UPDATED if link.calendar_base else RunResult.CREATED
        case ChangeItem():
            return RunResult.UPDATED
        case DeleteItem() | RemoveEvent():
            return RunResult.DELETED
        case _:
            return None


def _run_ended(link: Link, state: LinkState, reason: Reason) -> RunMark | None:
    """Say what came of the link in a run that is under way: it rests from now on."""
    mark = link.run
    if mark is None or mark.result is not None:
        return mark
    if state is LinkState.BLOCKED:
        return replace(mark, result=RunResult.FAILED)
    agreed = state is LinkState.SETTLED and reason in AGREED
    return replace(mark, result=mark.wrote or (RunResult.UNCHANGED if agreed else RunResult.SKIPPED))


AGREED: Final = frozenset({Reason.IN_SYNC, Reason.ADOPTED, Reason.ECHO})


def _ask_psa(link: Link, ask: PsaAsk) -> Link:
    others = tuple(other for other in link.psa_asks if other != ask and other.revision >= ask.revision)
    return replace(link, psa_asks=(*others, ask))


def _ask_calendar(link: Link, ask: CalendarAsk, timing: Timing) -> Link:
    """Add an ask, and forget what later asks must have overwritten by now."""
    asks = link.calendar_asks
    applied = [i for i, old in enumerate(asks) if not old.believed and ask.at - old.at >= timing.patience]
    asks = asks[applied[-1] :] if applied else asks
    if asks and replace(asks[-1], at=ask.at, over=ask.over, sent=False, believed=False) == ask:
        ask = replace(ask, over=asks[-1].over or ask.over)
        # The same again. If it was accepted once it may arrive even if this time it is refused, so it is not forgotten.
        asks = asks if asks[-1].sent else asks[:-1]
    return replace(link, calendar_asks=(*asks, ask))


def sent(link: Link, now: datetime, timing: Timing) -> Link:
    """The calendar accepted the write; whether it is applied, a read-back will tell."""
    asks = (*link.calendar_asks[:-1], replace(link.calendar_asks[-1], sent=True))
    link = replace(link, calendar_asks=asks)
    return replace(link, due_at=next_look(link, now, timing))


def answered(link: Link, item: ItemKey, seen: PsaSeen) -> Link:
    """The PSA answered with the item as it is now."""
    return replace(link, item=item, psa_seen=newest(link.psa_seen, seen))


def newest(known: PsaSeen | None, seen: PsaSeen) -> PsaSeen:
    """Keep the newest revision; of the same revision the one with content. Source: psa.md, envelope."""
    if known is None or seen.revision > known.revision:
        return seen
    if seen.revision == known.revision and known.item is None and not known.deleted:
        told = known.changed_at or known.traceparent  # by the event that announced what has been read now
        return replace(seen, changed_at=known.changed_at, traceparent=known.traceparent) if told else seen
    return known


def concluded(link: Link, decision: Decision, psa: PsaView) -> Link:
    """Record a decision that needs no write."""
    shown = link.calendar_seen
    match decision.action:
        case Agree(fields=fields, changed=changed):
            return _agreed(link, fields, psa) if changed is None else _met(link, fields, changed, psa)
        case Rest(blocked=blocked):
            rested = _resting(link, LinkState.BLOCKED if blocked else LinkState.SETTLED, decision.reason)
            thaws = [freeze.until for freeze in link.frozen.values()]
            return replace(_lives(rested), due_at=min(thaws, default=None))
        case Ignore():
            return _resting(link, LinkState.IGNORED, decision.reason)
        case Detach():
            detached = _resting(link, LinkState.DETACHED, decision.reason)
            if shown is not None and shown.content is not None:
                return detached
            # From now on only a move of the item, as it is now, makes an event again.
            kept = psa.content if isinstance(psa, PsaHolds) else link.psa_base
            return _event_forgotten(replace(detached, psa_base=kept))
        case Quarantine():
            return _resting(link, LinkState.QUARANTINED, decision.reason)
        case Pause(until=until):
            return _paused(link, decision.reason, until)
        case Bury():
            buried = _event_forgotten(replace(link, psa_base=None, psa_asks=()))
            return _resting(buried, LinkState.BURIED, decision.reason)
        case _:
            return link


BURY = Decision(Bury(), Reason.CALENDAR_DELETED)
"""How a link ends whose item went to another one."""


def _lives(link: Link) -> Link:
    """Whoever rests with both sides there does not end any more; nor does one whose deletion is no longer wanted."""
    shown, item = link.calendar_seen, link.psa_seen
    both = bool(shown and shown.content and item and not item.deleted)
    if link.ending is None or link.state is not LinkState.SETTLED or (_is_discarded(link) and not both):
        return link
    return replace(link, ending=None)


def _paused(link: Link, reason: Reason, until: datetime) -> Link:
    if reason is Reason.WRITE_BUDGET and link.reason is not reason:
        link = replace(link, churn=replace(link.churn, pauses=link.churn.pauses + 1))
    return replace(link, state=LinkState.PENDING, reason=reason, due_at=until)


def _event_forgotten(link: Link) -> Link:
    stamp = link.calendar_seen.updated if link.calendar_seen else None
    gone = stamp or link.calendar_gone
    return replace(link, calendar_base=None, calendar_asks=(), calendar_gone=gone, rewritten={})


def _met(link: Link, same: frozenset[Field], changed: Origin, psa: PsaView) -> Link:
    shown = link.calendar_seen.content if link.calendar_seen else None
    assert isinstance(psa, PsaHolds)
    assert shown is not None
    if changed is Origin.PSA:
        return replace(link, psa_base=take(psa.content, shown, ALL_FIELDS - same), calendar_base=shown)
    return replace(link, psa_base=psa.content, calendar_base=take(shown, psa.content, ALL_FIELDS - same))


def _agreed(link: Link, fields: frozenset[Field], psa: PsaView) -> Link:
    shown = link.calendar_seen.content if link.calendar_seen else None
    assert isinstance(psa, PsaHolds)
    assert shown is not None
    last = link.calendar_asks[-1] if link.calendar_asks else None
    # Of an item that has no base, as one that was found in place of another, all else is still to be compared.
    psa_base = take(link.psa_base or (last and last.source) or shown, psa.content, fields)
    # Of an event that is new, all else is compared with what was written: it may have been edited as well.
    calendar_base = take(link.calendar_base or (last and last.content) or shown, shown, fields)
    link = replace(link, psa_base=psa_base, calendar_base=calendar_base)
    return believe(link, {f: shown.value(f) for f in fields}, psa.content)


def _resting(link: Link, state: LinkState, reason: Reason) -> Link:
    if link.state is LinkState.DETACHED and state is LinkState.SETTLED and reason is link.reason:
        state = LinkState.DETACHED
    run = _run_ended(link, state, reason)
    if run is not None and run is not link.run:
        link = replace(link, images=tuple(_as_left(image, run, link) for image in link.images))
    if state is not LinkState.QUARANTINED:
        link = _undoing_over(link)
    return replace(link, state=state, reason=reason, due_at=None, attempts=0, failing_since=None, run=run)


def refused_by_psa(link: Link, decision: Decision, message: str, now: datetime) -> Link:
    """The PSA will not take this change: remember what it refused, so that it is put back and not offered again."""
    shown = link.calendar_seen.content if link.calendar_seen else None
    run = link.run and replace(link.run, result=link.run.result or RunResult.FAILED)
    link = replace(link, psa_asks=link.psa_asks[:-1], reason=Reason.PSA_REFUSED, message=message, due_at=now, run=run)
    match decision.action:
        case CreateItem() if shown is not None:
            return replace(link, psa_refused={f: shown.value(f) for f in ALL_FIELDS})
        case ChangeItem() if decision.reason is Reason.WANTED_BACK:
            return replace(link, restoring={})
        case ChangeItem(fields=fields) if shown is not None:
            return replace(link, psa_refused={f: shown.value(f) for f in fields})
        case DeleteItem():
            return replace(link, deletion_refused=True)
        case _:
            return link


def refused_by_calendar(link: Link, reason: Reason, message: str) -> Link:
    """The calendar will not take this write: blocked until one side changes."""
    link = replace(link, calendar_asks=link.calendar_asks[:-1], message=message)
    return _resting(link, LinkState.BLOCKED, reason)


def postponed(link: Link, reason: Reason, due_at: datetime, now: datetime) -> Link:
    """This item alone stumbled; it is tried again."""
    return replace(
        link,
        state=LinkState.PENDING,
        reason=reason,
        due_at=due_at,
        attempts=link.attempts + 1,
        failing_since=link.failing_since or now,
    )


def given_up(link: Link, now: datetime, timing: Timing) -> bool:
    """Whether this item has failed for so long that a person must look."""
    return link.failing_since is not None and now - link.failing_since >= timing.give_up


def blocked(link: Link, reason: Reason, message: str = "") -> Link:
    """Leave it to a person, until one side changes."""
    return replace(_resting(link, LinkState.BLOCKED, reason), message=message)
