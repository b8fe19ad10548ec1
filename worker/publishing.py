"""What the worker publishes: wake-ups, outcomes, dead letters."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.rabbitmq.publisher import Outgoing
from adapters.telemetry import metrics, tracing
from events.addresses import COMMANDS, DEAD_LETTERS, LINK_KEY, OUTCOMES, WAKE_KEY
from events.dead_letters import DeadLetter, Replayed, Source, portable
from events.failures import Refused, System, TryLater

if TYPE_CHECKING:
    from adapters.rabbitmq.consumer import Delivery
    from adapters.rabbitmq.publisher import Publisher
    from events.commands import Wake
    from events.journal import Entry
    from events.link import Link
    from events.outcomes import Outcome
    from events.traces import Trace
    from worker.core.retry import Park
    from worker.ports import Clock


@contextlib.contextmanager
def _until_routable() -> Generator[None]:
    """Have it tried again where no queue takes it: that is the operator's to mend, and nobody else's fault."""
    try:
        yield
    except Refused as error:
        raise TryLater(System.BROKER, error.reason, error.detail) from error


def _traced(context: str | None) -> dict[str, str]:
    """Return the headers of a message that is part of a trace."""
    return {tracing.HEADER: context} if context else {}


NewId = Callable[[], str]

_NO_REPLAY = Replayed("", "")
EXCHANGES = (COMMANDS, OUTCOMES, DEAD_LETTERS)


@dataclass(frozen=True, slots=True)
class WakeUps:
    """Publishes wake-ups."""

    publisher: Publisher
    new_id: NewId

    async def wake(self, wakes: Sequence[Wake]) -> None:
        """Publish wake-ups. Raises `TryLater` if the broker is away, or no queue takes them."""
        with _until_routable():
            await self.publisher.send_all(
                Outgoing(COMMANDS, WAKE_KEY, wake.model_dump_json().encode(), self.new_id(), _traced(wake.traceparent))
                for wake in wakes
            )
        for wake in wakes:
            metrics.WAKES.labels(wake.cause).inc()


@dataclass(frozen=True, slots=True)
class OutcomeEvents:
    """Publishes outcomes."""

    publisher: Publisher
    new_id: NewId

    async def publish(self, outcomes: Sequence[Outcome]) -> None:
        """Publish outcomes. Raises `TryLater` if the broker is away, or no queue takes them."""
        with _until_routable():
            await self.publisher.send_all(
                Outgoing(
                    OUTCOMES,
                    outcome.type,
                    outcome.model_dump_json(exclude_none=True).encode(),
                    self.new_id(),
                    _traced(outcome.traceparent),
                    content_type="application/cloudevents+json",
                )
                for outcome in outcomes
            )


@dataclass(frozen=True, slots=True)
class DeadLetterBox:
    """Sets messages aside, with the reason and all it takes to replay them."""

    publisher: Publisher
    new_id: NewId
    clock: Clock

    async def park_message(self, delivery: Delivery, park: Park) -> None:
        """Set a message aside. It must be acked only after this.

        Raises `TryLater` if the broker is away, `Refused` if no queue takes it.
        """
        source = Source.of(delivery.headers, delivery.exchange, delivery.routing_key, delivery.message_id)
        replayed = Replayed.of(delivery.headers) or _NO_REPLAY
        letter = DeadLetter(
            reason=park.reason.value,
            detail=park.detail[:1000],
            error=park.trace.error,
            queue=delivery.queue,
            exchange=source.exchange,
            routing_key=source.routing_key,
            message_id=source.message_id,
            attempts=source.failures + park.attempts,
            failed_at=self.clock.now(),
            stack=park.trace.stack,
            call=park.trace.call,
            replay_of=replayed.letter[:64],
            replay=replayed.replay[:128],
        )
        headers = {**portable(delivery.headers), **letter.headers()}
        properties = delivery.properties
        await self.publisher.send(
            Outgoing(DEAD_LETTERS, delivery.queue, delivery.body, self.new_id(), headers, properties=properties)
        )
        metrics.DEAD_LETTERS.labels(delivery.queue, park.reason).inc()

    async def park(self, link: Link, entry: Entry, trace: Trace) -> None:
        """Set an item aside that a person must look at. Replaying it only makes the worker look again.

        Raises `TryLater` if the broker is away, or no queue takes it.
        """
        letter = DeadLetter(
            reason=entry.reason.value,
            detail=entry.message[:1000],
            error=trace.error,
            queue="",
            exchange=COMMANDS,
            routing_key=WAKE_KEY,
            message_id=entry.id[:255],
            attempts=max(1, link.attempts),
            failed_at=entry.at,
            stack=trace.stack,
            call=trace.call,
            correlation_id=entry.correlation_id,
        )
        body = {
            "type": "calsync.link.failed.v1",
            "integration_id": link.integration_id,
            "link_id": link.id,
            "tenant_id": link.tenant_id,
            "item": str(link.item) if link.item else None,
        }
        headers = {**letter.headers(), **_traced(link.trace)}
        message = Outgoing(DEAD_LETTERS, LINK_KEY, json.dumps(body).encode(), self.new_id(), headers)
        with _until_routable():
            await self.publisher.send(message)
        metrics.DEAD_LETTERS.labels(LINK_KEY, entry.reason).inc()
