"""The Calendar Sync page: its buttons publish integration events, and outcomes from calendar sync come back to it."""

from __future__ import annotations

import asyncio

import pytest

from events.failures import Malformed
from events.items import ItemType
from events.outcomes import (
    Connected,
    ConnectedData,
    Direction,
    ItemBlocked,
    ItemBlockedData,
    ItemSynced,
    ItemSyncedData,
)
from events.psa import (
    Activate,
    Configure,
    Connect,
    Deactivate,
    Delete,
    FutureRange,
    Inbound,
    ListCalendars,
    Outbound,
    PastRange,
    Range,
    SyncDirection,
    SyncNow,
)
from sandbox.psa.client.calls import ControlRefused
from tests.sandbox.psa_running import NOON, OTHER, TENANT, USER, running

WHOSE = {"tenant_id": TENANT, "user_id": USER, "integration_id": "int-1"}


def connected(event_id: str = "1", integration_id: str = "int-1") -> bytes:
    data = ConnectedData(
        tenant_id=TENANT, user_id=USER, integration_id=integration_id, provider="google", profile_name="a@b.c"
    )
    return Connected(specversion="1.0", id=event_id, source="/calsync", data=data).model_dump_json().encode()


def synced(event_id: str, item_id: str) -> bytes:
    data = ItemSyncedData.model_validate({
        **WHOSE,
        "item_type": ItemType.TODO,
        "item_id": item_id,
        "direction": Direction.TO_CALENDAR,
        "action": "put",
    })
    return ItemSynced(specversion="1.0", id=event_id, source="/calsync", data=data).model_dump_json().encode()


async def test_each_button_publishes_its_event() -> None:
    calendar = "cal_1"
    span = Range(past=PastRange.ONE_WEEK, future=FutureRange.SIX_MONTHS)
    async with running() as world:
        page = world.psa
        await page.connect("int-1", USER, "code-1", redirect_uri="https://x.example/back", time_zone="Europe/Berlin")
        await page.list_calendars("int-1")
        await page.configure(
            "int-1", calendar, inbound=Inbound(create=True), outbound=Outbound(tasks=True), retrieve=span, send=Range()
        )
        await page.deactivate("int-1")
        await page.activate("int-1")
        await page.sync_now("int-1", SyncDirection.SEND, span)
        await page.delete_integration("int-1", remove_events=True)
        await page.wait_until_quiet()
    connect, listing, configure, off, on, run, delete = world.broker.events
    assert isinstance(connect, Connect)
    assert (connect.data.code, connect.data.redirect_uri) == ("code-1", "https://x.example/back")
    assert connect.data.time_zone == "Europe/Berlin"
    assert isinstance(listing, ListCalendars)
    assert isinstance(configure, Configure)
    assert (configure.data.calendar_id, configure.data.retrieve, configure.data.send) == (calendar, span, Range())
    assert (configure.data.inbound, configure.data.outbound) == (Inbound(create=True), Outbound(tasks=True))
    assert isinstance(off, Deactivate)
    assert isinstance(on, Activate)
    assert isinstance(run, SyncNow)
    assert (run.data.direction, run.data.range) == (SyncDirection.SEND, span)
    assert isinstance(delete, Delete)
    assert delete.data.remove_events


async def test_the_routing_key_is_the_events_type_and_the_time_is_the_sandboxes() -> None:
    async with running() as world:
        await world.psa.connect("int-1", USER, "code")
        await world.psa.wait_until_quiet()
    assert [key for key, _ in world.broker.messages] == [event.type for event in world.broker.events]
    assert world.broker.events[0].time == NOON


async def test_each_integrations_events_have_growing_revisions_of_their_own() -> None:
    async with running() as world:
        await world.psa.connect("int-1", USER, "code")
        await world.psa.connect("int-2", OTHER, "code")
        view = await world.psa.activate("int-1")
        await world.psa.wait_until_quiet()
        listed = await world.psa.integrations()
    assert (view.integration_id, view.user_id, view.revision) == ("int-1", USER, 2)
    assert [(each.integration_id, each.revision) for each in listed] == [("int-1", 2), ("int-2", 1)]
    ids = [event.id for event in world.broker.events]
    assert len(set(ids)) == 3


