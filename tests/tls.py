"""TLS in front of servers that have none: certificates made for the test, and the servers' own bytes behind them."""

# ruff: noqa: S404, S603 - a program of our own

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trustme

from stack.native.places import PROJECT

_LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True)
class Authority:
    """Somebody who vouches for servers. `file`: what those who trust it are given."""

    ca: trustme.CA
    file: Path

    def certificate(self, name: str) -> Path:
        """Return what a server needs that is called so."""
        path = self.file.with_name(f"{self.file.stem}-{name}.pem")
        self.ca.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(path)
        return path


def authority(folder: Path, name: str) -> Authority:
    """Found an authority."""
    ca = trustme.CA(organization_name=name)
    path = folder / f"{name}.pem"
    ca.cert_pem.write_to_path(path)
    return Authority(ca, path)


@contextlib.contextmanager
def behind_tls(ports: Sequence[int], certificate: Path) -> Generator[list[int]]:
    """Serve TLS at new ports, and pass what is said there on to the servers at the given ones.

    By a process of its own: Motor ends its connections with the caller's loop at a standstill.
    """
    command = [sys.executable, "-m", "tests.tls", str(certificate), *map(str, ports)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield [int(port) for port in process.stdout.readline().split()]
        finally:
            process.kill()


async def _serve(certificate: str, ports: Sequence[int]) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    servers = [await asyncio.start_server(_to(port), _LOOPBACK, 0, ssl=context) for port in ports]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)  # noqa: T201 - how it answers
    await asyncio.Event().wait()


def _to(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection(_LOOPBACK, port)
        await asyncio.gather(_pump(reader, downstream), _pump(upstream, writer))

    return carry


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], [int(port) for port in sys.argv[2:]]))
