"""Looking and writing at the PSA, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.telemetry import metrics, tracing
from events.failures import Malformed, System, TryLater
from events.link import Link, PsaSeen
from events.outcomes import Direction
from events.platform import Absent, Created, Declined, Done, ItemNow, MovedOn
from events.reasons import Reason
from events.traces import trace_of
from events.values import replace
from worker import telling
from worker.core import record
from worker.core.plan import ChangeItem, CreateItem, DeleteItem, ReadItem, VerifyEvent
from worker.core.retry import backoff
from worker.judging import Judged
from worker.projection.changes import changes, draft
from worker.recognising import appointment_of
from worker.verifying import shown_now, sought_first, verified

if TYPE_CHECKING:
    from events.link import ItemKey
    from events.platform import AppointmentDraft, CreateAnswer, ItemAnswer
    from worker.slice import Slice
    from worker.verifying import Shown

NEEDS_LOOK: Final = (ReadItem, VerifyEvent)
PSA_WRITES: Final = (CreateItem, ChangeItem, DeleteItem)
BULK: Final = 100
"""What the PSA creates at once."""
_TOGETHER: Final = 2
"""So many creations go together; a single one by itself."""
_OUTAGE: Final = 3
"""So many items in a row that fail like this are no longer the items' fault."""
_PERHAPS_THE_ITEMS: Final = frozenset({Reason.SERVER_ERROR, Reason.UNREADABLE_ANSWER})


async def look_and_write(work: Slice, steps: Sequence[Judged]) -> list[Judged]:
    """Take one step with each link and judge it anew.

    Links that alone failed are saved, due later, and left out. Once the PSA is away, `work.psa_away` is set and the
    rest is returned as it is; so is what there is no time left for.
    """
    done: list[Judged] = []
    made: list[_Made] = []
    failed: list[tuple[Link, Link]] = []
    in_a_row = 0
    steps = sorted(steps, key=lambda one: not sought_first(work, one.link))
    shown = await shown_now(work, [one.link for one in steps if isinstance(one.decision.action, VerifyEvent)])
    for one in await _create_together(work, await _intend(work, steps), made, done):
        if work.psa_away or work.over:
            done.append(one)
            continue
        try:
            with tracing.together("look or write at psa", [one.link.trace]):
                taken = await _step(work, one, shown)
            in_a_row = 0
        except TryLater as error:
            if error.system is not System.PSA:
                raise
            in_a_row += 1
            if error.reason in _PERHAPS_THE_ITEMS and in_a_row < _OUTAGE:
                failed.append((one.stored, _stumbled(work, one.link, error)))
            else:
                await work.psa_is_away(error)
                done.append(one)
        except Malformed as error:
            failed.append((one.stored, _illegible(work, one, error)))
            in_a_row = 0
        else:
            if isinstance(taken, _Made):
                made.append(taken)
            else:
                done.append(taken)
    await work.save(failed)
    done += await _stand_for(work, made)
    if done and not work.psa_away:
        work.psa_works()
    return done


async def _create_together(work: Slice, steps: Sequence[Judged], made: list[_Made], done: list[Judged]) -> list[Judged]:
    """Create appointments by the hundred. Returns the steps that are left, to be taken one by one.

    If a whole hundred fails for an error inside the PSA, one of them may be at fault: they go on one by one, too.
    """
    creations = [one for one in steps if isinstance(one.decision.action, CreateItem)]
    if len(creations) < _TOGETHER:
        return list(steps)
    rest = [one for one in steps if not isinstance(one.decision.action, CreateItem)]
    for first in range(0, len(creations), BULK):
        entries = creations[first : first + BULK]
        if work.psa_away:
            done += entries
            continue
        try:
            for taken in await _create_all(work, entries):
                (made if isinstance(taken, _Made) else done).append(taken)  # type: ignore[arg-type]
        except TryLater as error:
            if error.system is not System.PSA:
                raise
            if error.reason in _PERHAPS_THE_ITEMS:
                rest += entries
            else:
                await work.psa_is_away(error)
                done += entries
    return rest


async def _create_all(work: Slice, entries: Sequence[Judged]) -> list[Judged | _Made]:
    await work.holding.assure()
    answers = await work.tools.platform.create_all([_draft(work, one) for one in entries])
    return [_created(work, one, answer) for one, answer in zip(entries, answers, strict=True)]


