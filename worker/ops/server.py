"""The server: `/livez`, `/readyz`, `/metrics`, and whatever else is mounted beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.telemetry import metrics
from worker.ops.liveness import stuck
from worker.ops.sampling import Family, exposed

if TYPE_CHECKING:
    from adapters.telemetry.pulse import Pulse
    from worker.ops.readiness import Readiness, Systems
    from worker.ops.sampling import Sampler

BUSY: Final = Family("calsync_handlers_busy", "Handlers that are at work, by part of the worker.", ("consumer",))
STILL: Final = Family(
    "calsync_handler_still_seconds",
    "For how long the stillest of them has not moved: got no answer, tried nothing again.",
    ("consumer",),
)
CONNECTED: Final = Family("calsync_broker_connected", "1 while this worker is connected to RabbitMQ.")
LIVE: Final = (BUSY, STILL, CONNECTED)
"""What is looked up in the process itself."""


@dataclass(slots=True)
class Ops:
    """What there is to be seen of one worker. `sampler`: only while it works."""

    pulse: Pulse
    readiness: Readiness
    sampler: Sampler | None = field(default=None)

    def begins(self, systems: Systems, sampler: Sampler) -> None:
        """The worker has opened everything."""
        self.readiness.begins(systems)
        self.sampler = sampler

    def ends(self) -> None:
        """The worker has closed everything."""
        self.readiness.ends()
        self.sampler = None

    def live(self) -> bytes:
        """Return what is looked up in the process, as Prometheus reads it."""
        busy = self.pulse.busy()
        return exposed([
            BUSY.of({(consumer,): count for consumer, (count, _) in busy.items()}),
            STILL.of({(consumer,): still for consumer, (_, still) in busy.items()}),
            CONNECTED.of({(): float(self.readiness.broker_is_there())}),
        ])


def ops_app(ops: Ops, others: Sequence[BaseRoute] = ()) -> Starlette:
    """Make the app. `others`: more routes, such as a mounted app's."""

    async def live(_: Request) -> Response:  # noqa: RUF029 - Starlette would run it in a thread
        problems = stuck(ops.pulse)
        status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
        return JSONResponse({"alive": not problems, "stuck": problems}, status)

    async def ready(_: Request) -> Response:
        checks = await ops.readiness.checks()
        fine = all(check.ok for check in checks.values())
        body = {"ready": fine, "checks": {name: check.shown() for name, check in checks.items()}}
        return JSONResponse(body, HTTPStatus.OK if fine else HTTPStatus.SERVICE_UNAVAILABLE)

    async def scrape(_: Request) -> Response:
        sampled = await ops.sampler.exposition() if ops.sampler else b""
        return Response(metrics.exposition() + ops.live() + sampled, media_type=metrics.CONTENT_TYPE)

    routes = [Route("/livez", live), Route("/readyz", ready), Route("/metrics", scrape)]
    return Starlette(routes=[*routes, *others])
