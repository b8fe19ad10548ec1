"""Changing items on behalf of calendar sync: what each kind takes, and only at the revision it was decided on."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from events.items import ItemType
from tests.sandbox.psa_running import USER, refusal, running

LATER = {"start": "2026-03-12T09:00:00+01:00", "end": "2026-03-12T10:00:00+01:00"}
START, END = datetime(2026, 3, 12, 8, tzinfo=UTC), datetime(2026, 3, 12, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("item_type", "changes"),
    [
        ("appointment", {"subject": "New", "description": None, "location": "Room 3", "isPrivate": True, **LATER}),
        ("service_call", LATER),
        ("crm_activity", {"due": LATER["start"], "end": LATER["end"]}),
        ("todo", {"date": LATER["start"]}),
    ],
)
async def test_each_kind_takes_its_own_changes_at_a_new_revision(item_type: str, changes: dict[str, object]) -> None:
    async with running() as world:
        item = await world.psa.create_item(item_type, [USER])
        state = (await world.api.change(item_type, item.item_id, 1, changes))["result"]
        assert state["revision"] == 2
        assert {name: state["item"][name] for name in changes} == changes
        assert (await world.api.item(item_type, item.item_id))["result"] == state
        again = (await world.api.change(item_type, item.item_id, 2, changes))["result"]
        assert again == state, "a revision counts changes, and this was none"


async def test_a_planned_period_is_moved_by_from_and_to() -> None:
    async with running() as world:
        task = await world.psa.create_item("task", [USER])
        period = await world.psa.plan_period(task, START, END)
        moved = {"from": "2026-03-13T08:00:00Z", "to": "2026-03-13T10:00:00Z"}
        state = (await world.api.change("task", task.item_id, period.revision, moved, period.part_id))["result"]
    assert state["partId"] == period.part_id
    assert state["item"]["periods"][0].items() >= moved.items()


@pytest.mark.parametrize(
    ("item_type", "changes", "excess"),
    [
        ("service_call", {"allDay": True, "startDate": "2026-03-12", "endDate": "2026-03-13"}, "allDay"),
        ("service_call", {**LATER, "subject": "New"}, "subject"),
        ("todo", {"date": LATER["start"], "end": LATER["end"]}, "end"),
        ("crm_activity", {"description": "New"}, "description"),
        ("appointment", {"due": LATER["start"]}, "due"),
        ("appointment", {"attendees": []}, "attendees"),
        ("task", {"from": LATER["start"], "to": LATER["end"]}, "from"),  # without a period
    ],
)
async def test_what_a_kind_does_not_take_is_refused_by_name(
    item_type: str, changes: dict[str, object], excess: str
) -> None:
    async with running() as world:
        item = await world.psa.create_item(item_type, [USER])
        answer = await world.api.change(item_type, item.item_id, 1, changes)
        assert refusal(answer) == 42200
        assert excess in answer["error"]["message"].rpartition("not ")[2]
        assert (await world.psa.item(item_type, item.item_id)).revision == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"revision": 1},
        {"revision": 1, "changes": {}},
        {"revision": "1", "changes": {"subject": "New"}},
        {"revision": 1, "changes": {"subject": None}},
        {"revision": 1, "changes": {"subject": "x" * 257}},
        {"revision": 1, "changes": {"description": "x" * 8001}},
        {"revision": 1, "changes": {"isPrivate": "yes"}},
        {"revision": 1, "changes": {"start": "2026-03-12T09:00:00"}},
        {"revision": 1, "changes": {"startDate": "12 March"}},
        [],
    ],
)
async def test_a_malformed_change_changes_nothing(body: object) -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        answer = await world.api.envelope("PATCH", f"/v2/calendar/items/appointment/{item.item_id}", json=body)
        assert refusal(answer) == 40000
        assert (await world.psa.item("appointment", item.item_id)).revision == 1


async def test_an_item_that_has_moved_on_is_not_changed_but_shown() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        await world.psa.edit_item(item, subject="By a colleague")
        answer = await world.api.change("appointment", item.item_id, 1, {"subject": "Too late"})
        assert refusal(answer) == 40900
        assert answer["result"] == (await world.api.item("appointment", item.item_id))["result"]
        assert (answer["result"]["revision"], answer["result"]["item"]["subject"]) == (2, "By a colleague")


async def test_a_deleted_item_has_moved_on_too() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        await world.psa.delete_item(item)
        answer = await world.api.change("appointment", item.item_id, 1, {"subject": "Too late"})
        assert refusal(answer) == 40900
        assert (answer["result"]["deleted"], answer["result"]["item"]) == (True, None)
        assert refusal(await world.api.change("appointment", item.item_id, 2, {"subject": "Still"})) == 40400


async def test_an_unknown_item_cannot_be_changed() -> None:
    async with running() as world:
        assert refusal(await world.api.change("todo", "1", 1, {"date": LATER["start"]})) == 40400


async def test_an_appointment_becomes_all_day_and_timed_again() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        days = {"allDay": True, "startDate": "2026-03-12", "endDate": "2026-03-14"}
        state = (await world.api.change("appointment", item.item_id, 1, days))["result"]["item"]
        assert {name: state[name] for name in ("start", "end", *days)} == {"start": None, "end": None, **days}
        state = (await world.api.change("appointment", item.item_id, 2, {"allDay": False, **LATER}))["result"]["item"]
        assert (state["allDay"], state["startDate"], state["start"]) == (False, None, LATER["start"])


@pytest.mark.parametrize(
    "changes",
    [
        {"allDay": True},
        {"allDay": True, "startDate": "2026-03-12"},
        {"start": None},
        {"start": LATER["end"], "end": LATER["start"]},
        {"allDay": True, "startDate": "2026-03-12", "endDate": "2026-03-12"},
    ],
)
async def test_times_that_make_no_sense_are_refused(changes: dict[str, object]) -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        assert refusal(await world.api.change("appointment", item.item_id, 1, changes)) == 42200
        assert (await world.psa.item("appointment", item.item_id)).revision == 1


async def test_a_completed_service_call_cannot_be_moved_and_the_user_is_told_why() -> None:
    async with running() as world:
        item = await world.psa.complete_item(await world.psa.create_item("service_call", [USER]))
        answer = await world.api.change("service_call", item.item_id, item.revision, LATER)
    assert refusal(answer) == 42200
    assert answer["error"]["message"] == "This service call is completed and can no longer be moved."


async def test_neither_can_one_whose_ticket_is_closed() -> None:
    async with running() as world:
        item = await world.psa.create_item("service_call", [USER], status="Closed")
        answer = await world.api.change("service_call", item.item_id, 1, LATER)
    assert refusal(answer) == 42200
    assert "40317-1204 is closed" in answer["error"]["message"]


async def test_one_occurrence_of_a_series_is_changed_and_becomes_an_exception() -> None:
    async with running() as world:
        first, second = await world.psa.create_series([USER], [START, START.replace(day=19)])
        part = first.part_id
        state = (await world.api.change("appointment", first.item_id, 1, {"subject": "Moved"}, part))["result"]
        assert (state["partId"], state["item"]["recurrence"]["isException"]) == (part, True)
        other = await world.psa.item("appointment", second.item_id, second.part_id)
        assert (other.revision, other.field("subject")) == (1, "Quarterly review - Contoso")


async def test_a_series_as_a_whole_cannot_be_addressed() -> None:
    async with running() as world:
        first, _ = await world.psa.create_series([USER], [START, START.replace(day=19)])
        assert refusal(await world.api.item("appointment", first.item_id)) == 40400
        assert refusal(await world.api.change("appointment", first.item_id, 1, {"subject": "All"})) == 40400


async def test_periods_of_a_task_share_its_revision_so_a_change_of_one_moves_all_on() -> None:
    async with running() as world:
        task = await world.psa.create_item("task", [USER])
        one = await world.psa.plan_period(task, START, END)
        two = await world.psa.plan_period(task, START.replace(day=13), END.replace(day=13))
        moved = {"from": "2026-03-14T08:00:00Z", "to": "2026-03-14T10:00:00Z"}
        assert refusal(await world.api.change("task", task.item_id, one.revision, moved, one.part_id)) == 40900
        assert (await world.api.change("task", task.item_id, two.revision, moved, one.part_id))["success"]
        parts = await world.psa.parts(task)
    assert {part.revision for part in parts} == {4}


async def test_a_date_only_change_keeps_dates_as_they_are() -> None:
    async with running() as world:
        item = await world.psa.create_item(ItemType.APPOINTMENT, [USER], all_day=True, time_zone="Pacific/Auckland")
        days = {"startDate": "2026-03-12", "endDate": "2026-03-13"}
        await world.api.change("appointment", item.item_id, 1, days)
        changed = await world.psa.item("appointment", item.item_id)
    assert (changed.field("start_date"), changed.field("end_date")) == (date(2026, 3, 12), date(2026, 3, 13))
