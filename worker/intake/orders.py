"""Intake of orders: what somebody wants done once is stored, once, and its integration becomes due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.orders import Order, OrderKind, order_id
from events.psa import (
    Authorize,
    CancelRun,
    Configure,
    CountCopies,
    DiscardDeletions,
    Preview,
    Range,
    ReadLog,
    ReleaseDeletions,
    ResolveAccount,
    RestoreValue,
    SyncDirection,
    SyncNow,
    UndoRun,
    Unfreeze,
)
from events.runs import RunTrigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pydantic import JsonValue

    from events.integration import Assignee
    from events.psa import IntegrationData
    from worker.ports import Orders, Wishes

OrderEvent = (
    Authorize
    | Configure
    | Preview
    | SyncNow
    | CancelRun
    | UndoRun
    | ResolveAccount
    | CountCopies
    | ReadLog
    | ReleaseDeletions
    | DiscardDeletions
    | Unfreeze
    | RestoreValue
)
"""The integration events that are orders, or may bring one along."""


def order_of(event: OrderEvent, now: datetime) -> Order | None:  # noqa: C901, PLR0912 - one case for each kind
    """Return the order that an event gives; None if it gives none."""
    match event:
        case Authorize(data=data):
            return _order(data, OrderKind.AUTHORIZE, now)
        case Configure(data=data):
            ticked = _ranges(data.retrieve, data.send)
            return _run(data, RunTrigger.SAVED, ticked, now) if any(ticked.values()) else None
        case Preview(data=data):
            return _order(data, OrderKind.PREVIEW, now)
        case SyncNow(data=data):
            retrieve = data.range if data.direction is not SyncDirection.SEND else None
            send = data.range if data.direction is not SyncDirection.RETRIEVE else None
            return _run(data, RunTrigger.ASKED, _ranges(retrieve, send), now)
        case CancelRun(data=data):
            return _order(data, OrderKind.CANCEL_RUN, now)
        case UndoRun(data=data):
            return _order(data, OrderKind.UNDO_RUN, now)
        case ResolveAccount(data=data):
            return _order(data, OrderKind.RESOLVE_ACCOUNT, now)
        case CountCopies(data=data):
            return _order(data, OrderKind.COUNT_COPIES, now)
        case ReadLog(data=data):
            return _order(data, OrderKind.READ_LOG, now)
        case ReleaseDeletions(data=data):
            return _order(data, OrderKind.RELEASE_DELETIONS, now)
        case DiscardDeletions(data=data):
            return _order(data, OrderKind.DISCARD_DELETIONS, now)
        case Unfreeze(data=data):
            return _order(data, OrderKind.UNFREEZE, now)
        case RestoreValue(data=data):
            return _order(data, OrderKind.RESTORE, now)


def _ranges(retrieve: Range | None, send: Range | None) -> dict[str, JsonValue]:
    return {
        "retrieve": retrieve.model_dump(mode="json") if retrieve else None,
        "send": send.model_dump(mode="json") if send else None,
    }


def _run(data: IntegrationData, trigger: RunTrigger, ranges: Mapping[str, JsonValue], now: datetime) -> Order:
    """Return the order for a run, as `worker.runs.beginning` reads it."""
    id_ = order_id(data.integration_id, data.revision)
    details = {"trigger": trigger.value, **ranges}
    return Order(id_, data.integration_id, data.revision, OrderKind.SYNC, now, details)


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
