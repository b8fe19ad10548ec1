from __future__ import annotations

from collections.abc import Generator
from random import Random

import pytest

from tests.memory.calendar import Pace
from tests.simulation.world import World


@pytest.fixture
def world() -> Generator[World]:
    made = World(Random(1), pace=Pace(apply=0, lag=0))
    yield made
    made.close()
