"""What all tests share."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any, Final

from tests.scheduling import Scheduling, by_length

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["tests.services"]

_MOST: Final = 8


def pytest_xdist_auto_num_workers() -> int:
    """Return how many run at once: more than there are cores, because many tests wait for something."""
    return min(2 * (os.cpu_count() or 1), _MOST)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Let our own order be kept."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    items.sort(key=by_length)


def pytest_collection_finish() -> None:
    """Take what stays until the end out of the garbage collector's rounds: thousands of tests, and all modules."""
    gc.collect()
    gc.freeze()
