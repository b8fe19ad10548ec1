"""What the worker publishes: wake-ups, outcomes, dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.rabbitmq.publisher import Outgoing
from events.addresses import COMMANDS, DEAD_LETTERS, OUTCOMES, WAKE_KEY
from events.dead_letters import DeadLetter, portable

if TYPE_CHECKING:
    from adapters.rabbitmq.consumer import Delivery
    from adapters.rabbitmq.publisher import Publisher
    from events.commands import Wake
    from events.journal import Entry
    from events.link import Link
    from events.outcomes import Outcome
    from worker.core.retry import Park
    from worker.ports import Clock

NewId = Callable[[], str]

EXCHANGES = (COMMANDS, OUTCOMES, DEAD_LETTERS)


@dataclass(frozen=True, slots=True)
class WakeUps:
    """Publishes wake-ups."""

    publisher: Publisher
    new_id: NewId

    async def wake(self, wakes: Sequence[Wake]) -> None:
        """Publish wake-ups. Raises `TryLater` if the broker is away."""
        await self.publisher.send_all(
            Outgoing(COMMANDS, WAKE_KEY, wake.model_dump_json().encode(), self.new_id()) for wake in wakes
        )


@dataclass(frozen=True, slots=True)
class OutcomeEvents:
    """Publishes outcomes."""

    publisher: Publisher
    new_id: NewId

    async def publish(self, outcomes: Sequence[Outcome]) -> None:
        """Publish outcomes. Raises `TryLater` if the broker is away."""
        await self.publisher.send_all(
            Outgoing(
                OUTCOMES,
                outcome.type,
                outcome.model_dump_json(exclude_none=True).encode(),
                self.new_id(),
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

    async def park_message(self, delivery: Delivery, park: Park, attempts: int, error: str = "") -> None:
        """Set a message aside. It must be acked only after this. Raises `TryLater` if the broker is away."""
        letter = DeadLetter(
            reason=park.reason.value,
            detail=park.detail[:1000],
            error=error[:200],
            queue=delivery.queue,
            exchange=delivery.exchange,
            routing_key=delivery.routing_key,
            message_id=delivery.message_id,
            attempts=attempts,
            failed_at=self.clock.now(),
        )
        headers = {**portable(delivery.headers), **letter.headers()}
        await self.publisher.send(Outgoing(DEAD_LETTERS, delivery.queue, delivery.body, self.new_id(), headers))

    async def park(self, link: Link, entry: Entry) -> None:
        """Set an item aside that a person must look at. Replaying it only makes the worker look again."""
        letter = DeadLetter(
            reason=entry.reason.value,
            detail=entry.message[:1000],
            queue="",
            exchange=COMMANDS,
            routing_key=WAKE_KEY,
            message_id=entry.id[:255],
            attempts=max(1, link.attempts),
            failed_at=entry.at,
        )
        body = {
            "type": "calsync.link.failed.v1",
            "integration_id": link.integration_id,
            "link_id": link.id,
            "tenant_id": link.tenant_id,
            "item": str(link.item) if link.item else None,
        }
        message = Outgoing(DEAD_LETTERS, "link", json.dumps(body).encode(), self.new_id(), letter.headers())
        await self.publisher.send(message)
