"""Point 12: a day stays that day and an instant that instant, whatever zone their user is in, or goes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from events.items import ItemType
from tests.stories.days import at, day, stamp
from tests.stories.stage import Stage
from tests.stories.waiting import shows

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAR_WEST, FAR_EAST = "America/Sao_Paulo", "Pacific/Tongatapu"
"""Three hours behind, thirteen ahead."""


@pytest.mark.parametrize(("user_id", "time_zone"), [(301, FAR_WEST), (302, FAR_EAST)])
async def test_a_whole_day_is_the_same_day_on_both_sides_and_ends_where_the_next_begins(
    world: Stage, user_id: int, time_zone: str
) -> None:
    await world.psa.set_user(user_id, time_zone=time_zone)
    dana = await world.link(user_id, time_zone=time_zone)
    out = await world.psa.create_item(
        ItemType.APPOINTMENT, [user_id], subject="Fair", all_day=True, start_date=day(1), end_date=day(3)
    )
    await dana.shows(out, start=stamp(day(1)), end=stamp(day(3)), all_day=True)
    typed = await world.cronofy.create_event(dana.calendar_id, summary="Moving house", start=day(5), end=day(6))
    made = await dana.appointment(typed)
    assert (made.field("all_day"), made.field("start_date"), made.field("end_date")) == (True, day(5), day(6))


@pytest.mark.parametrize(("user_id", "time_zone"), [(303, FAR_WEST), (304, FAR_EAST)])
async def test_a_todo_at_midnight_of_its_users_zone_is_due_that_whole_day(
    world: Stage, user_id: int, time_zone: str
) -> None:
    await world.psa.set_user(user_id, time_zone=time_zone)
    dana = await world.link(user_id, time_zone=time_zone)
    midnight = datetime.combine(day(1), datetime.min.time(), tzinfo=ZoneInfo(time_zone))
    todo = await world.psa.create_item(ItemType.TODO, [user_id], date=midnight)
    event = await dana.shows(todo, start=stamp(day(1)), end=stamp(day(2)))
    await world.cronofy.edit_event(event, start=day(2), end=day(3))
    await shows(world, todo, date=(midnight + timedelta(days=1)).astimezone(UTC))


async def test_a_user_who_moves_to_another_zone_moves_no_appointment(world: Stage) -> None:
    dana = await world.link(305, time_zone="Europe/Berlin")
    timed = await world.psa.create_item(ItemType.APPOINTMENT, [305], start=at(9), end=at(10))
    whole = await world.psa.create_item(ItemType.APPOINTMENT, [305], all_day=True, start_date=day(1), end_date=day(2))
    before = [await dana.event(item) for item in (timed, whole)]
    await world.psa.set_user(305, time_zone=FAR_EAST)
    for item in (timed, whole):
        await world.psa.edit_item(item, time_zone=FAR_EAST, subject="Over there")
        await dana.shows(item, summary="Over there")
    after = [await dana.event(item) for item in (timed, whole)]
    assert [(one.start, one.end) for one in after] == [(one.start, one.end) for one in before]


async def test_an_appointment_turns_into_a_whole_day_and_back_in_one_write_each(world: Stage) -> None:
    dana = await world.link(306)
    item = await world.psa.create_item(ItemType.APPOINTMENT, [306], start=at(9), end=at(10))
    event = await dana.event(item)
    await world.psa.edit_item(item, all_day=True, start_date=str(day()), end_date=str(day(1)), start=None, end=None)
    turned = await dana.shows(item, start=stamp(day()), end=stamp(day(1)))
    assert turned.event_uid == event.event_uid
    await world.cronofy.edit_event(turned, start=at(11), end=at(12))
    await shows(world, item, all_day=False, start=at(11), end=at(12))
    tally = next(one for one in await world.cronofy.tallies() if one.event_uid == event.event_uid)
    assert (tally.creates, tally.updates, tally.deletes) == (1, 1, 0)


@pytest.mark.parametrize(
    ("user_id", "start", "hours"),
    [
        (307, datetime(2027, 3, 28, 0, 30, tzinfo=UTC), 2),  # over the hour that is left out
        (308, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 2),  # over the hour that is there twice
        (309, datetime(2027, 3, 28, 1, 0, tzinfo=UTC), 0),  # no time at all, at the very change
    ],
)
async def test_what_lies_across_a_change_of_the_clocks_keeps_its_instants(
    world: Stage, user_id: int, start: datetime, hours: int
) -> None:
    dana = await world.link(user_id, time_zone="Europe/Berlin")
    end = start + timedelta(hours=hours)
    item = await world.psa.create_item(
        ItemType.SERVICE_CALL, [user_id], time_zone="Europe/Berlin", start=start, end=end
    )
    event = await dana.shows(item, start=stamp(start), end=stamp(end))
    hour = timedelta(hours=1)
    await world.cronofy.edit_event(event, start=start + hour, end=end + hour)
    await shows(world, item, start=start + hour, end=end + hour)


async def test_a_zone_that_nobody_knows_stops_nothing(world: Stage) -> None:
    dana = await world.link(310, time_zone="Mars/Olympus_Mons")
    item = await world.psa.create_item(ItemType.APPOINTMENT, [310], time_zone="W. Europe", start=at(9), end=at(10))
    todo = await world.psa.create_item(ItemType.TODO, [310], time_zone="W. Europe", date=at(9))
    await dana.shows(item, start=stamp(at(9)), tzid="Etc/UTC")
    await dana.shows(todo, start=stamp(at(9)))


async def test_an_event_that_takes_no_time_becomes_an_appointment_at_that_time(world: Stage) -> None:
    dana = await world.link(311)
    typed = await world.cronofy.create_event(dana.calendar_id, summary="Deadline", start=at(9), end=at(9))
    made = await dana.appointment(typed)
    assert made.field("start") == at(9)
    await dana.rest(still_for=0.1)
    writes = await world.writes()
    await world.psa.edit_item(made)
    await dana.rest()
    assert await world.writes() == writes, "and nothing is written that is there already"


async def test_an_event_over_several_days_stays_one(world: Stage) -> None:
    dana = await world.link(312)
    item = await world.psa.create_item(ItemType.SERVICE_CALL, [312], start=at(22), end=at(5, 3))
    await dana.shows(item, start=stamp(at(22)), end=stamp(at(5, 3)))
    typed = await world.cronofy.create_event(dana.calendar_id, summary="Night shift", start=at(21), end=at(6, 2))
    made = await dana.appointment(typed)
    assert (made.field("start"), made.field("end")) == (at(21), at(6, 2))
