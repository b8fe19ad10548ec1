"""Programs for tests: a browser for pages, and Prometheus' tool for its rules."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from stack.failures import Unavailable
from stack.native.chromium import Chromium, chromium
from stack.native.places import HOME
from stack.native.promtool import promtool
from stack.opening import to_stderr


class _Patient:
    """Fetches for ourselves, and waits for others who fetch the same."""

    def tell(self, progress: str) -> None:
        """Say what is being done."""
        to_stderr(progress)

    def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def browser() -> Chromium:
    """Return how to start one. Raises `Unavailable`, with what to do."""
    return chromium(HOME, _Patient())


def rule_tool(folders: Sequence[Path]) -> list[str]:
    """Return how a command begins that checks rules in these folders. Raises `Unavailable`, with what to do."""
    return promtool(HOME, _Patient(), folders)


def prepare_programs() -> None:
    """Fetch now what these would have to fetch. Where one is not to be had, the tests that need it fail."""
    for fetch in (browser, partial(rule_tool, [])):
        try:
            fetch()
        except Unavailable as failure:
            to_stderr(f"{failure} Tests that need it will fail.")