def _draft(work: Slice, one: Judged) -> AppointmentDraft:
    content = one.link.psa_asks[0].content
    assert content is not None, "a creation says what to create"
    return draft(one.link, content, work.holding.held.time_zone)


async def _intend(work: Slice, steps: Sequence[Judged]) -> list[Judged]:
    """Write down what is about to be written, before it is."""
    writes = [one for one in steps if isinstance(one.decision.action, PSA_WRITES)]
    for one in writes:
        work.tell(telling.overruled, one.link, one.decision)
    # A link that turns to a new item knows no more of the old one, whose late messages must still find it deleted.
    left = {
        one.link.item: one.link.psa_seen.revision
        for one in writes
        if isinstance(one.decision.action, CreateItem) and one.link.item and one.link.psa_seen
    }
    if left:
        await work.tools.links.remember_deleted(left, work.now())
    pairs = [(one.stored, work.under_way(work.intend(one))) for one in writes]
    saved = {link.id: link for link in await work.save(pairs)}
    intended = [
        replace(one, stored=saved[one.link.id], link=saved[one.link.id], begun=bool(one.link.psa_asks))
        for one in writes
        if one.link.id in saved
    ]
    return [one for one in steps if not isinstance(one.decision.action, PSA_WRITES)] + intended


@dataclass(frozen=True, slots=True)
class _Made:
    """A link whose item is known from now on. `answered`: by the PSA's answer to our creating it."""

    stored: Link
    link: Link
    now: ItemNow
    answered: bool


async def _stand_for(work: Slice, made: Sequence[_Made]) -> list[Judged]:
    """Let links stand for their new items, and take up what was heard of these while nobody stood for them.

    Until that is done the links are stored as having to read their items, for whoever goes on after a crash.
    """
    unread = [(one.stored, _unread(work, one)) for one in made]
    saved = {link.id: link for link in await work.save(unread)}
    made = [one for one in made if one.link.id in saved]
    heard = await _heard(work, [one.now.key for one in made])
    judged: list[Judged] = []
    for one in made:
        stored = saved[one.link.id]
        if heard.get(one.now.key, 0) > one.now.revision:
            newest = replace(stored.psa_seen, revision=heard[one.now.key]) if stored.psa_seen else None
            judged.append(work.judge(stored, replace(stored, psa_seen=newest)))
        else:
            link = replace(stored, psa_seen=one.now.seen_by(stored.user_id, work.now()))
            judged.append(work.judge(stored, link, answered=one.answered))
    return judged


def _unread(work: Slice, one: _Made) -> Link:
    seen = replace(one.now.seen_by(one.link.user_id, work.now()), item=None, deleted=False)
    return work.under_way(replace(one.link, item=one.now.key, psa_seen=seen, due_at=work.now()))


async def _heard(work: Slice, items: Sequence[ItemKey]) -> dict[ItemKey, int]:
    """Return the newest revisions that others know of."""
    if not items:
        return {}
    heard = await work.tools.links.deleted(items)
    for link in await work.tools.links.owners(work.holding.id, items):
        if link.item is not None and link.psa_seen is not None:
            heard[link.item] = max(link.psa_seen.revision, heard.get(link.item, 0))
    return heard


async def _step(work: Slice, one: Judged, shown: Shown | None) -> Judged | _Made:
    platform, link, time_zone = work.tools.platform, one.link, work.holding.held.time_zone
    match one.decision.action:
        case ReadItem():
            return await _read(work, one)
        case VerifyEvent():
            seen = await verified(work, link, shown)
            return one if seen is None else work.judge(one.stored, seen)
        case CreateItem():
            await work.holding.assure()
            return _created(work, one, await platform.create(_draft(work, one)))
        case ChangeItem(content=content, fields=fields):
            await work.holding.assure()
            assert one.item is not None
            assert link.item is not None
            assert link.psa_seen is not None
            wanted = changes(one.item, content, fields, time_zone)
            return _answered(work, one, await platform.change(link.item, link.psa_seen.revision, wanted))
        case DeleteItem():
            await work.holding.assure()
            assert link.item is not None
            assert link.psa_seen is not None
            return _answered(work, one, await platform.delete(link.item, link.psa_seen.revision))
        case _:
            return one


# What became of a write


