"""What exists on the broker, as its management API shows it: also what AMQP does not tell, bindings and policies."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote, unquote, urlsplit

from adapters.http.json import mapping, text
from adapters.http.pool import HttpPool, is_success, open_pool
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
    there, host = urlsplit(management_url), quote(virtual_host(amqp_url), safe="")
    login = there if there.username else urlsplit(amqp_url)
    word = f"{unquote(login.username or 'guest')}:{unquote(login.password or 'guest')}"
    base = f"{there.scheme}://{there.netloc.rpartition('@')[2]}{there.path.rstrip('/')}/api"
    async with open_pool(System.BROKER, ca_file) as pool:
        api = _Api(pool, base, {"authorization": f"Basic {base64.b64encode(word.encode()).decode()}"})
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
class _Api:
    pool: HttpPool
    base: str
    headers: dict[str, str]

    async def listed(self, path: str) -> Sequence[dict[str, Any]]:
        answer = await self.pool.request("GET", f"{self.base}/{path}", headers=self.headers)
        if answer.status in _DENIED:
            detail = f"the management API does not let the user see {path.partition('/')[0]} ({answer.status})"
            raise TryLater(System.BROKER, Reason.NOT_AUTHENTICATED, detail)
        if not is_success(answer.status) or not isinstance(answer.body, list):
            raise self.pool.unreadable(f"the management API answers {answer.status}")
        return [dict(mapping(one)) for one in cast("list[object]", answer.body)]


def _queue(one: dict[str, Any]) -> SeenQueue:
    return SeenQueue(
        kind=text(one.get("type")),
        durable=bool(one.get("durable")),
        arguments=dict(mapping(one.get("arguments"))),
        policy=dict(mapping(one.get("effective_policy_definition"))),
    )
