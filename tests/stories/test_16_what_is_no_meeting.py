"""Point 16: what is no meeting follows a rule that stands in one table: worker/projection/kinds.py."""

from __future__ import annotations

import pytest

from sandbox.cronofy.control.event_messages import EventFields
from tests.stories.days import at, day
from tests.stories.stage import Stage
from tests.stories.waiting import is_deleted

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEPT_OUT: dict[str, EventFields] = {
    "marks_a_day": {
        "summary": "Ann's birthday",
        "start": day(1),
        "end": day(2),
        "transparency": "transparent",
        "recurring": True,
    },
    "working_location": {
        "summary": "Home office",
        "start": day(2),
        "end": day(3),
        "extended_transparency": "working_elsewhere",
    },
}


async def test_birthdays_and_working_locations_are_kept_out_and_the_log_says_why(world: Stage) -> None:
    dana = await world.link(701)
    for reason, fields in KEPT_OUT.items():
        await world.cronofy.create_event(dana.calendar_id, **fields)
        line = await world.told(dana.integration_id, reason=reason)
        assert line["result"] == "skipped"
    assert await world.psa.items(701) == ()


async def test_who_is_out_of_office_or_free_has_an_appointment_all_the_same(world: Stage) -> None:
    dana = await world.link(702)
    away = await world.cronofy.create_event(
        dana.calendar_id, summary="Vacation", start=day(1), end=day(8), extended_transparency="out_of_office"
    )
    free = await world.cronofy.create_event(
        dana.calendar_id, summary="Maybe gym", start=at(18), end=at(19), transparency="transparent"
    )
    assert (await dana.appointment(away)).field("all_day") is True
    assert (await dana.appointment(free)).field("subject") == "Maybe gym"


async def test_an_invitation_that_is_declined_or_cancelled_takes_its_appointment_along(world: Stage) -> None:
    dana = await world.link(703)
    invited = [
        await world.cronofy.create_event(
            dana.calendar_id,
            summary=f"Invited {n}",
            participation_status="needs_action",
            start=at(9 + n),
            end=at(10 + n),
        )
        for n in range(2)
    ]
    made = [await dana.appointment(event) for event in invited]
    await world.cronofy.edit_event(invited[0], participation_status="declined")
    await world.cronofy.edit_event(invited[1], status="cancelled")
    for item in made:
        await is_deleted(world, item)
