"""Serve an ASGI app for as long as a block runs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, Final

import uvicorn
from typing_extensions import override

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]
IDLE_SECONDS: Final = 75
"""How long a connection is kept for its next request: longer than clients keep theirs, because a request that is sent
while the connection is being closed is lost. uvicorn's own 5 s are what httpx keeps as well."""


class _Server(uvicorn.Server):
    """Signals belong to the composition root, not to each server in the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.ending = asyncio.Event()

    @contextlib.contextmanager
    @override
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @override
    async def main_loop(self) -> None:
        """Tick until the end, which is not to wait for the next tick."""
        async with asyncio.TaskGroup() as tasks:
            ticking = tasks.create_task(super().main_loop())
            await self.ending.wait()
            ticking.cancel()


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    # asyncio sets TCP_NODELAY only on sockets that name their protocol; without it every answer waits for 40 ms.
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    listener.listen(512)
    return listener


@contextlib.asynccontextmanager
async def serve(app: AsgiApp, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[str, None]:
    """Serve `app` and yield its base URL. Port 0 takes a free one. Requests under way are finished at the end.

    Raises `OSError` if the port is taken.
    """
    with _listen(host, port) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
            timeout_keep_alive=IDLE_SECONDS,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))  # noqa: TID251 - owned and awaited right here
        await server.ready.wait()
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        finally:
            server.ending.set()
            await running
