"""A sandbox in which everything happens at once, and the client connected to somebody's calendar."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from adapters.cronofy.client import Application, Cronofy
from adapters.http.pool import HttpPool, open_pool
from adapters.http.serve import serve
from events.failures import System
from events.integration import Grant, Tokens
from sandbox.cronofy.client import CronofyControl
from sandbox.cronofy.control.account_messages import CreatedAccount
from sandbox.cronofy.model.settings import PROMPT
from tests.sandbox.conftest import CLIENT_ID, NOON, REDIRECT, SECRET, SLOW, Running, Stage, performing


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncGenerator[Stage]:
    stage = Stage()
    async with serve(stage) as stage.url:
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def http() -> AsyncGenerator[HttpPool]:
    async with open_pool(System.CRONOFY) as pool:
        yield pool


@pytest_asyncio.fixture(loop_scope="module")
async def sandbox(stage: Stage) -> AsyncGenerator[Running]:
    async with performing(stage, SLOW.model_copy(update=PROMPT)) as sandbox:
        yield sandbox


@pytest.fixture
def cronofy(http: HttpPool, sandbox: Running) -> Cronofy:
    return Cronofy(http, Application(sandbox.url, CLIENT_ID, (SECRET,)))


@dataclass(frozen=True)
class Ann:
    """Somebody who has granted access."""

    account: CreatedAccount
    grant: Grant

    @property
    def tokens(self) -> Tokens:
        return self.grant.tokens

    @property
    def token(self) -> str:
        return self.grant.tokens.access

    @property
    def calendar_id(self) -> str:
        return self.account.calendar_id


@pytest_asyncio.fixture(loop_scope="module")
async def ann(sandbox: Running, cronofy: Cronofy) -> Ann:
    account = await sandbox.control.create_account()
    return Ann(account, await cronofy.exchange_code(account.code, REDIRECT, NOON))


@pytest.fixture
def control(sandbox: Running) -> CronofyControl:
    """Whoever makes things happen, and go wrong."""
    return sandbox.control
