"""Exhaustive where random is thin: something happens at every single await of a wake-up.

What was edited first x what the task suffers x what happens meanwhile x whether the lease expires; for each of these,
at every step from the first await to the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from tests.simulation.people import Action, People
from tests.simulation.properties import check_all
from tests.simulation.schedules import check_it_stays_at_rest
from tests.simulation.world import Task, World

Suffering = Callable[[World, Task], None]


def crashes(world: World, task: Task) -> None:
    world.crash(task)


def is_cut_off(world: World, task: Task) -> None:
    world.cut(task)


def stalls(world: World, task: Task) -> None:
    """Others run to their end first; then it goes on where it stood."""
    world.tasks.remove(task)
    world.tasks.append(task)


def nothing(world: World) -> None:
    del world


FIRST = ("edit_item", "move_event", "delete_item", "delete_event", "make_item", "make_event")
MEANWHILE = ("nothing", "edit_item", "edit_event", "delete_item", "delete_event")

AFTER_THE_LEASE = ("nothing", "edit_event")


def at_rest(seed: int) -> tuple[World, People]:
    """Return a world in which one item and one event are in sync."""
    random = Random(seed)
    world, people = World(random), People(random)
    people.make_item(world)
    people.make_event(world)
    world.settle()
    return world, people


def begin_wake_up(world: World) -> Task:
    """Let the news be taken in, and start on the wake-up that comes of it."""
    world.clock.advance(5)
    world.calendar.tick()
    while True:
        message = next((message for message in world.queue if message.kind == "wake"), None)
        if message is not None:
            return world.deliver(message)
        task = world.tasks[0] if world.tasks else world.deliver(world.queue[0])
        world.advance_task(task)


def cases(seed: int, first: str, suffering: Suffering, meanwhile: str, seconds: float) -> Iterator[World]:
    """Yield the world after each case, at every step of the wake-up in turn."""
    step = 0
    while True:
        world, people = at_rest(seed)
        getattr(people, first)(world)
        task = begin_wake_up(world)
        for _ in range(step):
            if task.alive:
                world.advance_task(task)
        if not task.alive:
            world.close()
            return
        suffering(world, task)
        action: Action = getattr(people, meanwhile, nothing)
        action(world)
        world.clock.advance(seconds)
        world.calendar.tick()
        world.settle()
        try:
            check_all(world, people)
            check_it_stays_at_rest(world)
        except AssertionError as error:
            error.add_note(f"step {step}: {first}, then it {suffering.__name__} while {meanwhile}, {seconds} s")
            raise
        finally:
            world.close()
        yield world
        step += 1


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("suffering", [crashes, is_cut_off, stalls], ids=lambda suffering: suffering.__name__)
def test_whatever_happens_at_any_step_is_made_good(first: str, suffering: Suffering) -> None:
    tried = 0
    for meanwhile in MEANWHILE:
        tried += sum(1 for _ in cases(1, first, suffering, meanwhile, 0.0))
        if suffering is crashes and meanwhile in AFTER_THE_LEASE:
            tried += sum(1 for _ in cases(1, first, suffering, meanwhile, 100.0))
    assert tried > len(MEANWHILE) * 15, "the wake-up has become suspiciously short"
