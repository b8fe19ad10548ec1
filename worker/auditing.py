"""Looking unasked, because a notification can get lost and time brings events into sight without one.

What is found is healed by the same loop as everything else, and counted by its cause. Absence is never evidence: what
is not shown is looked for; and if most of what is known is not shown, it is the look that is doubted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from adapters.telemetry import metrics
from events.commands import Cause
from events.failures import RateLimited, System, TryLater
from events.lanes import Lane
from events.link import link_id
from events.reasons import Reason
from events.values import replace
from worker import outcomes, telling
from worker.acting import advance
from worker.core import audits
from worker.core.sides import news
from worker.paging import next_page
from worker.projection.events import key_of
from worker.reconcile import OVERLAP, observed
from worker.stocktaking import take_stock

if TYPE_CHECKING:
    from events.calendar import Page
    from events.content import When
    from events.integration import Audit, DeepLook
    from events.link import Link
    from worker.acting import Pair
    from worker.setup import Setup
    from worker.slice import Slice

_LATE: Final = timedelta(minutes=5)
"""A change older than this should have been announced. All stamps compared are the calendar's own."""
_YIELD: Final = timedelta(minutes=1)
"""How long an audit waits if others need the allowance."""
_REST: Final = timedelta(minutes=30)
"""How long it waits if the calendar service fails."""


async def audit(work: Slice, setup: Setup) -> bool:
    """Look where it is due. Returns whether anything was looked at, so that something may have become due."""
    looked = await _audit_calendar(work, setup)
    return (not work.over and await take_stock(work)) or looked


async def _audit_calendar(work: Slice, setup: Setup) -> bool:
    held, now = work.holding.held, work.now()
    plan = audits.planned(held.audit, work.holding.id, now)
    if plan != held.audit:
        work.holding.note(audit=plan)
    light, deep = _is_due(plan.light_at, now), _is_due(plan.deep_at, now)
    if not (light or deep):
        return False
    with work.because_of(Cause.AUDIT):
        try:
            if deep:
                await _deep(work, setup)
            else:
                await _light(work, setup)
        except TryLater as error:
            if error.system is not System.CRONOFY:
                raise
            await _give_way(work, error, deep=deep)
    return True


async def _give_way(work: Slice, error: TryLater, *, deep: bool) -> None:
    """Go on later: whatever an audit stumbles over, nothing that somebody waits for may wait because of it."""
    metrics.retried(error)
    pause = _YIELD if isinstance(error, RateLimited) else _REST
    at = work.now() + max(pause, timedelta(seconds=error.retry_after or 0)) * (1 + work.tools.chance())
    plan = work.holding.held.audit
    await _save(work, replace(plan, deep_at=at) if deep else replace(plan, light_at=at))


def _is_due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


async def _save(work: Slice, plan: Audit) -> None:
    await work.holding.save(audit=plan)


# Light: what changed lately, and what slid into sight


async def _light(work: Slice, setup: Setup) -> None:
    await _renew_channel(work, setup)
    calendar, cursor = work.calendar_in(Lane.AUDIT), work.holding.held.cursor
    assert cursor is not None, "whoever is configured has one"
    known = await work.tools.links.whereabouts(work.holding.id)
    page = await calendar.first_page(work.policy.calendar_id, cursor - OVERLAP)
    await _read(work, page, known)
    edge = (page.as_of or work.now()) + audits.FUTURE
    await _read(
        work, await calendar.span_page(work.policy.calendar_id, edge - audits.EDGE, edge, only_managed=False), known
    )
    light_at = audits.next_slot(work.holding.id, audits.LIGHT, work.now())
    await _save(work, replace(work.holding.held.audit, light_at=light_at))


async def _renew_channel(work: Slice, setup: Setup) -> None:
    """The calendar service closes a channel that did not answer for a day, and says nothing."""
    if await setup.renew_channel():
        work.report.entries.append(telling.found(work.holding.integration, None, work.occasion, Reason.CHANNEL_CLOSED))
        metrics.MISSED_SIGNALS.labels(Reason.CHANNEL_CLOSED.value).inc()


async def _read(work: Slice, page: Page, known: Collection[str]) -> set[str]:
    """Read to the end, and deal with what is found. Returns the ids of the links whose events were shown."""
    calendar = work.calendar_in(Lane.AUDIT)
    shown, walked = set[str](), set[str]()
    late = page.as_of - _LATE if page.as_of else None
    while True:
        shown |= {link_id(work.holding.id, key_of(event)) for event in page.events}
        pairs = await observed(work, _concerning(work, page, known), ())
        if late is not None:
            _count(work, pairs, late)
        await advance(work, pairs)
        if page.next_url is None:
            return shown
        page = await next_page(work, page.next_url, walked, calendar)


