"""A worker does not start where messages could be lost, and says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio
import structlog
from aio_pika.abc import AbstractChannel
from pydantic import SecretStr

from adapters.rabbitmq.connection import connect_once
from adapters.rabbitmq.topology import QUEUES
from events.addresses import COMMANDS_QUEUE, DEAD_LETTERS, OUTCOMES, OUTCOMES_QUEUE
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


Change = Callable[[AbstractChannel], Awaitable[object]]
TO_CHANGE = "delete it (a queue when it is empty), then run `calsync topology apply`"
APPLY = "run `calsync topology apply`"


TO_THE_DEAD = ("x-dead-letter-exchange", "x-dead-letter-routing-key", "x-dead-letter-strategy")


def declared(**changes: str | int | None) -> Change:
    """Declare the queue of commands in another way: with these arguments, or without those that are None."""
    (honest,) = (queue for queue in QUEUES if queue.name == COMMANDS_QUEUE)
    changed: dict[str, str | int | None] = {**honest.arguments, **changes}
    arguments: Any = {name: value for name, value in changed.items() if value is not None}
    return lambda channel: channel.declare_queue(COMMANDS_QUEUE, durable=True, arguments=arguments)


async def left_out(channel: AbstractChannel) -> None:
    """Declare nothing in its place."""


LOSING: dict[str, tuple[Change, str, str]] = {
    "is a classic queue": (
        lambda channel: channel.declare_queue(COMMANDS_QUEUE, durable=True),
        "differently",
        TO_CHANGE,
    ),
    "has no way to the dead letters": (declared(**dict.fromkeys(TO_THE_DEAD)), "differently", TO_CHANGE),
    "leads its dead letters elsewhere": (declared(**{"x-dead-letter-exchange": "nowhere"}), "differently", TO_CHANGE),
    "loses dead letters on their way": (declared(**{"x-dead-letter-strategy": None}), "differently", TO_CHANGE),
    "drops the oldest when it is full": (declared(**{"x-overflow": "drop-head"}), "differently", TO_CHANGE),
    "is not there": (left_out, "does not exist", APPLY),
}


async def test_a_worker_does_not_start_with_a_queue_that_could_lose_messages_and_says_what_to_do(world: Stage) -> None:
    async with connect_once(world.settings.broker_url, "somebody") as connection, connection.channel() as channel:
        for name, (change, problem, remedy) in LOSING.items():
            await channel.queue_delete(COMMANDS_QUEUE)
            await change(channel)
            said = await refused(world.settings)
            assert said.startswith(f"queue {COMMANDS_QUEUE} "), name
            assert problem in said, name
            assert remedy in said, name


async def test_a_worker_does_not_start_without_the_exchange_of_dead_letters(world: Stage) -> None:
    async with connect_once(world.settings.broker_url, "somebody") as connection, connection.channel() as channel:
        await channel.exchange_delete(DEAD_LETTERS)
    assert await refused(world.settings) == f"exchange {DEAD_LETTERS} does not exist: {APPLY}"


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
