"""What the laws are stated about: the adapter on both drivers, and the memory that stands in for it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from adapters.mongodb.driver import Database, Driver, open_database
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.journal import Journal as RealJournal
from adapters.mongodb.journal import kept_for
from adapters.mongodb.leavers import Leavers as RealLeavers
from adapters.mongodb.links import Links as RealLinks
from adapters.mongodb.orders import Orders as RealOrders
from adapters.mongodb.tenants import Tenants as RealTenants
from adapters.mongodb.vault import Vault, new_key
from events.integration import Integration
from events.journal import Entry, Which
from tests.memory.steps import MemoryClock, Stepper
from tests.memory.store import (
    MemoryIntegrations,
    MemoryJournal,
    MemoryLeavers,
    MemoryLinks,
    MemoryOrders,
    MemoryRuns,
)
from tests.memory.tenants import MemoryTenants
from worker.ports import Journal, Leases, Leavers, Links, Observations, Orders, Tenants, Wishes

MEMORY: Final = "memory"
SUBJECTS: Final = (*(driver.value for driver in Driver), MEMORY)
KEEP: Final = timedelta(days=90)
VAULT: Final = Vault([new_key()])


class IntegrationStore(Wishes, Leases, Protocol):
    """Everything that is asked of integrations."""

    async def get(self, integration_id: str) -> Integration | None: ...


class LinkStore(Observations, Links, Protocol):
    """Everything that is asked of links."""


@dataclass(frozen=True)
class Store:
    """One subject."""

    integrations: IntegrationStore
    links: LinkStore
    orders: Orders
    journal: Journal
    lines: Callable[[], Awaitable[list[Entry]]]
    """The whole journal, newest first."""
    tenants: Tenants
    leavers: Leavers


@contextlib.asynccontextmanager
async def real_store(driver: Driver, url: str, name: str) -> AsyncGenerator[Store]:
    """Open the adapter."""
    async with open_database(driver, url, name) as database:
        yield store_on(database)


def store_on(database: Database) -> Store:
    """Return the adapter on a database that is open."""
    journal = RealJournal(database, kept_for(KEEP))
    return Store(
        Integrations(database, VAULT, time.monotonic),
        RealLinks(database),
        RealOrders(database),
        journal,
        lambda: journal.page(Which(), None, 1000),
        RealTenants(database),
        RealLeavers(database, VAULT),
    )


def memory_store() -> Store:
    """Make the memory, without anybody who steps it. Its leases are on real time, as the server's are."""
    step = Stepper(by_hand=False)
    clock = MemoryClock(step, datetime.now(UTC))  # noqa: TID251 - to be compared with the server's
    journal = MemoryJournal(step)

    async def lines() -> list[Entry]:
        return sorted(journal.entries.values(), key=lambda entry: (entry.at, entry.id), reverse=True)

    integrations, links = MemoryIntegrations(step, clock), MemoryLinks(step, clock)
    tenants, orders = MemoryTenants(step, integrations), MemoryOrders(step)
    leavers = MemoryLeavers(step, integrations, links, orders, MemoryRuns(step), journal)
    return Store(integrations, links, orders, journal, lines, tenants, leavers)
