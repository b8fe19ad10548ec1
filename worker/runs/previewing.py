"""A preview: both sides are read and judged as saving the settings would have it. Nothing is stored or written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from events.failures import RateLimited, Refused, System, TryLater
from events.integration import Status
from events.lanes import Lane
from events.link import link_id
from events.psa import PreviewData
from events.reasons import Reason
from events.runs import Run, RunKind, RunTrigger, Span
from events.values import replace
from worker import outcomes
from worker.core import record
from worker.core.brakes import holds
from worker.core.foreseeing import Forecast, Prospect, foresee
from worker.core.plan import ReadItem, Weigh
from worker.core.revise import is_concerned
from worker.core.runs import first_phase, windows
from worker.intake.wishes import settings_of
from worker.projection.events import key_of, observe
from worker.recognising import is_made_of_an_event, of_their_events, reference_of
from worker.runs.beginning import span_asked
from worker.runs.marking import marked
from worker.runs.reading import newcomers, shown
from worker.runs.sending import fresh, seen, standing
from worker.verifying import shown_in_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from events.integration import SettingsWish
    from events.link import Link
    from events.orders import Order
    from events.platform import ItemNow
    from worker.acting import Pair
    from worker.holding import Holding
    from worker.judging import Judged
    from worker.slice import Slice, Tools
    from worker.verifying import Shown

_PAGE: Final = 500
_READS: Final = 200
"""So many items are read one by one, if what they hold is not known; the rest is not counted."""


async def preview(
    tools: Tools, holding: Holding, order: Order, pretend: Callable[[SettingsWish], Awaitable[Slice]]
) -> datetime | None:
    """Carry out an order for a preview. Returns when to try again. Raises `Refused`, and `TryLater` of the calendar.

    `pretend`: gives the work under settings that are not saved.
    """
    hold = holding.held.calendar_hold
    if hold is not None and hold > tools.clock.now():
        return hold
    asked = _asked(holding, order)
    if (obstacle := _obstacle(holding, asked)) is not None:
        raise Refused(obstacle)
    work = await pretend(settings_of(asked))
    pretence = _Pretence(work, _run(work, asked))
    try:
        await pretence.look()
    except TryLater as error:
        if error.system is not System.PSA:
            raise
        if not isinstance(error, RateLimited):
            await work.psa_is_away(error)
        return work.psa_away or tools.clock.now() + timedelta(seconds=error.retry_after or 1.0)
    if tools.stopping():
        return tools.clock.now()
    found_out = await pretence.found_out(asked)
    await tools.outcomes.publish([outcomes.previewed(holding, order, found_out, tools.clock.now())])
    return None


def _asked(holding: Holding, order: Order) -> PreviewData:
    integration = holding.integration
    whose = {"tenant_id": integration.tenant_id, "user_id": integration.user_id, "integration_id": integration.id}
    return PreviewData.model_validate({**order.details, **whose, "revision": max(0, order.revision)}, strict=False)


def _obstacle(holding: Holding, asked: PreviewData) -> Reason | None:
    """Return why saving would do nothing."""
    held = holding.held
    if held.status is not Status.CONNECTED and held.reason not in {Reason.CALENDAR_MISSING, Reason.CALENDAR_READ_ONLY}:
        return held.reason
    if held.tokens is None or held.offered is not None:
        return held.reason
    chosen = [calendar for calendar in held.calendars if calendar.calendar_id == asked.calendar_id]
    if not chosen or chosen[0].deleted:
        return Reason.CALENDAR_MISSING
    if chosen[0].read_only:
        return Reason.CALENDAR_READ_ONLY
    return None if holding.integration.wanted.active else Reason.INACTIVE


def _run(work: Slice, asked: PreviewData) -> Run:
    """Return the run that would begin, as far as spans and marks go."""
    integration, now = work.holding.integration, work.now()
    send = span_asked(work.holding, asked.send, now)
    return Run(
        id="",
        integration_id=integration.id,
        tenant_id=integration.tenant_id,
        user_id=integration.user_id,
        kind=RunKind.SYNC,
        trigger=RunTrigger.SAVED,
        revision=asked.revision,
        epoch=integration.epoch,
        calendar_id=work.policy.calendar_id,
        retrieve=span_asked(work.holding, asked.retrieve, now),
        send=send,
        started_at=now,
        phase=first_phase(send),
    )


@dataclass(slots=True)
class _Pretence:
    """Reads as a run would, window by window, and counts each link once."""

    work: Slice
    run: Run
    prospect: Prospect = field(default_factory=Prospect)
    known: set[str] = field(default_factory=set[str])
    weighed: int = 0
    reads: int = 0
    complete: bool = True
    shown: Shown | None = None
    """The whole calendar, once it was read."""

    async def look(self) -> None:
        """Look at all that saving would have looked at, as long as there is time."""
        spans = [span for span in (self.run.retrieve, self.run.send) if span]
        if spans:
            for window in windows(Span(min(span.start for span in spans), max(span.end for span in spans))):
                await self._window(window)
        await self._concerned()

    async def found_out(self, asked: PreviewData) -> Forecast:
        """Return what was found out."""
        work, held = self.work, self.work.holding.held
        limits = work.policy.tenant.brakes
        since = work.now() - timedelta(minutes=limits.deletions_minutes)
        tally = await work.tools.links.tally(work.holding.id, since)
        leaves = asked.remove_former and held.calendar_id not in {"", asked.calendar_id}
        copies = await work.tools.links.copies(work.holding.id) if leaves else {}
        return Forecast(
            retrieve=self.run.retrieve,
            send=self.run.send,
            prospect=self.prospect,
            held=self.weighed if self.weighed and holds(limits, tally, self.weighed) else 0,
            copies_removed=sum(copies.values()),
            complete=self.complete,
        )

    async def _window(self, window: Span) -> None:
        """Deal with the events and the items of a window together: an event and its item make one link."""
        pairs = await self._events(window)
        for items in (self.run.send, self.run.retrieve):
            if items is not None and max(window.start, items.start) < min(window.end, items.end):
                span = Span(max(window.start, items.start), min(window.end, items.end))
                await self._items(span, pairs, sent=items is self.run.send)
        await self._reunite(pairs)
        await self._judge([pair for pair in pairs.values() if _is_of(pair[1], self.run)])

    async def _events(self, window: Span) -> dict[str, Pair]:
        work, run = self.work, self.run
        calendar, only_managed = work.calendar_in(Lane.ASKED), run.retrieve is None
        pairs: dict[str, Pair] = {}
        page = await calendar.span_page(run.calendar_id, window.start, window.end, only_managed=only_managed)
        while True:
            mine = [event for event in page.events if event.calendar_id == run.calendar_id]
            events = {link_id(run.integration_id, key_of(event)): event for event in mine}
            stored = await work.tools.links.by_ids(list(events))
            for link in stored.values():
                if (there := observe(events[link.id], work.policy.tenant.private_inbound)) is not None:
                    pairs[link.id] = (link, shown(work, run, link, there))
            new = await newcomers(work, run, {id_: event for id_, event in events.items() if id_ not in stored})
            pairs |= {link.id: (link, link) for link in new}
            if page.next_url is None or await self._is_over():
                return pairs
            page = await calendar.next_page(page.next_url)

    async def _items(self, window: Span, pairs: dict[str, Pair], *, sent: bool) -> None:
        """Read items. Those that are not sent count only where they were made of an event that is retrieved."""
        run, number = self.run, 1
        while True:
            page = await self.work.tools.platform.items((run.tenant_id, run.user_id), window.start, window.end, number)
            fresh_to_us = self._without_made(page.items, pairs)
            if sent:
                await self._seen(fresh_to_us, pairs)
            if page.last or await self._is_over():
                return
            number += 1

    def _without_made(self, items: Sequence[ItemNow], pairs: dict[str, Pair]) -> list[ItemNow]:
        """Put appointments beside the events of which a former integration made them. Returns the other items."""
        by_reference = {pair[1].reference: id_ for id_, pair in pairs.items() if pair[1].item is None}
        made = self.work.judge_all([(link, link) for link in (fresh(self.work, self.run, item) for item in items)])
        others: list[ItemNow] = []
        for item, one in zip(items, made, strict=True):
            id_ = by_reference.get(reference_of(one) or "")
            if id_ is None:
                others.append(item)
                continue
            stored, link = pairs[id_]
            pairs[id_] = (stored, replace(link, item=item.key, psa_seen=one.link.psa_seen))
        return others

    async def _reunite(self, pairs: dict[str, Pair]) -> None:
        """Give appointments that would be sent back to their own events, as a run does."""
        new = [(stored, link) for stored, link in pairs.values() if stored.version == 0 and link.calendar_seen is None]
        strays = [one for one in self.work.judge_all(new) if is_made_of_an_event(self.work, one)]
        if not strays:
            return
        self.shown = self.shown or await shown_in_time(self.work)
        if self.shown is None:
            self.complete = False
            return
        for id_, (one, link) in of_their_events(self.work, strays, self.shown).items():
            del pairs[one.stored.id]
            pairs[id_] = (link, link)

    async def _seen(self, items: Sequence[ItemNow], pairs: dict[str, Pair]) -> None:
        """Put what was read of items beside what was read of their events."""
        work, run = self.work, self.run
        stand_for = await standing(work, [item.key for item in items])
        made = {item.key: fresh(work, run, item) for item in items}
        there = await work.tools.links.by_ids([made[item.key].id for item in items if item.key not in stand_for])
        for item in items:
            read = made[item.key]
            known = stand_for.get(item.key) or there.get(read.id)
            if known is not None and known.item is not None:
                stored, link = pairs.get(known.id, (known, known))
                pairs[known.id] = (stored, seen(link, read, run))
            elif read.id in pairs:
                stored, link = pairs[read.id]  # an event of ours, from a former integration
                pairs[read.id] = (stored, marked(replace(link, item=item.key, psa_seen=read.psa_seen), run))
            else:
                pairs[read.id] = (read, read)

    async def _concerned(self) -> None:
        """Deal with the links that saving would have judged anew."""
        work, after = self.work, ""
        while page := await work.tools.links.page(work.holding.id, after, _PAGE):
            await self._judge([(link, link) for link in page if is_concerned(link, work.policy)])
            if await self._is_over():
                return
            after = page[-1].id

    async def _judge(self, pairs: Sequence[Pair]) -> None:
        for one in self.work.judge_all([pair for pair in pairs if pair[0].id not in self.known]):
            self.known.add(one.stored.id)
            judged = await self._read(one)
            self.weighed += isinstance(judged.decision.action, Weigh)
            self.prospect.note(foresee(judged.decision, judged.link, self.work.policy), judged.link)

    async def _read(self, one: Judged) -> Judged:
        """Return a link judged by what its item holds, which is read if it is not known."""
        link = one.link
        if not isinstance(one.decision.action, ReadItem) or link.item is None:
            return one
        if self.reads >= _READS:
            self.complete = False
            return one
        self.reads += 1
        found = await self.work.tools.platform.read(link.item)
        if found is None:
            return one
        now = found.seen_by(link.user_id, self.work.now())
        return self.work.judge(one.stored, record.answered(link, found.key, now))

    async def _is_over(self) -> bool:
        await self.work.holding.assure()
        if self.work.over:
            self.complete = False
        return self.work.over


def _is_of(link: Link, run: Run) -> bool:
    return link.run is not None and link.run.run_id == run.id
