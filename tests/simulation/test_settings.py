"""Settings that change while somebody works: none of the old ones is applied, the newest are in force in the end."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from events.link import LinkState, ManagedEvent
from events.reasons import Reason
from tests.simulation.people import People
from tests.simulation.properties import event_content, item_content
from tests.simulation.schedules import CRASHES, CUTS, NONE, OUTAGES, PACES, TWICE, check_it_stays_at_rest
from tests.simulation.wizard import Wizard
from tests.simulation.world import Faults, World
from worker.core.ownership import Ownership
from worker.projection.events import key_of

BLOCK = 40
_LET_GO = frozenset({LinkState.DETACHED, LinkState.IGNORED, LinkState.BLOCKED})


def run(seed: int, faults: Faults, *, deletes: bool = False) -> World:
    random = Random(seed)
    pace, pressing = random.choice(PACES), random.random() < 0.5
    world, people = World(random, replace(faults), pace, pressing=pressing), People(random)
    wizard = Wizard(random, world, always_removes=random.random() < 0.5)
    plan = wizard.plan(people.plan(random.randint(1, 6)), random.randint(1, 4))
    if deletes:
        plan.insert(random.randint(2, len(plan)), wizard.delete)
    try:
        world.run(plan)
        world.settle()
        assert not wizard.wrong, wizard.wrong[0]
        if deletes:
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("block", range(int(str(metafunc.config.getoption("--schedules")))))
