"""Publishing: persistent, confirmed, mandatory, and never without a bound."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import aio_pika
from aio_pika.exceptions import DeliveryError, PublishError

from adapters.rabbitmq.connection import AWAY
from events.failures import Refused, System, TryLater
from events.reasons import Reason

if TYPE_CHECKING:
    from aio_pika.abc import AbstractExchange, AbstractRobustConnection

CONFIRM_TIMEOUT: Final = 10.0
_IN_FLIGHT: Final = 100


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message. `message_id` is unique per publish: the broker's returns are matched by it."""

    exchange: str
    routing_key: str
    body: bytes
    message_id: str
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    content_type: str = "application/json"


class Publisher:
    """Publishes on one channel. When a call returns, the broker has the message on disk on a majority of its nodes."""

    def __init__(self, exchanges: Mapping[str, AbstractExchange]) -> None:
        self._exchanges = exchanges
        self._slots = asyncio.Semaphore(_IN_FLIGHT)

    async def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        headers: Mapping[str, str],
        message_id: str,
    ) -> None:
        """Publish one message. See `send`."""
        await self.send(Outgoing(exchange, routing_key, body, message_id, headers))

    async def send_all(self, messages: Iterable[Outgoing]) -> None:
        """Publish many, pipelined. If one fails, the others may or may not have been published."""
        async with asyncio.TaskGroup() as tasks:
            for message in messages:
                tasks.create_task(self.send(message))

    async def send(self, message: Outgoing) -> None:
        """Publish one message and wait for the broker's confirm.

        Raises `Refused` (`unroutable`) if no queue takes it, `TryLater` if the broker is away, full or silent; then it
        may have been published or not.
        """
        async with self._slots:
            try:
                # The library waits for a reconnect outside its own timeout.
                async with asyncio.timeout(CONFIRM_TIMEOUT):
                    await self._exchanges[message.exchange].publish(_amqp(message), message.routing_key, mandatory=True)
            except PublishError as error:
                where = f"{message.exchange} {message.routing_key}"
                raise Refused(Reason.UNROUTABLE, where) from error
            except (DeliveryError, *AWAY) as error:
                raise TryLater(System.BROKER, Reason.UNREACHABLE, type(error).__name__) from error
            except asyncio.CancelledError as error:
                # On a dead link the library's future is cancelled, and that must not look like our own cancellation.
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                raise TryLater(System.BROKER, Reason.UNREACHABLE, "the connection broke") from error


def _amqp(message: Outgoing) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        headers=dict(message.headers),
        message_id=message.message_id,
        content_type=message.content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


@contextlib.asynccontextmanager
async def open_publisher(
    connection: AbstractRobustConnection, exchanges: Iterable[str]
) -> AsyncGenerator[Publisher, None]:
    """Open a confirming channel for these exchanges, which must exist.

    Raises `TryLater` if the broker is away, `Refused` (`unroutable`) if an exchange is missing.
    """
    try:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        found = {name: await channel.get_exchange(name, ensure=True) for name in exchanges}
    except aio_pika.exceptions.ChannelNotFoundEntity as error:
        raise Refused(Reason.UNROUTABLE, str(error)) from error
    except AWAY as error:
        raise TryLater(System.BROKER, Reason.UNREACHABLE, type(error).__name__) from error
    try:
        yield Publisher(found)
    finally:
        with contextlib.suppress(*AWAY):
            await channel.close()
