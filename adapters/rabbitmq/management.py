"""What exists on the broker, as its management API shows it: also what AMQP does not tell, bindings and policies."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote, unquote, urlsplit

from adapters.http.json import mapping, text
from adapters.http.pool import Answer, HttpPool, is_success, open_pool
from events.failures import System, TryLater
from events.reasons import Reason

_DENIED: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True, slots=True)
class SeenQueue:
    """A queue as it is. `policy`: what policies of users and operators make of it."""

    kind: str
    durable: bool
    arguments: dict[str, Any]
    policy: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A virtual host as it is. Exchanges are `(type, durable)`, bindings `(exchange, key, queue)`."""

    exchanges: dict[str, tuple[str, bool]]
    queues: dict[str, SeenQueue]
    bindings: frozenset[tuple[str, str, str]]


async def look(management_url: str, amqp_url: str, ca_file: Path | None) -> Seen:
    """Look at the virtual host that an AMQP address names, as its user unless the management address names another.

    Raises `TryLater` if the API is away or does not let that user in.
    """
    host = quote(virtual_host(amqp_url), safe="")
    async with open_api(management_url, amqp_url, ca_file) as api:
        exchanges = await api.listed(f"exchanges/{host}")
        queues = await api.listed(f"queues/{host}")
        bindings = await api.listed(f"bindings/{host}")
    return Seen(
        {text(one.get("name")): (text(one.get("type")), bool(one.get("durable"))) for one in exchanges},
        {text(one.get("name")): _queue(one) for one in queues},
        frozenset(
            (text(one.get("source")), text(one.get("routing_key")), text(one.get("destination"))) for one in bindings
        ),
    )


def virtual_host(amqp_url: str) -> str:
    """Return the virtual host that an address names."""
    return unquote(urlsplit(amqp_url).path[1:]) or "/"


@dataclass(frozen=True, slots=True)
class Api:
    """The management API, as one user. Everything raises `TryLater` if it is away or does not let that user."""

    pool: HttpPool
    base: str
    headers: Mapping[str, str] = field(repr=False)

    async def listed(self, path: str) -> list[dict[str, Any]]:
        """Return what is listed there."""
        answer = await self._ask("GET", path)
        if not is_success(answer.status) or not isinstance(answer.body, list):
            raise self.pool.unreadable(f"the management API answers {answer.status}")
        return [dict(mapping(one)) for one in cast("list[object]", answer.body)]

    async def exists(self, path: str) -> bool:
        """Whether there is such a thing."""
        return is_success((await self._ask("GET", path)).status)

    async def put(self, path: str, body: Mapping[str, str]) -> None:
        """Make it so."""
        answer = await self._ask("PUT", path, body)
        if not is_success(answer.status):
            raise self.pool.unreadable(f"the management API answers {answer.status} to {path.partition('/')[0]}")

    async def _ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Answer:
        answer = await self.pool.request(method, f"{self.base}/{path}", headers=self.headers, json=body)
        if answer.status in _DENIED:
            detail = f"the management API does not let this user {method} {path.partition('/')[0]} ({answer.status})"
            raise TryLater(System.BROKER, Reason.NOT_AUTHENTICATED, detail)
        return answer


@contextlib.asynccontextmanager
async def open_api(management_url: str, amqp_url: str, ca_file: Path | None) -> AsyncGenerator[Api, None]:
    """Open the API as the user of the AMQP address, unless the management address names another."""
    there = urlsplit(management_url)
    login = there if there.username else urlsplit(amqp_url)
    word = f"{unquote(login.username or 'guest')}:{unquote(login.password or 'guest')}"
    base = f"{there.scheme}://{there.netloc.rpartition('@')[2]}{there.path.rstrip('/')}/api"
    async with open_pool(System.BROKER, ca_file) as pool:
        yield Api(pool, base, {"authorization": f"Basic {base64.b64encode(word.encode()).decode()}"})


def _queue(one: dict[str, Any]) -> SeenQueue:
    return SeenQueue(
        kind=text(one.get("type")),
        durable=bool(one.get("durable")),
        arguments=dict(mapping(one.get("arguments"))),
        policy=dict(mapping(one.get("effective_policy_definition"))),
    )
