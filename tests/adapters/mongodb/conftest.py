from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
from pymongo import MongoClient

from adapters.mongodb.driver import Database, Driver, open_database
from tests.adapters.mongodb.examples import linked
from tests.adapters.mongodb.subjects import (
    MEMORY,
    SUBJECTS,
    IntegrationStore,
    LinkStore,
    Store,
    memory_store,
    real_store,
)
from tests.services import empty
from worker.ports import Orders


@pytest.fixture(params=SUBJECTS)
async def store(request: pytest.FixtureRequest) -> AsyncGenerator[Store]:
    """Every subject in turn. The memory needs no server and starts none."""
    if request.param == MEMORY:
        yield memory_store()
        return
    url, name = request.getfixturevalue("mongodb_url"), request.getfixturevalue("database")
    async with real_store(Driver(request.param), url, name) as opened:
        yield opened


@pytest.fixture
def database(mongodb: MongoClient[dict[str, Any]], modules_database: str) -> Generator[str]:
    """The name of a database with nothing in it."""
    yield modules_database
    empty(mongodb, modules_database)


@pytest.fixture
def integrations(store: Store) -> IntegrationStore:
    return store.integrations


@pytest.fixture
def links(store: Store) -> LinkStore:
    return store.links


@pytest.fixture
def orders(store: Store) -> Orders:
    return store.orders


@pytest.fixture(params=Driver)
async def opened(request: pytest.FixtureRequest, mongodb_url: str, database: str) -> AsyncGenerator[Database]:
    """The test's database, through each driver in turn."""
    async with open_database(Driver(request.param), mongodb_url, database) as found:
        yield found


@pytest.fixture
async def ann(integrations: IntegrationStore) -> str:
    """Ann's integration is there, and due. Its id."""
    return await linked(integrations)
