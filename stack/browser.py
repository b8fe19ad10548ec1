"""A browser for tests of pages."""

from __future__ import annotations

import time

from stack.failures import Unavailable
from stack.native.chromium import Chromium, chromium
from stack.native.places import HOME
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


def prepare_browser() -> None:
    """Fetch now what `browser` would have to fetch. Where there is none to be had, the tests that need one fail."""
    try:
        browser()
    except Unavailable as failure:
        to_stderr(f"{failure} The tests of the console will fail.")
