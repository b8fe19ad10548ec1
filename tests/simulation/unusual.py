"""Unusual days: many things are deleted at once, two tools quarrel, notifications get lost and listings are thin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from random import Random

from events.items import ItemType
from events.link import LinkState, Verdict
from events.orders import OPERATOR, Order, OrderKind
from events.tenant import Brakes, Tenant, TenantSettings
from tests.memory.calendar import Pace
from tests.simulation.people import Action, Edit, People
from tests.simulation.properties import check_all, check_both_sides_equal, check_no_duplicates
from tests.simulation.schedules import PACES, check_it_stays_at_rest
from tests.simulation.world import INTEGRATION, NOON, USER, Faults, World

FEW = 2
ALIVE = 8
MANY = 5
STRICT = Tenant(1, TenantSettings(brakes=Brakes(few_deletions=FEW, deletions_percent=10)), 1, 1)
"""More than two are many here."""


# Many deletions


def run_deletions(seed: int, faults: Faults) -> World:
    """Let somebody delete most of what there is on one side, while others work on; then let somebody decide."""
    random = Random(seed)
    world, people = World(random, Faults(), random.choice(PACES)), People(random)
    world.tenants.known[1] = STRICT
    try:
        for _ in range(ALIVE // 2):
            people.make_item(world)
            people.make_event(world)
        world.settle()
        world.faults = replace(faults)
        doomed = random.choice([_items, _events])(world)
        world.run(_mixed(random, people, doomed))
        world.settle()
        check_the_brake_held(world)
        check_no_duplicates(world)
        check_both_sides_equal(world)
        _decide(world, random.choice([OrderKind.RELEASE_DELETIONS, OrderKind.DISCARD_DELETIONS]))
        check_it_stays_at_rest(world)
    finally:
        world.close()
    return world


def _mixed(random: Random, people: People, doomed: Sequence[Action]) -> list[Action]:
    """Delete most of what there is, one after the other, with something new in between."""
    plan: list[Action] = []
    for delete in random.sample(doomed, MANY):
        plan.append(delete)
        if random.random() < 0.3:
            plan.append(people.make_event)
    return plan


def _items(world: World) -> list[Action]:
    return [partial(_delete_item, item_id) for item_id in world.platform.rows]


def _delete_item(item_id: str, world: World) -> None:
    world.platform.remove(item_id)


def _events(world: World) -> list[Action]:
    return [partial(_delete_event, uid) for uid in world.calendar.events]


def _delete_event(uid: str, world: World) -> None:
    world.calendar.delete(uid)


def carried_over(world: World) -> int:
    """Return how many deletions were carried over to the other side."""
    removed = sum(1 for one in world.calendar.applied if one.after.deleted and one.before and not one.before.deleted)
    return removed + sum(1 for kind, _, _ in world.platform.writes if kind == "delete")


def check_the_brake_held(world: World) -> None:
    """A few deletions were carried over at most, whoever crashed in between; the others wait, and somebody was told."""
    assert carried_over(world) <= FEW, "deletions slipped through\n" + world.story()
    held = [link for link in world.links.links.values() if link.held_back]
    gone = [link for link in world.links.links.values() if link.state in {LinkState.BURIED, LinkState.DETACHED}]
    assert len(held) + len(gone) >= 5, "a deletion was forgotten\n" + world.story()
    passed = [link for link in gone if link.ending and link.ending.verdict is Verdict.PASSED]
    assert len(passed) <= FEW, "more was let go of than a few\n" + world.story()
    told = [one for one in world.outcomes if one.type == "calsync.integration.deletions_held.v1"]
    assert bool(told) is bool(held), "whoever waits is told of"


def _decide(world: World, kind: OrderKind) -> None:
    before = carried_over(world)
    held = sum(1 for link in world.links.links.values() if link.held_back)
    give_order(world, kind)
    world.settle()
    assert not [link for link in world.links.links.values() if link.held_back], "it was decided"
    check_all(world)
    detached = sum(1 for link in world.links.links.values() if link.state is LinkState.DETACHED)
    if kind is OrderKind.DISCARD_DELETIONS:
        assert carried_over(world) == before, "discarded, and carried over all the same\n" + world.story()
    else:
        assert carried_over(world) + detached >= before + held, "released, and not carried over\n" + world.story()


def give_order(world: World, kind: OrderKind) -> None:
    """Order something as an operator."""
    order = Order(f"{INTEGRATION}/operator/{kind}", INTEGRATION, OPERATOR, kind, world.clock.now())
    world.orders.orders[order.id] = order
    row = world.integrations.rows[INTEGRATION]
    row.integration = replace(row.integration, due_at=world.clock.now())


# Two tools that quarrel


def run_quarrel(rounds: int) -> World:
    """Let one tool mark an event's title, and another one take the mark off the appointment's."""
    world = World(Random(1), pace=Pace(apply=0, lag=0))
    start = NOON.isoformat()
    item_id = world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", start=start, end=start)
    world.settle()
    (event,) = world.calendar.live()
    for _ in range(rounds):
        world.calendar.edit(event.event_uid, summary="[Busy] Review")
        world.settle()
        world.clock.advance(60)
        world.platform.edit(item_id, subject="Review")
        world.settle()
        world.clock.advance(60)
    return world


# Lost notifications, thin listings


def run_unheard(seed: int) -> World:
    """Lose every notification, and for a day show only a part of the calendar; then let audits do their work."""
    random = Random(seed)
    world, people = World(random, Faults(lost=1.0), random.choice(PACES)), People(random)
    try:
        world.run(people.plan(random.randint(2, 8)))
        world.settle()
        there = [event.event_uid for event in world.calendar.live()]
        world.calendar.hidden = set(random.sample(there, random.randint(0, len(there))))
        world.pass_a_day()
        check_nothing_was_deleted_by_absence(world, people)
        world.calendar.hidden = set()
        world.pass_a_day()
        world.pass_a_day()
        check_nothing_was_deleted_by_absence(world, people)
        check_all(world, people)
        check_it_stays_at_rest(world)
    finally:
        world.close()
    return world


def run_unheard_of_the_psa(seed: int) -> World:
    """Lose every event of the PSA, and for a day list only a part of its items; then let audits do their work."""
    random = Random(seed)
    world, people = World(random, Faults(), random.choice(PACES)), People(random)
    try:
        world.run(people.plan(random.randint(1, 5)))
        world.settle()
        world.pass_a_day()  # what there was before the events got lost is known
        world.faults = Faults(unheard=1.0)
        world.run(people.plan(random.randint(2, 8)))
        world.settle()
        items = [row.key.item_id for row in world.platform.live()]
        world.platform.hidden = set(random.sample(items, random.randint(0, len(items))))
        world.pass_a_day()
        check_no_event_went_by_absence(world)
        world.platform.hidden = set()
        world.pass_a_day()
        world.pass_a_day()
        check_no_event_went_by_absence(world)
        check_all(world, people)
        check_it_stays_at_rest(world)
    finally:
        world.close()
    return world


def check_no_event_went_by_absence(world: World) -> None:
    """Of every item that is still there the event is, unless nobody has heard of the item or the event was deleted."""
    there = {row.key for row in world.platform.live()}
    for link in world.links.links.values():
        if link.item in there and link.calendar_asks:
            assert link.calendar_asks[-1].content is not None, f"removed by absence: {link}\n" + world.story()


def check_nothing_was_deleted_by_absence(world: World, people: People) -> None:
    """Every item that we deleted stands for an event that somebody deleted, and the other way round."""
    deleted = {edit.where for edit in people.edits if _is_deletion(edit)}
    events = {link.item.item_id: link for link in world.links.links.values() if link.item}
    for kind, _, row in world.platform.writes:
        if kind != "delete":
            continue
        link = events.get(row.key.item_id)
        uid = link.calendar_seen.event_uid if link and link.calendar_seen else ""
        known = {f"calendar:{uid}", *(f"calendar:{event.event_uid}" for event in world.calendar.events.values())}
        assert deleted & known, f"deleted though nobody deleted its event: {row}\n" + world.story()
    assert sum(1 for kind, _, _ in world.platform.writes if kind == "delete") <= sum(
        1 for where in deleted if where.startswith("calendar:")
    ), "more was deleted than anybody deleted\n" + world.story()


def _is_deletion(edit: Edit) -> bool:
    return edit.deleted
