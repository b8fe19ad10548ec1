"""One integration's way to a calendar service that a test makes up."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from events.integration import Taken
from tests.memory.steps import MemoryClock, Stepper
from tests.memory.store import MemoryIntegrations
from tests.simulation.world import INTEGRATION, World
from worker.access import CronofyAccess, Service
from worker.holding import LEASE, Holding
from worker.ports import Budget


async def access_to(cronofy: Any, budget: Callable[[MemoryIntegrations], Budget]) -> CronofyAccess:
    """Open it, with the lease taken. `cronofy`: what a test needs of `adapters.cronofy.client.Cronofy`."""
    step = Stepper(by_hand=False)
    clock = MemoryClock(step)
    integrations = MemoryIntegrations(step, clock)
    integrations.put(World(Random(1)).integrations.rows[INTEGRATION].integration)
    taken = await integrations.take(INTEGRATION, "message", LEASE)
    assert isinstance(taken, Taken)
    service = Service(cronofy, budget(integrations), clock, "https://relay.example")
    return CronofyAccess(service, Holding(integrations, clock, taken))
