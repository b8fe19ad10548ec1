"""The PSA sandbox, put together and running."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette

from sandbox.psa.api.gate import calendar_routes
from sandbox.psa.control.table import control_routes
from sandbox.psa.model.ledger import Ledger
from sandbox.psa.publishing.loop import Publish, publish_all
from sandbox.psa.world import Clock, Credentials, World


@dataclass(frozen=True, slots=True)
class PsaSandbox:
    """A running sandbox: the app to serve, and where outcomes from calendar sync go."""

    app: Starlette
    received: Callable[[bytes], None]
    """Takes the body of one outcome. Raises `Malformed` if it breaks its contract."""


@asynccontextmanager
async def psa_sandbox(
    clock: Clock,
    publish: Publish,
    credentials: Credentials,
    *,
    tenants: Iterable[int] = (1204,),
    first_id: int = 88_000,
) -> AsyncGenerator[PsaSandbox]:
    """Run a sandbox for as long as the block runs. What is still unpublished at its end is gone, as all its state.

    `first_id`: numbers of items grow from here. A second run against the same broker and worker begins above the
    first, because its revisions begin anew.
    """
    world = World(clock, credentials, Ledger(tenants, first_id), new_token=secrets.token_urlsafe)
    app = Starlette(routes=[*calendar_routes(world), *control_routes(world)])
    try:
        async with _publishing(world, publish):
            yield PsaSandbox(app, world.received)
    except BaseExceptionGroup as group:
        match group.exceptions:
            case [only]:
                raise only from None  # what went wrong, in the block or in publishing; not that it was in a group
            case _:
                raise


@asynccontextmanager
async def _publishing(world: World, publish: Publish) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as tasks:
        publisher = tasks.create_task(publish_all(world, publish))
        try:
            yield
        finally:
            publisher.cancel()
