"""Intake of events about people: who left, whose data is wanted, and whose is to be erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.integration import LEFT, DeletionWish
from events.orders import Order, OrderKind
from events.psa import EraseUser, ExportUser, TenantLeft, UserLeft
from worker.intake.orders import place_order

if TYPE_CHECKING:
    from datetime import datetime

    from worker.ports import Orders, Wishes

PersonEvent = UserLeft | TenantLeft | ExportUser | EraseUser


async def take_person(event: PersonEvent, wishes: Wishes, orders: Orders, now: datetime) -> int:
    """Store what an event about people wants. Returns how many integrations it newly concerns.

    They are due now, and nobody is woken: that could be a whole tenant at once. Raises `TryLater` if the store is away.
    """
    match event:
        case UserLeft(data=data):
            return await wishes.want_leaving(data.tenant_id, data.user_id, DeletionWish(LEFT), now)
        case TenantLeft(data=data):
            return await wishes.want_leaving(data.tenant_id, None, DeletionWish(LEFT), now)
        case EraseUser(data=data):
            return await wishes.want_erasing(data.tenant_id, data.user_id, now)
        case ExportUser(data=data):
            new = 0
            for whose in await wishes.of_user(data.tenant_id, data.user_id):
                own, details = f"{whose.integration_id}/export/{data.request_id}", {"request_id": data.request_id}
                order = Order(own, whose.integration_id, LEFT, OrderKind.EXPORT, now, details)
                new += await place_order(order, whose, wishes, orders, now)
            return new
