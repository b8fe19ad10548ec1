"""Bringing one integration to rest: look, decide, act, until nothing is due or the slice is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from adapters.telemetry import tracing
from events.link import ExternalEvent, Link, LinkState, Origin, link_id, managed_item
from events.reasons import Reason
from events.values import replace
from worker import outcomes, telling
from worker.acting import advance
from worker.core.plan import Decision, Rest
from worker.core.revise import here
from worker.core.series import beyond_budget, series_of
from worker.core.sides import see
from worker.paging import next_page
from worker.projection.events import digest_of, key_of, observe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.calendar import CalendarEvent, Page
    from worker.acting import Pair
    from worker.judging import Judged
    from worker.slice import Slice, Tools

_AT_ONCE: Final = 500
"""How many links are worked on together: ten full batches."""
_FRESH: Final = timedelta(seconds=5)
"""A read this old still counts as the look before a write."""
_SOON: Final = timedelta(seconds=1)
"""Links due within this are taken along, so that their looks share one read."""
OVERLAP: Final = timedelta(seconds=60)
"""How far before its cursor a read begins: a provider's change can become visible late. Source: cronofy.md, 11."""
_WRONG: Final = timedelta(minutes=10)
"""So far apart the clocks of the calendar's servers never are."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_LOOK_AGAIN: Final = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=60))
"""When to look again for what a notification announced and a read did not show."""
_READ_AT_ONCE: Final = 200
_PACE: Final = timedelta(seconds=3)
"""Of so many adopted events the items are read at once, of the others one by one: the PSA allows 1,500 calls an hour.
What a run or an event of the PSA tells comes first."""
_ROUNDS: Final = 20


async def due_first(tools: Tools, integration_id: str) -> list[Link]:
    """Read the links to begin with."""
    return await tools.links.due(integration_id, tools.clock.now() + _SOON, _AT_ONCE)


async def reconcile(work: Slice, due: list[Link] | None = None) -> datetime | None:
    """Return when the integration is due again; None if nothing waits. `due`: the links to begin with, if known."""
    due = await due_first(work.tools, work.holding.id) if due is None else due
    for _ in range(_ROUNDS):
        due = await _without_echoes(work, due)
        if _must_look(work, due):
            with tracing.together("look at calendar", [link.trace for link in due]):
                await _look(work, due)
        elif due:
            await advance(work, [(link, link) for link in due])
        if work.over:
            break
        horizon = work.now()
        next_due = await work.tools.links.next_due(work.holding.id)
        if next_due is None or next_due > horizon:
            return await _rested(work, next_due)
        await work.tools.turn()
        due = await work.tools.links.due(work.holding.id, work.now(), _AT_ONCE)
    return work.now()


async def _without_echoes(work: Slice, due: list[Link]) -> list[Link]:
    """Let links rest that a run has dealt with, and that are due only because the PSA tells of what it wrote.

    A look at the calendar for their sake would read all that the run has written so far. Returns the others.
    """
    ours = [(link, link) for link in due if link.run is not None and work.run_id and link.run.run_id == work.run_id]
    quiet = {one.stored.id: one.stored for one in work.judge_all(ours) if _is_quiet(one)}
    if quiet:
        await advance(work, [(link, link) for link in quiet.values()])
    return [link for link in due if link.id not in quiet]


def _is_quiet(one: Judged) -> bool:
    """Whether nothing is to be done, as far as both sides are known, and nothing is under way."""
    under_way = one.link.calendar_asks or one.link.psa_asks or one.link.undoing
    return not under_way and one.decision == Decision(Rest(), Reason.IN_SYNC)


async def _rested(work: Slice, next_due: datetime | None) -> datetime | None:
    if work.report.synced:
        work.holding.note(last_sync=work.now())
    if work.report.synced or work.holding.newly_verified:
        await work.tools.outcomes.publish([outcomes.synced(work.holding, work.now())])
        work.report.synced = False
    return min((moment for moment in (next_due, work.look_again_at) if moment), default=None)


def _must_look(work: Slice, due: Sequence[Link]) -> bool:
    """Whether the calendar has to be read first: a hint says so, or an event is about to be judged or written over.

    Looking only at the side that a hint named would write over an unseen edit of the other side.
    """
    if work.read_at is not None and work.now() - work.read_at < _FRESH:
        return False
    signals, held = work.holding.integration.signals, work.holding.held
    hinted = signals.requested > signals.served or held.unread or not held.surveyed
    return hinted or any(has_event(link) for link in due)


def has_event(link: Link) -> bool:
    """Whether an event may be there, so that it must be looked at before anything is written."""
    return bool(link.calendar_base or link.calendar_asks) or (
        link.calendar_seen is not None and link.calendar_seen.content is not None
    )


async def _look(work: Slice, due: Sequence[Link]) -> None:
    """Read what changed in the calendar, and judge all that was read and all that is due in the light of it."""
    if not work.holding.held.surveyed:
        await _survey(work)
    began, hints = work.now(), work.holding.integration.signals
    page = await work.calendar.first_page(work.policy.calendar_id, _since(work))
    as_of, url = page.as_of, page.next_url
    if url is None:
        work.read_at = began
    await advance(work, await observed(work, page, due if url is None else ()))
    walked = set[str]()
    while url is not None:
        page = await next_page(work, url, walked)
        await advance(work, await observed(work, page, ()))
        url = page.next_url
    if as_of is not None:
        _move_cursor(work, as_of)
    if work.holding.integration.signals.requested > hints.requested:
        return  # it has changed meanwhile, and is looked at once more
    work.read_at = began  # only a complete read says anything about an event that it does not show
    _serve(work)


async def _survey(work: Slice) -> None:
    """Look for events of ours that are in the calendar already, left by a former integration, and adopt them."""
    page = await work.calendar.ours(work.policy.calendar_id)
    await advance(work, await observed(work, page, ()))
    walked = set[str]()
    while page.next_url is not None:
        page = await next_page(work, page.next_url, walked)
        await advance(work, await observed(work, page, ()))
    work.holding.note(surveyed=True)


def _move_cursor(work: Slice, as_of: datetime) -> None:
    """Read from here on next time. A clock that goes far back was wrong before: what that hid is looked for."""
    held = work.holding.held
    if held.cursor is not None and as_of < held.cursor - _WRONG:
        work.holding.note(audit=replace(held.audit, deep_at=work.now()))
    work.holding.note(cursor=as_of)


def _serve(work: Slice) -> None:
    """Take a hint as followed, once the read showed what it announced, or after some more looks.

    A notification can be quicker than the cache from which reads are answered.
    """
    announced = work.holding.integration.signals.changes_since
    looks = work.holding.held.empty_looks
    if announced is None or work.newest_seen >= announced or looks >= len(_LOOK_AGAIN):
        work.holding.note(empty_looks=0, unread=False)
        work.holding.read_served()
    else:
        work.look_again_at = work.now() + _LOOK_AGAIN[looks]
        work.holding.note(empty_looks=looks + 1)


def _since(work: Slice) -> datetime | None:
    cursor, hinted = work.holding.held.cursor, work.holding.integration.signals.changes_since
    if cursor is None:
        return None
    return min(cursor, hinted or cursor) - OVERLAP


async def observed(work: Slice, page: Page, due: Sequence[Link]) -> list[Pair]:
    """Return the links of a page with what was read, those that are due, and new ones for unknown events."""
    calendar_id, private = work.policy.calendar_id, work.policy.tenant.private_inbound
    work.newest_seen = max([work.newest_seen, *(event.updated for event in page.events if event.updated)])
    # Should a page show an event twice, the newest state counts.
    ordered = sorted(page.events, key=lambda event: event.updated or _NEVER)
    events = {link_id(work.holding.id, key_of(event)): event for event in ordered if event.calendar_id == calendar_id}
    known = {link.id: link for link in due}
    # Reads overlap: most of what one shows, an earlier one has shown already.
    digests = {id_: digest_of(event, private) for id_, event in events.items() if id_ not in known}
    old = await work.tools.links.seen_before(digests)
    events = {id_: event for id_, event in events.items() if id_ not in old}
    known |= await work.tools.links.by_ids([id_ for id_ in events if id_ not in known])
    pairs = {link.id: (link, link) for link in due}
    for id_, event in events.items():
        if (stored := known.get(id_)) is None:
            continue
        if (shown := observe(event, private)) is None:
            telling.unusable(work.report, stored, work.occasion)
            continue
        if _is_withheld(stored) and shown.kept_out is None:
            shown = replace(shown, kept_out=Reason.SERIES_TOO_LONG)
        seen = see(here(stored, calendar_id), shown)
        if seen is not stored or id_ in pairs or stored.calendar_asks:
            pairs[id_] = (stored, seen)
    fresh = [
        link for id_, event in events.items() if id_ not in known and (link := newcomer(work, id_, event)) is not None
    ]
    fresh = await within_series(work, fresh)
    there = await work.tools.links.add(work.holding.lease, fresh)
    now = work.now()
    pairs |= {link.id: (link, link) for link in fresh if link.id not in there and link.due_at and link.due_at <= now}
    return list(pairs.values())


def _is_withheld(link: Link) -> bool:
    return link.calendar_seen is not None and link.calendar_seen.kept_out is Reason.SERIES_TOO_LONG


async def within_series(work: Slice, newcomers: Sequence[Link]) -> list[Link]:
    """Return newcomers, with those withheld that make a series of the user's too long."""
    names = {name for link in newcomers if (name := series_of(link))}
    if not names:
        return list(newcomers)
    over = beyond_budget(newcomers, await work.tools.links.series_ahead(work.holding.id, sorted(names), work.now()))
    return [_withheld(link) if link.id in over else link for link in newcomers]


