"""Writing to the calendar, in batches; and giving an item an event of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from adapters.telemetry import metrics, tracing
from events.calendar import Accepted, CalendarWrite, NotThere, Rejected, RemoveEventWrite, Stumbled, WriteResult
from events.content import Field
from events.failures import Gone, MustReconnect, Refused, SyncError, System, TryLater
from events.items import ItemType
from events.link import (
    CalendarSeen,
    Link,
    ManagedEvent,
    managed_event_id,
)
from events.outcomes import Direction
from events.reasons import Reason
from events.traces import NO_TRACE, Trace
from events.values import replace
from worker import telling
from worker.core import record
from worker.core.plan import PutEvent
from worker.core.retry import backoff
from worker.core.sides import PsaHolds
from worker.projection.events import write_of
from worker.recognising import is_made_of_an_event, reunited, twin_buried

if TYPE_CHECKING:
    from datetime import datetime

    from worker.judging import Judged
    from worker.slice import Slice

BATCH: Final = 50
"""What Cronofy takes at once."""
_PERHAPS_THE_EVENTS: Final = frozenset({
    Reason.SERVER_ERROR,
    Reason.UNREADABLE_ANSWER,
    Reason.CALENDAR_REFUSED,
    Reason.MISSING_SCOPE,
})
"""Why a single write fails, if it is not the service that does."""


async def put_and_remove(work: Slice, steps: Sequence[Judged]) -> list[Judged]:
    """Carry out writes to the calendar. Returns links that have to be concluded anew, because nothing was there."""
    if not steps:
        return []
    steps = await _without_twins(work, steps)
    for one in steps:
        work.tell(telling.overruled, one.link, one.decision)
    pairs = [(one.stored, work.under_way(work.intend(one))) for one in steps]
    saved = {link.id: link for link in await work.save(pairs)}
    intended = [replace(one, stored=saved[one.link.id]) for one in steps if one.link.id in saved]
    again: list[Judged] = []
    size = _batch_size(work)
    for first in range(0, len(intended), size):
        if first and work.over:
            break  # the others are written down as wanted, and sent by whoever goes on
        await work.holding.assure()
        if work.must_look_again():
            await work.save([_not_wanted_yet(work, one) for one in intended[first:]])
            break
        again += await _write(work, intended[first : first + size])
    return again


def _not_wanted_yet(work: Slice, one: Judged) -> tuple[Link, Link]:
    """Return a link before and after its write is taken back that was written down and has not gone out."""
    return one.stored, replace(one.link, due_at=work.now())


def _batch_size(work: Slice) -> int:
    """Halve the batch with every failure in a row: if one entry makes the whole fail, it ends up alone."""
    return max(1, BATCH >> max(0, work.holding.held.calendar_failures - 1))


async def _write(work: Slice, steps: Sequence[Judged]) -> list[Judged]:
    writes = [_entry(work, one) for one in steps]
    with tracing.together("write to calendar", [one.stored.trace for one in steps]):
        results = await _results(work, writes)
    failure = await _failure_of_all(work, writes, results)
    pairs: list[tuple[Link, Link]] = []
    again: list[Judged] = []
    for one, result in zip(steps, results, strict=True):
        if failure is not None and _is_forbidden(result):
            continue  # no item's trouble: it was written down as wanted, and waits until the calendar takes it
        link = _after(work, one, result)
        if isinstance(result, NotThere):
            again.append(work.judge(one.stored, link))
        else:
            pairs.append((one.stored, link))
    await work.save(pairs)
    if failure is not None:
        raise failure
    return again


async def _results(work: Slice, writes: Sequence[CalendarWrite]) -> list[WriteResult]:
    try:
        return await work.calendar.write(writes)
    except (TryLater, Refused) as error:
        elsewhere = isinstance(error, TryLater) and error.system is not System.CRONOFY
        if len(writes) > 1 or elsewhere or error.reason not in _PERHAPS_THE_EVENTS:
            raise
        # Perhaps all would be turned down just now, so it is tried for a day before it is set aside.
        return [Stumbled(error.reason, error.detail)]


async def _failure_of_all(
    work: Slice, writes: Sequence[CalendarWrite], results: Sequence[WriteResult]
) -> SyncError | None:
    """Return what the results say about the calendar as a whole; None if it works."""
    if any(map(_is_forbidden, results)) and await work.calendar_trouble() is not None:
        return Refused(Reason.MISSING_SCOPE, "the calendar takes no writes")
    # What is ours is made where it is not; of the user's own events one can have gone without a word.
    ours = [
        result
        for write, result in zip(writes, results, strict=True)
        if isinstance(write.event, ManagedEvent) and not isinstance(write, RemoveEventWrite)
    ]
    if any(isinstance(result, NotThere) for result in ours):
        return Gone(Reason.GONE, "the calendar was not there for a write")
    if all(isinstance(result, Stumbled) and result.reason is Reason.PROVIDER_ERROR for result in results):
        return MustReconnect(Reason.PROVIDER_ERROR, "none of the writes was taken")
    return None


def _is_forbidden(result: WriteResult) -> bool:
    return isinstance(result, Rejected) and result.reason is Reason.MISSING_SCOPE


def _entry(work: Slice, one: Judged) -> CalendarWrite:
    link, action = one.stored, one.decision.action
    if not isinstance(action, PutEvent):
        return RemoveEventWrite(link.event)
    url, zone = (one.item.url, one.item.time_zone) if one.item else (None, None)
    # Whose text is hidden or left out shows nothing of where it comes from either.
    traits = one.psa.traits if isinstance(one.psa, PsaHolds) else None
    hidden = traits is not None and (traits.text_is_hidden or Field.DESCRIPTION in traits.left_out)
    item = None if hidden else link.item
    return write_of(link.event, action.wire, item, url=url, time_zones=(zone, work.holding.held.time_zone))


def _after(work: Slice, one: Judged, result: WriteResult) -> Link:
    link = one.stored
    match result:
        case Accepted():
            work.tell(telling.written, one.link, one.decision)
            return work.under_way(record.sent(link, work.now(), work.tools.timing))
        case Rejected(reason=reason, detail=detail, call=call):
            refused = record.refused_by_calendar(link, reason, detail)
            entry = telling.refused(work.report, link, refused, work.occasion, Direction.TO_CALENDAR)
            work.park(refused, entry, Trace(call=call))
            return refused
        case Stumbled(reason=reason):
            return _stumbled(work, link, reason)
        case NotThere():
            if isinstance(one.decision.action, PutEvent):
                seen = link.calendar_seen or CalendarSeen(content=None)
                return replace(link, calendar_seen=replace(seen, content=None, missing=True))
            return replace(link, calendar_seen=CalendarSeen(content=None, deleted=True))


def _stumbled(work: Slice, link: Link, reason: Reason) -> Link:
    now = work.now()
    metrics.RETRIES.labels(System.CRONOFY, "transient").inc()
    if record.given_up(link, now, work.tools.timing):
        given_up = record.blocked(link, reason)
        entry = telling.refused(work.report, link, given_up, work.occasion, Direction.TO_CALENDAR)
        work.park(given_up, entry, NO_TRACE)
        return given_up
    link = record.postponed(link, reason, now + backoff(link.attempts, work.tools.chance()), now)
    telling.stumbled(work.report, link, work.occasion, Direction.TO_CALENDAR)
    return link


async def _without_twins(work: Slice, steps: Sequence[Judged]) -> list[Judged]:
    """Leave out appointments that we made ourselves from an event, and whose news arrived before our own answer."""
    newcomers = {one.link.id: one for one in steps if _could_be_twin(one.link)}
    items = [one.link.item for one in newcomers.values() if one.link.item]
    if not items:
        return list(steps)
    others = await work.tools.links.owners(work.holding.id, items)
    standing = {link.item: link for link in others if link.id not in newcomers and link.item}
    creating = any(link.item is None for link in others)
    twins: list[tuple[Link, Link]] = []
    strays: list[Judged] = []
    for one in newcomers.values():
        owner = standing.get(one.link.item) if one.link.item else None
        if owner is not None:
            twins += [(one.stored, twin_buried(one.link)), (owner, _to_be_read(owner, one.link, work.now()))]
        elif creating:
            twins.append((one.stored, replace(one.link, due_at=work.psa_away or work.now())))
        elif is_made_of_an_event(work, one):
            strays.append(one)
    twins += await reunited(work, strays)
    await work.save(twins)
    left_out = {stored.id for stored, _ in twins}
    return [one for one in steps if one.link.id not in left_out]


def _could_be_twin(link: Link) -> bool:
    new = link.calendar_base is None and not link.calendar_asks and link.calendar_seen is None
    return new and link.item is not None and link.item.item_type is ItemType.APPOINTMENT


def _to_be_read(owner: Link, twin: Link, now: datetime) -> Link:
    """Have the item read anew: news of it may have gone to the twin, even while it was being buried."""
    assert owner.psa_seen is not None
    heard = max(owner.psa_seen.revision, twin.psa_seen.revision if twin.psa_seen else 0)
    return replace(owner, psa_seen=replace(owner.psa_seen, revision=heard, item=None), due_at=now)


async def rehome(work: Slice, one: Judged) -> tuple[Link, Link]:
    """Give the item an event of ours under a link of its own. Returns how the former link ends.

    The new link is stored first: after a crash in between, this is simply done again.
    """
    link = one.link
    assert link.item is not None, "only an item needs an event"
    event = ManagedEvent(work.policy.calendar_id, managed_event_id(link.item, link.user_id))
    # To be read anew: news of it may go to the former link, even while that is being buried.
    unread = link.psa_seen and replace(link.psa_seen, item=None)
    fresh = record.at_event(replace(link, psa_seen=unread), event, work.now())
    links = work.tools.links
    if fresh.id in await links.add(work.holding.lease, [fresh]):
        known = (await links.by_ids([fresh.id]))[fresh.id]
        if known.item != fresh.item:
            await links.save(work.holding.lease, [(known, replace(fresh, version=known.version))])
    buried = record.concluded(replace(link, item=None, psa_seen=None), record.BURY, one.psa)
    return one.stored, buried
