"""The relay's HTTP side: `POST` below a prefix, `GET /livez`, `GET /readyz`, `GET /metrics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from structlog.typing import FilteringBoundLogger

from adapters.telemetry import metrics
from events.addresses import SIGNATURE_HEADER
from relay.relaying import Relay, relay
from relay.verdict import Verdict

REFUSED: Final = "relay.refused"
"""The one event that is logged: a request was not relayed. Neither its body nor its signature is."""

Ready = Callable[[], bool]
Count = Callable[[Verdict], None]


def relay_app(to: Relay, *, prefix: str, ready: Ready, count: Count, log: FilteringBoundLogger) -> Starlette:
    """Make the app. `ready` tells whether the broker is connected; `count` hears of every request's verdict."""

    async def forward(request: Request) -> Response:
        verdict = await _verdict(to, request)
        count(verdict)
        if verdict is Verdict.RELAYED:
            return Response(status_code=verdict.status)
        log.warning(REFUSED, verdict=verdict.name.lower(), status=verdict.status, path=request.url.path[:200])
        return PlainTextResponse(verdict.text, verdict.status)

    async def live(_: Request) -> Response:  # noqa: RUF029 - Starlette would run it in a thread
        return PlainTextResponse("alive")

    async def readiness(_: Request) -> Response:  # noqa: RUF029 - as above
        return PlainTextResponse("ready") if ready() else PlainTextResponse("no broker", 503)

    async def scrape(_: Request) -> Response:  # noqa: RUF029 - as above
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

    below = f"{prefix.rstrip('/')}/{{path:path}}"
    probes = [Route("/livez", live), Route("/readyz", readiness), Route("/metrics", scrape)]
    return Starlette(routes=[Route(below, forward, methods=["POST"]), *probes])


async def _verdict(to: Relay, request: Request) -> Verdict:
    signature = ",".join(request.headers.getlist(SIGNATURE_HEADER))
    try:
        return await relay(to, signature, request.stream())
    except ClientDisconnect:
        return Verdict.LATER  # nobody reads the answer, but it was not relayed
