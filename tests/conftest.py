"""What all tests share."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypothesis import settings

from tests.scheduling import Scheduling, by_length

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["tests.services"]

_HERE: Final = Path(__file__).parent
_MOST: Final = 8

# Property tests run the same examples everywhere, however slow the machine is just then.
settings.register_profile("usual", settings.get_profile("ci"), max_examples=40)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile("usual")


def pytest_configure(config: pytest.Config) -> None:
    """Let each worker begin elsewhere, so that they find compiled by others what all of them would compile at once."""
    gc.disable()  # what is collected stays
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None and [Path(given).resolve() for given in config.args] == [_HERE]:
        folders = sorted(str(path.parent) for path in _HERE.glob("*/__init__.py"))
        first = int(worker["workerid"].removeprefix("gw")) * len(folders) // worker["workercount"]
        config.args = folders[first:] + folders[:first]


def pytest_xdist_auto_num_workers() -> int:
    """Return how many run at once: more than there are cores, because many tests wait for something."""
    return min(3 * (os.cpu_count() or 1), _MOST)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Let our own order be kept."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long; the same order whatever was collected first."""
    items.sort(key=lambda item: (by_length(item), item.nodeid.partition("::")[0]))


def pytest_collection_finish() -> None:
    """Take what stays until the end out of the garbage collector's rounds: thousands of tests, and all modules."""
    gc.collect()
    gc.freeze()
    gc.enable()
