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
from typing import TYPE_CHECKING, Any

from adapters.rabbitmq.connection import AWAY
from events.failures import Misconfigured, System, TryLater
from events.reasons import Reason

if TYPE_CHECKING:
    from aio_pika.abc import AbstractIncomingMessage, AbstractRobustConnection


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
    message: AbstractIncomingMessage
    """The library's own; for acking only."""

    @property
    def lost(self) -> bool:
        """Whether the channel it came by is gone: the broker will deliver it again, and it cannot be acked."""
        return bool(self.message.channel.is_closed)

    async def ack(self) -> bool:
        """Acknowledge it. False if the broker can no longer be told: it will be delivered again."""
        try:
            await self.message.ack()
        except AWAY:
            return False
        return True

    async def ack_up_to(self) -> bool:
        """Acknowledge it and everything delivered before it by the same channel."""
        try:
            await self.message.ack(multiple=True)
        except AWAY:
            return False
        return True


class Inbox:
    """What was delivered and not yet taken."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self._buffer: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()

    async def receive(self, message: AbstractIncomingMessage) -> None:
        """Take a message from the library."""
        self._buffer.put_nowait(message)

    async def batch(self, limit: int) -> list[Delivery]:
        """Wait for a message, then return it with all others that are there, up to `limit`, in order of delivery."""
        while True:
            batch = [self._delivery(await self._buffer.get())]
            while len(batch) < limit and not self._buffer.empty():
                batch.append(self._delivery(self._buffer.get_nowait()))
            alive = [delivery for delivery in batch if not delivery.lost]
            if alive:
                return alive

    def _delivery(self, message: AbstractIncomingMessage) -> Delivery:
        return Delivery(
            body=message.body,
            headers=dict(message.headers),
            message_id=message.message_id or "",
            exchange=message.exchange or "",
            routing_key=message.routing_key or "",
            queue=self.queue,
            redelivered=bool(message.redelivered),
            message=message,
        )


async def ack_batch(deliveries: Iterable[Delivery]) -> None:
    """Acknowledge a whole batch with one frame per channel. Only for a consumer that handles one batch at a time."""
    last: dict[int, Delivery] = {}
    for delivery in deliveries:
        last[id(delivery.message.channel)] = delivery
    for delivery in last.values():
        await delivery.ack_up_to()


@contextlib.asynccontextmanager
async def consume(connection: AbstractRobustConnection, queue: str, prefetch: int) -> AsyncGenerator[Inbox, None]:
    """Consume a queue for as long as the block runs; unacked messages go back to it at the end.

    Raises `TryLater` if the broker is away, `Misconfigured` if the queue does not exist.
    """
    inbox = Inbox(queue)
    try:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=prefetch)
        source = await channel.get_queue(queue, ensure=True)
        await source.consume(inbox.receive)
    except AWAY as error:
        if "NOT_FOUND" in str(error):
            hint = f"queue {queue} does not exist; run `calsync topology apply`"
            raise Misconfigured(Reason.BAD_SETTINGS, hint) from error
        raise TryLater(System.BROKER, Reason.UNREACHABLE, type(error).__name__) from error
    try:
        yield inbox
    finally:
        # The channel is closed, not the consumer cancelled: what is unacked must go back at once.
        with contextlib.suppress(*AWAY):
            await channel.close()
