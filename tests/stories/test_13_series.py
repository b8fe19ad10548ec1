"""Point 13: a series is its occurrences, on both sides: each is moved, cancelled and told by itself."""

from __future__ import annotations

import asyncio

import pytest

from events.items import ItemType
from events.outcomes import ItemBlocked
from sandbox.cronofy.control.event_messages import EventView
from tests.stories.days import at, stamp
from tests.stories.stage import PATIENCE, Linked, Stage
from tests.stories.waiting import is_deleted, shows

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def weekly(world: Stage, dana: Linked, count: int, series: str = "ser_1") -> list[EventView]:
    """Let a user make a series in the calendar, and return its occurrences."""
    return [
        await world.cronofy.create_event(
            dana.calendar_id,
            summary="Standup",
            start=at(9, 7 * week),
            end=at(10, 7 * week),
            recurring=True,
            series_identifier=series,
        )
        for week in range(count)
    ]


async def test_a_series_of_the_user_comes_in_as_its_occurrences(world: Stage) -> None:
    dana = await world.link(601)
    events = await weekly(world, dana, 3)
    made = [await dana.appointment(event) for event in events]
    assert len({item.item_id for item in made}) == 3
    # One is moved and one is cancelled: the others stay as they are.
    await world.cronofy.edit_event(events[1], start=at(15, 7), end=at(16, 7))
    await world.cronofy.edit_event(events[2], status="cancelled")
    await shows(world, made[1], start=at(15, 7))
    await is_deleted(world, made[2])
    assert (await world.psa.item(ItemType.APPOINTMENT, made[0].item_id)).revision == made[0].revision


async def test_a_series_that_its_user_splits_ends_in_one_appointment_for_each_occurrence(world: Stage) -> None:
    dana = await world.link(602)
    events = await weekly(world, dana, 3)
    made = [await dana.appointment(event) for event in events]
    await dana.rest(still_for=0.1)
    # "This and following": the calendar drops the rest of the old series and begins a new one.
    for event in events[1:]:
        await world.cronofy.delete_event(event)
    later = [
        await world.cronofy.create_event(
            dana.calendar_id,
            summary="Standup",
            start=at(11, 7 * week),
            end=at(12, 7 * week),
            recurring=True,
            series_identifier="ser_2",
        )
        for week in (1, 2)
    ]
    for item in made[1:]:
        await is_deleted(world, item)
    new = [await dana.appointment(event) for event in later]
    alive = [item.item_id for item in await world.psa.items(602) if not item.deleted]
    assert sorted(alive) == sorted([made[0].item_id, *(item.item_id for item in new)])


async def test_what_cannot_be_changed_at_the_provider_is_said_and_not_tried_again(world: Stage) -> None:
    dana = await world.link(603)
    await world.cronofy.change_calendar(dana.calendar_id, unrestricted=True)
    await world.psa.list_calendars(dana.integration_id)
    (event,) = await weekly(world, dana, 1, "ser_3")
    made = await dana.appointment(event)
    await world.psa.edit_item(made, subject="By the PSA")
    told = await world.psa.outcome(ItemBlocked, item_id=made.item_id, within=PATIENCE)
    assert told.data.reason in {"one_of_a_series", "not_permitted"}
    assert told.data.explanation
    await dana.rest(still_for=0.1)
    writes = await world.writes()
    await dana.rest()
    assert await world.writes() == writes
    assert [one.summary for one in await dana.events()] == ["Standup"]


async def test_a_series_of_the_psa_goes_out_as_its_occurrences_and_is_edited_in_place(world: Stage) -> None:
    dana = await world.link(604)
    occurrences = await world.psa.create_series([604], [at(9, day) for day in range(60)], subject="Rounds")
    parts = [item for item in occurrences if item.part_id]
    await asyncio.gather(*(dana.event(item) for item in parts))
    before = {event.event_uid for event in await dana.events()}
    assert len(before) == 60
    await dana.rest(still_for=0.1)
    seen = await world.cronofy.request_count()
    await world.psa.edit_item(parts[0].whole, subject="Rounds of the wards")
    for item in (parts[0], parts[-1]):
        await dana.shows(item, summary="Rounds of the wards")
    await dana.rest(still_for=0.1)
    batches = await world.cronofy.requests(after=seen, path="/v1/batch")
    assert sum(len(one.entries) for one in batches) == 60, "one write for each occurrence"
    assert max(len(one.entries) for one in batches) <= 50
    assert {event.event_uid for event in await dana.events()} == before


async def test_one_occurrence_that_is_moved_or_deleted_touches_no_other(world: Stage) -> None:
    dana = await world.link(605)
    parts = [item for item in await world.psa.create_series([605], [at(9, day) for day in range(3)]) if item.part_id]
    events = [await dana.event(item) for item in parts]
    await world.psa.move_item(parts[1], at(14, 1))
    await dana.shows(parts[1], start=stamp(at(14, 1)))
    await world.psa.delete_item(parts[2])
    await dana.gone(parts[2])
    await world.cronofy.edit_event(events[0], start=at(10), end=at(11))
    await shows(world, parts[0], start=at(10))
    moved = {event.event_id: event.start for event in await dana.events()}
    assert moved == {dana.name(parts[0]): stamp(at(10)), dana.name(parts[1]): stamp(at(14, 1))}


async def test_what_lies_too_far_ahead_waits_and_says_so(world: Stage) -> None:
    dana = await world.link(606)
    parts = [item for item in await world.psa.create_series([606], [at(9), at(9, 300)]) if item.part_id]
    await dana.event(parts[0])
    line = await world.told(dana.integration_id, reason="too_far_ahead")
    assert line["item"]["part"] == parts[1].part_id
    assert [event.event_id for event in await dana.events()] == [dana.name(parts[0])]
