"""Serve an ASGI app for as long as a block runs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

import uvicorn
from typing_extensions import override

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


class _Server(uvicorn.Server):
    """Signals belong to the composition root, not to each server in the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    @override
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.asynccontextmanager
async def serve(app: AsgiApp, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[str, None]:
    """Serve `app` and yield its base URL. Port 0 takes a free one. Requests under way are finished at the end.

    Raises `OSError` if the port is taken.
    """
    with socket.create_server((host, port), backlog=512) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5)
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))  # noqa: TID251 - owned and awaited right here
        await server.ready.wait()
        try:
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
