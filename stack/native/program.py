"""A program that runs in the background, and one that is run to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess  # noqa: S404 - starting programs is what this is for
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.failures import Unavailable
from stack.kept import Owner
from stack.native.runs import Run

_STOP_SECONDS: Final = 60.0
_DIES_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL", "--")
"""The kernel ends the program when we end, were it by `kill -9`. We start programs from our main thread only: to the
kernel, "we" is the thread."""


class FailedProgram(Exception):
    """A program that was run to its end said no. The message is the last thing it said."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a server is run."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    addresses: Mapping[str, str]
    ready: Callable[[], bool]
    one_cpu_until_ready: bool = False
    """Threads of the Erlang emulator hand every file they read to one another. Across virtual CPUs each hand-over wakes
    a sleeping CPU: on two of them a start took 7 to 22 seconds; on one it takes 7."""


class Program:
    """A server run by its recipe. Its folder is the run's, where it also writes its log."""

    def __init__(self, recipe: Recipe, run: Run) -> None:
        self._recipe = recipe
        self._run = run
        self._process: subprocess.Popen[bytes] | None = None
        self._pinned = False

    @property
    def name(self) -> str:
        """What it is."""
        return self._recipe.name

    @property
    def addresses(self) -> Mapping[str, str]:
        """Its URLs by name."""
        return self._recipe.addresses

    def launch(self) -> None:
        """Set it going, without waiting for it. Nothing to do if it is going."""
        if self._process is not None:
            return
        with self._log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - none of it comes from outside
                [*_DIES_WITH_US, *self._recipe.command],
                cwd=self._run.folder,
                env=dict(self._recipe.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is for its owner, who then ends it
            )
        self._process = process
        self._run.note(process.pid)
        self._pinned = self._recipe.one_cpu_until_ready
        if self._pinned:
            cpus = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(process.pid, {cpus[process.pid % len(cpus)]})

    def is_ready(self) -> bool:
        """Return whether it does its work. Raises `Unavailable` if it has ended."""
        if self._process is None or self._process.poll() is not None:
            raise Unavailable(f"{self._recipe.name} did not start. {self._last_words()}")
        if not self._recipe.ready():
            return False
        if self._pinned:
            self._pinned = False
            _unpin(self._process.pid)
        return True

    def stop(self) -> None:
        """End it in good order; on the spot if that takes too long."""
        self.thaw()
        self._signal(signal.SIGTERM)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it on the spot."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, what: signal.Signals) -> None:
        """To its whole process group: a shell script that did not exec would leave its server behind."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, what)

    @property
    def _log(self) -> Path:
        return self._run.folder / f"{self._recipe.name}.log"

    def _last_words(self) -> str:
        return f"The end of its log:\n{_tail(self._log.read_text(errors='replace'))}"


def run_to_end(command: Sequence[str], folder: Path, owner: Owner) -> str:
    """Run a program in a folder, for as long as the owner lives, and return what it wrote. Raises `FailedProgram`."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - as above
            [*_DIES_WITH_US, *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        with process:
            try:
                while process.poll() is None:
                    owner.pause(0.02)
            finally:
                process.kill()
        output.seek(0)
        written = output.read().decode(errors="replace")
    if process.returncode:
        raise FailedProgram(_tail(written))
    return written


def _tail(text: str, lines: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


def _unpin(pid: int) -> None:
    """Give all threads of a process all CPUs."""
    cpus = os.sched_getaffinity(0)
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cpus)