def _concerning(work: Slice, page: Page, known: Collection[str]) -> Page:
    """Leave out what its user had made before the calendar was linked: nobody asked for it, so it is not kept."""
    since = work.holding.held.linked_since
    if since is None:
        return page
    ours = tuple(
        event
        for event in page.events
        if event.event_id is not None
        or link_id(work.holding.id, key_of(event)) in known
        or event.updated is None
        or event.updated >= since
    )
    return replace(page, events=ours)


def _count(work: Slice, pairs: Sequence[Pair], late: datetime) -> None:
    """Tell of what should have been announced and was not."""
    signals = work.holding.integration.signals
    if signals.requested > signals.served:
        return  # something was announced, and is being followed
    for stored, link in pairs:
        cause = _cause(work, stored, link, late)
        if cause is not None:
            entry = telling.found(work.holding.integration, link, work.occasion, cause)
            work.report.entries.append(entry)
            if cause is not Reason.ENTERED_WINDOW:  # nobody announces the passage of time
                metrics.MISSED_SIGNALS.labels(cause.value).inc()


def _cause(work: Slice, stored: Link, link: Link, late: datetime) -> Reason | None:
    seen, since = link.calendar_seen, work.holding.held.linked_since
    if seen is None or seen.updated is None or (since is not None and seen.updated < since):
        return None
    if seen.updated > late or stored.calendar_asks:
        return None
    if stored is link:  # nobody knew of it
        cursor = work.holding.held.cursor
        slid_in = cursor is not None and seen.updated < cursor - audits.LIGHT
        return Reason.ENTERED_WINDOW if slid_in else Reason.MISSED_SIGNAL
    changed = seen.deleted or (seen.content is not None and bool(news(link, seen.content)))
    return Reason.MISSED_SIGNAL if changed else None


# Deep: everything, part by part


async def _deep(work: Slice, setup: Setup) -> None:
    """Go on with a complete look. Its position is saved after each part."""
    if await work.calendar_trouble() is not None:
        return
    await _renew_channel(work, setup)
    known = await work.tools.links.whereabouts(work.holding.id)
    look = audits.resumed(work.holding.held.audit.look, len(known), work.now())
    while look.done < look.parts:
        if not await _part(work, look, known):
            return
        look = replace(look, done=look.done + 1)
        await _save(work, replace(work.holding.held.audit, look=look))
        if work.over:
            return
    now = work.now()
    work.holding.note(verified_at=now)
    await _save(work, audits.done(work.holding.held.audit, work.holding.id, now))
    await work.tools.outcomes.publish([outcomes.synced(work.holding, now)])


async def _part(work: Slice, look: DeepLook, known: dict[str, When]) -> bool:
    """Read one part. False if it shows too little to be believed."""
    start, end = audits.part(look)
    calendar = work.calendar_in(Lane.AUDIT)
    page = await (
        calendar.first_page(work.policy.calendar_id, None)
        if look.parts == 1
        else calendar.span_page(work.policy.calendar_id, start, end, only_managed=False)
    )
    shown = await _read(work, page, known)
    expected = {id_ for id_, when in known.items() if audits.is_within(when, start, end)}
    missing = expected - shown
    if audits.is_suspicious(len(expected), len(expected) - len(missing)):
        await _doubt(work, len(expected), len(expected) - len(missing))
        return False
    await _look_for(work, sorted(missing))
    return True


async def _doubt(work: Slice, known: int, shown: int) -> None:
    now = work.now()
    plan = audits.doubted(work.holding.held.audit, work.holding.id, now)
    metrics.MISSED_SIGNALS.labels(Reason.SUSPICIOUS_READ.value).inc()
    entry = telling.found(work.holding.integration, None, work.occasion, Reason.SUSPICIOUS_READ)
    await work.tools.journal.write([entry])
    if work.holding.held.audit.suspicious == 0:
        await work.tools.outcomes.publish([outcomes.suspicious_read(work.holding, known, shown, now)])
    await _save(work, plan)


async def _look_for(work: Slice, missing: Sequence[str]) -> None:
    """Have events that were not shown looked for one by one. None is deleted because of that."""
    found = await work.tools.links.by_ids(missing)
    pairs: list[Pair] = []
    for link in found.values():
        seen = link.calendar_seen
        if seen is None or seen.content is None or link.calendar_asks or link.calendar_base is None:
            continue
        work.report.entries.append(telling.found(work.holding.integration, link, work.occasion, Reason.VANISHED))
        metrics.MISSED_SIGNALS.labels(Reason.VANISHED.value).inc()
        pairs.append((link, replace(link, calendar_seen=replace(seen, content=None, missing=True))))
    await advance(work, pairs)
