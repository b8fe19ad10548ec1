"""Taking integration events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.commands import Cause, Wake
from events.contract import parse
from events.failures import Malformed
from events.psa import PSA_EVENT, ItemChanged
from events.reasons import Reason
from worker.core.retry import Park
from worker.intake.orders import OrderEvent, order_of, place_order
from worker.intake.safety import SAFETY_NET
from worker.intake.wishes import take_wish, whose_of
from worker.said import Said

if TYPE_CHECKING:
    from adapters.rabbitmq.consumer import Delivery, Inbox
    from worker.consumers.shop import Shop
    from worker.ports import Orders, Wishes


@dataclass(frozen=True, slots=True)
class WishesConsumer:
    """Takes integration events."""

    shop: Shop
    inbox: Inbox
    wishes: Wishes
    orders: Orders

    async def run(self) -> None:
        """Run until the process is about to end."""
        while batch := await self.shop.next_batch(self.inbox, 1):
            await self._take(batch[0])

    async def _take(self, delivery: Delivery) -> None:
        result = await self.shop.insist(lambda: self._handle(delivery.body))
        if isinstance(result, Park):
            await self.shop.set_aside(delivery, result)
            return
        self.shop.log.info(Said.WISH_TAKEN, type=result[0], integration_id=result[1], new=result[2])
        await delivery.ack()

    async def _handle(self, body: bytes) -> tuple[str, str, bool]:
        event = parse(PSA_EVENT, body)
        if isinstance(event, ItemChanged):
            raise Malformed(Reason.UNKNOWN_TYPE, f"{event.type} does not belong in this queue")
        now = self.shop.clock.now()
        if isinstance(event, OrderEvent):
            order, whose = order_of(event, now), whose_of(event.data)
            new = await place_order(order, whose, self.wishes, self.orders, now + SAFETY_NET)
        else:
            new = await take_wish(event, self.wishes, now)
        integration_id = event.data.integration_id
        # Also what is known already is woken for: the first delivery may have ended in between.
        wake = Wake(integration_id=integration_id, cause=Cause.SETTINGS, correlation_id=event.id)
        await self.shop.commands.wake([wake])
        return event.type, integration_id, new
