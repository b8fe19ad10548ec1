"""The garbage collector of a process that runs for long."""

from __future__ import annotations

import gc
from collections import UserList
from collections.abc import Generator

import pytest

from adapters.process.memory import set_for_long


@pytest.fixture
def _as_before() -> Generator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_as_before")
def test_what_was_loaded_is_not_looked_through_any_more() -> None:
    loaded = len(gc.get_objects())
    set_for_long()
    assert gc.get_freeze_count() > 0.9 * loaded
    assert len(gc.get_objects()) < 0.1 * loaded


@pytest.mark.usefixtures("_as_before")
def test_cycles_are_still_collected() -> None:
    class Node(UserList[object]):
        pass

    set_for_long()
    for _ in range(2 * gc.get_threshold()[0]):
        node = Node()
        node.append(node)
    assert sum(isinstance(one, Node) for one in gc.get_objects()) <= gc.get_threshold()[0]
