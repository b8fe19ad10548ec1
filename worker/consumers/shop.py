"""What all consumers work with: taking batches, insisting while a system is away, setting aside, taking turns."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from adapters.telemetry import metrics, tracing
from adapters.telemetry.pulse import Pulse, moved
from events.dead_letters import Replayed
from events.failures import Malformed, TryLater
from events.letters import Verdict
from events.reasons import Reason
from events.traces import trace_of
from worker.core.retry import Ack, Hold, Park, settle
from worker.parts import consumer_of
from worker.said import Said

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from adapters.process.logs import Logger
    from adapters.rabbitmq.consumer import Delivery, Inbox
    from events.failures import System
    from worker.outages import Outages
    from worker.ports import Chance, Clock, Commands, Letters
    from worker.publishing import DeadLetterBox

T = TypeVar("T")

LONGEST_TURN: Final = 10.0
"""Seconds for which items may keep others waiting."""
_LONGEST_WAIT: Final = 30.0


class GivenBack(Exception):
    """The process is about to end while a system is away. What was under way is not acked: it is delivered again."""


class Turn:
    """Whose turn it is. Items go first: taking them in is quick, and what comes in together is worked on together."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    def keep(self) -> None:
        """More has come in and is taken first."""
        self._free.clear()

    def yield_(self) -> None:
        """It is for others now."""
        self._free.set()

    async def wait(self) -> None:
        """Wait for one's turn, but not for long."""
        if not self._free.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_TURN):
                    await self._free.wait()


@dataclass(frozen=True, slots=True)
class Shop:
    """What all consumers work with."""

    clock: Clock
    chance: Chance
    commands: Commands
    dead_letters: DeadLetterBox
    letters: Letters
    log: Logger
    stopping: asyncio.Event
    outages: Outages
    pulse: Pulse = field(default_factory=Pulse)
    turn: Turn = field(default_factory=Turn)

    async def next_batch(self, inbox: Inbox, limit: int, patience: float | None = None) -> list[Delivery]:
        """Wait for messages, for `patience` seconds if given. Empty if none came or the process is about to end."""
        batch = asyncio.ensure_future(inbox.batch(limit))  # noqa: TID251 - awaited or cancelled right here
        stop = asyncio.ensure_future(self.stopping.wait())  # noqa: TID251
        try:
            await asyncio.wait({batch, stop}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            taken = batch.result() if batch.done() else []
        finally:
            batch.cancel()
            stop.cancel()
        metrics.RECEIVED.labels(consumer_of(inbox.queue)).inc(len(taken))
        return taken

    @contextlib.contextmanager
    def handling(self, queue: str, **ids: str) -> Generator[None, None, None]:
        """Watch and time the handling of what came from a queue. It ends early if that is given back.

        All lines that are logged meanwhile have these ids.
        """
        consumer, began = consumer_of(queue), self.clock.monotonic()
        before = get_contextvars()
        bind_contextvars(consumer=consumer, **ids)
        try:
            with self.pulse.handling(consumer), contextlib.suppress(GivenBack):
                yield
        finally:
            clear_contextvars()
            bind_contextvars(**before)
        metrics.PROCESSING.labels(consumer).observe(self.clock.monotonic() - began)

    def span(self, delivery: Delivery, said: str | None = None) -> AbstractContextManager[tracing.Span]:
        """Trace what is done about a message. `said`: the context that its body names.

        What is replayed begins a trace of its own, which names the one that failed.
        """
        if not tracing.on():
            return tracing.NOTHING
        context = tracing.context_of(said, delivery.headers.get(tracing.HEADER))
        replayed = Replayed.of(delivery.headers) is not None
        return tracing.span(
            f"process {delivery.queue}",
            tracing.Kind.CONSUMER,
            parent="" if replayed else context,
            links=[context] if replayed and context else [],
            attributes={
                "messaging.system": "rabbitmq",
                "messaging.destination.name": delivery.queue,
                "messaging.operation.type": "process",
                "messaging.message.id": delivery.message_id,
            },
        )

    @staticmethod
    def processed(queue: str, outcome: str, count: int = 1) -> None:
        """Count messages by what came of them."""
        if count:
            metrics.PROCESSED.labels(consumer_of(queue), outcome).inc(count)

    async def insist(self, action: Callable[[], Awaitable[T]]) -> T | Park:
        """Do something until it succeeds, for as long as store or broker are away. Anything else ends as `Park`.

        Raises `GivenBack` if the process is to end meanwhile.
        """
        attempts = 0
        missed: set[System] = set()
        while True:
            try:
                result = await action()
            except Exception as error:  # noqa: BLE001 - `settle` says what becomes of each kind
                decision = settle(error, attempts, self.chance())
                self._say(error, attempts)
                missed |= {error.system} if isinstance(error, TryLater) else set()
                moved()
                match decision:
                    case Park():
                        return replace(decision, trace=trace_of(error), attempts=attempts + 1)
                    case Ack():
                        return Park(Reason.BUG, "nothing was done")  # unreachable for handlers that return something
                    case Hold(delay=delay):
                        metrics.retried(error)
                        await self._pause(delay.total_seconds())
                attempts += 1
            else:
                self.outages.back(*missed)
                return result

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        if self.stopping.is_set():
            raise GivenBack

    def _say(self, error: Exception, attempts: int) -> None:
        if isinstance(error, TryLater):
            self.outages.away(error)
        elif not isinstance(error, Malformed):
            self.log.error(Said.FAILED, error=type(error).__name__, attempts=attempts + 1, exc_info=error)

    async def done(self, delivery: Delivery, verdict: Verdict = Verdict.RESOLVED, detail: str = "") -> None:
        """Ack a message that was handled; of a replay, write down before what became of it."""
        await self.note_replay(delivery, verdict, detail)
        await delivery.ack()

    async def note_replay(self, delivery: Delivery, verdict: Verdict, detail: str) -> None:
        """Write down what became of a replayed dead letter. Of any other message there is nothing to write."""
        replayed = Replayed.of(delivery.headers)
        if replayed is not None:
            letter, replay = replayed.letter, replayed.replay
            await self.insist(lambda: self.letters.ended(letter, replay, verdict, detail, self.clock.now()))

    async def set_aside(self, delivery: Delivery, park: Park) -> None:
        """Dead-letter a message and ack it. While no queue takes dead letters, it is kept: nothing is lost."""
        refused = 0
        while isinstance(refusal := await self._dead_letter(delivery, park), Park):
            if not refused:
                self.log.error(Said.UNROUTABLE, reason=refusal.reason, detail=refusal.detail)
            refused += 1
            moved()
            await self._pause(min(2.0**refused, _LONGEST_WAIT))
        self.log.warning(
            Said.PARKED, queue=delivery.queue, message_id=delivery.message_id, reason=park.reason, detail=park.detail
        )
        self.processed(delivery.queue, "dead_lettered")
        await delivery.ack()

    async def _dead_letter(self, delivery: Delivery, park: Park) -> Park | None:
        return await self.insist(lambda: self.dead_letters.park_message(delivery, park))
