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
from aiormq.exceptions import ChannelAccessRefused

from adapters.rabbitmq.connection import OPEN_TIMEOUT, connected, reaching
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
    from collections.abc import Awaitable, Callable

    from aio_pika.abc import AbstractChannel, AbstractConnection

    Action = Callable[[AbstractChannel], Awaitable[object]]

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
    Queue(INTEGRATIONS_QUEUE, PSA_EVENTS, ("psa.integration.#", "psa.item.#", "psa.tenant.#", "psa.user.#")),
    Queue(NOTIFICATIONS_QUEUE, CRONOFY_EVENTS, ("#",)),
    Queue(COMMANDS_QUEUE, COMMANDS, ("#",)),
    Queue(OUTCOMES_QUEUE, OUTCOMES, ("#",), dead_letters=False),
)


APPLY: Final = "run `calsync topology apply`"
TO_CHANGE: Final = (
    "delete it (a queue when it is empty), then run `calsync topology apply`; what is declared cannot be changed"
)
_NO_RIGHT: Final = "use a user who may configure, write and read it"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the broker. `remedy`: what to do. `unseen`: it may be as it should, but cannot be compared."""

    subject: str
    problem: str
    remedy: str
    unseen: bool = False


async def check(connection: AbstractConnection) -> list[Finding]:
    """Compare the broker with what is declared here, without changing it.

    Bindings and policies cannot be read over AMQP, and arguments only be compared by a user who may configure:
    `adapters.rabbitmq.inspection` sees them. Raises `TryLater` if the broker is away.
    """
    findings: list[Finding] = []
    for name in EXCHANGES:
        findings += await _try(connection, f"exchange {name}", _look_for_exchange(name), _declare_exchange(name))
    for queue in QUEUES:
        findings += await _try(connection, f"queue {queue.name}", _look_for_queue(queue), _declare_queue(queue))
    return [_not_compared(finding.subject) if finding.remedy is _NO_RIGHT else finding for finding in findings]


async def lacking(connection: AbstractConnection) -> list[str]:
    """Return which exchanges and queues do not exist. Only looks, so any user may ask. Raises `TryLater`."""
    findings: list[Finding] = []
    for name in EXCHANGES:
        findings += await _try(connection, f"exchange {name}", _look_for_exchange(name))
    for queue in QUEUES:
        findings += await _try(connection, f"queue {queue.name}", _look_for_queue(queue))
    return [finding.subject for finding in findings]


async def apply(connection: AbstractConnection) -> list[Finding]:
    """Create what is missing. Returns what could not be made as declared; never deletes or changes what exists.

    Raises `TryLater` if the broker is away.
    """
    findings: list[Finding] = []
    for name in EXCHANGES:
        findings += await _try(connection, f"exchange {name}", _declare_exchange(name))
    for queue in QUEUES:
        findings += await _try(connection, f"queue {queue.name}", _declare_queue(queue), _bind(queue))
    return findings


async def _try(connection: AbstractConnection, subject: str, *actions: Action) -> list[Finding]:
    """Do one after the other. Returns what the broker refuses, and then does nothing more."""
    for action in actions:
        async with reaching(OPEN_TIMEOUT):
            refusal = await _refusal(connection, action)
        if refusal is not None:
            return [Finding(subject, *refusal)]
    return []


async def _refusal(connection: AbstractConnection, action: Action) -> tuple[str, str] | None:
    """Do something on a channel of its own, because the broker closes a channel on which it refuses."""
    with connected():
        channel = await connection.channel()
    try:
        async with channel:
            await action(channel)
    except ChannelNotFoundEntity:
        return "does not exist", APPLY
    except ChannelPreconditionFailed as error:
        return f"is declared differently: {error}", TO_CHANGE
    except ChannelAccessRefused as error:
        return f"may not be declared by this user: {error}", _NO_RIGHT
    return None


def _not_compared(subject: str) -> Finding:
    remedy = "set CALSYNC_RABBITMQ_MANAGEMENT_URL, or use a user who may configure it"
    return Finding(subject, "is there, but this user may not compare it", remedy, unseen=True)


def _look_for_exchange(name: str) -> Action:
    return lambda channel: channel.get_exchange(name, ensure=True)


def _declare_exchange(name: str) -> Action:
    return lambda channel: channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)


def _look_for_queue(queue: Queue) -> Action:
    return lambda channel: channel.get_queue(queue.name, ensure=True)


def _declare_queue(queue: Queue) -> Action:
    return lambda channel: channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))


def _bind(queue: Queue) -> Action:
    async def bind(channel: AbstractChannel) -> None:
        declared = await channel.get_queue(queue.name, ensure=False)
        for key in queue.keys:
            await declared.bind(queue.exchange, key)

    return bind
