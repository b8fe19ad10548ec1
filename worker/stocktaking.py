"""Taking stock of the PSA: its items are listed unasked, because an event can get lost on its way to us.

What is found becomes due, and is healed by the same loop as everything else. What is not listed is read by itself, so
that a deletion is heard of from the item and weighed like any other; if most of what is known is not listed, it is the
listing that is doubted. All moments that are compared are the PSA's own, except for what is only counted by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from adapters.telemetry import metrics
from events.commands import Cause
from events.failures import System, TryLater
from events.integration import Assignee
from events.items import ItemType
from events.link import LinkState
from events.outcomes import Direction
from events.reasons import Reason
from events.values import replace
from worker import telling
from worker.core import audits
from worker.intake.items import fresh_link

if TYPE_CHECKING:
    from events.integration import DeepLook, Stock
    from events.link import ItemKey, Link
    from events.platform import ItemNow
    from worker.slice import Slice

_LATE: Final = timedelta(minutes=5)
"""A change older than this should have been heard of; for counting only."""
_READ_AT_ONCE: Final = 100
_PACE: Final = timedelta(seconds=3)
"""So many items are read at once, the others one by one: the PSA allows 1,500 calls an hour."""


async def take_stock(work: Slice) -> bool:
    """List the PSA's items, or go on with that, where it is due. Returns whether anything was looked at."""
    stock = work.holding.held.audit.stock
    if stock.at is None or stock.at > work.now():
        return False
    if work.psa_away:
        _note(work, replace(stock, at=work.psa_away))
        return False
    with work.because_of(Cause.AUDIT):
        try:
            await _list(work)
        except TryLater as error:
            if error.system is not System.PSA:
                raise
            await work.psa_is_away(error)
            _note(work, replace(work.holding.held.audit.stock, at=work.psa_away))
    return True


def _note(work: Slice, stock: Stock) -> None:
    work.holding.note(audit=replace(work.holding.held.audit, stock=stock))


async def _list(work: Slice) -> None:
    known = await work.tools.links.items_whereabouts(work.holding.id)
    stock = audits.taking(work.holding.held.audit.stock, len(known), work.now())
    assert stock.look is not None
    while stock.look.done < stock.look.parts:
        listed = await _part(work, stock.look, stock.until)
        expected = {id_ for id_, when in known.items() if audits.is_within(when, *audits.part(stock.look))}
        if audits.is_suspicious(len(expected), len(expected & listed.links)):
            await _doubt(work, stock)
            return
        if listed.whole:
            await _look_for(work, sorted(expected - listed.links))
        stock = audits.listed(stock, listed.newest)
        _note(work, stock)
        await work.holding.save()
        if work.over:
            return
        assert stock.look is not None
    _note(work, audits.taken(stock, work.holding.id, work.now(), nothing_there=not known))


async def _doubt(work: Slice, stock: Stock) -> None:
    metrics.MISSED_SIGNALS.labels(Reason.SUSPICIOUS_LISTING.value).inc()
    entry = telling.found(work.holding.integration, None, work.occasion, Reason.SUSPICIOUS_LISTING)
    await work.tools.journal.write([entry])
    _note(work, audits.stock_doubted(stock, work.holding.id, work.now()))


@dataclass(slots=True)
class _Listed:
    """What a part of the listing showed. `whole`: nothing was added or taken away while it was read."""

    links: set[str] = field(default_factory=set[str])
    newest: datetime | None = None
    whole: bool = True


async def _part(work: Slice, look: DeepLook, until: datetime | None) -> _Listed:
    start, end = audits.part(look)
    integration, listed = work.holding.integration, _Listed()
    number, total = 1, None
    while True:
        await work.holding.assure()
        page = await work.tools.platform.items((integration.tenant_id, integration.user_id), start, end, number)
        listed.whole = listed.whole and total in {None, page.total}
        stamps = [item.modified_on for item in page.items if item.modified_on is not None]
        stamps += [] if listed.newest is None else [listed.newest]
        listed.newest = max(stamps, default=None)
        await _observe(work, page.items, until, listed)
        if page.last:
            return listed
        number, total = number + 1, page.total


async def _observe(work: Slice, items: Sequence[ItemNow], until: datetime | None, listed: _Listed) -> None:
    owners = await work.tools.links.owners(work.holding.id, [item.key for item in items])
    creating = any(link.item is None for link in owners)
    standing = _standing(owners)
    pairs: list[tuple[Link, Link]] = []
    fresh: list[Link] = []
    for item in items:
        link = standing.get(item.key)
        if link is None:
            # Of an appointment that is being made from an event its link does not know yet.
            if _is_new(item, until) and not (creating and item.key.item_type is ItemType.APPOINTMENT):
                fresh.append(_fresh(work, item))
            continue
        listed.links.add(link.id)
        if link.psa_seen is not None and item.revision > link.psa_seen.revision:
            pairs.append((link, replace(link, psa_seen=item.seen_by(link.user_id, work.now()), due_at=work.now())))
            _count(work, link, item)
    there = await work.tools.links.add(work.holding.lease, fresh)
    for link, item in zip(fresh, [item for item in items if item.key in {one.item for one in fresh}], strict=True):
        if link.id not in there:
            _count(work, link, item)
    await work.save(pairs)


def _standing(owners: Sequence[Link]) -> dict[ItemKey, Link]:
    ordered = sorted(owners, key=lambda link: link.state is not LinkState.BURIED)
    return {link.item: link for link in ordered if link.item is not None}


def _is_new(item: ItemNow, until: datetime | None) -> bool:
    """Whether an item that nobody has heard of was made or changed since the first listing. Nobody asked for others."""
    return until is not None and item.modified_on is not None and item.modified_on > until


def _fresh(work: Slice, item: ItemNow) -> Link:
    integration = work.holding.integration
    whose = Assignee(integration.id, integration.tenant_id, integration.user_id)
    return fresh_link(whose, item.key, item.seen_by(integration.user_id, work.now()), work.now())


def _count(work: Slice, link: Link, item: ItemNow) -> None:
    """Tell of what an event should have told, if it has had the time to."""
    if item.modified_on is not None and item.modified_on <= work.now() - _LATE:
        _tell(work, link, Reason.MISSED_EVENT)


def _tell(work: Slice, link: Link, cause: Reason) -> None:
    entry = telling.found(work.holding.integration, link, work.occasion, cause, Direction.TO_CALENDAR)
    work.report.entries.append(entry)
    metrics.MISSED_SIGNALS.labels(cause.value).inc()


async def _look_for(work: Slice, missing: Sequence[str]) -> None:
    """Have items that were not listed read one by one. None is taken for deleted because of that."""
    found = await work.tools.links.by_ids(missing)
    pairs: list[tuple[Link, Link]] = []
    for link in found.values():
        if link.psa_seen is None or link.psa_seen.item is None or link.psa_asks:
            continue
        _tell(work, link, Reason.NOT_LISTED)
        read_at = work.now() + _PACE * max(0, len(pairs) - _READ_AT_ONCE)
        pairs.append((link, replace(link, psa_seen=replace(link.psa_seen, item=None), due_at=read_at)))
    await work.save(pairs)
