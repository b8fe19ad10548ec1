"""Workers as processes, to be killed and started at will."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from adapters.process.environment import PREFIX
from cli.failing import Failed
from stack.native.places import PROJECT
from stack.native.ports import free_port

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 60.0
_LAST_LINES: Final = 15


@dataclass
class WorkerProcess:
    """One `calsync worker`. Its lines go to `log`."""

    environment: Mapping[str, str]
    log: Path
    words: Sequence[str] = ()
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _port: int = field(default=0, init=False)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, "it was not started"
        return self._process.pid

    @property
    def url(self) -> str:
        """Where its ops server is."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start it. See `ready`."""
        self._port = free_port()
        environment = {**self.environment, f"{PREFIX}OPS_PORT": str(self._port)}
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "cli", "worker", *self.words,
                cwd=PROJECT, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C is for us, and we end it in order
            )  # fmt: skip

    async def ready(self) -> None:
        """Return when it is ready. Raises `Failed` with its last lines if it ends or takes too long."""
        assert self._process is not None, "it was not started"
        try:
            async with asyncio.timeout(_START_SECONDS), httpx.AsyncClient(trust_env=False) as http:
                while self._process.returncode is None:
                    with contextlib.suppress(httpx.TransportError):
                        if (await http.get(f"{self.url}/readyz")).is_success:
                            return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pass
        raise Failed(f"A worker did not start. The end of {self.log}:\n{self.last_lines()}")

    def last_lines(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:])

    async def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                await self.kill()
        return self._process.returncode or 0

    async def kill(self) -> None:
        """End it on the spot, as `kill -9` does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@contextlib.asynccontextmanager
async def running_workers(
    environment: Mapping[str, str], folder: Path, count: int
) -> AsyncGenerator[list[WorkerProcess], None]:
    """Run workers for as long as the block runs."""
    workers = [WorkerProcess(environment, folder / f"worker-{number}.log") for number in range(1, count + 1)]
    try:
        for worker in workers:
            await worker.start()
        for worker in workers:
            await worker.ready()
        yield workers
    finally:
        await asyncio.gather(*(worker.stop() for worker in workers))
