"""Giving orders as an operator: the same as the PSA platform's, and through the same door."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from adapters.mongodb.integrations import Integrations
from adapters.mongodb.orders import Orders
from adapters.mongodb.overview import Overview
from adapters.mongodb.vault import Vault, new_key
from adapters.process.system import SystemClock, new_id
from cli.database import opened_database
from cli.failing import Failed
from events.integration import Assignee
from events.orders import OPERATOR, Order, OrderKind, operators_order_id
from worker.intake.orders import place_order
from worker.settings import Store


async def give_order(settings: Store, integration_id: str, kind: OrderKind, details: Mapping[str, JsonValue]) -> Order:
    """Leave an order for whoever works on the integration next. Raises `Failed` if there is no such integration."""
    clock = SystemClock()
    now = clock.now()
    order = Order(operators_order_id(integration_id, new_id()), integration_id, OPERATOR, kind, now, details)
    async with opened_database(settings) as database:
        found = await Overview(database).get(integration_id)
        if found is None:
            raise Failed(f"There is no integration {integration_id}.")
        whose = Assignee(found.id, found.tenant_id, found.user_id)
        # No secret is touched on this way, so an operator needs no key.
        integrations = Integrations(database, Vault([new_key()]), clock.monotonic)
        await place_order(order, whose, integrations, Orders(database), now)
    return order
