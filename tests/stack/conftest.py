"""What the tests of the stack share."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

collect_ignore_glob = [] if sys.platform == "linux" else ["test_native_*"]


class Bystander:
    """An owner that lives on and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, progress: str) -> None:
        self.told.append(progress)

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


@pytest.fixture
def owner() -> Bystander:
    return Bystander()


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Docker engine answers, so that what is opened is native."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")


def eventually(condition: Callable[[], bool], within: float = 20.0) -> bool:
    """Whether something that is meant to happen happens."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def folder_of(url: str) -> Path:
    """The folder of the run that serves a URL: where the process works that was told the port."""
    port = url.partition("127.0.0.1:")[2].partition("/")[0].encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            if any(word.endswith((port, b"=" + port)) for word in told.split(b"\0")):
                return (process / "cwd").readlink()
        except OSError:  # it has just ended, or is somebody else's
            continue
    raise AssertionError(f"nobody serves {url}")


def processes_in(folder: Path) -> list[str]:
    """The programs that work in a folder."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_text().replace("\0", " ")[:80])
        except OSError:
            continue
    return found
