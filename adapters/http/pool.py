"""HTTP requests to one system, with its failures named.

Several small clients instead of one large: a client looks through all of its connections for each request, and gets
slower per request the more it has. Source: performance.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from events.failures import RateLimited, System, TryLater
from events.reasons import Reason

CALL_SECONDS: Final = 15.0
"""The longest a call can take, hiccups included. A lease outlives it."""
_CLIENTS: Final = 6
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


class HttpPool:
    """Speaks to one system. No redirects, no proxies from the environment."""

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
    ) -> Answer:
        """Send a request and return its answer, whatever the status, except for those below.

        `repeatable`: doing it twice does no harm, so that it may be sent again when the connection breaks. Raises
        `TryLater` without an answer in time and for 5xx, `RateLimited` for 429.
        """
        content = None if json is None else orjson.dumps(json)
        sent = {"accept": "application/json", **(headers or {})}
        if content is not None:
            sent["content-type"] = "application/json; charset=utf-8"
        try:
            async with asyncio.timeout(CALL_SECONDS):
                async for attempt in _hiccups(repeatable=repeatable):
                    with attempt:
                        response = await next(self._clients).request(
                            method, url, headers=sent, params=list(params), content=content, data=form
                        )
                        return self._answer(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise TryLater(self.system, Reason.UNREACHABLE, type(error).__name__) from error
        raise AssertionError  # pragma: no cover - the loop above returns or raises

    def _answer(self, response: httpx.Response) -> Answer:
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            wait = _seconds(response.headers.get("retry-after"))
            raise RateLimited(self.system, Reason.RATE_LIMITED, "429", retry_after=wait)
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            wait = _seconds(response.headers.get("retry-after"))
            raise TryLater(self.system, Reason.SERVER_ERROR, str(response.status_code), retry_after=wait)
        body: object = None
        if response.content:
            with contextlib.suppress(orjson.JSONDecodeError):
                body = orjson.loads(response.content)
        return Answer(response.status_code, body, response.headers)

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


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None  # an HTTP date; nobody sends one here, and our own backoff will do


def is_success(status: int) -> bool:
    """Whether a status is one of the 2xx."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def words(value: object) -> str:
    """Return what another system said, fit for a log line or a user: one line, not too long."""
    return " ".join(str(value).split())[:_LONGEST_WORDS]


@contextlib.asynccontextmanager
async def open_pool(system: System) -> AsyncGenerator[HttpPool, None]:
    """Open a pool for one system."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client()) for _ in range(_CLIENTS)]
        yield HttpPool(system, tuple(clients))


def _client() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=60)
    return httpx.AsyncClient(timeout=_TIMEOUT, limits=limits, trust_env=False, follow_redirects=False)