async def test_an_unknown_integration_has_no_owner() -> None:
    async with running() as world:
        with pytest.raises(ControlRefused, match="say whose it is"):
            await world.psa.activate("int-9")


async def test_the_wizard_ticks_everything_unless_told_otherwise() -> None:
    async with running() as world:
        await world.psa.connect("int-1", USER, "code")
        await world.psa.configure("int-1", "cal_1")
        await world.psa.wait_until_quiet()
    configure = world.broker.events[1]
    assert isinstance(configure, Configure)
    assert all(configure.data.inbound.model_dump().values())
    assert all(configure.data.outbound.model_dump().values())
    assert (configure.data.retrieve, configure.data.send) == (None, None)


async def test_outcomes_are_kept_in_order_and_can_be_filtered() -> None:
    async with running() as world:
        for body in (connected(), synced("2", "88"), synced("3", "89"), connected("4", "int-2")):
            world.sandbox.received(body)
        assert [told.number for told in await world.psa.outcomes()] == [1, 2, 3, 4]
        assert [told.number for told in await world.psa.outcomes(after=2)] == [3, 4]
        assert [told.number for told in await world.psa.outcomes("calsync.item.synced.v1")] == [2, 3]
        assert [told.number for told in await world.psa.outcomes(integration_id="int-2")] == [4]
        assert [told.number for told in await world.psa.outcomes(item_id="89")] == [3]


async def test_an_outcome_that_comes_again_is_counted_and_not_listed_twice() -> None:
    async with running() as world:
        for _ in range(2):
            world.sandbox.received(connected())
            world.clock.advance(1)
        (told,) = await world.psa.outcomes()
    assert (told.times, told.received_at) == (2, NOON)


async def test_an_outcome_that_breaks_its_contract_is_refused() -> None:
    async with running() as world:
        with pytest.raises(Malformed, match="breaks_schema"):
            world.sandbox.received(connected().replace(b"int-1", b""))
        with pytest.raises(Malformed, match="unknown_type"):
            world.sandbox.received(connected().replace(b"integration.connected.v1", b"integration.strange.v1"))
        assert not await world.psa.outcomes()


async def test_one_can_wait_for_an_outcome() -> None:
    async with running() as world, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(world.psa.outcome(ItemSynced, item_id="89"))
        for body in (connected(), synced("2", "88"), synced("3", "89")):
            await world.psa.pending()
            world.sandbox.received(body)
        assert (await waiting).data.item_id == "89"


async def test_an_outcome_that_does_not_come_is_not_waited_for_in_vain() -> None:
    async with running() as world:
        with pytest.raises(TimeoutError, match="blocked"):
            await world.psa.outcome(ItemBlocked, within=0.01)


async def test_blocked_items_tell_their_reason() -> None:
    data = ItemBlockedData.model_validate({
        **WHOSE,
        "item_type": ItemType.TASK,
        "item_id": "1",
        "part_id": "2",
        "reason": "psa_refused",
        "explanation": "?",
    })
    blocked = ItemBlocked(specversion="1.0", id="1", source="/calsync", data=data)
    async with running() as world:
        world.sandbox.received(blocked.model_dump_json().encode())
        assert await world.psa.outcome(ItemBlocked, integration_id="int-1") == blocked


async def test_all_is_quiet_once_nothing_was_published_called_or_told_for_a_while() -> None:
    async with running() as world:
        await world.psa.create_item("todo", [USER])
        pending = await world.psa.wait_until_quiet(still_for=0.05)
        assert (pending.quiet, pending.waiting, pending.calls_under_way) == (True, 0, 0)
        with pytest.raises(TimeoutError):
            await world.psa.wait_until_quiet(still_for=60, within=0.01)
