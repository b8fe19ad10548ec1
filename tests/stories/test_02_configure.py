"""Point 2: the user ticks what is to be synced, is told before saving what that would do, and nothing else happens."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from events.items import ItemType
from events.outcomes import Configured, Direction, OrderClosed, Previewed, PreviewedData
from events.psa import Inbound, Outbound
from sandbox.cronofy.control.event_messages import EventFields
from sandbox.psa.client import PsaItem
from sandbox.psa.client.sync import ALL_IN, ALL_OUT
from sandbox.psa.model.integrations import Preview
from tests.stories.backfills import MONTH, ended, linked, progress, subjects, summaries, unannounced_items
from tests.stories.days import at, day
from tests.stories.stage import Linked, NotYet, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ONE_OF_EACH: dict[ItemType, dict[str, Any]] = {
    ItemType.APPOINTMENT: {"subject": "Review", "start": at(9), "end": at(10)},
    ItemType.CRM_ACTIVITY: {"type": "Call", "subject": "Renewal", "due": at(11)},
    ItemType.SERVICE_CALL: {"start": at(13), "end": at(14)},
    ItemType.TASK: {"name": "Cabling", "start_date": day(), "end_date": day(4)},
    ItemType.TODO: {"description": "Call back", "date": at(15)},
}
TICKS: dict[ItemType, Outbound] = {
    ItemType.APPOINTMENT: Outbound(appointments=True),
    ItemType.CRM_ACTIVITY: Outbound(crm_activities=True),
    ItemType.SERVICE_CALL: Outbound(service_calls=True),
    ItemType.TASK: Outbound(tasks=True),
    ItemType.TODO: Outbound(todos=True),
}


# Ticks


async def test_create_update_and_delete_each_let_in_that_and_nothing_else(world: Stage) -> None:
    ticks = {201: Inbound(create=True), 202: Inbound(update=True), 203: Inbound(delete=True)}
    people = [await world.link(user, inbound=inbound) for user, inbound in ticks.items()]
    items = [
        (dana, await appointment(world, dana, "to move"), await appointment(world, dana, "to drop")) for dana in people
    ]
    await world.rest()
    for dana, moved, dropped in items:
        await world.cronofy.create_event(dana.calendar_id, summary="new", start=at(8), end=at(9))
        await world.cronofy.edit_event(await dana.event(moved), start=at(16), end=at(17))
        await world.cronofy.delete_event(await dana.event(dropped))
    await world.rest()
    for dana in people:
        mine = {item.field("subject"): item for item in await world.psa.items(dana.user_id) if not item.deleted}
        inbound = ticks[dana.user_id]
        assert ("new" in mine) is inbound.create
        assert (mine["to move"].field("start") == at(16)) is inbound.update
        assert ("to drop" not in mine) is inbound.delete
        for name, ticked in inbound:
            assert bool(await world.log(dana.integration_id, reason=f"{name}_not_ticked")) is not ticked


async def appointment(world: Stage, dana: Linked, subject: str) -> PsaItem:
    """Make an appointment and have it in the calendar."""
    item = await world.psa.create_item(ItemType.APPOINTMENT, [dana.user_id], subject=subject, start=at(12), end=at(13))
    await dana.event(item)
    return item


async def test_each_type_goes_out_only_to_those_who_ticked_it(world: Stage) -> None:
    people = {kind: await world.link(210 + number, outbound=tick) for number, (kind, tick) in enumerate(TICKS.items())}
    everybody = [dana.user_id for dana in people.values()]
    items = {kind: await world.psa.create_item(kind, everybody, **fields) for kind, fields in ONE_OF_EACH.items()}
    await world.rest()
    for kind, dana in people.items():
        names = [event.event_id for event in await dana.events()]
        assert names == [dana.name(items[kind])], kind
        skipped = await world.log(dana.integration_id, reason="type_not_ticked")
        assert {line["item"]["type"] for line in skipped} == set(ItemType) - {kind}


# Saving


async def test_neither_retrieve_nor_send_is_on_unless_it_is_ticked(world: Stage) -> None:
    await unannounced_items(world, 220, [2])
    dana = await linked(world, 220, [1])
    await world.rest()
    assert await progress(world, dana.integration_id) == []
    assert (await subjects(world, 220), await summaries(dana)) == (Counter(["item 2"]), Counter(["old 1"]))


async def test_the_preview_tells_what_saving_then_does_and_writes_nothing(world: Stage) -> None:
    await unannounced_items(world, 221, [-20, -3, 2, 5, 60])
    doctor: EventFields = {"summary": "Doctor", "private": True, "start": at(6, 1), "end": at(7, 1)}
    dana = await linked(world, 221, [-20, -2, 3, 8, 60], [doctor])
    before = await world.writes()
    told = await previewed(world, dana, retrieve=MONTH, send=MONTH)
    await world.rest()
    assert await world.writes() == before
    assert (await subjects(world, 221))["old 3"] == 0
    assert await progress(world, dana.integration_id) == []

    saved = await world.psa.configure(dana.integration_id, dana.calendar_id, retrieve=MONTH, send=MONTH)
    done = await ended(world, dana.integration_id, saved.revision)
    foreseen = told.totals
    assert done.created == foreseen.created == 7
    assert (done.updated, done.deleted) == (foreseen.updated, foreseen.deleted) == (0, 0)
    assert (done.unchanged, done.skipped) == (foreseen.unchanged, foreseen.skipped)
    assert told.complete
    titles = {one.title for one in told.examples if one.direction is Direction.FROM_CALENDAR}
    assert titles == {"old -2", "old 3", "old 8", None}, "of what is private only the time is told"

    again = await previewed(world, dana, retrieve=MONTH, send=MONTH)
    assert (again.totals.unchanged, again.totals.created, again.lines) == (7, 0, ())


async def test_the_preview_says_why_something_would_be_left_and_what_another_tick_would_remove(world: Stage) -> None:
    await unannounced_items(world, 222, [2])
    dana = await linked(world, 222, [3])
    copy = await appointment(world, dana, "announced")
    nothing_in = Inbound()
    told = await previewed(world, dana, inbound=nothing_in, outbound=Outbound(todos=True), retrieve=MONTH, send=MONTH)
    assert {(line.action, line.reason): line.count for line in told.lines} == {
        ("skip", "create_not_ticked"): 1,
        ("skip", "type_not_ticked"): 1,
    }
    assert told.totals.unchanged == 1
    removed = await previewed(world, dana, outbound=Outbound(todos=True), remove_unticked=True)
    (line,) = removed.lines
    assert (line.direction, line.action, line.count) == (Direction.TO_CALENDAR, "delete", 1)
    (example,) = removed.examples
    assert example.item is not None
    assert example.item.item_id == copy.item_id
    await world.psa.configure(
        dana.integration_id, dana.calendar_id, outbound=Outbound(todos=True), remove_unticked=True
    )
    await dana.gone(copy)


async def test_a_preview_of_what_cannot_be_saved_is_refused_with_the_reason(world: Stage) -> None:
    dana = await linked(world, 223, [])
    asked = await world.psa.preview(
        dana.integration_id, Preview(calendar_id="cal_nobodys", inbound=ALL_IN, outbound=ALL_OUT)
    )
    closed = await world.until(lambda: answer(world, dana, asked.revision))
    assert (closed.data.result, closed.data.reason) == ("refused", "calendar_missing")


async def previewed(world: Stage, dana: Linked, **settings: Any) -> PreviewedData:
    wish = Preview.model_validate({
        "calendar_id": dana.calendar_id, "inbound": ALL_IN, "outbound": ALL_OUT, **settings
    })  # fmt: skip
    asked = await world.psa.preview(dana.integration_id, wish)
    closed = await world.until(lambda: answer(world, dana, asked.revision))
    assert closed.data.result == "done", closed
    told = await world.psa.outcomes("calsync.integration.previewed.v1", integration_id=dana.integration_id)
    (one,) = [
        each.event.data
        for each in told
        if isinstance(each.event, Previewed) and each.event.data.revision == asked.revision
    ]
    return one


async def answer(world: Stage, dana: Linked, revision: int) -> OrderClosed:
    told = await world.psa.outcomes("calsync.order.closed.v1", integration_id=dana.integration_id)
    closed = [one.event for one in told if isinstance(one.event, OrderClosed) and one.event.data.revision == revision]
    if not closed:
        raise NotYet
    return closed[0]


# A change of settings


async def test_what_was_under_way_when_settings_changed_is_decided_under_the_new_ones(world: Stage) -> None:
    dana = await world.link(224)
    item = await appointment(world, dana, "seen")
    epoch = world.store["integrations"].find_one({"_id": dana.integration_id})["epoch"]
    event = await dana.event(item)
    await world.cronofy.edit_event(event, summary="written in the calendar")
    saved = await world.psa.configure(dana.integration_id, dana.calendar_id, inbound=Inbound(create=True, delete=True))
    await world.until(lambda: in_force(world, dana, saved.revision))
    await world.cronofy.edit_event(await dana.event(item), start=at(18), end=at(19))
    await world.rest()
    assert world.store["integrations"].find_one({"_id": dana.integration_id})["epoch"] == epoch + 1
    assert (await world.psa.item(ItemType.APPOINTMENT, item.item_id)).field("start") == at(12)
    await world.psa.configure(dana.integration_id, dana.calendar_id)
    await world.until(lambda: moved(world, item))


async def in_force(world: Stage, dana: Linked, revision: int) -> None:
    told = await world.psa.outcomes("calsync.integration.configured.v1", integration_id=dana.integration_id)
    if not any(isinstance(one.event, Configured) and one.event.data.revision == revision for one in told):
        raise NotYet


async def moved(world: Stage, item: PsaItem) -> None:
    if (await world.psa.item(ItemType.APPOINTMENT, item.item_id)).field("start") != at(18):
        raise NotYet
