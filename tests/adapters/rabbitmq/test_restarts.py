"""A broker that dies and comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import count

from adapters.rabbitmq.connection import connect, connect_once
from adapters.rabbitmq.consumer import Inbox, ack_batch, consume
from adapters.rabbitmq.publisher import Outgoing, Publisher, open_publisher
from adapters.rabbitmq.topology import apply
from events.addresses import OUTCOMES, OUTCOMES_QUEUE
from events.failures import TryLater
from stack.services import Broker
from tests.adapters.rabbitmq.seen import eventually


class Traffic:
    """Publishes without end, and remembers what was confirmed."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._numbers = count()
        self.confirmed: set[int] = set()
        self.failures = 0

    async def flow(self) -> None:
        while True:
            number = next(self._numbers)
            try:
                await self._publisher.send(Outgoing(OUTCOMES, "any", str(number).encode(), f"message-{number}"))
            except TryLater:
                self.failures += 1
                await asyncio.sleep(0.1)
            else:
                self.confirmed.add(number)

    async def more(self, messages: int, seconds: float = 0) -> None:
        """Go on until so many more are confirmed, and at least for so long."""
        enough, until = len(self.confirmed) + messages, time.monotonic() + seconds
        await came_true(lambda: len(self.confirmed) >= enough and time.monotonic() >= until)


async def came_true(claim: Callable[[], bool]) -> None:
    async def look() -> bool:
        return claim()

    await eventually(look, bool, within=60)


async def gather(inbox: Inbox, received: set[int]) -> None:
    while True:
        batch = await inbox.batch(100)
        received.update(int(delivery.body) for delivery in batch)
        await ack_batch(batch)


async def test_nothing_that_was_confirmed_is_lost_when_the_broker_is_killed(own_broker: Broker) -> None:
    async with connect_once(own_broker.url, "topology") as connection:
        assert await apply(connection) == []
    received: set[int] = set()
    async with (
        connect(own_broker.url, "test") as connections,
        open_publisher(connections.publishing, [OUTCOMES]) as publisher,
        consume(connections.consuming, OUTCOMES_QUEUE, 100) as inbox,
        asyncio.TaskGroup() as tasks,
    ):
        traffic = Traffic(publisher)
        running = [tasks.create_task(traffic.flow()) for _ in range(20)]
        running.append(tasks.create_task(gather(inbox, received)))
        await traffic.more(100, seconds=2)  # the broker needs one to write down that it has new queues
        await asyncio.to_thread(own_broker.kill)
        await asyncio.to_thread(own_broker.start)
        await traffic.more(100)
        await came_true(lambda: received >= traffic.confirmed)
        for task in running:
            task.cancel()
    assert traffic.failures, "somebody was told that the broker was away"
