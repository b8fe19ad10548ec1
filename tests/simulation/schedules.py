"""One random schedule from a seed: two people edit, messages race, and whatever else the faults bring."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.memory.calendar import Pace
from tests.simulation.people import People
from tests.simulation.properties import check_all
from tests.simulation.world import Faults, World

NONE = Faults()
TWICE = Faults(twice=0.3)
CRASHES = Faults(crash=0.01, twice=0.2)
CUTS = Faults(crash=0.005, cut=0.01, twice=0.2)
OUTAGES = Faults(away=0.1, twice=0.2)
PACES = (Pace(), Pace(), Pace(apply=0, lag=0), Pace(apply=0, lag=1), Pace(apply=5, lag=0))
_HALF = 0.5


def run_schedule(seed: int, faults: Faults, *, faultless: bool = False) -> World:
    """Run one schedule to its end and check everything.

    Plans end bare: no hint comes after the last race, because a later hint heals an earlier race.
    """
    random = Random(seed)
    pace, pressing = random.choice(PACES), random.random() < _HALF
    world, people = World(random, replace(faults), pace, pressing=pressing), People(random)
    world.platform.telling = random.random() < _HALF
    try:
        world.run(people.plan(random.randint(1, 8)))
        world.settle()
        check_all(world, people, faultless=faultless)
        check_it_stays_at_rest(world)
    finally:
        world.close()
    return world


def check_it_stays_at_rest(world: World) -> None:
    """Another look at both sides writes nothing."""
    before = len(world.calendar.applied), len(world.platform.writes)
    world.look_again()
    world.settle()
    after = len(world.calendar.applied), len(world.platform.writes)
    assert before == after, "a further round writes\n" + world.story()
