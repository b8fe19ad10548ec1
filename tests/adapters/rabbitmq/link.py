"""A network link to the broker, in our hands: it can be cut, be down for a while, or carry nothing any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator
from urllib.parse import urlsplit


class Link:
    """Carries bytes both ways between whoever connects and the broker."""

    def __init__(self, broker_url: str) -> None:
        self._broker = urlsplit(broker_url)
        self.url = ""
        self._up = True
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Break all connections. New ones can be made at once, unless the link is down."""
        for writer in self._writers:
            writer.transport.abort()

    def go_down(self) -> None:
        """Break all connections, and let nobody make new ones."""
        self._up = False
        self.cut()

    def come_up(self) -> None:
        """Let connections be made again."""
        self._up = True

    def go_silent(self) -> None:
        """Keep all connections open and carry nothing, as when a cable is pulled."""
        self._flowing.clear()

    def go_on(self) -> None:
        """Carry what has piled up, and all that follows."""
        self._flowing.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with self._kept(writer), contextlib.suppress(OSError):
            if not self._up:
                return
            upstream, downstream = await asyncio.open_connection(self._broker.hostname, self._broker.port)
            with self._kept(downstream):
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pump(reader, downstream))
                    tasks.create_task(self._pump(upstream, writer))

    @contextlib.contextmanager
    def _kept(self, writer: asyncio.StreamWriter) -> Generator[None]:
        self._writers.add(writer)
        try:
            yield
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def linked(broker_url: str) -> AsyncGenerator[Link]:
    """Lay a link to a broker."""
    link = Link(broker_url)
    async with await asyncio.start_server(link.carry, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        login = "".join(urlsplit(broker_url).netloc.rpartition("@")[:2])
        link.url = urlsplit(broker_url)._replace(netloc=f"{login}{host}:{port}").geturl()
        try:
            yield link
        finally:
            link.go_on()
            link.cut()
