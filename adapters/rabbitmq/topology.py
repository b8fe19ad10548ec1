"""Everything that exists on the broker, in one place; and how to compare and create it.

Quorum queues only. Dead-lettering is at least once, which needs `reject-publish`: a message leaves its queue only when
the dead-letter queue has it. The delivery limit is positive everywhere: on RabbitMQ 3.10 a -1 dead-letters at the first
return, and without a limit a returned message goes to the back. Source: rabbitmq.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import aio_pika
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed

from events.addresses import (
    COMMANDS,
    COMMANDS_QUEUE,
    CRONOFY_EVENTS,
    DEAD_LETTERS,
    DEAD_LETTERS_QUEUE,
    INTEGRATIONS_QUEUE,
    NOTIFICATIONS_QUEUE,
    OUTCOMES,
    OUTCOMES_QUEUE,
    PSA_EVENTS,
    PSA_ITEMS_QUEUE,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from aio_pika.abc import AbstractChannel, AbstractConnection

Arguments = dict[str, "str | int"]

DELIVERY_LIMIT: Final = 20
_NO_LIMIT: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable quorum queue and what it receives."""

    name: str
    exchange: str
    keys: tuple[str, ...]
    dead_letters: bool = True
    """Whether what fails too often goes to the dead letters; otherwise it stays for ever."""
    arguments: Arguments = field(init=False)

    def __post_init__(self) -> None:
        arguments: Arguments = {"x-queue-type": "quorum", "x-delivery-limit": _NO_LIMIT}
        if self.dead_letters:
            arguments |= {
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": DEAD_LETTERS,
                "x-dead-letter-routing-key": self.name,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            }
        object.__setattr__(self, "arguments", arguments)


EXCHANGES: Final = (PSA_EVENTS, CRONOFY_EVENTS, COMMANDS, OUTCOMES, DEAD_LETTERS)
"""All durable topic exchanges."""
QUEUES: Final = (
    Queue(DEAD_LETTERS_QUEUE, DEAD_LETTERS, ("#",), dead_letters=False),
    Queue(PSA_ITEMS_QUEUE, PSA_EVENTS, ("psa.calendar_item.#",)),
    Queue(INTEGRATIONS_QUEUE, PSA_EVENTS, ("psa.integration.#",)),
    Queue(NOTIFICATIONS_QUEUE, CRONOFY_EVENTS, ("#",)),
    Queue(COMMANDS_QUEUE, COMMANDS, ("#",)),
    Queue(OUTCOMES_QUEUE, OUTCOMES, ("#",), dead_letters=False),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the broker's state. `remedy`: what to do."""

    subject: str
    problem: str
    remedy: str


async def check(connection: AbstractConnection) -> list[Finding]:
    """Compare the broker with what is declared here, without changing it. Bindings cannot be read over AMQP."""
    findings: list[Finding] = []
    for exchange in EXCHANGES:
        missing = await _refused(connection, _look_for_exchange(exchange))
        findings += _exchange_findings(exchange, missing or await _refused(connection, _declare_exchange(exchange)))
    for queue in QUEUES:
        missing = await _refused(connection, _look_for_queue(queue))
        findings += _queue_findings(queue, missing or await _refused(connection, _declare_queue(queue)))
    return findings


async def apply(connection: AbstractConnection) -> list[Finding]:
    """Create what is missing. Returns what could not be made as declared; never deletes or changes what exists."""
    findings: list[Finding] = []
    for exchange in EXCHANGES:
        findings += _exchange_findings(exchange, await _refused(connection, _declare_exchange(exchange)))
    for queue in QUEUES:
        refusal = await _refused(connection, _declare_queue(queue))
        findings += _queue_findings(queue, refusal)
        if refusal is None:
            await _bind(connection, queue)
    return findings


_Action = "Callable[[AbstractChannel], object]"


def _exchange_findings(name: str, refusal: str | None) -> list[Finding]:
    if refusal is None:
        return []
    remedy = "run `calsync topology apply`" if refusal == _MISSING else "delete it, or declare it durable and topic"
    return [Finding(f"exchange {name}", refusal, remedy)]


def _queue_findings(queue: Queue, refusal: str | None) -> list[Finding]:
    if refusal is None:
        return []
    remedy = (
        "run `calsync topology apply`"
        if refusal == _MISSING
        else "drain and delete it, then run `calsync topology apply`; a queue's arguments cannot be changed"
    )
    return [Finding(f"queue {queue.name}", refusal, remedy)]


_MISSING: Final = "does not exist"


async def _refused(connection: AbstractConnection, action: Callable[[AbstractChannel], object]) -> str | None:
    """Try something on a channel of its own, because the broker closes a channel on which it refuses."""
    try:
        async with connection.channel() as channel:
            await action(channel)  # type: ignore[misc]
    except ChannelNotFoundEntity:
        return _MISSING
    except ChannelPreconditionFailed as error:
        return f"is declared differently: {error}"
    return None


def _look_for_exchange(name: str) -> Callable[[AbstractChannel], object]:
    return lambda channel: channel.get_exchange(name, ensure=True)


def _declare_exchange(name: str) -> Callable[[AbstractChannel], object]:
    return lambda channel: channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)


def _look_for_queue(queue: Queue) -> Callable[[AbstractChannel], object]:
    return lambda channel: channel.get_queue(queue.name, ensure=True)


def _declare_queue(queue: Queue) -> Callable[[AbstractChannel], object]:
    return lambda channel: channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))


async def _bind(connection: AbstractConnection, queue: Queue) -> None:
    async with connection.channel() as channel:
        declared = await channel.get_queue(queue.name, ensure=False)
        for key in queue.keys:
            await declared.bind(queue.exchange, key)
