"""Consuming: messages are handed over to tasks of ours in batches, and acked explicitly.

The library cancels its callbacks when the connection dies, in the middle of whatever they do. So the callback only puts
the message into a buffer; and when the channel of a buffered message is gone, the message is dropped from the buffer,
because the broker delivers it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aio_pika.exceptions import ChannelInvalidStateError

from adapters.rabbitmq.connection import OPEN_TIMEOUT, must_exist, open_channel, reaching, restore
from events.failures import TryLater

if TYPE_CHECKING:
    from aio_pika.abc import (
        AbstractIncomingMessage,
        AbstractQueue,
        AbstractRobustChannel,
        AbstractRobustConnection,
    )

ACK_TIMEOUT: Final = 10.0
PROPERTIES: Final = ("content_type", "content_encoding", "correlation_id", "reply_to", "timestamp", "type", "app_id")
"""What a message keeps of its properties when it is set aside. An expiration must not go with it."""
WATCH_SECONDS: Final = 15.0
"""How long nothing may arrive until it is looked whether anything still could."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it was delivered, and the means to ack it."""

    body: bytes
    headers: dict[str, Any]
    message_id: str
    exchange: str
    routing_key: str
    queue: str
    redelivered: bool
    properties: dict[str, Any]
    """What else its sender said of it: content type, correlation id, time and the like, where given."""
    message: AbstractIncomingMessage
    """The library's own; for acking only."""

    @property
    def lost(self) -> bool:
        """Whether the channel it came by is gone: the broker will deliver it again, and it cannot be acked."""
        return self._channel() is None

    async def ack(self) -> bool:
        """Acknowledge it. False if the broker can no longer be told: it will be delivered again."""
        return await self._ack(multiple=False)

    async def ack_up_to(self) -> bool:
        """Acknowledge it and everything delivered before it by the same channel. False as with `ack`."""
        return await self._ack(multiple=True)

    def _channel(self) -> object | None:
        try:
            return self.message.channel
        except ChannelInvalidStateError:
            return None

    async def _ack(self, *, multiple: bool) -> bool:
        try:
            async with reaching(ACK_TIMEOUT):
                await self.message.ack(multiple=multiple)
        except TryLater:
            return False
        return True


class Inbox:
    """What was delivered and not yet taken."""

    def __init__(self, channel: AbstractRobustChannel, source: AbstractQueue) -> None:
        self.queue = source.name
        self._channel = channel
        self._source = source
        self.cancelled = False
        """Whether the broker has taken the queue away since the channel was opened."""
        self._buffer: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()

    async def receive(self, message: AbstractIncomingMessage) -> None:
        """Take a message from the library."""
        self._buffer.put_nowait(message)

    @property
    def waiting(self) -> int:
        """How many messages have been delivered and not been taken."""
        return self._buffer.qsize()

    async def batch(self, limit: int) -> list[Delivery]:
        """Wait for a message, then return it with all others that are there, up to `limit`, in order of delivery."""
        while True:
            batch = [self._delivery(await self._next())]
            while len(batch) < limit and not self._buffer.empty():
                batch.append(self._delivery(self._buffer.get_nowait()))
            alive = [delivery for delivery in batch if not delivery.lost]
            if alive:
                return alive

    async def _next(self) -> AbstractIncomingMessage:
        while True:
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    return await self._buffer.get()
            except TimeoutError:
                with contextlib.suppress(TryLater):
                    await restore(self._channel)
                    await self._consume_anew_if_forgotten()

    async def watch(self, *_: object) -> None:
        """Notice when the broker takes the queue away. To be asked for anew whenever the channel was opened."""
        channel = await self._channel.get_underlay_channel()
        channel.on_consumer_cancel_callbacks.add(self._cancel)
        self.cancelled = False

    def _cancel(self, _: object) -> None:
        self.cancelled = True

    async def _consume_anew_if_forgotten(self) -> None:
        """Open the channel anew if the queue was deleted and made again, or knows no consumer.

        The library consumes again by the old channel, and may do so while the old queue still dies. The channel then
        counts as a consumer of the new queue, yet takes its first messages for such as it has seen, and hands out none.
        """
        async with reaching(OPEN_TIMEOUT):
            declared = await self._source.declare()
            if self.cancelled or not declared.consumer_count:
                await (await self._channel.get_underlay_channel()).close()

    def _delivery(self, message: AbstractIncomingMessage) -> Delivery:
        return Delivery(
            body=message.body,
            headers=dict(message.headers),
            message_id=message.message_id or "",
            exchange=message.exchange or "",
            routing_key=message.routing_key or "",
            queue=self.queue,
            redelivered=bool(message.redelivered),
            properties={name: value for name in PROPERTIES if (value := getattr(message, name)) is not None},
            message=message,
        )


async def ack_batch(deliveries: Iterable[Delivery]) -> None:
    """Acknowledge a whole batch with one frame per channel. Only for a consumer that handles one batch at a time.

    Some of them may have been acked one by one before.
    """
    last: dict[int, Delivery] = {}
    for delivery in deliveries:
        if not delivery.lost and not delivery.message.processed:
            last[id(delivery.message.channel)] = delivery
    for delivery in last.values():
        await delivery.ack_up_to()


@contextlib.asynccontextmanager
async def consume(connection: AbstractRobustConnection, queue: str, prefetch: int) -> AsyncGenerator[Inbox, None]:
    """Consume a queue for as long as the block runs; unacked messages go back to it at the end.

    Raises `TryLater` if the broker is away, `Misconfigured` if the queue does not exist.
    """
    # At the end the channel is closed, not the consumer cancelled: what is unacked must go back at once.
    async with open_channel(connection) as channel:
        async with reaching(OPEN_TIMEOUT):
            await channel.set_qos(prefetch_count=prefetch)
            with must_exist(f"queue {queue}"):
                source = await channel.get_queue(queue, ensure=True)
            inbox = Inbox(channel, source)
            await inbox.watch()
            channel.reopen_callbacks.add(inbox.watch)
            await source.consume(inbox.receive)
        yield inbox
