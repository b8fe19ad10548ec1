"""Taking integration events, and tenants' settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from structlog.contextvars import bind_contextvars

from adapters.telemetry import tracing
from events.commands import Cause, Wake
from events.contract import parse
from events.failures import Malformed
from events.letters import Verdict
from events.psa import (
    PSA_EVENT,
    ConfigureTenant,
    Delete,
    EraseUser,
    ExportUser,
    ItemChanged,
    PsaEvent,
    TenantLeft,
    UserLeft,
)
from events.reasons import Reason
from worker import outcomes
from worker.core.retry import Park
from worker.intake.orders import OrderEvent, order_of, place_order
from worker.intake.persons import take_person
from worker.intake.safety import SAFETY_NET
from worker.intake.tenants import take_tenant
from worker.intake.wishes import WishEvent, take_wish, whose_of
from worker.said import Said

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.rabbitmq.consumer import Delivery, Inbox
    from events.psa import IntegrationEvent
    from worker.consumers.shop import Shop
    from worker.ports import Orders, Outcomes, Tenants, Wishes


@dataclass(frozen=True, slots=True)
class WishesConsumer:
    """Takes what users and tenants want."""

    shop: Shop
    inbox: Inbox
    wishes: Wishes
    orders: Orders
    tenants: Tenants
    outcomes: Outcomes

    async def run(self) -> None:
        """Run until the process is about to end."""
        while batch := await self.shop.next_batch(self.inbox, 1):
            with self.shop.handling(self.inbox.queue, message_id=batch[0].message_id):
                await self._take(batch[0])

    async def _take(self, delivery: Delivery) -> None:
        result = await self.shop.insist(lambda: self._handle(delivery))
        if isinstance(result, Park):
            await self.shop.set_aside(delivery, result)
            return
        self.shop.log.info(Said.WISH_TAKEN, **result)
        self.shop.processed(delivery.queue, "done" if result["new"] else "old")
        await self.shop.done(delivery, Verdict.RESOLVED if result["new"] else Verdict.STALE)

    async def _handle(self, delivery: Delivery) -> dict[str, object]:
        """Return what to log."""
        event = parse(PSA_EVENT, delivery.body)
        bind_contextvars(correlation_id=event.id)
        with self.shop.span(delivery, event.traceparent):
            return await self._carry(event)

    async def _carry(self, event: PsaEvent) -> dict[str, object]:
        now = self.shop.clock.now()
        match event:
            case ItemChanged():
                raise Malformed(Reason.UNKNOWN_TYPE, f"{event.type} does not belong in this queue")
            case ConfigureTenant(data=data):
                # Nobody is woken: that would be all of the tenant's integrations at once. The sweeper finds them.
                tenant = await take_tenant(data, self.tenants, now)
                return {"type": event.type, "tenant_id": tenant.id, "new": tenant.revision == data.revision}
            case UserLeft() | TenantLeft() | ExportUser() | EraseUser():
                concerned = await take_person(event, self.wishes, self.orders, now)
                return {"type": event.type, "tenant_id": event.data.tenant_id, "new": concerned > 0}
            case _:
                return await self._of_integration(event, now)

    async def _of_integration(self, event: IntegrationEvent, now: datetime) -> dict[str, object]:
        new = await take_wish(event, self.wishes, now) if isinstance(event, WishEvent) else False
        if isinstance(event, Delete) and not new:
            await self._answer_late(event, now)
        if isinstance(event, OrderEvent) and (order := order_of(event, now)) is not None:
            new = await place_order(order, whose_of(event.data), self.wishes, self.orders, now + SAFETY_NET)
        integration_id = event.data.integration_id
        # Also what is known already is woken for: the first delivery may have ended in between.
        wake = Wake(
            integration_id=integration_id,
            cause=Cause.SETTINGS,
            correlation_id=event.id,
            traceparent=tracing.current(),
        )
        await self.shop.commands.wake([wake])
        return {"type": event.type, "integration_id": integration_id, "new": new}

    async def _answer_late(self, event: Delete, now: datetime) -> None:
        """Tell whoever asks for a deletion after everything was erased; nobody else knows of it any more."""
        erased = await self.wishes.erased(event.data.integration_id)
        if erased is not None and event.data.revision > erased:
            await self.outcomes.publish([outcomes.erased_before(event.data, now)])
