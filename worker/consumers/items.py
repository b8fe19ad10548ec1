"""Taking item-changed events, many at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adapters.process.together import together
from adapters.rabbitmq.consumer import Delivery, Inbox, ack_batch
from adapters.telemetry import tracing
from adapters.telemetry.metrics import EVENT_AGE
from events.commands import Cause, Wake
from events.contract import parse
from events.dead_letters import Replayed
from events.failures import Malformed
from events.letters import Verdict
from events.psa import PSA_EVENT, ItemChanged
from events.reasons import Reason
from events.traces import trace_of
from worker.consumers.shop import LONGEST_TURN, Shop
from worker.core.retry import Park
from worker.intake.items import Taken, Wakes, take_items
from worker.intake.safety import SAFETY_NET
from worker.parts import consumer_of
from worker.said import Said

if TYPE_CHECKING:
    from worker.ports import Observations, Wishes

BATCH: Final = 250
"""How many events are taken from the queue together, if so many are there."""
PREFETCH: Final = 1000
_SUSPICIOUS: Final = 2
"""A message that came back so often is handled alone, so that one that makes workers die takes nobody along."""
_CROWD: Final = 8
"""So many integrations concerned at once are a stream: what follows may be about them, too, so wake-ups wait for it."""
_GAP: Final = 0.15
"""Seconds without an event after which a stream is over."""


@dataclass(slots=True)
class ItemsConsumer:
    """See the module. A message is acked when what it says is stored and its wake-ups are sent, or marked as due."""

    shop: Shop
    inbox: Inbox
    wishes: Wishes
    observations: Observations
    _wakes: Wakes = field(default_factory=Wakes)
    _traces: dict[str, str] = field(default_factory=dict[str, str])
    """Of events: the traces that they are part of."""
    _held_since: float | None = None

    async def run(self) -> None:
        """Run until the process is about to end."""
        while not self.shop.stopping.is_set():
            holding = self._held_since is not None
            batch = await self.shop.next_batch(self.inbox, BATCH, _GAP if holding else None)
            if batch:
                await self._take_all(batch)
            elif holding:
                await self._flush_alone()
        await self._flush_alone()

    async def _flush_alone(self) -> None:
        with self.shop.handling(self.inbox.queue):
            await self._flush()

    async def _take_all(self, batch: list[Delivery]) -> None:
        # A replay is taken alone, so that what becomes of it can be told.
        replays = [delivery for delivery in batch if Replayed.of(delivery.headers)]
        others = [delivery for delivery in batch if delivery not in replays] if replays else batch
        groups = [[one] for one in others] if any(map(_suspicious, batch)) else [others]
        for group in filter(None, [*groups, *([one] for one in replays)]):
            with self.shop.handling(self.inbox.queue), contextlib.ExitStack() as spans:
                await self._take(group, spans)

    async def _take(self, batch: list[Delivery], spans: contextlib.ExitStack) -> None:
        began = self.shop.clock.monotonic()
        events = [event for delivery in batch if (event := await self._read(delivery, spans)) is not None]
        taken = await self.shop.insist(
            lambda: take_items(events, self.wishes, self.observations, together, self.shop.clock.now())
        )
        if isinstance(taken, Park):
            await self._one_by_one(batch, taken, spans)
            return
        self._wakes |= taken.wakes
        if self._may_hold(len(taken.wakes)):
            await self._hold(taken.wakes)
        else:
            await self._flush()
        await self._tell_of_replay(batch, taken)
        await ack_batch(batch)
        self._count(events, taken)
        self.shop.log.info(
            Said.ITEMS_TAKEN,
            received=len(batch),
            nobody=taken.nobody,
            old=taken.old,
            woken=len(taken.wakes),
            seconds=round(self.shop.clock.monotonic() - began, 4),
        )

    async def _tell_of_replay(self, batch: Sequence[Delivery], taken: Taken) -> None:
        if len(batch) == 1 and not batch[0].message.processed:
            nothing_new = taken.nobody or taken.old
            verdict = Verdict.STALE if nothing_new else Verdict.RESOLVED
            reason = Reason.NO_INTEGRATION if taken.nobody else Reason.OLD_REVISION
            await self.shop.note_replay(batch[0], verdict, reason.explanation if nothing_new else "")

    def _count(self, events: Sequence[ItemChanged], taken: Taken) -> None:
        now, queue = self.shop.clock.now(), self.inbox.queue
        for event in events:
            happened = event.data.modified_on or event.time
            if happened is not None:
                EVENT_AGE.labels(consumer_of(queue)).observe(max(0.0, (now - happened).total_seconds()))
        self.shop.processed(queue, "nobody", taken.nobody)
        self.shop.processed(queue, "old", taken.old)
        self.shop.processed(queue, "done", len(events) - taken.nobody - taken.old)

    def _may_hold(self, woken: int) -> bool:
        """Whether wake-ups wait for what follows: while a stream lasts, but not for long."""
        now = self.shop.clock.monotonic()
        if self._held_since is None:
            self._held_since = now if woken >= _CROWD else None
        return self._held_since is not None and now - self._held_since < LONGEST_TURN

    async def _hold(self, wakes: Wakes) -> None:
        """Keep wake-ups back. Their integrations are marked due, for the sweeper to find should this process die."""
        due_at = self.shop.clock.now() + SAFETY_NET
        await self.shop.insist(lambda: self.wishes.mark_due(sorted(wakes), due_at))
        self.shop.turn.keep()

    async def _flush(self) -> None:
        wakes = [
            Wake(
                integration_id=integration_id,
                cause=Cause.PSA_EVENT,
                correlation_id=event_id,
                traceparent=self._traces.get(event_id, ""),
            )
            for integration_id, event_id in self._wakes.items()
        ]
        self._held_since = None
        if wakes:
            await self.shop.insist(lambda: self.shop.commands.wake(wakes))
            self._wakes.clear()
        self._traces.clear()
        self.shop.turn.yield_()

    async def _read(self, delivery: Delivery, spans: contextlib.ExitStack) -> ItemChanged | None:
        try:
            event = parse(PSA_EVENT, delivery.body)
        except Malformed as error:
            await self.shop.set_aside(delivery, Park(error.reason, error.detail, trace_of(error)))
            return None
        if isinstance(event, ItemChanged):
            return self._traced(event, delivery, spans) if tracing.on() else event
        await self.shop.set_aside(delivery, Park(Reason.UNKNOWN_TYPE, f"{event.type} does not belong in this queue"))
        return None

    def _traced(self, event: ItemChanged, delivery: Delivery, spans: contextlib.ExitStack) -> ItemChanged:
        """Return an event that names the span of its being taken, so that what follows is part of that."""
        span = spans.enter_context(self.shop.span(delivery, event.traceparent))
        span.note("cloudevents.event_id", event.id)
        self._traces[event.id] = span.context
        return event.model_copy(update={"traceparent": span.context})

    async def _one_by_one(self, batch: Sequence[Delivery], park: Park, spans: contextlib.ExitStack) -> None:
        if len(batch) == 1:
            await self.shop.set_aside(batch[0], park)
            return
        for delivery in batch:
            await self._take([delivery], spans)


def _suspicious(delivery: Delivery) -> bool:
    count = delivery.headers.get("x-delivery-count", 0)
    return isinstance(count, int) and count >= _SUSPICIOUS
