"""Whether a worker can do its work, asked of real systems."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import aio_pika
import pytest
import pytest_asyncio

from adapters.mongodb.driver import Driver, open_database
from adapters.process.system import SystemClock
from adapters.rabbitmq.connection import connect, connect_once
from adapters.rabbitmq.publisher import open_publisher
from adapters.rabbitmq.topology import EXCHANGES, apply
from events.addresses import DEAD_LETTERS_QUEUE
from events.reasons import Reason
from stack.native.ports import free_port
from worker.ops.readiness import PATIENCE, Check, Readiness, Systems

FINE = Check(ok=True)


@pytest_asyncio.fixture
async def systems(vhost: str, mongodb_url: str, database: str) -> AsyncGenerator[Systems]:
    async with contextlib.AsyncExitStack() as stack:
        once = await stack.enter_async_context(connect_once(vhost, "topology"))
        assert await apply(once) == []
        connections = await stack.enter_async_context(connect(vhost, "test"))
        publisher = await stack.enter_async_context(open_publisher(connections.publishing, EXCHANGES))
        opened = await stack.enter_async_context(open_database(Driver.MOTOR, mongodb_url, database))
        yield Systems(publisher, opened, vhost)


@pytest.fixture
def readiness(systems: Systems) -> Readiness:
    readiness = Readiness(SystemClock(), lambda: False)
    readiness.begins(systems)
    return readiness


async def test_when_all_is_there_all_is_fine(readiness: Readiness) -> None:
    assert await readiness.checks() == {"rabbitmq": FINE, "topology": FINE, "mongodb": FINE}


async def test_a_queue_that_is_missing_is_named_with_the_remedy(readiness: Readiness, systems: Systems) -> None:
    async with await aio_pika.connect(systems.rabbitmq_url) as connection:
        await (await connection.channel()).queue_delete(DEAD_LETTERS_QUEUE)
    checks = await readiness.checks()
    assert checks["topology"].reason is Reason.BAD_SETTINGS
    assert checks["topology"].detail == f"missing: queue {DEAD_LETTERS_QUEUE}; run `calsync topology apply`"
    assert (checks["rabbitmq"], checks["mongodb"]) == (FINE, FINE)
    # As soon as it is there again, so is the worker.
    async with connect_once(systems.rabbitmq_url, "topology") as once:
        await apply(once)
    assert (await readiness.checks())["topology"] == FINE


async def test_a_broker_that_cut_us_off_is_away_and_the_rest_is_still_asked(
    readiness: Readiness, systems: Systems
) -> None:
    channel: Any = vars(systems.publisher)["_channel"]
    await channel.close()
    checks = await readiness.checks()
    assert (checks["rabbitmq"].ok, checks["topology"].ok, checks["mongodb"]) == (False, False, FINE)


async def test_without_a_primary_within_two_seconds_there_is_none(readiness: Readiness, systems: Systems) -> None:
    nowhere = f"mongodb://127.0.0.1:{free_port()}/?replicaSet=none"
    async with open_database(Driver.MOTOR, nowhere, "none") as database:
        readiness.begins(replace(systems, database=database))
        checks = await readiness.checks()
    assert checks["mongodb"].reason is Reason.UNREACHABLE
    assert f"{PATIENCE:g} s" in checks["mongodb"].detail
    assert (checks["rabbitmq"], checks["topology"]) == (FINE, FINE)
