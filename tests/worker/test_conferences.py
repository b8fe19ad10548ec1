"""A link to an online meeting stays in the event to which somebody added it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from events.items import ItemType
from tests.memory.access import MemoryAccess
from tests.simulation.world import INTEGRATION, NOON, USER, World
from tests.worker.passing import HOUR, TIMES, for_hours, held
from worker.core.compare import keeping


def block(meeting: str) -> str:
    """Return what Teams writes into an event."""
    rule = "_" * 80
    return f"\n{rule}\nMicrosoft Teams meeting\nJoin: https://teams.microsoft.com/l/meetup-join/{meeting}\n{rule}"


def rests(world: World) -> None:
    """Check that nothing is written any more."""
    before = len(world.calendar.applied), len(world.platform.writes)
    world.look_again()
    for_hours(world, 24)
    assert (len(world.calendar.applied), len(world.platform.writes)) == before


@pytest.mark.parametrize("change", [{"subject": "Review 2"}, {"description": "Other figures"}], ids=str)
def test_a_meeting_that_is_added_to_an_event_of_ours_outlives_changes_of_the_item(
    world: World, change: dict[str, str]
) -> None:
    item = world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", description="Figures", **TIMES)
    for_hours(world, 1)
    (event,) = world.calendar.live()
    world.calendar.edit(event.event_uid, description=event.description + block("19"))
    for_hours(world, 1)
    assert world.platform.writes == [], "a meeting is no edit"
    world.platform.edit(item, **change)
    for_hours(world, 1)
    (event,) = world.calendar.live()
    assert {**change, "meeting": event.description.count("meetup-join/19")} == {**change, "meeting": 1}
    assert all(value in {event.summary, event.description.split("\n")[0]} for value in change.values())
    rests(world)


@pytest.mark.parametrize("former", ["", block("19")], ids=["added", "replaced"])
def test_a_meeting_of_the_users_own_event_is_the_one_that_is_shown(world: World, former: str) -> None:
    row = world.integrations.rows[INTEGRATION]
    world.access.calendar = replace(MemoryAccess.CALENDAR, unrestricted=True)
    row.integration = replace(row.integration, held=replace(held(world), calendars=(world.access.calendar,)))
    uid = world.calendar.create("Review", NOON, NOON + HOUR)
    world.calendar.edit(uid, description="Figures" + former)
    for_hours(world, 1)
    world.calendar.edit(uid, description="Figures" + block("20"))
    for_hours(world, 1)
    (item,) = world.platform.rows
    world.platform.edit(item, subject="Review 2")
    for_hours(world, 1)
    (event,) = world.calendar.live()
    assert event.summary == "Review 2"
    assert "meetup-join/20" in event.description
    assert "meetup-join/19" not in event.description
    rests(world)


@pytest.mark.parametrize(
    ("text", "shown", "kept"),
    [
        ("Figures", "Figures", "Figures"),
        ("Other", "Figures", "Other"),
        ("Other", "Figures" + block("1"), "Other\n" + block("1")),
        ("Other" + block("1"), "Figures", "Other"),
        ("Figures" + block("1"), "Figures" + block("2"), "Figures" + block("2")),
        ("", "Figures" + block("1"), block("1").strip()),
        ("Other", "Figures" + block("1") + block("2"), "Other\n" + block("1") + "\n" + block("2")),
        ("Figures", "Figures" + block("1") + block("1"), "Figures\n" + block("1")),
        ("x" * 3_500, "Figures" + block("1"), "x" * 3_500),
    ],
    ids=["nothing", "none", "added", "ended", "replaced", "no text", "two", "twice", "no room"],
)
def test_a_text_is_written_with_the_meetings_that_are_shown(text: str, shown: str, kept: str) -> None:
    assert keeping(text, shown) == kept
