"""Point 10: every kind of item finds its way into the calendar, as the kind of thing it is."""

from __future__ import annotations

from typing import Any

import pytest

from events.items import ItemType
from events.psa import OwnershipTable, TenantOptions, WorkOwnership
from events.tenant import Owner
from sandbox.cronofy.model.settings import Service
from sandbox.psa.model.commands import NewPeriod
from tests.stories.days import at, day, stamp
from tests.stories.stage import NotYet, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS: list[tuple[ItemType, dict[str, Any], dict[str, Any]]] = [
    (
        ItemType.APPOINTMENT,
        {"subject": "Review", "location": "Room 2", "start": at(9), "end": at(10)},
        {"summary": "Review", "location": "Room 2", "start": stamp(at(9)), "transparency": "opaque"},
    ),
    (
        ItemType.APPOINTMENT,
        {"subject": "Stocktaking", "all_day": True, "start_date": day(), "end_date": day(2)},
        {"summary": "Stocktaking", "start": stamp(day()), "end": stamp(day(2))},
    ),
    (
        ItemType.CRM_ACTIVITY,
        {"type": "Call", "subject": "Renewal", "due": at(11)},
        {"summary": "Call: Renewal", "start": stamp(at(11)), "end": stamp(at(11, minute=30))},
    ),
    (
        ItemType.SERVICE_CALL,
        {"start": at(13), "end": at(14)},
        {"start": stamp(at(13)), "end": stamp(at(14)), "transparency": "opaque"},
    ),
    (
        ItemType.TASK,
        {"name": "Cabling", "start_date": day(), "end_date": day(4)},
        {"start": stamp(day(4)), "end": stamp(day(5)), "transparency": "transparent"},
    ),
    (
        ItemType.TODO,
        {"description": "Call back", "date": at(15)},
        {"summary": "To-do: Call back", "end": stamp(at(15, minute=30)), "transparency": "transparent"},
    ),
]


async def test_each_kind_is_shown_as_what_it_is_with_a_way_back_to_it(world: Stage) -> None:
    dana = await world.link(101)
    items = [(await world.psa.create_item(kind, [101], **fields), shown) for kind, fields, shown in KINDS]
    for item, shown in items:
        event = await dana.shows(item, **shown)
        assert f"#{item.item_id}" in event.description
        assert str(item.field("url")) in event.description


async def test_an_item_without_a_date_is_not_shown_and_the_log_says_why_until_it_has_one(world: Stage) -> None:
    dana = await world.link(102)
    todo = await world.psa.create_item(ItemType.TODO, [102], description="Some day", date=None)
    line = await world.told(dana.integration_id, reason="no_date")
    assert line["item"]["id"] == todo.item_id
    assert await dana.events() == []
    await world.psa.edit_item(todo, date=at(15).isoformat())
    await dana.shows(todo, start=stamp(at(15)))
    await world.psa.edit_item(todo, date=None)
    await dana.gone(todo)


async def test_a_task_is_shown_on_its_due_date_until_periods_of_it_are_planned(world: Stage) -> None:
    dana = await world.link(103)
    task = await world.psa.create_item(ItemType.TASK, [103], name="Cabling", start_date=day(), end_date=day(4))
    await dana.shows(task, start=stamp(day(4)))
    period = await world.psa.plan_period(task, at(9, 1), at(12, 1))
    await dana.shows(period, start=stamp(at(9, 1)), transparency="opaque")
    await dana.gone(task)
    await world.psa.delete_item(period)
    await dana.gone(period)


async def test_only_a_planned_period_can_be_moved_from_the_calendar(world: Stage) -> None:
    dana = await world.link(104)
    planned = await world.psa.create_item(ItemType.TASK, [104], periods=[NewPeriod(start=at(9), end=at(12))])
    (period,) = await world.psa.parts(planned)
    due_only = await world.psa.create_item(ItemType.TASK, [104], start_date=day(), end_date=day(4))
    await world.cronofy.edit_event(await dana.event(period), start=at(13), end=at(16))
    await world.cronofy.edit_event(await dana.event(due_only), start=day(5), end=day(6))
    await dana.shows(due_only, start=stamp(day(4)))
    await world.told(dana.integration_id, reason="restored")
    (moved,) = await world.psa.parts(planned)
    await dana.shows(moved, start=stamp(at(13)))
    assert moved.field("periods")


