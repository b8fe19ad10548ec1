"""Settings that change while somebody works: none of the old ones is applied, the newest are in force in the end."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from events.commands import Cause, Wake
from events.link import LinkState, ManagedEvent
from events.outcomes import Deleted, Exported
from events.psa import Delete
from events.reasons import Reason
from tests.memory.calendar import Pace
from tests.memory.store import MemoryLeavers
from tests.simulation.people import People
from tests.simulation.properties import event_content, item_content
from tests.simulation.schedules import CRASHES, CUTS, NONE, OUTAGES, PACES, TWICE, check_it_stays_at_rest
from tests.simulation.wizard import Wizard
from tests.simulation.world import Faults, Task, World
from worker import outcomes
from worker.core.ownership import Ownership
from worker.projection.events import key_of

BLOCK = 40
_LET_GO = frozenset({LinkState.DETACHED, LinkState.IGNORED, LinkState.BLOCKED})


def run(seed: int, faults: Faults, *, deletes: bool = False, erases: bool = False) -> World:
    random = Random(seed)
    pace, pressing = random.choice(PACES), random.random() < 0.5
    world, people = World(random, replace(faults), pace, pressing=pressing), People(random)
    wizard = Wizard(random, world, always_removes=random.random() < 0.5)
    plan = wizard.plan(people.plan(random.randint(1, 6)), random.randint(1, 4))
    if deletes:
        plan.insert(random.randint(2, len(plan)), wizard.delete)
    if erases:
        plan.insert(random.randint(2, len(plan)), wizard.erase)
    try:
        world.run(plan)
        world.settle()
        assert not wizard.wrong, wizard.wrong[0]
        if erases:
            check_nothing_is_known(world)
        elif deletes:
            check_nothing_is_left(world)
        else:
            check_the_newest_settings_are_in_force(world, wizard)
            check_it_stays_at_rest(world)
    finally:
        world.close()
    return world


def check_the_newest_settings_are_in_force(world: World, wizard: Wizard) -> None:
    held = world.integrations.rows["int-1"].integration.held
    assert (held.calendar_id, held.revising, held.former) == (wizard.calendar_id, False, ())
    live = {key_of(event): event for event in world.calendar.live()}
    links = {link.item: link for link in world.links.links.values() if link.item and link.state is not LinkState.BURIED}
    for row in world.platform.live():
        link = links[row.key]
        event = live.get(link.event)
        if event is None:
            assert link.state in _LET_GO, f"an item has no event: {row} {link}\n" + world.story()
            continue
        assert event.calendar_id == wizard.calendar_id, f"in a former calendar: {link}\n" + world.story()
        held_by_psa, shown = item_content(world, row), event_content(event)
        assert held_by_psa is not None
        assert shown is not None
        if link.state not in _LET_GO:
            for field in Ownership().of(row.key.item_type).two_way:
                assert held_by_psa.value(field) == shown.value(field), f"{field} differs: {link}\n" + world.story(80)
    names = [event.event_id for event in live.values() if event.event_id and event.calendar_id == wizard.calendar_id]
    assert len(names) == len(set(names)), "an item has two events"
    if wizard.always_removes:
        left = [event for event in live.values() if event.event_id and event.calendar_id != wizard.calendar_id]
        assert not left, f"copies were left in a former calendar: {left}\n" + world.story()


def check_nothing_is_left(world: World) -> None:
    assert world.integrations.rows["int-1"].integration.held.deleted
    ours = [event for event in world.calendar.live() if event.event_id]
    held = world.integrations.rows["int-1"].integration.held
    calendars = {held.calendar_id, *held.former}
    assert not [event for event in ours if event.calendar_id in calendars], "copies were left\n" + world.story()
    for link in world.links.links.values():
        assert (link.state, link.due_at, link.calendar_base) == (LinkState.BURIED, None, None), f"{link}"
        assert link.reason is Reason.DELETED
        assert isinstance(link.event, ManagedEvent) or link.psa_seen is None


def check_nothing_is_known(world: World) -> None:
    assert not world.integrations.rows, "the integration is there\n" + world.story()
    for kept in (world.links.links, world.journal.entries, world.orders.orders, world.runs.runs):
        assert not kept, f"{kept}\n" + world.story()


FAULTS = pytest.mark.parametrize(
    "faults", [NONE, TWICE, CRASHES, CUTS, OUTAGES], ids=["none", "twice", "crashes", "cuts", "outages"]
)


@FAULTS
def test_settings_that_change_at_any_moment_hold_from_their_acknowledgement_on(faults: Faults, block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run(seed, faults)


@FAULTS
def test_an_integration_deleted_at_any_moment_leaves_nothing_behind(faults: Faults, block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run(seed, faults, deletes=True)


@FAULTS
def test_of_a_user_who_is_erased_at_any_moment_nothing_is_known_in_the_end(faults: Faults, block: int) -> None:
    for seed in range(block * BLOCK // 2, (block + 1) * BLOCK // 2):
        run(seed, faults, deletes=seed % 3 == 0, erases=True)


def test_who_wants_everything_told_and_then_erased_is_told_in_parts_first() -> None:
    world, random = World(Random(0)), Random(0)
    wizard, people = Wizard(random, world), People(random)
    for _ in range(120):
        people.make_item(world)
    world.settle()
    known = {*world.links.links, *world.journal.entries}
    for ask in (wizard.export, wizard.erase):
        ask(world)
        world.deliver(world.queue[-1])
        world.advance_task(world.tasks[-1])
    world.settle()
    parts = [one.data for one in world.outcomes if isinstance(one, Exported)]
    told = {str(record["id"]) for part in parts for record in part.records}
    assert ([part.part for part in parts], parts[-1].last) == (list(range(1, len(parts) + 1)), True)
    assert len(parts) > 1
    assert not any(part.last for part in parts[:-1])
    assert told >= known
    check_nothing_is_known(world)
    world.close()


@pytest.mark.parametrize("order", ["erase delete", "delete erase", "erase delete_only delete"])
def test_copies_are_removed_before_everything_is_erased_whichever_was_asked_for_first(order: str) -> None:
    world = World(Random(0), pace=Pace(apply=0, lag=0))
    wizard, people = Wizard(Random(0), world), People(Random(0))
    people.make_item(world)
    world.settle()
    assert world.calendar.live()
    for button in order.split():
        getattr(wizard, button)(world)
    world.settle()
    assert world.calendar.live() == []
    (told,) = [one.data for one in world.outcomes if isinstance(one, Deleted)]
    assert (told.removed, told.complete, told.erased) == (1, True, True)
    check_nothing_is_known(world)
    world.close()


def test_copies_that_go_on_showing_for_a_while_are_told_and_counted_once() -> None:
    world = World(Random(0), pace=Pace(apply=4, lag=9))
    wizard, people = Wizard(Random(0), world), People(Random(0))
    for _ in range(3):
        people.make_item(world)
    world.settle()
    copies = len(world.calendar.live())
    wizard.delete(world)
    world.settle()
    assert world.calendar.live() == []
    (told,) = [one.data for one in world.outcomes if isinstance(one, Deleted)]
    assert (told.removed, told.complete) == (copies, True)
    lines = [entry for entry in world.journal.entries.values() if entry.reason is Reason.DELETED]
    assert len(lines) == copies
    world.close()


def test_who_asks_for_the_removal_of_copies_too_late_is_told_that_they_stay() -> None:
    """With the deletion the way to the calendar was given up."""
    world = World(Random(0))
    wizard, people = Wizard(Random(0), world), People(Random(0))
    people.make_item(world)
    world.settle()
    for button in (wizard.delete_only, wizard.delete, wizard.delete_only, wizard.erase):
        button(world)
        world.settle()
    told = [one.data for one in world.outcomes if isinstance(one, Deleted)]
    assert [(one.removed, one.complete, one.erased) for one in told] == [
        (0, True, False),
        (0, False, False),
        (0, True, False),
        (0, True, True),
    ]
    assert len(world.calendar.live()) == 1
    check_nothing_is_known(world)
    world.close()


@pytest.mark.parametrize("handed", ["once", "again"])
def test_news_taken_in_while_everything_is_erased_is_erased_too(handed: str) -> None:
    steps = 0
    while erased_during_intake(steps, crash=handed == "again"):
        steps += 1
    assert steps > 3, "nothing was tried"


def test_without_a_second_look_such_news_would_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None: ...

    monkeypatch.setattr(MemoryLeavers, "erase_late", never)
    with pytest.raises(AssertionError, match="int-1/"):
        test_news_taken_in_while_everything_is_erased_is_erased_too("once")


def erased_during_intake(steps: int, *, crash: bool) -> bool:
    """Let everything be erased while intake stands at a step. False if it has no such step."""
    world, random = World(Random(0)), Random(0)
    wizard, people = Wizard(random, world), People(random)
    try:
        people.make_item(world)
        news = world.deliver(world.queue[0])
        if not left_standing(world, news, steps):
            return False
        wizard.erase(world)
        world.settle()
        world.tasks.append(news)
        if crash:
            world.crash(news)
        world.settle()
        check_nothing_is_known(world)
        assert not wizard.wrong, wizard.wrong[0]
    finally:
        world.close()
    return True


def test_a_deletion_that_comes_at_any_moment_of_erasing_is_answered() -> None:
    steps = 0
    while deleted_during_erasing(steps):
        steps += 1
    assert steps > 10, "nothing was tried"


def deleted_during_erasing(steps: int) -> bool:
    """Let a deletion be taken in while whoever erases stands at a step. False if there is no such step."""
    world, random = World(Random(0)), Random(0)
    wizard, people = Wizard(random, world), People(random)
    try:
        people.make_item(world)
        world.settle()
        wizard.erase(world)
        to_its_end(world, world.deliver(world.queue[-1]))
        erasing = world.start("wake", world.executor.execute(Wake(integration_id="int-1", cause=Cause.DUE), "erase"))
        if not left_standing(world, erasing, steps):
            return False
        wizard.delete_only(world)
        (asked,) = [one.content for one in world.queue if isinstance(one.content, Delete)]
        to_its_end(world, world.deliver(world.queue[-1]))
        came_late = "int-1" not in world.integrations.rows  # intake answers then
        world.tasks.append(erasing)
        world.settle()
        answer = outcomes.erased_before(asked.data, world.clock.now()).id
        assert came_late or answer in {one.id for one in world.outcomes}, f"step {steps}\n" + world.story()
        check_nothing_is_known(world)
    finally:
        world.close()
    return True


def left_standing(world: World, task: Task, steps: int) -> bool:
    """Leave a task where it stands after so many steps, for others to go on. False if it comes to its end before."""
    for _ in range(steps):
        if task.alive:
            world.advance_task(task)
    if task.alive:
        world.tasks.remove(task)
    return task.alive


def to_its_end(world: World, task: Task) -> None:
    while task.alive:
        world.advance_task(task)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "block" in metafunc.fixturenames:
        metafunc.parametrize("block", range(int(str(metafunc.config.getoption("--schedules")))))
