"""Runs on the simulation's stage."""

from __future__ import annotations

from pydantic import JsonValue

from events.commands import Cause, Wake
from events.orders import Order, OrderKind
from tests.simulation.world import INTEGRATION, Message, World


def sync_now(world: World) -> None:
    """Let the user press *Sync now*, for both ways and the coming month."""
    month: JsonValue = {"past": "none", "future": "1_month"}
    details: dict[str, JsonValue] = {"trigger": "asked", "retrieve": month, "send": month}
    order = Order(f"{INTEGRATION}/2", INTEGRATION, 2, OrderKind.SYNC, world.clock.now(), details)
    world.orders.orders[order.id] = order
    wake = Wake(integration_id=INTEGRATION, cause=Cause.SETTINGS)
    world.queue.append(Message("wake", "sync-now", wake))
