"""Intake of orders: what somebody wants done once is stored, once, and its integration becomes due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.orders import Order, OrderKind, order_id
from events.psa import (
    Authorize,
    CountCopies,
    DiscardDeletions,
    ReleaseDeletions,
    ResolveAccount,
    RestoreValue,
    Unfreeze,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pydantic import JsonValue

    from events.integration import Assignee
    from events.psa import IntegrationData
    from worker.ports import Orders, Wishes

OrderEvent = Authorize | ResolveAccount | CountCopies | ReleaseDeletions | DiscardDeletions | Unfreeze | RestoreValue
"""The integration events that are orders."""


def order_of(event: OrderEvent, now: datetime) -> Order:
    """Return the order that an event gives."""
    match event:
        case Authorize(data=data):
            return _order(data, OrderKind.AUTHORIZE, now)
        case ResolveAccount(data=data):
            return _order(data, OrderKind.RESOLVE_ACCOUNT, now)
        case CountCopies(data=data):
            return _order(data, OrderKind.COUNT_COPIES, now)
        case ReleaseDeletions(data=data):
            return _order(data, OrderKind.RELEASE_DELETIONS, now)
        case DiscardDeletions(data=data):
            return _order(data, OrderKind.DISCARD_DELETIONS, now)
        case Unfreeze(data=data):
            return _order(data, OrderKind.UNFREEZE, now)
        case RestoreValue(data=data):
            return _order(data, OrderKind.RESTORE, now)


def _order(data: IntegrationData, kind: OrderKind, now: datetime) -> Order:
    whose = {"tenant_id", "user_id", "integration_id", "revision"}
    details: Mapping[str, JsonValue] = data.model_dump(mode="json", exclude=whose)
    return Order(order_id(data.integration_id, data.revision), data.integration_id, data.revision, kind, now, details)


async def place_order(order: Order, whose: Assignee, wishes: Wishes, orders: Orders, due_at: datetime) -> bool:
    """Store an order and make its integration due. False if it was given before.

    Raises `TryLater` if the store is away, `Malformed` if the integration belongs to somebody else.
    """
    await wishes.expect(whose, due_at)
    new = await orders.place(order)
    # Once more: whoever was woken in between has looked for orders already.
    await wishes.mark_due([whose.integration_id], due_at)
    return new
