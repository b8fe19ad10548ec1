"""What all tests share."""

from __future__ import annotations

import os
from typing import Final

pytest_plugins = ["tests.services"]

_MOST: Final = 8


def pytest_xdist_auto_num_workers() -> int:
    """Return how many run at once: more than there are cores, because many tests wait for something."""
    return min(2 * (os.cpu_count() or 1), _MOST)
