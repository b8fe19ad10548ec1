"""Health checks by HTTP: `/livez` says that the process runs, `/readyz` that it can do its work.

Liveness never depends on other systems: ending a worker because the broker is away helps nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.mongodb.driver import ping
from events.failures import TryLater

if TYPE_CHECKING:
    from adapters.mongodb.driver import Database
    from adapters.rabbitmq.publisher import Publisher


@dataclass(slots=True)
class Health:
    """What there is to check, while there is."""

    _publisher: Publisher | None = None
    _database: Database | None = None

    def watch(self, publisher: Publisher, database: Database) -> None:
        """From now on the worker can be ready."""
        self._publisher, self._database = publisher, database

    def unwatch(self) -> None:
        """The worker has ended, or waits for a system to begin."""
        self._publisher = self._database = None

    async def obstacle(self) -> str | None:
        """Return what keeps the worker from its work; None if nothing does."""
        if self._publisher is None or self._database is None:
            return "starting, or waiting for RabbitMQ or MongoDB"
        if not self._publisher.connected:
            return "RabbitMQ is away"
        try:
            await ping(self._database)
        except TryLater as error:
            return f"MongoDB is away: {error}"
        return None


def health_app(health: Health) -> Starlette:
    """Make the app."""

    async def live(_: Request) -> Response:  # noqa: RUF029 - Starlette would run it in a thread
        return PlainTextResponse("alive")

    async def ready(_: Request) -> Response:
        obstacle = await health.obstacle()
        return PlainTextResponse("ready") if obstacle is None else PlainTextResponse(obstacle, 503)

    return Starlette(routes=[Route("/livez", live), Route("/readyz", ready)])
