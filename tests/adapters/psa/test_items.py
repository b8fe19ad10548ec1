"""Items read, found, created, changed and deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter

from adapters.psa.client import Psa
from events.items import Appointment, CrmActivity, ItemType, ServiceCall, Task, Todo
from events.link import ItemKey
from events.platform import (
    Absent,
    AppointmentDraft,
    AppointmentTimes,
    Created,
    Declined,
    Done,
    DueTimes,
    ItemAnswer,
    ItemChanges,
    ItemNow,
    MovedOn,
    PeriodTimes,
    ServiceCallTimes,
    TodoDate,
)
from sandbox.psa.api.faults import Fault, Reset
from sandbox.psa.client import PsaItem
from tests.adapters.psa.conftest import Platform
from tests.sandbox.psa_running import OTHER, TENANT, USER

pytestmark = pytest.mark.asyncio(loop_scope="module")

EIGHT, NINE = datetime(2026, 3, 12, 8, tzinfo=UTC), datetime(2026, 3, 12, 9, tzinfo=UTC)
SNAPSHOTS: dict[ItemType, TypeAdapter[Any]] = {
    ItemType.APPOINTMENT: TypeAdapter(Appointment),
    ItemType.CRM_ACTIVITY: TypeAdapter(CrmActivity),
    ItemType.SERVICE_CALL: TypeAdapter(ServiceCall),
    ItemType.TASK: TypeAdapter(Task),
    ItemType.TODO: TypeAdapter(Todo),
}
DRAFT = AppointmentDraft(
    reference="calsync:1",
    tenant_id=TENANT,
    user_id=USER,
    subject="Lunch",
    description="With Bob",
    location="Café",
    start=EIGHT,
    end=NINE,
    private=True,
    time_zone="Europe/London",
)


def key_of(item: PsaItem) -> ItemKey:
    return ItemKey(TENANT, item.item_type, item.item_id, item.part_id)


def fields(now: ItemNow) -> dict[str, Any]:
    assert now.item is not None
    return dict(orjson.loads(now.item))


def done(answer: ItemAnswer) -> ItemNow:
    assert isinstance(answer, Done)
    return answer.now


# Reading


@pytest.mark.parametrize("item_type", ItemType)
async def test_an_item_is_read_in_the_form_of_its_event(item_type: ItemType, psa: Psa, platform: Platform) -> None:
    item = await platform.psa.create_item(item_type, [USER, OTHER])
    now = await psa.read(key_of(item))
    assert now is not None
    assert (now.key, now.revision, now.deleted) == (key_of(item), item.revision, False)
    assert now.assignees == {*item.assignees}
    assert now.item is not None
    assert SNAPSHOTS[item_type].validate_json(now.item) == item.facts.item


async def test_a_planned_period_is_read_by_its_part(psa: Psa, platform: Platform) -> None:
    task = await platform.psa.create_item("task", [USER])
    period = await platform.psa.plan_period(task, EIGHT, NINE)
    assert period.part_id is not None
    now = await psa.read(key_of(period))
    assert now is not None
    assert now.key == key_of(period)
    (planned,) = fields(now)["periods"]
    assert (planned["from"], planned["to"]) == ("2026-03-12T08:00:00Z", "2026-03-12T09:00:00Z")


async def test_an_occurrence_is_read_by_the_instant_at_which_it_began(psa: Psa, platform: Platform) -> None:
    starts = [datetime(2026, 3, day, 9, tzinfo=UTC) for day in (10, 17)]
    first, second = await platform.psa.create_series([USER], starts)
    for item in (first, second):
        now = await psa.read(key_of(item))
        assert now is not None
        assert now.key == key_of(item)


async def test_a_deleted_item_says_so(psa: Psa, platform: Platform) -> None:
    item = await platform.psa.create_item("todo", [USER])
    await platform.psa.delete_item(item)
    now = await psa.read(key_of(item))
    assert now is not None
    assert (now.deleted, now.item, now.revision) == (True, None, 2)


@pytest.mark.parametrize("item_id", ["4711", "a?partId=b#c%2F", " ü"])
async def test_an_item_that_is_not_known_is_none(item_id: str, psa: Psa, platform: Platform) -> None:
    del platform
    assert await psa.read(ItemKey(TENANT, ItemType.TODO, item_id)) is None


async def test_an_appointment_is_found_by_its_reference(psa: Psa) -> None:
    assert await psa.find(TENANT, DRAFT.reference) is None
    created = await psa.create(DRAFT)
    assert isinstance(created, Created)
    assert await psa.find(TENANT, DRAFT.reference) == created.now


async def test_a_reference_may_hold_anything(psa: Psa) -> None:
    strange = replace(DRAFT, reference="calsync:cal_1@x&userId=7#/%2F +ü")
    created = await psa.create(strange)
    assert isinstance(created, Created)
    assert await psa.find(TENANT, strange.reference) == created.now
    assert await psa.find(TENANT, "calsync:cal_1@x") is None


# Creating


async def test_an_appointment_is_created_as_it_was_drafted(psa: Psa) -> None:
    created = await psa.create(DRAFT)
    assert isinstance(created, Created)
    assert not created.found
    assert (created.now.revision, created.now.assignees) == (1, frozenset({USER}))
    found = fields(created.now)
    expected = {
        "subject": "Lunch",
        "description": "With Bob",
        "location": "Café",
        "start": "2026-03-12T08:00:00Z",
        "end": "2026-03-12T09:00:00Z",
        "all_day": False,
        "is_private": True,
        "time_zone": "Europe/London",
        "external_reference": "calsync:1",
    }
    assert {name: found[name] for name in expected} == expected


async def test_an_appointment_can_take_whole_days(psa: Psa) -> None:
    created = await psa.create(replace(DRAFT, start=date(2026, 3, 12), end=date(2026, 3, 14), time_zone=None))
    assert isinstance(created, Created)
    found = fields(created.now)
    assert (found["all_day"], found["start_date"], found["end_date"]) == (True, "2026-03-12", "2026-03-14")
    assert (found["start"], found["end"]) == (None, None)


async def test_a_create_that_is_repeated_finds_the_first_and_changes_nothing(psa: Psa, platform: Platform) -> None:
    first = await psa.create(DRAFT)
    again = await psa.create(replace(DRAFT, subject="Dinner"))
    assert isinstance(first, Created)
    assert again == Created(first.now, found=True)
    assert len(await platform.psa.items(USER)) == 1


async def test_a_create_whose_answer_is_lost_creates_one_appointment(psa: Psa, platform: Platform) -> None:
    await platform.psa.add_fault(Fault(effect=Reset(), method="POST", path="/v2/calendar/*", applied=True))
    created = await psa.create(DRAFT)
    assert isinstance(created, Created)
    assert created.found
    assert len(await platform.psa.items(USER)) == 1


async def test_a_create_that_the_psa_will_not_do_is_declined_in_its_words(psa: Psa, platform: Platform) -> None:
    await platform.psa.set_user(USER, name="Ann", active=False)
    assert await psa.create(DRAFT) == Declined("Ann is no longer active.")
    too_long = await psa.create(replace(DRAFT, user_id=OTHER, subject="x" * 300))
    assert isinstance(too_long, Declined)
    assert "256 are allowed" in too_long.message


# Changing


async def test_an_appointment_takes_text_and_times(psa: Psa, platform: Platform) -> None:
    item = await platform.psa.create_item("appointment", [USER])
    changes = ItemChanges("Dinner", "", "Bistro", private=True, times=AppointmentTimes(EIGHT, NINE))
    now = done(await psa.change(key_of(item), item.revision, changes))
    found = fields(now)
    assert now.revision == item.revision + 1
    assert (found["subject"], found["location"], found["is_private"]) == ("Dinner", "Bistro", True)
    assert found["description"] in {"", None}
    assert (found["start"], found["end"]) == ("2026-03-12T08:00:00Z", "2026-03-12T09:00:00Z")


async def test_what_is_not_named_stays(psa: Psa, platform: Platform) -> None:
    item = await platform.psa.create_item("appointment", [USER], subject="Lunch", location="Café")
    now = done(await psa.change(key_of(item), item.revision, ItemChanges(location="Bistro")))
    before = await psa.read(key_of(item))
    assert before == now
    assert (fields(now)["subject"], fields(now)["location"]) == ("Lunch", "Bistro")


async def test_an_appointment_becomes_all_day_and_timed_again(psa: Psa, platform: Platform) -> None:
    item = await platform.psa.create_item("appointment", [USER])
    days = ItemChanges(times=AppointmentTimes(date(2026, 3, 12), date(2026, 3, 13)))
    first = done(await psa.change(key_of(item), item.revision, days))
    assert (fields(first)["all_day"], fields(first)["start_date"], fields(first)["start"]) == (True, "2026-03-12", None)
    hour = ItemChanges(times=AppointmentTimes(EIGHT, NINE))
    second = done(await psa.change(key_of(item), first.revision, hour))
    assert (fields(second)["all_day"], fields(second)["start_date"]) == (False, None)
    assert fields(second)["start"] == "2026-03-12T08:00:00Z"


@pytest.mark.parametrize(
    ("item_type", "changes", "expected"),
    [
        ("service_call", ItemChanges(times=ServiceCallTimes(EIGHT, NINE)), {"start": EIGHT, "end": NINE}),
        ("crm_activity", ItemChanges(times=DueTimes(EIGHT, NINE)), {"due": EIGHT, "end": NINE}),
        ("crm_activity", ItemChanges(times=DueTimes(EIGHT, None)), {"due": EIGHT}),
        ("todo", ItemChanges(times=TodoDate(EIGHT)), {"date": EIGHT}),
    ],
)
async def test_each_kind_takes_its_times(
    item_type: str, changes: ItemChanges, expected: dict[str, datetime], psa: Psa, platform: Platform
) -> None:
    item = await platform.psa.create_item(item_type, [USER])
    found = fields(done(await psa.change(key_of(item), item.revision, changes)))
    assert {name: datetime.fromisoformat(found[name]) for name in expected} == expected


async def test_a_planned_period_is_moved(psa: Psa, platform: Platform) -> None:
    task = await platform.psa.create_item("task", [USER])
    period = await platform.psa.plan_period(task, EIGHT, NINE)
    changes = ItemChanges(times=PeriodTimes(EIGHT + timedelta(days=1), NINE + timedelta(days=1)))
    now = done(await psa.change(key_of(period), period.revision, changes))
    (planned,) = fields(now)["periods"]
    assert (planned["from"], planned["to"]) == ("2026-03-13T08:00:00Z", "2026-03-13T09:00:00Z")


@pytest.mark.parametrize(
    ("item_type", "changes"),
    [
        ("service_call", ItemChanges(subject="New")),
        ("crm_activity", ItemChanges(description="New")),
        ("todo", ItemChanges(times=DueTimes(EIGHT, NINE))),
        ("task", ItemChanges(times=PeriodTimes(EIGHT, NINE))),
        ("appointment", ItemChanges(times=TodoDate(EIGHT))),
        ("appointment", ItemChanges(times=AppointmentTimes(NINE, EIGHT))),
        ("appointment", ItemChanges(subject="x" * 257)),
        ("appointment", ItemChanges()),
    ],
)
async def test_what_a_kind_does_not_take_is_declined_with_words(
    item_type: str, changes: ItemChanges, psa: Psa, platform: Platform
) -> None:
    item = await platform.psa.create_item(item_type, [USER])
    answer = await psa.change(key_of(item), item.revision, changes)
    assert isinstance(answer, Declined)
    assert len(answer.message) > 10
    now = await psa.read(key_of(item))
    assert now is not None
    assert now.revision == item.revision


async def test_an_item_that_has_moved_on_is_not_changed_but_told(psa: Psa, platform: Platform) -> None:
    item = await platform.psa.create_item("appointment", [USER])
    edited = await platform.psa.edit_item(item, subject="Edited")
    answer = await psa.change(key_of(item), item.revision, ItemChanges(subject="Late"))
    assert isinstance(answer, MovedOn)
    assert (answer.now.revision, fields(answer.now)["subject"]) == (edited.revision, "Edited")
    assert await psa.read(key_of(item)) == answer.now


async def test_a_change_whose_answer_is_lost_is_made_once_and_told(psa: Psa, platform: Platform) -> None:
    item = await platform.psa.create_item("appointment", [USER])
    await platform.psa.add_fault(Fault(effect=Reset(), method="PATCH", applied=True))
    answer = await psa.change(key_of(item), item.revision, ItemChanges(subject="New"))
    assert isinstance(answer, MovedOn)
    assert (answer.now.revision, fields(answer.now)["subject"]) == (item.revision + 1, "New")


async def test_an_item_that_is_not_there_cannot_be_changed(psa: Psa, platform: Platform) -> None:
    del platform
    key = ItemKey(TENANT, ItemType.APPOINTMENT, "4711")
    assert await psa.change(key, 1, ItemChanges(subject="New")) == Absent()


# Deleting


async def test_an_appointment_is_deleted(psa: Psa, platform: Platform) -> None:
    item = await platform.psa.create_item("appointment", [USER])
    assert done(await psa.delete(key_of(item), item.revision)).deleted
    assert await platform.psa.items(USER) == ()


async def test_one_occurrence_is_deleted_and_the_others_stay(psa: Psa, platform: Platform) -> None:
    starts = [datetime(2026, 3, day, 9, tzinfo=UTC) for day in (10, 17)]
    first, second = await platform.psa.create_series([USER], starts)
    assert done(await psa.delete(key_of(first), first.revision)).deleted
    assert [item.part_id for item in await platform.psa.items(USER)] == [second.part_id]


async def test_what_is_deleted_can_be_deleted_again(psa: Psa, platform: Platform) -> None:
    item = await platform.psa.create_item("appointment", [USER])
    gone = done(await psa.delete(key_of(item), item.revision))
    assert done(await psa.delete(key_of(item), gone.revision)) == gone
    late = await psa.delete(key_of(item), item.revision)
    assert isinstance(late, MovedOn)
    assert late.now.deleted


async def test_an_appointment_that_was_edited_meanwhile_is_not_deleted(psa: Psa, platform: Platform) -> None:
    item = await platform.psa.create_item("appointment", [USER])
    edited = await platform.psa.edit_item(item, subject="Edited")
    answer = await psa.delete(key_of(item), item.revision)
    assert isinstance(answer, MovedOn)
    assert not answer.now.deleted
    assert done(await psa.delete(key_of(item), edited.revision)).deleted


async def test_an_appointment_that_is_not_there_is_absent(psa: Psa, platform: Platform) -> None:
    del platform
    assert await psa.delete(ItemKey(TENANT, ItemType.APPOINTMENT, "4711"), 1) == Absent()