def _created(work: Slice, one: Judged, answer: CreateAnswer) -> Judged | _Made:
    match answer:
        case Created(now=now, found=found):
            link = one.link
            if found and not one.begun:
                # Made by a former integration of this calendar: the two have never been compared.
                link = record.found_there(replace(link, psa_asks=()))
            else:
                work.tell(telling.written, link, one.decision)
            return _Made(one.stored, link, now, answered=not found)
        case Declined(message=message):
            return _declined(work, one, message)


def _answered(work: Slice, one: Judged, answer: ItemAnswer) -> Judged:
    match answer:
        case Done(now=now):
            work.tell(telling.written, one.link, one.decision)
            # What was wanted back and looks different now is in the form that the PSA keeps.
            restoring = {} if one.decision.reason is Reason.WANTED_BACK else one.link.restoring
            link = replace(one.link, restoring=restoring)
            return work.judge(one.stored, _take(work, link, now), answered=True)
        case MovedOn(now=now):
            assert one.link.psa_seen is not None
            return work.judge(one.stored, _take(work, one.link, _at_least(one.link.psa_seen.revision + 1, now)))
        case Declined(message=message):
            return _declined(work, one, message)
        case Absent():
            return work.judge(one.stored, _absent(work, one.link, deleted=isinstance(one.decision.action, DeleteItem)))


def _declined(work: Slice, one: Judged, message: str) -> Judged:
    link = record.refused_by_psa(one.link, one.decision, message, work.now())
    telling.refused(work.report, one.link, link, work.occasion, Direction.FROM_CALENDAR)
    return work.judge(one.stored, link)


def _stumbled(work: Slice, link: Link, error: TryLater) -> Link:
    metrics.retried(error)
    now = work.now()
    if record.given_up(link, now, work.tools.timing):
        given_up = record.blocked(link, error.reason)
        entry = telling.refused(work.report, link, given_up, work.occasion, Direction.FROM_CALENDAR)
        work.park(given_up, entry, trace_of(error))
        return given_up
    due_at = now + backoff(link.attempts, work.tools.chance(), error.retry_after)
    link = record.postponed(link, error.reason, due_at, now)
    telling.stumbled(work.report, link, work.occasion, Direction.FROM_CALENDAR)
    return link


def _illegible(work: Slice, one: Judged, error: Malformed) -> Link:
    """The PSA answers, but what it says of this item breaks the contract: somebody must look at it there."""
    link = record.blocked(one.link, error.reason, error.detail)
    if (entry := telling.concluded(work.report, one.stored, link, work.occasion)) is not None:
        work.park(link, entry, trace_of(error))
    return link


def _at_least(revision: int, now: ItemNow) -> ItemNow:
    """Return the item's state. Raises `TryLater` if the PSA has told already that it is past: a copy may lag behind."""
    if now.revision < revision:
        raise TryLater(System.PSA, Reason.UNREADABLE_ANSWER, f"revision {now.revision} where {revision} is known of")
    return now


def _take(work: Slice, link: Link, now: ItemNow) -> Link:
    return record.answered(link, now.key, now.seen_by(link.user_id, work.now()))


def _absent(work: Slice, link: Link, *, deleted: bool) -> Link:
    """The PSA does not know the item. Only where we asked for its deletion does that mean that it is deleted."""
    revision = link.psa_seen.revision if link.psa_seen else 0
    seen = PsaSeen(revision, deleted, assigned=True, item=None, at=work.now(), absent=not deleted)
    return replace(link, psa_seen=seen, psa_asks=())


# Looks


async def _read(work: Slice, one: Judged) -> Judged | _Made:
    link = one.link
    if link.item is not None:
        found = await work.tools.platform.read(link.item)
        if found is not None and link.psa_seen is not None:
            _at_least(link.psa_seen.revision, found)
        # Of a deletion that was held back the PSA had told itself.
        seen = _absent(work, link, deleted=link.ending is not None) if found is None else _take(work, link, found)
        return work.judge(one.stored, seen)
    if one.decision.reason is Reason.BEFORE_LINKING:
        return await _recognised(work, one)
    found = await work.tools.platform.find(link.tenant_id, link.reference)
    if found is not None:
        return _Made(one.stored, link, found, answered=False)
    return work.judge(one.stored, replace(link, psa_asks=()))


async def _recognised(work: Slice, one: Judged) -> Judged | _Made:
    found = await appointment_of(work, one.link)
    if found is None:
        return work.judge(one.stored, replace(one.link, reason=Reason.BEFORE_LINKING))
    link, now = found
    return _Made(one.stored, link, now, answered=False)
