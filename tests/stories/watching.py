"""Looking at workers as those do who run them: over HTTP, at each one's own server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from stack.native.ports import free_port
from tests.stories.stage import NotYet, Stage
from tests.telemetry.reading import Shown


@dataclass
class Watched:
    """A worker's own server."""

    world: Stage
    http: httpx.AsyncClient

    async def asked(self, path: str) -> tuple[int, Any]:
        answer = await self.http.get(path)
        return answer.status_code, answer.json()

    async def metrics(self) -> Shown:
        return Shown.of((await self.http.get("/metrics")).text)

    async def grows(self, before: Shown, name: str, **labels: str) -> None:
        """Return when a number is larger than it was before."""
        await self.until(lambda shown: shown(name, **labels) > before(name, **labels))

    async def until(self, holds: Callable[[Shown], bool]) -> Shown:
        """Scrape until it is so."""

        async def look() -> Shown:
            shown = await self.metrics()
            if not holds(shown):
                raise NotYet
            return shown

        return await self.world.until(look)


@contextlib.asynccontextmanager
async def watched(world: Stage, **changes: Any) -> AsyncGenerator[Watched, None]:
    """Let a worker of this process work, and look at it."""
    port = free_port()
    async with (
        httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{port}", timeout=15) as http,
        world.working(ops_port=port, ops_sample_seconds=0.1, **changes),
    ):
        seen = Watched(world, http)
        await world.until(lambda: _listens(seen))
        yield seen


async def _listens(seen: Watched) -> None:
    with contextlib.suppress(httpx.TransportError):
        await seen.http.get("/livez")
        return
    raise NotYet
