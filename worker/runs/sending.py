"""The half of a run that sends: read the PSA's items of a span, page by page, and write what the calendar lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from events.integration import Assignee
from events.link import Link, LinkState
from events.runs import Position
from events.values import replace
from worker.acting import Pair, advance
from worker.core.plan import Agree, Await, Bury, Detach, Ignore, Rest
from worker.core.record import newest
from worker.core.runs import onward, windows_of
from worker.core.sides import see
from worker.intake.items import fresh_link
from worker.paging import next_page
from worker.projection.events import key_of, observe
from worker.projection.times import zone
from worker.reconcile import has_event
from worker.runs.marking import is_open, marked, span_of

if TYPE_CHECKING:
    from events.calendar import CalendarEvent
    from events.link import EventKey, ItemKey
    from events.platform import ItemNow
    from events.runs import Phase, Run
    from worker.judging import Judged
    from worker.slice import Slice

_QUIET: Final = (Rest, Agree, Ignore, Detach, Bury, Await)
"""Steps that write nothing over an event."""
_A_SECOND: Final = timedelta(seconds=1)
_PATIENCE: Final = 3
"""So often a window is read again because the PSA's items changed while it was read."""


async def send_page(work: Slice, run: Run) -> tuple[Phase, Position]:
    """Deal with one page of items. Returns where the run goes on."""
    here = run.position
    window = windows_of(run)[here.window]
    number = int(here.page or 1)
    user = run.tenant_id, run.user_id
    page = await work.tools.platform.items(user, window.start, window.end, number)
    if here.total not in {None, page.total} and here.again < _PATIENCE:
        # Pages are counted: when an item leaves, another one moves up to a page that was read already.
        return run.phase, Position(here.window, again=here.again + 1)
    await _deal_with(work, await _observed(work, run, page.items))
    if page.last:
        return onward(run)
    return run.phase, replace(here, page=str(number + 1), total=page.total)


async def _observed(work: Slice, run: Run, items: Sequence[ItemNow]) -> list[Pair]:
    """Return the links of items with what was read, those that are new included."""
    stored = await standing(work, [item.key for item in items])
    new = {link.id: link for item in items if item.key not in stored for link in [fresh(work, run, item)]}
    there = await work.tools.links.add(work.holding.lease, list(new.values()))
    pairs = [(link, link) for link in new.values() if link.id not in there]
    # A link of this name that stands for no item is a twin that was buried; or intake was quicker with the news.
    for known in (await work.tools.links.by_ids(list(there))).values():
        link = new[known.id]
        pairs.append((known, replace(link, version=known.version) if known.item is None else seen(known, link, run)))
    pairs += [(old, seen(old, fresh(work, run, item), run)) for item in items if (old := stored.get(item.key))]
    return [(before, after) for before, after in pairs if after is not before or is_open(after)]


async def standing(work: Slice, keys: Sequence[ItemKey]) -> dict[ItemKey, Link]:
    """Return the links that stand for items."""
    found = [link for link in await work.tools.links.owners(work.holding.id, keys) if link.item in set(keys)]
    found.sort(key=lambda link: link.state is not LinkState.BURIED)
    return {link.item: link for link in found if link.item}


def fresh(work: Slice, run: Run, item: ItemNow) -> Link:
    """Return the link to make of an item that nobody has heard of."""
    whose = Assignee(run.integration_id, run.tenant_id, run.user_id)
    link = fresh_link(whose, item.key, item.seen_by(run.user_id, work.now()), work.now())
    return work.under_way(marked(link, run))


def seen(known: Link, read: Link, run: Run) -> Link:
    """Return a link with what was just read of its item."""
    assert read.psa_seen is not None, "it was just read"
    now = newest(known.psa_seen, read.psa_seen)
    return marked(known if now is known.psa_seen else replace(known, psa_seen=now), run)


async def _deal_with(work: Slice, pairs: Sequence[Pair]) -> None:
    """Bring links as far as they can be brought without a look at the calendar; the rest is due, for the loop."""
    sorted_out = _SortedOut.of(work.judge_all(pairs))
    await advance(work, sorted_out.ready + await _looked_up(work, sorted_out.unsure))
    await work.save([(before, replace(after, due_at=work.now())) for before, after in sorted_out.rest])


@dataclass(frozen=True, slots=True)
class _SortedOut:
    """`unsure`: events that a former attempt may have made, which ended before it was known."""

    ready: list[Pair]
    unsure: list[Pair]
    rest: list[Pair]

    @classmethod
    def of(cls, judged: Iterable[Judged]) -> _SortedOut:
        one = cls([], [], [])
        for each in judged:
            link = each.link
            if not has_event(link) or isinstance(each.decision.action, _QUIET):
                one.ready.append((each.stored, link))
            elif link.calendar_base is None and link.calendar_seen is None:
                one.unsure.append((each.stored, link))
            else:
                one.rest.append((each.stored, link))
        return one


async def _looked_up(work: Slice, unsure: Sequence[Pair]) -> list[Pair]:
    """Look for events that may be there, where they would be."""
    whens = [ask.content.when for _, link in unsure for ask in link.calendar_asks if ask.content]
    if not whens:
        return list(unsure)
    where = zone(work.holding.held.time_zone)
    spans = [span_of(when, where) for when in whens]
    events: dict[EventKey, CalendarEvent] = {}
    first, last = min(span.start for span in spans), max(span.end for span in spans) + _A_SECOND
    page = await work.calendar.span_page(work.policy.calendar_id, first, last, only_managed=True)
    walked = set[str]()
    while True:
        events |= {key_of(event): event for event in page.events}
        if page.next_url is None:
            break
        page = await next_page(work, page.next_url, walked)
    return [(before, _looked_at(work, after, events.get(after.event))) for before, after in unsure]


def _looked_at(work: Slice, link: Link, event: CalendarEvent | None) -> Link:
    shown = observe(event, work.policy.tenant.private_inbound) if event else None
    return see(link, shown) if shown else link
