"""Intake of events about people: who left, whose data is wanted, and whose is to be erased."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from events.integration import LEFT, DeletionWish
from events.orders import Order, OrderKind
from events.psa import EraseUser, ExportUser, TenantLeft, UserLeft
from worker.intake.orders import place_order

if TYPE_CHECKING:
    from datetime import datetime

    from worker.ports import Orders, Wishes

PersonEvent = UserLeft | TenantLeft | ExportUser | EraseUser
_REMEMBERED: Final = timedelta(days=90)
"""How long a second delivery or a replay is recognised: as long as what names a deleted integration."""


async def take_person(event: PersonEvent, wishes: Wishes, orders: Orders, now: datetime) -> int:
    """Store what an event about people wants. Returns how many integrations it newly concerns.

    They are due now, and nobody is woken: that could be a whole tenant at once. Such an event has no revision that
    could tell it from a newer one, so it is carried out once: who left may have come back. Raises `TryLater` if the
    store is away.
    """
    name = f"{event.source} {event.id}"
    if await wishes.heard(name):
        return 0
    concerned = await _carried_out(event, wishes, orders, now)
    await wishes.remember(name, now + _REMEMBERED)
    return concerned


async def _carried_out(event: PersonEvent, wishes: Wishes, orders: Orders, now: datetime) -> int:
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
