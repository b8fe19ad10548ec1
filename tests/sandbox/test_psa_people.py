"""What people do to items in the platform, through the control API."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from events.items import Appointment, CrmActivity, Item, ItemType, Named, Resource, ServiceCall, Task, Todo
from events.psa import OriginKind
from sandbox.psa.client.calls import ControlRefused
from sandbox.psa.client.items import PsaItem
from sandbox.psa.model.commands import CreateItem, DeleteItem, EditItem, MoveItem, NewPeriod
from tests.sandbox.psa_running import NOON, OTHER, USER, running

TOMORROW = NOON.replace(day=10, hour=10)
HOUR = timedelta(hours=1)


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def snapshot(item: PsaItem) -> Item:
    assert item.facts.item is not None
    return item.facts.item


@pytest.mark.parametrize("item_type", list(ItemType))
async def test_an_item_created_in_one_line_is_complete(item_type: ItemType) -> None:
    async with running() as world:
        item = await world.psa.create_item(item_type, [USER])
    match snapshot(item):
        case Appointment() as made:
            assert (made.start, made.end, made.subject) == (TOMORROW, TOMORROW + HOUR, "Quarterly review - Contoso")
        case CrmActivity() as made:
            assert (made.due, made.type, made.account.name) == (TOMORROW, "Call", "Contoso")
        case ServiceCall() as made:
            assert (made.start, made.end, made.user_id) == (TOMORROW, TOMORROW + HOUR, USER)
        case Task() as made:
            assert (made.end_date, made.project.name) == (date(2026, 3, 11), "Office move")
        case Todo() as made:
            assert (made.date, made.description) == (TOMORROW, "Call back about VPN quote")
    assert snapshot(item).url


async def test_what_is_given_replaces_what_is_made_up() -> None:
    async with running() as world:
        item = await world.psa.create_item(
            "service_call", [USER], start=at(20, 8), location={"name": "Lab"}, queue=None
        )
    made = snapshot(item)
    assert isinstance(made, ServiceCall)
    assert (made.start, made.end) == (at(20, 8), at(20, 9))  # an end that fits is made up
    assert made.location
    assert (made.location.name, made.location.phone) == ("Lab", "+1 555 0101")  # a merge patch
    assert made.queue is None


async def test_an_item_is_shown_in_the_time_zone_of_its_first_user() -> None:
    async with running() as world:
        await world.psa.set_user(USER, name="Ann Lee", time_zone="Europe/Berlin")
        item = await world.psa.create_item("appointment", [USER])
    made = snapshot(item)
    assert isinstance(made, Appointment)
    assert made.time_zone == "Europe/Berlin"
    assert made.resource
    assert made.resource.name == "Ann Lee"


@pytest.mark.parametrize(
    ("item_type", "fields", "words"),
    [
        ("todo", {"date": "tomorrow"}, "tomorrow"),
        ("todo", {"colour": "red"}, "no colour"),
        (
            "appointment",
            {"start": "2026-03-10T12:00:00Z", "end": "2026-03-10T11:00:00Z"},
            "end must not be before start",
        ),
    ],
)
async def test_what_makes_no_item_is_refused(item_type: str, fields: dict[str, Any], words: str) -> None:
    async with running() as world:
        with pytest.raises(ControlRefused, match=words):
            await world.psa.create_item(item_type, [USER], **fields)
        assert not await world.psa.items(USER)


async def test_periods_are_planned_and_not_filled_in() -> None:
    async with running() as world:
        task = CreateItem(item_type=ItemType.TASK, user_ids=(USER,), fields={"periods": []})
        assert (await world.psa.bulk([task])).refused[0].code == 42200


async def test_editing_is_a_merge_patch_at_a_new_revision() -> None:
    async with running() as world:
        item = await world.psa.create_item("crm_activity", [USER])
        edited = await world.psa.edit_item(item, contact={"phone": None}, notes=None, subject="New", by=USER)
    made = snapshot(edited)
    assert isinstance(made, CrmActivity)
    assert made.contact
    assert (made.contact.name, made.contact.phone, made.notes, made.subject) == ("Ann Lee", None, None, "New")
    assert (edited.revision, edited.facts.modified_by) == (2, USER)


async def test_saving_without_a_change_makes_a_new_revision_all_the_same() -> None:
    async with running() as world:
        item = await world.psa.create_item("todo", [USER])
        saved = await world.psa.edit_item(item)
    assert (saved.revision, snapshot(saved)) == (2, snapshot(item))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"subjekt": "typo"}, "no subjekt"),
        ({"subject": 5}, "subject"),
        ({"start": "2026-03-10T12:00:00"}, "start"),
        ({"start": "2026-03-12T12:00:00Z"}, "end must not be before start"),
    ],
)
async def test_an_edit_that_breaks_the_contract_is_refused_and_changes_nothing(
    fields: dict[str, Any], words: str
) -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        with pytest.raises(ControlRefused, match=words):
            await world.psa.edit_item(item, **fields)
        assert (await world.psa.item("appointment", item.item_id)).revision == 1


@pytest.mark.parametrize(
    ("item_type", "first", "last"),
    [
        ("appointment", "start", "end"),
        ("service_call", "start", "end"),
        ("crm_activity", "due", "end"),
        ("todo", "date", "end"),
    ],
)
async def test_a_timed_item_is_moved_and_keeps_its_length(item_type: str, first: str, last: str) -> None:
    async with running() as world:
        times: dict[str, Any] = {first: at(10, 8), last: at(10, 10)}
        item = await world.psa.create_item(item_type, [USER], **times)
        moved = await world.psa.move_item(item, at(12, 15))
        assert (moved.field(first), moved.field(last)) == (at(12, 15), at(12, 17))
        moved = await world.psa.move_item(moved, at(12, 15), at(12, 16))
        assert (moved.field(first), moved.field(last)) == (at(12, 15), at(12, 16))
        moved = await world.psa.move_item(moved, by_minutes=-60)
        assert (moved.field(first), moved.field(last)) == (at(12, 14), at(12, 15))


async def test_what_has_no_end_gets_none_by_being_moved() -> None:
    async with running() as world:
        todo = await world.psa.move_item(await world.psa.create_item("todo", [USER]), at(12, 15))
    assert (todo.field("date"), todo.field("end")) == (at(12, 15), None)


async def test_an_all_day_item_is_moved_by_dates() -> None:
    first, last = date(2026, 3, 10), date(2026, 3, 12)
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER], all_day=True, start_date=first, end_date=last)
        moved = await world.psa.move_item(item, date(2026, 3, 20))
        assert (moved.field("start_date"), moved.field("end_date")) == (date(2026, 3, 20), date(2026, 3, 22))
        with pytest.raises(ControlRefused, match="keeps an item timed or all-day"):
            await world.psa.move_item(moved, at(20, 8))


async def test_an_item_without_a_date_can_be_given_one_but_not_moved_by_minutes() -> None:
    async with running() as world:
        item = await world.psa.create_item("todo", [USER], date=None)
        with pytest.raises(ControlRefused, match="say where to"):
            await world.psa.move_item(item, by_minutes=5)
        assert (await world.psa.move_item(item, at(12, 8))).field("date") == at(12, 8)


@pytest.mark.parametrize(
    ("item_type", "field", "owner"),
    [
        ("appointment", "resource", Resource(user_id=OTHER, name=f"User {OTHER}")),
        ("crm_activity", "assigned_to", Named(id=OTHER, name=f"User {OTHER}")),
        ("service_call", "user_id", OTHER),
        ("todo", "user_id", OTHER),
    ],
)
async def test_a_reassigned_item_leaves_one_calendar_for_another(item_type: str, field: str, owner: object) -> None:
    async with running() as world:
        item = await world.psa.create_item(item_type, [USER])
        moved = await world.psa.reassign_item(item, [OTHER])
        assert (moved.assignees, moved.field(field)) == ((OTHER,), owner)
        assert not await world.psa.items(USER)
        assert [each.item_id for each in await world.psa.items(OTHER)] == [item.item_id]


async def test_an_item_may_belong_to_nobody() -> None:
    async with running() as world:
        item = await world.psa.reassign_item(await world.psa.create_item("todo", [USER]), [])
        assert item.assignees == ()
        assert not await world.psa.items(USER)


@pytest.mark.parametrize(
    ("item_type", "field"),
    [("crm_activity", "completed"), ("service_call", "complete"), ("task", "completed"), ("todo", "complete")],
)
async def test_work_is_ticked_as_done_and_not_done(item_type: str, field: str) -> None:
    async with running() as world:
        item = await world.psa.complete_item(await world.psa.create_item(item_type, [USER]))
        assert item.field(field) is True
        assert (await world.psa.complete_item(item, complete=False)).field(field) is False


async def test_an_appointment_is_never_done() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        with pytest.raises(ControlRefused, match="cannot be completed"):
            await world.psa.complete_item(item)


async def test_a_deleted_item_can_be_restored_as_it_was() -> None:
    async with running() as world:
        item = await world.psa.create_item("todo", [USER], description="Keep me")
        gone = await world.psa.delete_item(item)
        assert (gone.deleted, gone.revision, gone.facts.item) == (True, 2, None)
        with pytest.raises(ControlRefused, match="404"):
            await world.psa.edit_item(gone, description="Too late")
        back = await world.psa.restore_item(gone)
        assert (back.deleted, back.revision, back.field("description")) == (False, 3, "Keep me")
        with pytest.raises(ControlRefused, match="no deleted"):
            await world.psa.restore_item(back)


async def test_the_history_tells_every_revision_and_who_made_it() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER], subject="One", by=USER)
        world.clock.advance(60)
        await world.api.change("appointment", item.item_id, 1, {"subject": "Two"})
        await world.psa.delete_item(item, by=OTHER)
        history = [each.facts for each in await world.psa.history(item)]
    assert [(each.revision, each.modified_by, each.origin.kind) for each in history] == [
        (1, USER, OriginKind.USER),
        (2, None, OriginKind.CALENDAR_SYNC),
        (3, OTHER, OriginKind.USER),
    ]
    assert [each.modified_on for each in history] == [NOON, NOON + timedelta(minutes=1), NOON + timedelta(minutes=1)]


async def test_a_change_of_a_task_shows_in_all_of_its_periods() -> None:
    async with running() as world:
        periods = [NewPeriod(start=at(10 + day, 8), end=at(10 + day, 9)) for day in range(2)]
        task = await world.psa.create_item("task", [USER], periods=periods)
        await world.psa.edit_item(task, name="Renamed")
        everything = [await world.psa.item("task", task.item_id), *await world.psa.parts(task)]
    assert [(each.revision, each.field("name")) for each in everything] == [(2, "Renamed")] * 3
    assert everything[0].field("periods") == everything[1].field("periods")


async def test_a_period_is_moved_deleted_and_restored_alone() -> None:
    async with running() as world:
        task = await world.psa.create_item("task", [USER])
        keeps, goes = [await world.psa.plan_period(task, at(day, 8), at(day, 10)) for day in (10, 11)]
        moved = await world.psa.move_item(goes, at(12, 8))
        assert periods_of(moved) == [(keeps.part_id, at(10, 8)), (goes.part_id, at(12, 8))]
        assert (await world.psa.delete_item(goes)).deleted
        whole_task = await world.psa.item("task", task.item_id)
        assert (whole_task.deleted, periods_of(whole_task)) == (False, [(keeps.part_id, at(10, 8))])
        back = await world.psa.restore_item(goes)
        assert periods_of(back) == [(keeps.part_id, at(10, 8)), (goes.part_id, at(12, 8))]


def periods_of(task: PsaItem) -> list[tuple[str | None, datetime]]:
    made = snapshot(task)
    assert isinstance(made, Task)
    return [(str(period.task_member_hour_id), period.start) for period in made.periods]


async def test_a_deleted_task_takes_its_periods_along_and_brings_them_back() -> None:
    async with running() as world:
        task = await world.psa.create_item("task", [USER])
        before, after = [await world.psa.plan_period(task, at(day, 8), at(day, 10)) for day in (10, 11)]
        await world.psa.delete_item(before)
        await world.psa.delete_item(task)
        assert all(part.deleted for part in await world.psa.parts(task))
        await world.psa.restore_item(task)
        assert [part.part_id for part in await world.psa.parts(task) if not part.deleted] == [after.part_id]


async def test_a_reassigned_task_takes_its_periods_along_unless_a_period_is_meant() -> None:
    async with running() as world:
        task = await world.psa.create_item("task", [USER])
        period = await world.psa.plan_period(task, at(10, 8), at(10, 10))
        await world.psa.reassign_item(period, [OTHER])
        assert (await world.psa.item("task", task.item_id)).assignees == (USER,)
        await world.psa.reassign_item(task, [7])
        assert [part.assignees for part in await world.psa.parts(task)] == [(7,)]


@pytest.mark.parametrize("fields", [{"periods": []}, {"task_id": None}])
async def test_periods_are_not_edited_in_passing(fields: dict[str, Any]) -> None:
    async with running() as world:
        task = await world.psa.create_item("task", [USER])
        with pytest.raises(ControlRefused):
            await world.psa.edit_item(task, **fields)


async def test_only_tasks_have_periods_and_only_appointments_recur() -> None:
    async with running() as world:
        todo = await world.psa.create_item("todo", [USER])
        with pytest.raises(ControlRefused, match="planned in periods"):
            await world.psa.plan_period(todo, at(10, 8), at(10, 9))
        done = await world.psa.bulk([CreateItem(item_type=ItemType.TODO, user_ids=(USER,), occurrences=(at(10, 8),))])
    assert [each.message for each in done.refused] == ["Only appointments recur."]


async def test_a_series_is_edited_and_moved_as_a_whole_but_its_parts_keep_their_names() -> None:
    async with running() as world:
        series = await world.psa.create_series([USER], [at(10, 9), at(17, 9)], rule="FREQ=WEEKLY", subject="Stand-up")
        await world.psa.edit_item(series[0].whole, location="Room 9")
        await world.psa.move_item(series[0].whole, by_minutes=30)
        parts = await world.psa.parts(series[0])
    assert [part.part_id for part in parts] == ["2026-03-10T09:00:00Z", "2026-03-17T09:00:00Z"]
    assert [part.field("start") for part in parts] == [at(10, 9) + HOUR / 2, at(17, 9) + HOUR / 2]
    assert {part.field("location") for part in parts} == {"Room 9"}
    for part in parts:
        made = snapshot(part)
        assert isinstance(made, Appointment)
        assert made.recurrence
        assert (made.recurrence.rule, made.recurrence.is_exception) == ("FREQ=WEEKLY", False)


async def test_an_all_day_series_is_named_by_its_days() -> None:
    days = [date(2026, 3, 10), date(2026, 3, 11)]
    async with running() as world:
        series = await world.psa.create_series([USER], days, all_day=True)
    assert [part.part_id for part in series] == ["2026-03-10", "2026-03-11"]
    assert [part.field("end_date") for part in series] == [date(2026, 3, 11), date(2026, 3, 12)]


async def test_a_series_cannot_be_moved_to_one_place() -> None:
    async with running() as world:
        series = await world.psa.create_series([USER], [at(10, 9), at(17, 9)])
        with pytest.raises(ControlRefused, match="by some minutes"):
            await world.psa.move_item(series[0].whole, at(20, 9))


async def test_a_deleted_series_is_restored_without_what_was_deleted_before() -> None:
    async with running() as world:
        first, second, third = await world.psa.create_series([USER], [at(10, 9), at(17, 9), at(24, 9)])
        await world.psa.delete_item(first)
        await world.psa.delete_item(first.whole)
        assert not await world.psa.items(USER)
        await world.psa.restore_item(first.whole)
        assert [item.part_id for item in await world.psa.items(USER)] == [second.part_id, third.part_id]


async def test_a_bulk_carries_out_what_it_can_in_order_and_tells_the_rest() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        one = {"item_type": ItemType.APPOINTMENT, "item_id": item.item_id}
        done = await world.psa.bulk([
            EditItem.model_validate({**one, "fields": {"subject": "Bulk"}}),
            EditItem.model_validate({**one, "fields": {"subject": 5}}),
            MoveItem.model_validate({**one, "by_minutes": 5}),
            DeleteItem.model_validate({**one, "item_id": "1"}),
        ])
        assert done.item_ids == (item.item_id, item.item_id)
        assert [(each.place, each.code) for each in done.refused] == [(1, 40000), (3, 40400)]
        now = await world.psa.item("appointment", item.item_id)
        assert (now.revision, now.field("subject"), now.field("start")) == (3, "Bulk", TOMORROW + timedelta(minutes=5))


async def test_making_an_appointment_all_day_or_timed_leaves_no_trace_of_the_other() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        days = await world.psa.edit_item(item, all_day=True, start_date=date(2026, 3, 12), end_date=date(2026, 3, 13))
        assert (days.field("start"), days.field("start_date")) == (None, date(2026, 3, 12))
        timed = await world.psa.edit_item(item, all_day=False, start=at(12, 8), end=at(12, 9))
        assert (timed.field("start"), timed.field("start_date")) == (at(12, 8), None)
