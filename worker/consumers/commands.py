"""Executing wake-ups."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.commands import WAKE, Wake
from events.contract import parse
from worker.core.retry import Park
from worker.said import Said

if TYPE_CHECKING:
    from adapters.rabbitmq.consumer import Delivery, Inbox
    from worker.consumers.shop import Shop
    from worker.executor import Executor


@dataclass(frozen=True, slots=True)
class CommandsConsumer:
    """Executes wake-ups, many integrations at a time."""

    shop: Shop
    inbox: Inbox
    executor: Executor
    at_once: int

    async def run(self) -> None:
        """Run until the process is about to end; then what is under way comes to an end first."""
        async with asyncio.TaskGroup() as tasks:
            while batch := await self.shop.next_batch(self.inbox, self.at_once):
                for delivery in batch:
                    tasks.create_task(self._take(delivery))

    async def _take(self, delivery: Delivery) -> None:
        began = self.shop.clock.monotonic()
        result = await self.shop.insist(lambda: self._handle(delivery))
        if isinstance(result, Park):
            await self.shop.set_aside(delivery, result)
            return
        wake, outcome = result
        self.shop.log.info(
            Said.WOKEN,
            integration_id=wake.integration_id,
            cause=wake.cause,
            correlation_id=wake.correlation_id,
            outcome=outcome,
            seconds=round(self.shop.clock.monotonic() - began, 4),
        )
        await delivery.ack()

    async def _handle(self, delivery: Delivery) -> tuple[Wake, str]:
        wake = parse(WAKE, delivery.body)
        await self.shop.turn.wait()
        return wake, await self.executor.execute(wake, delivery.message_id)