async def test_text_with_markup_and_text_without_end_arrive_readable_and_come_back_untouched(world: Stage) -> None:
    dana = await world.link(105, provider=Service.ICLOUD)
    text = "<p>Bring <b>figures</b> &amp; forms</p><ul>" + "<li>One more line</li>" * 350 + "</ul>"
    item = await world.psa.create_item(
        ItemType.APPOINTMENT, [105], subject="S" * 250, description=text, start=at(9), end=at(10)
    )
    event = await dana.event(item)
    assert event.description.startswith("Bring figures & forms\n\n* One more line\n* One")
    assert len(event.description) <= 4096
    assert "…" in event.description
    assert f"#{item.item_id}" in event.description
    await world.cronofy.edit_event(event, description="Cut by me " + event.description, start=at(11), end=at(12))
    await world.until(lambda: _starts(world, item.item_id, at(11)))
    assert (await world.psa.item(ItemType.APPOINTMENT, item.item_id)).field("description") == text


async def _starts(world: Stage, item_id: str, start: object, kind: ItemType = ItemType.APPOINTMENT) -> None:
    shown = (await world.psa.item(kind, item_id)).field("start")
    if shown != start:
        raise NotYet(f"{shown}")


async def test_a_completed_item_stays_marked_and_free_or_goes_if_the_tenant_wants_it_so(world: Stage) -> None:
    dana = await world.link(106)
    call = await world.psa.create_item(ItemType.SERVICE_CALL, [106], start=at(9), end=at(10))
    await dana.event(call)
    await world.psa.complete_item(call)
    done = await dana.shows(call, transparency="transparent")
    assert done.summary.startswith("[Done] ")
    await world.psa.configure_tenant(TenantOptions(remove_when_done=True))
    await dana.gone(call)
    assert await world.told(dana.integration_id, reason="completed")
    await world.psa.complete_item(call, complete=False)
    assert not (await dana.shows(call, transparency="opaque")).summary.startswith("[Done]")
    await world.psa.complete_item(call)
    await dana.gone(call)
    await world.psa.configure_tenant(TenantOptions())
    assert (await dana.shows(call, transparency="transparent")).summary.startswith("[Done] ")


async def test_an_item_that_is_reassigned_moves_from_one_calendar_to_the_other(world: Stage) -> None:
    anna, ben = await world.link(107), await world.link(108)
    call = await world.psa.create_item(ItemType.SERVICE_CALL, [107], start=at(9), end=at(10))
    await anna.event(call)
    await world.psa.reassign_item(call, [108])
    await ben.event(call)
    await anna.gone(call)
    await world.psa.reassign_item(call, [999])  # who has no calendar here
    await ben.gone(call)


async def test_of_two_technicians_calls_only_that_one_moves_whose_technician_dragged_it(world: Stage) -> None:
    anna, ben = await world.link(109), await world.link(110)
    hers = await world.psa.create_item(ItemType.SERVICE_CALL, [109], start=at(9), end=at(10))
    his = await world.psa.create_item(ItemType.SERVICE_CALL, [110], start=at(9), end=at(10))
    untouched = await ben.event(his)
    await world.cronofy.edit_event(await anna.event(hers), start=at(14), end=at(15))
    await world.until(lambda: _starts(world, hers.item_id, at(14), ItemType.SERVICE_CALL))
    await world.psa.configure_tenant(
        TenantOptions(ownership=OwnershipTable(service_call=WorkOwnership(when=Owner.PSA)))
    )
    await world.cronofy.edit_event(await anna.event(hers), start=at(16), end=at(17))
    line = await world.told(anna.integration_id, reason="restored", result="conflict")
    assert line["fields"] == ["when"]
    await anna.shows(hers, start=stamp(at(14)))
    await world.psa.configure_tenant(TenantOptions())
    assert (await ben.event(his)).updated == untouched.updated
