"""The relay as a program: serves at once, and relays as soon as the broker is there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Final

from adapters.http.serve import serve
from adapters.process.environment import plain
from adapters.process.logs import logger
from adapters.process.system import new_id
from adapters.rabbitmq.connection import connect
from adapters.rabbitmq.publisher import Publisher, open_publisher
from adapters.telemetry import metrics
from events.addresses import CRONOFY_EVENTS
from events.failures import Misconfigured, System, TryLater
from events.reasons import Reason
from relay.app import relay_app
from relay.relaying import Relay
from relay.settings import RelaySettings
from relay.verdict import Verdict

_PAUSE: Final = 1.0


@dataclass(slots=True)
class _Line:
    """The way to the broker, which may not be there yet."""

    publisher: Publisher | None = None

    @property
    def ready(self) -> bool:
        """Whether the broker was reached and is still there."""
        return self.publisher is not None and self.publisher.connected

    async def publish(
        self, exchange: str, routing_key: str, body: bytes, *, headers: Mapping[str, str], message_id: str
    ) -> None:
        """See `relay.relaying.Publisher`."""
        if self.publisher is None:
            raise TryLater(System.BROKER, Reason.UNREACHABLE, "not connected yet")
        await self.publisher.publish(exchange, routing_key, body, headers=headers, message_id=message_id)


@contextlib.asynccontextmanager
async def running_relay(settings: RelaySettings, host: str, port: int) -> AsyncGenerator[str, None]:
    """Relay for as long as the block runs; yields the base URL. Raises `OSError` if the port is taken."""
    line = _Line()
    log = logger()
    relay = Relay(line, plain(settings.cronofy_client_secrets), new_id)
    app = relay_app(relay, prefix=settings.relay_prefix, ready=lambda: line.ready, count=_count, log=log)
    async with serve(app, host, port) as url, asyncio.TaskGroup() as tasks:
        connecting = tasks.create_task(_keep_connected(settings.broker_url, line))
        try:
            yield url
        finally:
            connecting.cancel()


def _count(verdict: Verdict) -> None:
    metrics.RELAY_REQUESTS.labels(verdict.name.lower()).inc()


async def _keep_connected(url: str, line: _Line) -> None:
    """Connect as soon as the broker is there and has the exchange. What was connected once heals by itself."""
    log, said = logger(), False
    while True:
        try:
            async with (
                connect(url, "calsync relay") as connections,
                open_publisher(connections.publishing, (CRONOFY_EVENTS,)) as line.publisher,
            ):
                await asyncio.Event().wait()
        except (TryLater, Misconfigured) as error:
            if not said:
                log.warning("broker_away", reason=error.reason, detail=error.detail)
            said = True
        await asyncio.sleep(_PAUSE)
