"""Every change is published as an event, recorded together with it; what can happen to events happens on demand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import orjson
import pytest

from adapters.http.serve import serve
from events.items import ItemType
from events.psa import OriginKind
from sandbox.clock import Chance, Clock
from sandbox.psa.app import psa_sandbox
from sandbox.psa.bell import Bell
from sandbox.psa.client import PsaControl, psa_control
from sandbox.psa.model.commands import EditItem
from sandbox.psa.publishing.mishaps import Fate, Kind, Mishap
from sandbox.psa.publishing.outbox import Message, Outbox
from sandbox.psa.world import Credentials
from tests.sandbox.psa_running import NOON, OTHER, USER, Running, running

CHANGED = "psa.calendar_item.changed.v1"


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


async def three_appointments(psa: PsaControl) -> list[str]:
    return [(await psa.create_item("appointment", [USER])).item_id for _ in range(3)]


def item_ids(world: Running) -> list[str]:
    return [event.data.item_id for event in world.broker.changes]


@pytest.mark.parametrize("item_type", list(ItemType))
async def test_a_change_is_told_to_the_letter_of_the_contract(item_type: ItemType) -> None:
    async with running() as world:
        item = await world.psa.create_item(item_type, [USER, OTHER], by=OTHER)
        await world.psa.wait_until_quiet()
    ((routing_key, body),) = world.broker.messages
    (event,) = world.broker.changes
    assert routing_key == orjson.loads(body)["type"] == CHANGED
    assert event.data == item.facts
    assert (event.subject, event.time) == (f"{item_type}/{item.item_id}", NOON)
    assert (event.data.assignees, event.data.modified_by) == ((USER, OTHER), OTHER)


async def test_there_is_one_event_for_each_revision_whoever_made_it() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        await world.psa.edit_item(item, subject="By a user")
        await world.api.change("appointment", item.item_id, 2, {"subject": "By calendar sync"})
        await world.psa.reassign_item(item, [OTHER])
        await world.psa.delete_item(item)
        await world.psa.wait_until_quiet()
    changes = [event.data for event in world.broker.changes]
    assert [change.revision for change in changes] == [1, 2, 3, 4, 5]
    assert [change.deleted for change in changes] == [False, False, False, False, True]
    assert changes[2].origin.kind is OriginKind.CALENDAR_SYNC
    assert changes[4].item is None


async def test_a_change_by_calendar_sync_names_the_reference_under_which_it_created() -> None:
    async with running() as world:
        item_id = (await world.api.create(externalReference="calsync:9"))["result"]["itemId"]
        await world.api.change("appointment", item_id, 1, {"subject": "New"})
        await world.api.delete(item_id, 2)
        await world.psa.wait_until_quiet()
    origins = [event.data.origin for event in world.broker.changes]
    assert {(origin.kind, origin.external_reference) for origin in origins} == {(OriginKind.CALENDAR_SYNC, "calsync:9")}
    assert len(origins) == 3


async def test_a_workflow_can_be_the_one_who_changes_an_item() -> None:
    async with running() as world:
        body = {"item_type": "todo", "user_ids": [USER]}
        await world.api.http.post("/_control/tenants/1204/items?origin=workflow", json=body)
        await world.psa.wait_until_quiet()
    (event,) = world.broker.changes
    assert event.data.origin.kind is OriginKind.WORKFLOW


async def test_what_changes_nothing_is_not_told() -> None:
    async with running() as world:
        await world.api.create()
        await world.api.create()
        item = await world.psa.create_item("todo", [USER])
        await world.api.change("todo", item.item_id, 7, {"date": "2026-03-12T09:00:00Z"})
        await world.api.change("todo", item.item_id, 1, {"subject": "Refused"})
        await world.psa.wait_until_quiet()
    assert len(world.broker.messages) == 2


async def test_a_planned_period_is_told_by_name_with_the_whole_task() -> None:
    async with running() as world:
        task = await world.psa.create_item("task", [USER])
        period = await world.psa.plan_period(task, at(10, 8), at(10, 10), user_id=OTHER)
        await world.psa.wait_until_quiet()
    _, of_task, of_period = world.broker.changes
    assert (of_task.data.part_id, of_period.data.part_id) == (None, period.part_id)
    assert (of_task.data.assignees, of_period.data.assignees) == ((USER,), (OTHER,))
    assert of_task.data.revision == of_period.data.revision == 2
    assert of_task.data.item == of_period.data.item
    assert of_period.subject == f"task/{task.item_id}/{period.part_id}"


async def test_a_period_that_is_no_longer_planned_is_told_as_deleted() -> None:
    async with running() as world:
        task = await world.psa.create_item("task", [USER])
        period = await world.psa.plan_period(task, at(10, 8), at(10, 10))
        await world.psa.delete_item(period)
        await world.psa.wait_until_quiet()
    told = {event.data.part_id: event.data for event in world.broker.changes[-2:]}
    assert (told[None].deleted, told[period.part_id].deleted) == (False, True)


async def test_events_are_published_in_the_order_of_the_changes() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        edits = [edit(item.item_id, subject=str(number)) for number in range(500)]
        await world.psa.bulk(edits)
        await world.psa.wait_until_quiet()
    assert [event.data.revision for event in world.broker.changes] == list(range(1, 502))


def edit(item_id: str, subject: str = "Edited") -> EditItem:
    return EditItem(item_type=ItemType.APPOINTMENT, item_id=item_id, fields={"subject": subject})


async def test_as_many_events_are_published_at_once_as_the_settings_allow() -> None:
    begun, let_go = list[str](), asyncio.Event()

    async def slow(routing_key: str, body: bytes) -> None:
        begun.append(routing_key + body.decode())
        await let_go.wait()

    credentials = Credentials("calsync", "correct")
    async with psa_sandbox(Clock(), slow, credentials) as sandbox, serve(sandbox.app) as url, psa_control(url) as psa:
        await psa.change_settings(hold_events=True)
        item = await psa.create_item("appointment", [USER])
        await psa.bulk([edit(item.item_id) for _ in range(499)])
        await psa.change_settings(hold_events=False)
        assert ((await psa.pending()).waiting, len(begun)) == (500, 200)
        let_go.set()
        assert (await psa.wait_until_quiet()).published == 500


async def test_while_the_broker_is_away_events_wait_and_are_published_in_order_afterwards() -> None:
    async with running() as world:
        world.broker.away = True
        created = await three_appointments(world.psa)
        pending = await world.psa.pending()
        assert (pending.waiting, pending.published) == (3, 0)
        assert [event.subject for event in pending.oldest] == [f"appointment/{item_id}" for item_id in created]
        world.broker.away = False
        pending = await world.psa.wait_until_quiet()
    assert (pending.waiting, pending.published) == (0, 3)
    assert item_ids(world) == created


async def test_what_the_broker_did_not_take_is_next_again_in_its_order() -> None:
    outbox, chance = Outbox(Bell()), Chance(0)
    for number in range(5):
        outbox.add(Message("key", str(number).encode(), "subject"), Fate(), now=0)
    first, second, third = outbox.take(3, now=0, chance=chance)
    assert outbox.waiting == 5
    outbox.settle([first, third])
    assert (outbox.waiting, outbox.published) == (4, 1)
    assert [waiting.message.body for waiting in outbox.take(9, now=0, chance=chance)] == [b"0", b"2", b"3", b"4"]
    assert second.number == 2


async def test_events_can_be_held_and_let_go() -> None:
    async with running() as world:
        await world.psa.change_settings(hold_events=True)
        created = await three_appointments(world.psa)
        with pytest.raises(TimeoutError):
            await world.psa.wait_until_quiet(within=0.01)
        assert not world.broker.messages
        await world.psa.change_settings(hold_events=False)
        await world.psa.wait_until_quiet()
    assert item_ids(world) == created


async def test_an_event_can_come_twice_with_the_same_id() -> None:
    async with running() as world:
        await world.psa.add_mishap(Mishap(kind=Kind.TWICE))
        await three_appointments(world.psa)
        await world.psa.wait_until_quiet()
    (_, one), (_, two), *rest = world.broker.messages
    assert one == two
    assert len(rest) == 2


async def test_an_event_can_be_lost() -> None:
    async with running() as world:
        await world.psa.add_mishap(Mishap(kind=Kind.LOST, times=2))
        created = await three_appointments(world.psa)
        pending = await world.psa.wait_until_quiet()
    assert item_ids(world) == created[2:]
    assert (pending.published, pending.lost) == (1, 2)


async def test_an_event_can_come_without_its_snapshot() -> None:
    async with running() as world:
        await world.psa.add_mishap(Mishap(kind=Kind.BARE))
        await three_appointments(world.psa)
        await world.psa.wait_until_quiet()
    assert [event.data.item is None for event in world.broker.changes] == [True, False, False]


async def test_an_event_can_come_late_and_is_overtaken() -> None:
    async with running() as world:
        await world.psa.add_mishap(Mishap(kind=Kind.LATE, seconds=0.2))
        late, *others = await three_appointments(world.psa)
        await world.psa.wait_until_quiet()
    assert item_ids(world) == [*others, late]


async def test_events_can_be_shuffled_in_an_order_that_the_seed_decides() -> None:
    async def order(seed: int) -> list[int]:
        async with running() as world:
            await world.psa.change_settings(hold_events=True, seed=seed)
            await world.psa.add_mishap(Mishap(kind=Kind.SHUFFLED, times=None))
            item = await world.psa.create_item("appointment", [USER])
            await world.psa.bulk([edit(item.item_id) for _ in range(19)])
            await world.psa.change_settings(hold_events=False, seed=seed)
            await world.psa.wait_until_quiet()
            return [event.data.revision for event in world.broker.changes]

    first = await order(1)
    assert first == await order(1)
    assert first != await order(2)
    assert sorted(first) == list(range(1, 21))


async def test_a_mishap_of_some_probability_repeats_with_its_seed() -> None:
    async def lost(seed: int) -> list[int]:
        async with running() as world:
            await world.psa.change_settings(seed=seed)
            await world.psa.add_mishap(Mishap(kind=Kind.LOST, times=None, probability=0.3))
            item = await world.psa.create_item("appointment", [USER])
            await world.psa.bulk([edit(item.item_id) for _ in range(99)])
            await world.psa.wait_until_quiet()
            return [event.data.revision for event in world.broker.changes]

    first = await lost(5)
    assert first == await lost(5)
    assert 50 < len(first) < 90


async def test_a_mishap_can_be_about_one_item_or_one_type_of_event() -> None:
    async with running() as world:
        one, *_ = await three_appointments(world.psa)
        await world.psa.add_mishap(Mishap(kind=Kind.LOST, about=one))
        await world.psa.add_mishap(Mishap(kind=Kind.TWICE, type="psa.integration.connect.v1"))
        for item_id in (one, *await three_appointments(world.psa)):
            await world.psa.edit_item(await world.psa.item("appointment", item_id))
        await world.psa.connect("int-1", USER, "code")
        await world.psa.wait_until_quiet()
    assert item_ids(world).count(one) == 1
    assert [event.type for event in world.broker.events].count("psa.integration.connect.v1") == 2


async def test_mishaps_are_listed_until_they_are_spent_or_removed() -> None:
    async with running() as world:
        spent = await world.psa.add_mishap(Mishap(kind=Kind.TWICE))
        kept = await world.psa.add_mishap(Mishap(kind=Kind.LATE, about="none", times=None))
        assert [each.number for each in await world.psa.mishaps()] == [spent, kept]
        await world.psa.create_item("todo", [USER])
        assert [each.number for each in await world.psa.mishaps()] == [kept]
        await world.psa.remove_mishaps(kept)
        assert not await world.psa.mishaps()
