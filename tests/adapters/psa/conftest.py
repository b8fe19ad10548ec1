"""A PSA platform, and the client signed up with it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from adapters.http.pool import HttpPool, open_pool
from adapters.http.serve import serve
from adapters.psa import client
from events.failures import System
from sandbox.clock import Clock
from sandbox.psa.app import psa_sandbox
from sandbox.psa.client import PsaControl
from sandbox.psa.world import Credentials
from sandbox.trust import trusted
from tests.sandbox.conftest import Stage
from tests.sandbox.psa_running import NOON, TENANT, Broker


@dataclass(frozen=True)
class Platform:
    """A running platform, its users' hands, and its clock."""

    url: str
    psa: PsaControl
    clock: Clock


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncGenerator[Stage]:
    stage = Stage()
    async with serve(stage) as stage.url:
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hands(stage: Stage) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stage.url, trust_env=False, verify=trusted()) as http:
        yield http


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def http() -> AsyncGenerator[HttpPool]:
    async with open_pool(System.PSA) as pool:
        yield pool


@pytest_asyncio.fixture(loop_scope="module")
async def platform(stage: Stage, hands: httpx.AsyncClient) -> AsyncGenerator[Platform]:
    clock = Clock(NOON, frozen=True)
    async with psa_sandbox(clock, Broker(), Credentials("calsync", "correct")) as sandbox:
        stage.app = sandbox.app
        yield Platform(stage.url, PsaControl(hands, TENANT), clock)


@pytest.fixture
def psa(http: HttpPool, platform: Platform) -> client.Psa:
    return client.Psa(http, client.Credentials(platform.url, "calsync", "correct"))
