"""The order of the tests, and who runs them: what takes long or waits begins first, so that nobody is left with it.

Tests of one file stay together, because they share what costs to make. Where they share nothing, each is for itself.
One of those who run tests begins with those that only compute: while all others wait for something, it has work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

if TYPE_CHECKING:
    import pytest

APART: Final = (
    "tests/stories/test_many",
    "tests/stories/test_outages",
    "tests/stories/test_stopping",
    "tests/stack/",
    "tests/adapters/rabbitmq/test_restarts",
    "tests/adapters/mongodb/test_outages",
    "tests/stories/test_18_brakes",
    "tests/simulation/test_every_step",
    "tests/core/test_totality",
)
"""Tests that take long and share nothing, the longest first."""
WAITING: Final = (
    "tests/stories/",
    "tests/stack/",
    "tests/adapters/rabbitmq/",
    "tests/adapters/mongodb/test_outages",
    "tests/adapters/test_",
    "tests/dead_letters/",
    "tests/cli/",
)
"""Tests that wait for others most of the time."""
EARLY: Final = (*APART, *WAITING, "tests/simulation/", "tests/adapters/mongodb/")
_COMPUTING: Final = "gw0"


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # its package has no types
    """Hands out the tests of one file together, in the order they were collected in."""

    def _assign_work_unit(self, node: Any) -> None:
        if node.gateway.id == _COMPUTING:
            computing = next((scope for scope in self.workqueue if not scope.startswith(WAITING)), None)
            if computing is not None:
                self.workqueue.move_to_end(computing, last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(APART) else nodeid.partition("::")[0]


def by_length(item: pytest.Item) -> int:
    """Sort a test by when it should begin."""
    return next((place for place, name in enumerate(EARLY) if item.nodeid.startswith(name)), len(EARLY))
