"""RabbitMQ as its management API shows it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True)
class VirtualHost:
    """One virtual host, and an operator's hands on it. `url`: for AMQP."""

    url: str
    http: httpx.Client

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2]

    async def queue(self, name: str) -> Json:
        return dict(await self._get(f"/queues/{self.name}/{name}"))

    async def queues(self) -> dict[str, Json]:
        return {queue["name"]: queue for queue in await self._get(f"/queues/{self.name}")}

    async def exchanges(self) -> dict[str, Json]:
        """All but those that the broker brings along."""
        listed = await self._get(f"/exchanges/{self.name}")
        return {each["name"]: each for each in listed if each["name"] and not each["name"].startswith("amq.")}

    async def bindings(self) -> set[tuple[str, str, str]]:
        """Exchange, key, queue; without the default exchange, to which every queue is bound."""
        listed = await self._get(f"/bindings/{self.name}")
        return {(each["source"], each["routing_key"], each["destination"]) for each in listed if each["source"]}

    async def messages(self, queue: str, count: int = 1000) -> list[Json]:
        """Look at what lies in a queue; it comes back to the queue, counted as delivered once more."""
        asked = {"count": count, "ackmode": "ack_requeue_true", "encoding": "auto"}
        return list(await self.call("POST", f"/queues/{self.name}/{queue}/get", asked))

    async def limit_length(self, queue: str, length: int) -> None:
        """Let the queue refuse what exceeds a length, by policy."""
        policy = {"pattern": f"^{queue}$", "definition": {"max-length": length}, "apply-to": "queues"}
        await self.call("PUT", f"/policies/{self.name}/limit", policy)

    @contextlib.asynccontextmanager
    async def user(self) -> AsyncGenerator[User]:
        """Let a user of this virtual host come into being, who may do everything at first."""
        name = f"user-{self.name}"
        await self.call("PUT", f"/users/{name}", {"password": "secret", "tags": ""})
        try:
            user = User(name, urlsplit(self.url)._replace(netloc=f"{name}:secret@{self._host}").geturl(), self)
            await user.may()
            yield user
        finally:
            await self.call("DELETE", f"/users/{name}")

    async def cut(self, connection_name: str) -> None:
        """Close the connections that call themselves so."""
        named = await eventually(lambda: self._connections(connection_name), bool)
        for each in named:
            await self.call("DELETE", f"/connections/{quote(each)}")

    async def _connections(self, name: str) -> list[str]:
        listed = await self._get(f"/vhosts/{self.name}/connections")
        return [each["name"] for each in listed if each.get("client_properties", {}).get("connection_name") == name]

    async def _get(self, path: str) -> Any:
        return await self.call("GET", path)

    async def call(self, method: str, path: str, body: object = None) -> Any:
        answer = await asyncio.to_thread(self.http.request, method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@dataclass(frozen=True)
class User:
    """Somebody whose rights can be changed."""

    name: str
    url: str
    home: VirtualHost

    async def may(self, *, configure: str = ".*", write: str = ".*", read: str = ".*") -> None:
        """Give rights, and take all others."""
        rights = {"configure": configure, "write": write, "read": read}
        await self.home.call("PUT", f"/permissions/{self.home.name}/{self.name}", rights)


async def eventually(look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], within: float = 20.0) -> T:
    """Look until what is seen is what is wanted."""
    async with asyncio.timeout(within):
        while True:
            if wanted(seen := await look()):
                return seen
            await asyncio.sleep(0.01)
