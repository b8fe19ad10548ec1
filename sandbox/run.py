"""Both sandboxes as a program: one clock, one seed, one connection to the broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass, field
from typing import Final

from tenacity import AsyncRetrying, retry_if_exception_type, wait_fixed

from adapters.http.serve import serve
from adapters.process.environment import plain
from adapters.process.logs import logger
from adapters.process.system import new_id
from adapters.rabbitmq.connection import Connections, connect
from adapters.rabbitmq.consumer import Inbox, consume
from adapters.rabbitmq.publisher import Outgoing, Publisher, open_publisher
from events.addresses import OUTCOMES_QUEUE, PSA_EVENTS
from events.failures import Malformed, TryLater
from sandbox.clock import Chance, Clock
from sandbox.cronofy.app import create_app
from sandbox.cronofy.model.settings import Settings as CronofyHabits
from sandbox.cronofy.model.state import Application
from sandbox.psa.app import PsaSandbox, psa_sandbox
from sandbox.psa.world import Credentials
from sandbox.settings import SandboxSettings

_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Ways:
    """How the sandboxes are run. Ports that are 0 are chosen."""

    host: str = "127.0.0.1"
    cronofy_port: int = 0
    psa_port: int = 0
    seed: int = 1
    clock: Clock = field(default_factory=Clock)
    cronofy: CronofyHabits = field(default_factory=CronofyHabits)
    tenants: tuple[int, ...] = (1204,)
    first_id: int = 88_000


@dataclass(frozen=True, slots=True)
class Sandboxes:
    """Where they are. The control APIs are below `/_control/`."""

    cronofy_url: str
    psa_url: str


@contextlib.asynccontextmanager
async def running_sandboxes(settings: SandboxSettings, ways: Ways) -> AsyncGenerator[Sandboxes, None]:
    """Run both for as long as the block runs, once the broker is there.

    Raises `Misconfigured` if the broker lacks what they need, `OSError` if a port is taken.
    """
    async with contextlib.AsyncExitStack() as stack:
        connections = await _connected(stack, settings.broker_url)
        publisher = await stack.enter_async_context(open_publisher(connections.publishing, (PSA_EVENTS,)))
        inbox = await stack.enter_async_context(consume(connections.consuming, OUTCOMES_QUEUE, _BATCH))
        credentials = Credentials(settings.psa_client_id, settings.psa_client_secret.get_secret_value())
        psa = await stack.enter_async_context(
            psa_sandbox(ways.clock, _Outbox(publisher), credentials, tenants=ways.tenants, first_id=ways.first_id)
        )
        application = Application(settings.cronofy_client_id, plain(settings.cronofy_client_secrets))
        cronofy = create_app(ways.clock, Chance(ways.seed), application, ways.cronofy)
        await stack.enter_async_context(cronofy.running())
        await stack.enter_async_context(_in_background(_take_outcomes(inbox, psa)))
        cronofy_url = await stack.enter_async_context(serve(cronofy, ways.host, ways.cronofy_port))
        psa_url = await stack.enter_async_context(serve(psa.app, ways.host, ways.psa_port))
        yield Sandboxes(cronofy_url, psa_url)


async def _connected(stack: contextlib.AsyncExitStack, url: str) -> Connections:
    async for attempt in AsyncRetrying(retry=retry_if_exception_type(TryLater), wait=wait_fixed(1)):
        with attempt:
            return await stack.enter_async_context(connect(url, "calsync sandbox"))
    raise AssertionError  # pragma: no cover - the loop above returns


@dataclass(frozen=True, slots=True)
class _Outbox:
    """See `sandbox.psa.publishing.loop.Publish`."""

    publisher: Publisher

    async def __call__(self, routing_key: str, body: bytes) -> None:
        """Publish an event of the PSA."""
        message = Outgoing(PSA_EVENTS, routing_key, body, new_id(), content_type="application/cloudevents+json")
        await self.publisher.send(message)


async def _take_outcomes(inbox: Inbox, psa: PsaSandbox) -> None:
    """Be told by calendar sync, for ever. What breaks its contract is said aloud: calendar sync has a bug then."""
    while True:
        for delivery in await inbox.batch(_BATCH):
            try:
                psa.received(delivery.body)
            except Malformed as error:
                logger().error("outcome_breaks_contract", reason=error.reason, detail=error.detail)
            await delivery.ack()


@contextlib.asynccontextmanager
async def _in_background(work: Coroutine[None, None, None]) -> AsyncGenerator[None, None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        try:
            yield
        finally:
            task.cancel()
