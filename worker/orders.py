"""Carrying out orders, under the lease: one handler for each kind.

A handler does not speak to the calendar service: it changes what is stored, and the loop or a run does the rest. So
orders are carried out whatever the state of the connection. It must be safe to repeat after a crash at any await, and

- returns None when it has finished, or when to go on;
- raises `Refused` with the reason to refuse the order.

Either way the PSA platform is told when the order is closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.calendar import Provider
from events.failures import Refused
from events.orders import Order, OrderKind
from worker import outcomes

if TYPE_CHECKING:
    from datetime import datetime

    from worker.holding import Holding
    from worker.slice import Tools


@dataclass(frozen=True, slots=True)
class Desk:
    """What orders are carried out with."""

    tools: Tools
    holding: Holding


async def carry_out(desk: Desk) -> datetime | None:
    """Carry out the integration's open orders, the oldest first. Returns when one of them has to be gone on with."""
    again: list[datetime] = []
    for order in await desk.tools.orders.open(desk.holding.id):
        refusal: Refused | None = None
        try:
            go_on_at = await _carry_out(desk, order)
        except Refused as error:
            go_on_at, refusal = None, error
        if go_on_at is not None:
            again.append(go_on_at)
            continue
        told = outcomes.order_closed(desk.holding, order, refusal, desk.tools.clock.now())
        await desk.tools.outcomes.publish([told])
        await desk.tools.orders.close(desk.holding.lease, order)
    return min(again, default=None)


async def _carry_out(desk: Desk, order: Order) -> datetime | None:
    match order.kind:
        case OrderKind.AUTHORIZE:
            return await _authorize(desk, order)


async def _authorize(desk: Desk, order: Order) -> datetime | None:
    details, provider = order.details, order.details.get("provider")
    chosen = None if provider is None else Provider(str(provider))
    url = desk.tools.portal.address(str(details["redirect_uri"]), str(details["state"]), chosen)
    told = outcomes.authorization(desk.holding, order.revision, url, desk.tools.clock.now())
    await desk.tools.outcomes.publish([told])
    return None
