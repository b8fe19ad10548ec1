"""HTTP requests to one system, with its failures named.

Several small clients instead of one large: a client looks through all of its connections for each request, and gets
slower per request the more it has. Source: performance.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from adapters.http.dates import http_date
from adapters.http.routes import naming_call
from adapters.telemetry import metrics, pulse, tracing
from events.contract import MAX_DEPTH, may_be_deeper
from events.failures import RateLimited, System, TryLater
from events.reasons import Reason

CALL_SECONDS: Final = 15.0
"""The longest a call can take, hiccups included. A lease outlives it."""
MAX_BYTES: Final = 16 * 1024 * 1024
"""More is not read of an answer. A page of events takes less than one."""
LONGEST_WAIT: Final = 3600.0
"""Seconds. Who is told to wait longer asks again after an hour all the same: the word may be a gateway's blunder."""
_CLIENTS: Final = 6
_IDLE_SECONDS: Final = 45.0
"""How long a connection is kept for its next request: less than the 60 s after which load balancers close it, because a
request that is sent while they do is lost."""
_CONNECTIONS: Final = 4
_TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LONGEST_WORDS: Final = 500

Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `body` is the parsed JSON, or None if there is none that can be parsed."""

    status: int
    body: object
    headers: Mapping[str, str]

    @property
    def date(self) -> datetime | None:
        """When it was answered, by the other side's clock."""
        return http_date(self.headers.get("date"))


class HttpPool:
    """Speaks to one system. No redirects, no cookies, no proxies from the environment."""

    def __init__(self, system: System, clients: tuple[httpx.AsyncClient, ...]) -> None:
        self.system = system
        self._clients = itertools.cycle(clients)

    async def request(  # noqa: PLR0913 - what an HTTP request has
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params = (),
        json: object = None,
        form: Mapping[str, str] | None = None,
        repeatable: bool = True,
        route: str = "other",
    ) -> Answer:
        """Send a request and return its answer, whatever the status, except for those below.

        `route`: the address as a template, without ids, to be counted under.
        `repeatable`: doing it twice does no harm, so that it may be sent again when the connection breaks. Raises
        `TryLater` without an answer in time and for 5xx, `RateLimited` for 429.
        """
        sent = {"accept": "application/json", **(headers or {})}
        if json is not None:
            sent["content-type"] = "application/json; charset=utf-8"
        content = None if json is None else orjson.dumps(json)
        # No parameters must be None: an empty list would take the address's own query away.
        asked: dict[str, Any] = {"headers": sent, "params": list(params) or None, "content": content, "data": form}
        with naming_call(method, url):
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    return await _hiccups(repeatable=repeatable)(self._once, method, url, route, asked)
            except httpx.DecodingError as error:
                raise self.unreadable("compressed wrongly") from error
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
                reason = Reason.NOT_TRUSTED if untrusted else Reason.UNREACHABLE
                raise TryLater(self.system, reason, type(error).__name__) from error
            finally:
                pulse.moved()

    async def _once(self, method: str, url: str, route: str, asked: Mapping[str, Any]) -> Answer:
        about = {"http.request.method": method, "url.template": route, "peer.service": self.system.value}
        with (
            metrics.request(self.system, method, route) as sent,
            tracing.span(f"{method} {route}", tracing.Kind.CLIENT, attributes=about) as span,
        ):
            if span.context and self.system is System.PSA:  # what ours is called is no business of Cronofy's
                asked = {**asked, "headers": {**asked["headers"], tracing.HEADER: span.context}}
            async with next(self._clients).stream(method, url, **asked) as response:
                content = await self._content(response)
                sent.status = response.status_code
                span.note("http.response.status_code", response.status_code)
                return self._answer(response, content)

    async def _content(self, response: httpx.Response) -> bytes:
        """Read it all, also of an answer that says no: only then its connection can be used again."""
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MAX_BYTES:
                raise self.unreadable(f"more than {MAX_BYTES} bytes")
        return bytes(content)

    def _answer(self, response: httpx.Response, content: bytes) -> Answer:
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimited(self.system, Reason.RATE_LIMITED, "429", retry_after=_wait(response.headers))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TryLater(self.system, Reason.SERVER_ERROR, str(status), retry_after=_wait(response.headers))
        return Answer(status, _parsed(content), response.headers)

    def unreadable(self, what: str) -> TryLater:
        """Return the failure for an answer that makes no sense: a proxy's page, a truncated body."""
        return TryLater(self.system, Reason.UNREADABLE_ANSWER, what)


def _hiccups(*, repeatable: bool) -> AsyncRetrying:
    """A few tries within a few seconds; anything longer is a due time."""
    worth_it = (httpx.TransportError,) if repeatable else _NOT_SENT
    return AsyncRetrying(
        retry=retry_if_exception_type(worth_it),
        stop=stop_after_attempt(3),
        wait=wait_random_exponential(multiplier=0.1, max=1.0),
        reraise=True,
    )


def _parsed(content: bytes) -> object:
    if may_be_deeper(content, MAX_DEPTH):
        return None  # nobody means well by that, and it would end in a RecursionError
    try:
        return orjson.loads(content) if content else None
    except orjson.JSONDecodeError:
        return None


def _wait(headers: Mapping[str, str]) -> float | None:
    """Return how long to wait, in seconds. A date is taken by the clock of whoever named it."""
    said = headers.get("retry-after", "")
    try:
        seconds = float(said)
    except ValueError:
        until, now = http_date(said), http_date(headers.get("date"))
        seconds = (until - now).total_seconds() if until and now else math.nan
    return min(max(0.0, seconds), LONGEST_WAIT) if math.isfinite(seconds) else None


def is_success(status: int) -> bool:
    """Whether a status is one of the 2xx."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def leads_to(origin: str, url: str) -> bool:
    """Whether an address has this scheme, host and port, and no user. Read as whoever sends the request reads it."""
    try:
        ours, theirs = httpx.URL(origin), httpx.URL(url)
    except httpx.InvalidURL:
        return False
    same = (ours.scheme, ours.raw_host, ours.port) == (theirs.scheme, theirs.raw_host, theirs.port)
    return same and not theirs.userinfo


def words(value: object) -> str:
    """Return what another system said, fit for a log line or a user: one line, not too long, nothing invisible."""
    line = " ".join(str(value).split())[:_LONGEST_WORDS]
    return "".join(character for character in line if character.isprintable())


@contextlib.asynccontextmanager
async def open_pool(system: System, ca_file: Path | None = None) -> AsyncGenerator[HttpPool, None]:
    """Open a pool for one system. `ca_file`: who may vouch for it, if not those whom browsers trust."""
    async with contextlib.AsyncExitStack() as stack:
        # Made once: to load the certificates takes longer than anything else in making a client.
        trusted = ssl.create_default_context(cafile=ca_file) if ca_file else _those_whom_browsers_trust()
        clients = [await stack.enter_async_context(_client(trusted)) for _ in range(_CLIENTS)]
        yield HttpPool(system, tuple(clients))


@cache
def _those_whom_browsers_trust() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _client(trusted: ssl.SSLContext) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=trusted,
        timeout=_TIMEOUT,
        limits=httpx.Limits(
            max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=_IDLE_SECONDS
        ),
        trust_env=False,
        follow_redirects=False,
        # None is ever kept: one account's cookie would go with the requests of all others.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )
