"""A PSA platform, and the client signed up with it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from adapters.http.pool import HttpPool, open_pool
from adapters.psa.client import Credentials, Psa
from events.failures import System
from tests.sandbox.psa_running import Running, running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def http() -> AsyncGenerator[HttpPool]:
    async with open_pool(System.PSA) as pool:
        yield pool


@pytest_asyncio.fixture(loop_scope="module")
async def platform() -> AsyncGenerator[Running]:
    async with running() as platform:
        yield platform


@pytest.fixture
def psa(http: HttpPool, platform: Running) -> Psa:
    return Psa(http, Credentials(platform.url, "calsync", "correct"))
