"""Executing wake-ups."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from structlog.contextvars import bind_contextvars

from events.commands import COMMAND, Cause, Wake
from events.contract import parse
from events.dead_letters import LinkFailed, Replayed
from events.failures import Malformed
from events.letters import Verdict
from events.reasons import Reason
from worker.core.retry import Park
from worker.said import Said

if TYPE_CHECKING:
    from adapters.rabbitmq.consumer import Delivery, Inbox
    from worker.consumers.shop import Shop
    from worker.executor import Executor
    from worker.ports import Leases, Links


@dataclass(frozen=True, slots=True)
class CommandsConsumer:
    """Executes wake-ups, many integrations at a time."""

    shop: Shop
    inbox: Inbox
    executor: Executor
    links: Links
    leases: Leases
    at_once: int

    async def run(self) -> None:
        """Run until the process is about to end; then what is under way comes to an end first."""
        async with asyncio.TaskGroup() as tasks:
            while batch := await self.shop.next_batch(self.inbox, self.at_once):
                for delivery in batch:
                    tasks.create_task(self._take(delivery))

    async def _take(self, delivery: Delivery) -> None:
        with self.shop.handling(delivery.queue, message_id=delivery.message_id), self.shop.span(delivery):
            await self._execute(delivery)

    async def _execute(self, delivery: Delivery) -> None:
        began = self.shop.clock.monotonic()
        result = await self.shop.insist(lambda: self._handle(delivery))
        if isinstance(result, Park):
            await self.shop.set_aside(delivery, result)
            await self._let_go(delivery)
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
        self.shop.processed(delivery.queue, outcome)
        if outcome in _NOTHING_THERE:
            await self.shop.done(delivery, Verdict.STALE, outcome)
        elif wake.cause is Cause.REPLAY:
            await delivery.ack()  # what becomes of the item, its link will say
        else:
            await self.shop.done(delivery, detail=outcome)

    async def _handle(self, delivery: Delivery) -> tuple[Wake, str]:
        command = parse(COMMAND, delivery.body)
        if isinstance(command, LinkFailed):
            wake = Wake(integration_id=command.integration_id, cause=Cause.REPLAY, correlation_id=delivery.message_id)
            if not await self._look_again(command, delivery):
                return wake, Reason.GONE.value
        else:
            wake = command
        bind_contextvars(integration_id=wake.integration_id, correlation_id=wake.correlation_id)
        await self.shop.turn.wait()
        return wake, await self.executor.execute(wake, delivery.message_id)

    async def _let_go(self, delivery: Delivery) -> None:
        """Give back the lease that a message holds which is set aside: what others bring need not wait for its end."""
        try:
            integration_id = parse(COMMAND, delivery.body).integration_id
        except Malformed:
            return  # it names nobody, so it holds nothing
        await self.shop.insist(lambda: self.leases.abandon(integration_id, delivery.message_id))

    async def _look_again(self, failed: LinkFailed, delivery: Delivery) -> bool:
        """Have a link tried again, whatever state it is in. False if it does not exist any more."""
        version = await self.links.look_again(failed.integration_id, failed.link_id, self.shop.clock.now())
        replayed = Replayed.of(delivery.headers)
        if version is not None and replayed is not None:
            await self.shop.letters.taken(replayed.letter, replayed.replay, version)
        return version is not None


_NOTHING_THERE: Final = frozenset({Reason.GONE.value, Reason.UNKNOWN_INTEGRATION.value})