def _withheld(link: Link) -> Link:
    seen = link.calendar_seen
    if seen is None or seen.kept_out is not None:
        return link
    return replace(link, calendar_seen=replace(seen, kept_out=Reason.SERIES_TOO_LONG))


def newcomer(work: Slice, id_: str, event: CalendarEvent) -> Link | None:
    """Return a link for an event that has none; None for what was deleted before it was ever seen, or is not ours.

    One that cannot be used is remembered as ignored, until it shows a time.
    """
    seen, key = observe(event, work.policy.tenant.private_inbound), key_of(event)
    integration = work.holding.integration
    link = Link(
        id=id_,
        integration_id=integration.id,
        tenant_id=integration.tenant_id,
        user_id=integration.user_id,
        event=key,
        origin=Origin.CALENDAR,
        calendar_seen=seen,
        state=LinkState.PENDING,
        reason=Reason.CALENDAR_CREATED,
        due_at=work.now(),
    )
    if seen is None and isinstance(key, ExternalEvent):
        telling.unusable(work.report, link, work.occasion)
        return replace(link, state=LinkState.IGNORED, reason=Reason.NO_TIME, due_at=None)
    if seen is None or seen.deleted:
        return None
    if isinstance(key, ExternalEvent):
        return link
    # A former integration of the same user may have made it.
    item = managed_item(key.event_id, integration.tenant_id, integration.user_id)
    if item is None:
        return None
    work.adopted += 1
    read_at = work.now() + _PACE * max(0, work.adopted - _READ_AT_ONCE)
    return replace(link, origin=Origin.PSA, item=item, due_at=read_at)
