"""A running relay and what came of its requests."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import structlog
from structlog.testing import LogCapture

from adapters.http.serve import serve
from events.failures import Refused, System, TryLater
from events.reasons import Reason
from relay.app import relay_app
from relay.relaying import Relay
from relay.verdict import Verdict
from sandbox.trust import trusted

HEADER = "Cronofy-HMAC-SHA256"
SECRET = "pDY0Oi7TJSP2hfNmZNkm5"
BODY = b'{"notification":{"type":"change","changes_since":"2026-03-09T14:00:00Z"},"channel":{"channel_id":"chn_1"}}'


@dataclass(frozen=True)
class Message:
    exchange: str
    routing_key: str
    body: bytes
    headers: dict[str, str]
    message_id: str


@dataclass
class Broker:
    """Stands in for RabbitMQ: confirms at once, is away, has no queue, or never confirms."""

    messages: list[Message] = field(default_factory=list[Message])
    away: bool = False
    silent: bool = False
    unbound: bool = False

    async def publish(
        self, exchange: str, routing_key: str, body: bytes, *, headers: Mapping[str, str], message_id: str
    ) -> None:
        if self.silent:
            await asyncio.Event().wait()
        if self.unbound:
            raise Refused(Reason.UNROUTABLE)
        if self.away:
            raise TryLater(System.BROKER, Reason.UNREACHABLE)
        self.messages.append(Message(exchange, routing_key, body, dict(headers), message_id))


@dataclass
class Running:
    http: httpx.AsyncClient
    broker: Broker
    verdicts: Counter[Verdict]
    judged: asyncio.Event
    log: LogCapture

    async def post(self, body: bytes, signed: str | None, path: str = "/cronofy/int-1") -> httpx.Response:
        headers = {} if signed is None else {HEADER: signed}
        return await self.http.post(path, content=body, headers=headers)


@asynccontextmanager
async def running(*secrets: str, patience_seconds: float = 4.0) -> AsyncGenerator[Running]:
    broker, verdicts, lines = Broker(), Counter[Verdict](), LogCapture()
    judged = asyncio.Event()

    def count(verdict: Verdict) -> None:
        verdicts[verdict] += 1
        judged.set()

    ids = (f"message-{number}" for number in itertools.count(1))
    to = Relay(broker, secrets or (SECRET,), lambda: next(ids), patience_seconds=patience_seconds)
    app = relay_app(
        to,
        prefix="/cronofy",
        ready=lambda: not broker.away,
        count=count,
        log=structlog.wrap_logger(None, [lines], structlog.make_filtering_bound_logger(0)),
    )
    async with serve(app) as url, httpx.AsyncClient(base_url=url, trust_env=False, verify=trusted()) as http:
        yield Running(http, broker, verdicts, judged, lines)
