"""Publishing: persistent, confirmed, mandatory, and never without a bound."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from aio_pika import DeliveryMode, Message
from aio_pika.exceptions import PublishError
from aiormq import Channel, spec

from adapters.rabbitmq.connection import OPEN_TIMEOUT, must_exist, open_channel, reaching, restore
from adapters.telemetry import metrics
from events.failures import Refused, TryLater
from events.reasons import Reason

if TYPE_CHECKING:
    from aio_pika.abc import AbstractExchange, AbstractRobustChannel, AbstractRobustConnection, HeadersType

CONFIRM_TIMEOUT: Final = 10.0
_IN_FLIGHT: Final = 100
_LARGEST_FLOAT: Final = 3.4e38
"""The library writes floats of 32 bits."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message. `message_id` is unique per publish: the broker's returns are matched by it."""

    exchange: str
    routing_key: str
    body: bytes
    message_id: str
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    content_type: str = "application/json"
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of a message that is published once more: those of `adapters.rabbitmq.consumer.PROPERTIES` that it had."""


class Publisher:
    """Publishes on one channel. When a call returns, the broker has the message on disk on a majority of its nodes."""

    def __init__(self, channel: AbstractRobustChannel, exchanges: Mapping[str, AbstractExchange]) -> None:
        self._channel = channel
        self._exchanges = exchanges
        self._slots = asyncio.Semaphore(_IN_FLIGHT)

    @property
    def connected(self) -> bool:
        """Whether the broker can be spoken to now, as far as is known."""
        return not self._channel.is_closed

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
        """Publish many, pipelined. If one fails, the others may or may not have been published. See `send`."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for message in messages:
                    tasks.create_task(self.send(message))
        except ExceptionGroup as group:
            raise _foremost(group) from group

    async def send(self, message: Outgoing) -> None:
        """Publish one message and wait for the broker's confirm.

        Raises `Refused` (`unroutable`) if no queue takes it, `TryLater` if the broker is away, full or silent; then it
        may have been published or not.
        """
        outcome = "failed"
        try:
            # The library waits for a reconnect outside its own timeout.
            async with self._slots, reaching(CONFIRM_TIMEOUT):
                await restore(self._channel)
                try:
                    await self._publish(message)
                except PublishError as error:
                    outcome = "unroutable"
                    raise Refused(Reason.UNROUTABLE, f"{message.exchange} {message.routing_key}") from error
            outcome = "confirmed"
        finally:
            metrics.PUBLISHED.labels(message.exchange, outcome).inc()

    async def _publish(self, message: Outgoing) -> None:
        """Publish and wait for the confirm, but not for the message to be written before the next one may be.

        Exchanges of the library do that, one message at a time; how much is on its way is bounded here already.
        """
        channel = cast("Channel", await self._channel.get_underlay_channel())
        await channel.basic_publish(
            message.body,
            exchange=self._exchanges[message.exchange].name,
            routing_key=message.routing_key,
            properties=_properties(message),
            mandatory=True,
            wait=False,
        )


def _foremost(group: ExceptionGroup[Exception]) -> Exception:
    """Return an outage if there is one: it says to try again, and whatever else is wrong will show again then."""
    return next((error for error in group.exceptions if isinstance(error, TryLater)), group.exceptions[0])


def _properties(message: Outgoing) -> spec.Basic.Properties:
    headers = cast("HeadersType", {name: _writable(value) for name, value in message.headers.items()})
    if not message.properties:
        return spec.Basic.Properties(
            content_type=message.content_type,
            headers=headers,
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=message.message_id,
        )
    given: dict[str, Any] = {"content_type": message.content_type, **message.properties}
    whole = Message(
        message.body,
        headers=headers,
        message_id=message.message_id,
        delivery_mode=DeliveryMode.PERSISTENT,
        **given,
    )
    return whole.properties


def _writable(value: object) -> object:
    """Return a header's value as something that the library can write. It reads more from foreign messages than that.

    A message that cannot be published could not be set aside either.
    """
    match value:
        case bytes():  # a text that is not UTF-8
            return bytearray(value)
        case float() if abs(value) > _LARGEST_FLOAT:
            return str(value)
        case list():
            return [_writable(one) for one in cast("list[object]", value)]
        case dict():
            return {name: _writable(inner) for name, inner in cast("dict[str, object]", value).items()}
        case _:
            return value


@contextlib.asynccontextmanager
async def open_publisher(
    connection: AbstractRobustConnection, exchanges: Iterable[str]
) -> AsyncGenerator[Publisher, None]:
    """Open a confirming channel for these exchanges.

    Raises `TryLater` if the broker is away, `Misconfigured` if an exchange does not exist.
    """
    async with open_channel(connection, on_return_raises=True) as channel:
        found: dict[str, AbstractExchange] = {}
        for name in exchanges:
            async with reaching(OPEN_TIMEOUT):
                with must_exist(f"exchange {name}"):
                    found[name] = await channel.get_exchange(name, ensure=True)
        yield Publisher(channel, found)
