"""What all tests share."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any, Final

from hypothesis import settings

from tests.scheduling import Scheduling, by_length

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["tests.services"]

_MOST: Final = 8

# Property tests run the same examples everywhere, however slow the machine is just then.
settings.register_profile("usual", settings.get_profile("ci"), max_examples=40)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile("usual")


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
