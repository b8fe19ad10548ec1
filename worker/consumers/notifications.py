"""Taking Cronofy's notifications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.telemetry import tracing
from events.addresses import SIGNATURE_HEADER
from events.commands import Cause, Wake
from events.letters import Verdict
from worker.core.retry import Park
from worker.intake.notifications import take_notification
from worker.said import Said

if TYPE_CHECKING:
    from adapters.rabbitmq.consumer import Delivery, Inbox
    from worker.consumers.shop import Shop
    from worker.ports import Wishes

BATCH: Final = 250


@dataclass(frozen=True, slots=True)
class NotificationsConsumer:
    """Takes Cronofy's notifications."""

    shop: Shop
    inbox: Inbox
    wishes: Wishes
    secrets: tuple[str, ...]

    async def run(self) -> None:
        """Run until the process is about to end."""
        while batch := await self.shop.next_batch(self.inbox, BATCH):
            for delivery in batch:
                with (
                    self.shop.handling(self.inbox.queue, correlation_id=delivery.message_id),
                    self.shop.span(delivery),
                ):
                    await self._take(delivery)

    async def _take(self, delivery: Delivery) -> None:
        result = await self.shop.insist(lambda: self._handle(delivery))
        if isinstance(result, Park):
            await self.shop.set_aside(delivery, result)
            return
        self.shop.log.info(Said.NOTIFICATION_TAKEN, integration_id=result or None)
        self.shop.processed(delivery.queue, "done" if result else "nobody")
        await self.shop.done(delivery, Verdict.RESOLVED if result else Verdict.STALE)

    async def _handle(self, delivery: Delivery) -> str:
        header = delivery.headers.get(SIGNATURE_HEADER)
        signature = header if isinstance(header, str) else None
        woken = await take_notification(delivery.body, signature, self.secrets, self.wishes, self.shop.clock.now())
        if woken is None:
            return ""
        wake = Wake(
            integration_id=woken,
            cause=Cause.NOTIFICATION,
            correlation_id=delivery.message_id,
            traceparent=tracing.current(),
        )
        await self.shop.commands.wake([wake])
        return woken
