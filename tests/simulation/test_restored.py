"""After a disaster the store is as it was some time ago, and both sides are as they are now."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from tests.memory.calendar import Pace
from tests.simulation.people import People
from tests.simulation.properties import check_all
from tests.simulation.runs import sync_now
from tests.simulation.schedules import check_it_stays_at_rest
from tests.simulation.world import INTEGRATION, World


def backed_up(world: World) -> dict[str, Any]:
    """Return what a backup of the store holds."""
    parts = {"links": world.links, "integrations": world.integrations, "journal": world.journal}
    return {
        name: copy.deepcopy({key: value for key, value in vars(part).items() if type(value) in {dict, set}})
        for name, part in parts.items()
    }


def restore(world: World, backup: dict[str, Any]) -> None:
    """Put it back. What was on the queues is gone."""
    world.queue.clear()
    for name, part in {"links": world.links, "integrations": world.integrations, "journal": world.journal}.items():
        vars(part).update(copy.deepcopy(backup[name]))


def recheck(world: World) -> None:
    """Have every item read anew, as `calsync integrations recheck` does."""
    reading = world.start("operator", world.links.read_anew(INTEGRATION, world.clock.now()))
    while reading.alive:
        world.advance_task(reading)


ONCE_WRONG = (529,)
"""Schedules that showed a fault."""


@pytest.mark.parametrize("seeds", [ONCE_WRONG, range(20), range(20, 40)], ids=str)
def test_after_an_older_state_was_restored_both_sides_are_made_equal_and_nothing_is_made_twice(
    seeds: Sequence[int],
) -> None:
    for seed in seeds:
        world, people = World(Random(seed), pace=Pace(apply=0, lag=0)), People(Random(seed))
        try:
            lose_what_was_done_since_a_backup(world, people)
            recheck(world)
            sync_now(world)
            world.settle()
            world.pass_a_day()
            check_all(world)
            check_it_stays_at_rest(world)
        finally:
            world.close()


def lose_what_was_done_since_a_backup(world: World, people: People) -> None:
    world.run(people.plan(4))
    world.settle()
    backup = backed_up(world)
    world.run(people.plan(5))
    world.settle()
    restore(world, backup)
