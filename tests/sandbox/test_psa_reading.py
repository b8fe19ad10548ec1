"""Reading a user's My Calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from events.items import ItemType
from sandbox.psa.model.commands import NewPeriod
from tests.sandbox.psa_running import OTHER, USER, Envelope, refusal, running

MARCH = ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
TENTH = ("2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def ids(listed: Envelope) -> list[tuple[str, str | None]]:
    return [(state["itemId"], state["partId"]) for state in listed["result"]]


@pytest.mark.parametrize("item_type", list(ItemType))
async def test_an_item_of_each_kind_is_read_with_its_snapshot_in_camel_case(item_type: ItemType) -> None:
    async with running() as world:
        item = await world.psa.create_item(item_type, [USER], time_zone="Europe/Berlin")
        state = (await world.api.item(item_type, item.item_id))["result"]
    assert state["itemType"] == item_type
    assert (state["revision"], state["deleted"], state["assignees"]) == (1, False, [USER])
    assert state["item"]["timeZone"] == "Europe/Berlin"
    assert not [name for name in state["item"] if "_" in name]


async def test_everything_assigned_to_the_user_in_the_range_is_listed_oldest_id_first() -> None:
    async with running() as world:
        items = [await world.psa.create_item(item_type, [USER]) for item_type in ItemType]
        await world.psa.create_item("appointment", [OTHER])
        listed = await world.api.items(*MARCH)
    assert ids(listed) == [(item.item_id, None) for item in items]
    assert listed["totalRecords"] == 5


async def test_an_item_of_several_users_is_on_the_calendar_of_each() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER, OTHER])
        for user_id in (USER, OTHER):
            assert ids(await world.api.items(*MARCH, user_id)) == [(item.item_id, None)]


@pytest.mark.parametrize(
    ("start", "end", "listed"),
    [
        (at(9, 22), at(10, 0), False),  # ends where the range begins
        (at(9, 22), at(10, 0, 1), True),
        (at(10, 8), at(10, 9), True),
        (at(9, 0), at(12, 0), True),
        (at(10, 23, 59), at(11, 1), True),
        (at(11, 0), at(11, 1), False),  # begins where the range ends
        (at(10, 0), at(10, 0), True),  # takes no time
    ],
)
async def test_a_range_holds_what_overlaps_it(start: datetime, end: datetime, *, listed: bool) -> None:
    async with running() as world:
        await world.psa.create_item("appointment", [USER], start=start, end=end)
        assert bool(ids(await world.api.items(*TENTH))) is listed


@pytest.mark.parametrize(
    ("zone", "day", "listed"),
    [
        ("UTC", date(2026, 3, 10), True),
        ("UTC", date(2026, 3, 9), False),
        ("UTC", date(2026, 3, 11), False),
        ("Pacific/Auckland", date(2026, 3, 11), True),  # begins there while the 10th lasts in UTC
        ("America/Los_Angeles", date(2026, 3, 9), True),
    ],
)
async def test_a_day_lasts_from_midnight_to_midnight_where_the_user_is(zone: str, day: date, *, listed: bool) -> None:
    async with running() as world:
        await world.psa.create_item("appointment", [USER], all_day=True, start_date=day, time_zone=zone)
        assert bool(ids(await world.api.items(*TENTH))) is listed


async def test_what_has_no_date_is_on_no_calendar_but_can_be_read() -> None:
    async with running() as world:
        todo = await world.psa.create_item("todo", [USER], date=None)
        await world.psa.create_item("appointment", [USER], all_day=True, start_date=None)
        assert ids(await world.api.items(*MARCH)) == []
        assert (await world.api.item("todo", todo.item_id))["result"]["item"]["date"] is None


async def test_a_task_is_shown_on_its_due_date_until_periods_are_planned() -> None:
    async with running() as world:
        task = await world.psa.create_item("task", [USER], end_date=date(2026, 3, 10))
        assert ids(await world.api.items(*TENTH)) == [(task.item_id, None)]
        period = await world.psa.plan_period(task, at(10, 8), at(10, 12))
        elsewhere = await world.psa.plan_period(task, at(20, 8), at(20, 12))
        assert ids(await world.api.items(*TENTH)) == [(task.item_id, period.part_id)]
        assert ids(await world.api.items(*MARCH)) == [(task.item_id, p.part_id) for p in (period, elsewhere)]


async def test_a_period_is_on_the_calendar_of_the_one_it_is_planned_for() -> None:
    async with running() as world:
        periods = [
            NewPeriod(start=at(10, 8), end=at(10, 9), user_id=USER),
            NewPeriod(start=at(10, 10), end=at(10, 11), user_id=OTHER),
        ]
        task = await world.psa.create_item("task", [USER, OTHER], periods=periods)
        mine, theirs = await world.psa.parts(task)
        assert ids(await world.api.items(*TENTH, USER)) == [(task.item_id, mine.part_id)]
        assert ids(await world.api.items(*TENTH, OTHER)) == [(task.item_id, theirs.part_id)]


async def test_a_period_is_read_with_the_whole_task() -> None:
    async with running() as world:
        task = await world.psa.create_item("task", [USER], name="Migrate")
        period = await world.psa.plan_period(task, at(10, 8), at(10, 12))
        state = (await world.api.item("task", task.item_id, period.part_id))["result"]
    assert state["partId"] == period.part_id
    assert state["item"]["name"] == "Migrate"
    assert state["item"]["periods"] == [
        {
            "taskMemberHourId": int(period.part_id or 0),
            "from": "2026-03-10T08:00:00Z",
            "to": "2026-03-10T12:00:00Z",
            "scheduledHours": 4.0,
        }
    ]


async def test_a_series_is_listed_occurrence_by_occurrence() -> None:
    async with running() as world:
        first, second = await world.psa.create_series([USER], [at(10, 9), at(17, 9)], rule="FREQ=WEEKLY")
        listed = await world.api.items(*MARCH)
    assert ids(listed) == [(first.item_id, "2026-03-10T09:00:00Z"), (second.item_id, "2026-03-17T09:00:00Z")]
    assert [state["item"]["end"] for state in listed["result"]] == ["2026-03-10T10:00:00Z", "2026-03-17T10:00:00Z"]


async def test_a_list_may_be_narrowed_to_some_kinds() -> None:
    async with running() as world:
        for item_type in ItemType:
            await world.psa.create_item(item_type, [USER])
        listed = await world.api.items(*MARCH, itemTypes="todo,task")
    assert {state["itemType"] for state in listed["result"]} == {"todo", "task"}
    assert listed["totalRecords"] == 2


async def test_pages_together_hold_everything_once() -> None:
    async with running() as world:
        created = [(await world.psa.create_item("todo", [USER])).item_id for _ in range(5)]
        pages = [await world.api.items(*MARCH, pageNumber=number, pageSize=2) for number in (1, 2, 3, 4)]
    assert [len(page["result"]) for page in pages] == [2, 2, 1, 0]
    assert [state["itemId"] for page in pages for state in page["result"]] == created
    assert {page["totalRecords"] for page in pages} == {5}


@pytest.mark.parametrize(
    "wrong",
    [
        {"userId": "me"},
        {"from": "2026-03-01"},
        {"from": "2026-03-01T00:00:00"},
        {"from": "1772323200"},
        {"to": None},
        {"itemTypes": "todo,meeting"},
        {"itemTypes": ""},
        {"pageNumber": 0},
        {"pageSize": 201},
    ],
)
async def test_a_malformed_query_is_refused_by_naming_the_place(wrong: dict[str, object]) -> None:
    query = {"userId": USER, "from": MARCH[0], "to": MARCH[1]} | wrong
    given = {name: value for name, value in query.items() if value is not None}
    async with running() as world:
        answer = await world.api.envelope("GET", "/v2/calendar/items", params=given)
    assert refusal(answer) == 40000
    assert next(iter(wrong)) in answer["error"]["message"]


async def test_an_unknown_item_is_not_found_and_an_unknown_kind_malformed() -> None:
    async with running() as world:
        assert refusal(await world.api.item("todo", "1")) == 40400
        assert refusal(await world.api.item("meeting", "1")) == 40000


async def test_a_deleted_item_is_read_as_deleted_as_long_as_it_is_remembered() -> None:
    async with running() as world:
        item = await world.psa.create_item("appointment", [USER])
        await world.psa.delete_item(item)
        state = (await world.api.item("appointment", item.item_id))["result"]
        assert (state["deleted"], state["item"], state["revision"]) == (True, None, 2)
        assert ids(await world.api.items(*MARCH)) == []
        await world.psa.forget_item(item)
        assert refusal(await world.api.item("appointment", item.item_id)) == 40400
