"""Locks that the kernel takes back when their holder ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path


@contextlib.contextmanager
def held(path: Path) -> Generator[bool]:
    """Try to lock a file or folder that exists; yields whether it is ours until the end of the block."""
    handle = os.open(path, os.O_RDONLY)
    try:
        yield _taken(handle, fcntl.LOCK_NB)
    finally:
        os.close(handle)


@contextlib.contextmanager
def awaited(path: Path) -> Generator[None]:
    """Lock a file or folder that exists, after whoever has it. For moments only: nothing interrupts the wait."""
    handle = os.open(path, os.O_RDONLY)
    try:
        _taken(handle, 0)
        yield
    finally:
        os.close(handle)


def _taken(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | how)
    except BlockingIOError:
        return False
    return True
