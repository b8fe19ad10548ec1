"""A worker does not start where messages could be lost, and says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio
import structlog
from pydantic import SecretStr

from adapters.rabbitmq.connection import connect_once
from events.addresses import COMMANDS_QUEUE, OUTCOMES, OUTCOMES_QUEUE
from events.failures import Misconfigured
from events.reasons import Reason
from tests.services import Urls
from tests.stories.stage import NotYet, Services, Stage, stage
from worker.parts import ALL_PARTS
from worker.run import run_worker
from worker.said import Said
from worker.settings import Settings


@pytest_asyncio.fixture
async def world(services: Services, tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(services, tmp_path) as world:
        yield world


async def refused(settings: Settings) -> str:
    """Return why a worker does not start. Fails if it does."""
    told: BaseException | None = None
    try:
        async with asyncio.timeout(20):
            await run_worker(settings, ALL_PARTS, asyncio.Event())
    except (Misconfigured, ExceptionGroup) as error:
        told = error
    while isinstance(told, BaseExceptionGroup):
        (told,) = told.exceptions
    assert isinstance(told, Misconfigured)
    assert told.reason is Reason.LOSES_MESSAGES
    return told.detail


async def test_a_worker_does_not_start_with_a_classic_queue_and_says_what_to_do(world: Stage) -> None:
    async with connect_once(world.settings.broker_url, "somebody") as connection, connection.channel() as channel:
        await channel.queue_delete(COMMANDS_QUEUE)
        await channel.declare_queue(COMMANDS_QUEUE, durable=True)
    said = await refused(world.settings)
    assert said.startswith(f"queue {COMMANDS_QUEUE} is declared differently")
    assert "delete it (a queue when it is empty), then run `calsync topology apply`" in said


async def test_a_worker_that_may_look_does_not_start_while_outcomes_go_nowhere(
    world: Stage, service_urls: Urls
) -> None:
    async with connect_once(world.settings.broker_url, "somebody") as connection, connection.channel() as channel:
        queue = await channel.get_queue(OUTCOMES_QUEUE, ensure=False)
        await queue.unbind(OUTCOMES, "#")
    looking = world.settings.model_copy(update={"rabbitmq_management_url": SecretStr(service_urls.rabbitmq_management)})
    said = await refused(looking)
    assert said == f"queue {OUTCOMES_QUEUE} gets nothing of {OUTCOMES} with key #: run `calsync topology apply`"


async def test_a_worker_starts_while_the_management_api_is_away_and_indexes_are_missing_and_says_both(
    world: Stage,
) -> None:
    world.store["links"].drop_index("due")
    with structlog.testing.capture_logs() as lines:
        async with world.working(rabbitmq_management_url=SecretStr("http://127.0.0.1:9")):

            async def started() -> None:
                if not any(line["event"] == Said.STARTED for line in lines):
                    raise NotYet

            await world.until(started)
    said = {line["event"]: line for line in lines}
    assert said[Said.NOT_COMPARED]["reason"] is Reason.UNREACHABLE
    assert said[Said.INDEXES_LACK]["indexes"] == ["index links.due does not exist"]
