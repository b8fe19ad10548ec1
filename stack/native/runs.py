"""A folder for each run, and clearing away what a killed run left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.native.locks import awaited, held

_PROCESSES: Final = "processes"


@dataclass(frozen=True, slots=True)
class Run:
    """A run's own folder. It is locked for as long as the run lives and removed when it ends."""

    folder: Path

    def note(self, pid: int) -> None:
        """Remember a process that this run has started, so that whoever clears up can tell it from others."""
        with (self.folder / _PROCESSES).open("a") as notes:
            notes.write(f"{pid} {_began(pid)}\n")


@contextlib.contextmanager
def new_run(runs: Path) -> Generator[Run]:
    """Clear away what killed runs left, then make a folder that is ours until the end of the block."""
    runs.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as life:
        with awaited(runs):  # nobody clears away a folder between its making and its locking
            clear_leftovers(runs)
            folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=runs))
            life.enter_context(held(folder))
            life.callback(shutil.rmtree, folder, ignore_errors=True)
        yield Run(folder)


def clear_leftovers(runs: Path) -> None:
    """End the processes of runs whose keeper has ended, and remove their folders."""
    for folder in runs.iterdir():
        with contextlib.suppress(FileNotFoundError), held(folder) as abandoned:  # it may be just going away
            if abandoned:
                for pid in _still_running(folder):
                    os.kill(pid, signal.SIGKILL)
                shutil.rmtree(folder, ignore_errors=True)


def _still_running(folder: Path) -> list[int]:
    """Processes that this folder's run has started, for sure.

    A pid alone may be anybody's by now. A pid with the moment it began is one process of this boot, and one that works
    inside the folder is the run's.
    """
    try:
        notes = (folder / _PROCESSES).read_text().splitlines()
    except FileNotFoundError:
        return []
    found: list[int] = []
    for note in notes:
        pid, _, began = note.partition(" ")
        if began and _began(int(pid)) == began and _works_in(int(pid), folder):
            found.append(int(pid))
    return found


def _began(pid: int) -> str:
    """When a process began, in the kernel's own ticks since boot; empty if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return stat.rpartition(")")[2].split()[19]  # the name before it, in brackets, may hold anything


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True).is_relative_to(folder.resolve())
    except OSError:
        return False
