"""Publishing what is in the outbox, in order and many at a time, for as long as the sandbox runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from events.failures import Refused, TryLater
from sandbox.psa.publishing.outbox import Waiting
from sandbox.psa.world import World

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0


class Publish(Protocol):
    """Gives a message to the broker and returns when the broker has it.

    Raises `TryLater` while the broker is away, `Refused` while no queue takes the message.
    """

    async def __call__(self, routing_key: str, body: bytes) -> None:
        """See the class."""
        ...


async def publish_all(world: World, publish: Publish) -> None:
    """Publish until cancelled. What the broker did not take is published again, before anything newer."""
    pause = _FIRST_PAUSE
    while True:
        batch = await _next_batch(world)
        failed = await _publish_batch(batch, publish)
        world.outbox.settle(failed)
        if failed:
            await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 2) if failed else _FIRST_PAUSE


async def _next_batch(world: World) -> Sequence[Waiting]:
    """Wait for something to publish."""
    while True:
        now = asyncio.get_running_loop().time()
        due = None
        if not world.settings.hold_events:
            if batch := world.outbox.take(world.settings.publishes_in_flight, now, world.event_chance):
                return batch
            due = world.outbox.next_due()
        await world.bell.heard(None if due is None else due - now)


async def _publish_batch(batch: Sequence[Waiting], publish: Publish) -> Sequence[Waiting]:
    """Publish all at once, started in order. Return those that the broker did not take."""
    async with asyncio.TaskGroup() as group:
        tasks = [(waiting, group.create_task(_publish_one(waiting, publish))) for waiting in batch]
    return [waiting for waiting, task in tasks if not task.result()]


async def _publish_one(waiting: Waiting, publish: Publish) -> bool:
    try:
        for _ in range(waiting.copies):
            await publish(waiting.message.routing_key, waiting.message.body)
    except (TryLater, Refused):
        return False
    return True
