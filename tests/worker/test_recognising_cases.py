"""Cases of what nobody remembers, on the simulation's stage: a former integration made it, or a store was restored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from events.link import ExternalEvent, LinkState
from events.reasons import Reason
from tests.memory.access import MemoryAccess
from tests.memory.platform import stamp
from tests.simulation.runs import sync_now
from tests.simulation.world import INTEGRATION, NOON, USER, World

HOUR = timedelta(hours=1)


def subjects(world: World) -> list[str]:
    return sorted(row.item["subject"] for row in world.platform.live())


def unrestricted(world: World) -> None:
    """Let us change events that the user made."""
    row = world.integrations.rows[INTEGRATION]
    writable = replace(MemoryAccess.CALENDAR, unrestricted=True)
    row.integration = replace(row.integration, held=replace(row.integration.held, calendars=(writable,)))


def tick_create(world: World, *, ticked: bool) -> None:
    """Let new events become appointments, or not."""
    row = world.integrations.rows[INTEGRATION]
    wanted = row.integration.wanted
    assert wanted.settings is not None
    settings = replace(wanted.settings, inbound_create=ticked)
    row.integration = replace(row.integration, wanted=replace(wanted, settings=settings))


def forget(world: World) -> None:
    """Forget all links, and take whatever is there for older than the connection."""
    world.links.links.clear()
    world.clock.advance(60)
    row = world.integrations.rows[INTEGRATION]
    since = world.clock.now().replace(microsecond=0)
    row.integration = replace(row.integration, held=replace(row.integration.held, linked_since=since))
    world.clock.advance(60)


def dentist(world: World) -> tuple[str, str]:
    """Have an event of the user's and the appointment that was made of it. Returns their ids."""
    uid = world.calendar.create("Dentist", NOON, NOON + HOUR)
    world.settle()
    (item,) = world.platform.live()
    return uid, item.key.item_id


@pytest.mark.parametrize("told", ["by its event", "by a run"])
def test_an_appointment_that_was_made_of_an_event_finds_that_event_though_its_link_is_forgotten(
    world: World, told: str
) -> None:
    unrestricted(world)
    uid, item = dentist(world)
    world.links.links.clear()
    world.platform.edit(item, subject="Dentist, again")
    if told == "by a run":
        world.queue.clear()
        sync_now(world)
    world.settle()
    world.pass_a_day()
    assert [(event.event_uid, event.summary) for event in world.calendar.live()] == [(uid, "Dentist, again")]
    assert subjects(world) == ["Dentist, again"]
    world.calendar.edit(uid, summary="Dentist, later")
    world.settle()
    assert subjects(world) == ["Dentist, later"]


def test_its_event_is_found_in_a_calendar_that_takes_longer_to_read_than_a_stretch_of_work(world: World) -> None:
    unrestricted(world)
    uid, item = dentist(world)
    world.links.links.clear()
    world.calendar.large, world.calendar.pages, world.calendar.page_takes = True, 8, 20.0
    world.platform.edit(item, subject="Dentist, again")
    world.settle()
    assert [(event.event_uid, event.summary) for event in world.calendar.live()] == [(uid, "Dentist, again")]


def test_an_appointment_whose_event_is_gone_as_well_gets_one_of_ours(world: World) -> None:
    uid, item = dentist(world)
    world.links.links.clear()
    del world.calendar.events[uid], world.calendar.visible[uid]
    world.platform.edit(item, subject="Dentist, again")
    world.settle()
    assert [event.event_id for event in world.calendar.live()] == [f"psa-1-{USER}-appointment-{item}"]


def test_an_event_that_may_not_be_changed_is_followed_again_though_what_the_psa_changed_stays_out(world: World) -> None:
    uid, item = dentist(world)
    forget(world)
    world.platform.edit(item, subject="Dentist, again")
    world.settle()
    (link,) = [link for link in world.links.links.values() if link.state is not LinkState.BURIED]
    assert (link.state, link.reason) == (LinkState.BLOCKED, Reason.NOT_PERMITTED)
    world.calendar.edit(uid, location="Room 2")
    world.settle()
    (row,) = world.platform.live()
    assert (row.item["subject"], row.item["location"]) == ("Dentist, again", "Room 2")


@pytest.mark.parametrize("ticked", [True, False])
def test_an_older_event_that_is_edited_finds_its_appointment_and_only_one_is_there(
    world: World, *, ticked: bool
) -> None:
    """Whether or not *Create* is ticked: its appointment is there already."""
    uid, _ = dentist(world)
    forget(world)
    tick_create(world, ticked=ticked)
    world.calendar.edit(uid, summary="Dentist, later")
    world.settle()
    assert subjects(world) == ["Dentist, later"]


def test_an_appointment_that_was_made_anew_once_is_found_under_its_newest_name(world: World) -> None:
    unrestricted(world)
    uid, first = dentist(world)
    world.platform.remove(first)
    world.calendar.edit(uid, location="Room 2")
    world.settle()
    (second,) = world.platform.live()
    assert second.key.item_id != first
    forget(world)
    world.calendar.edit(uid, summary="Dentist, later")
    world.settle()
    assert [(row.key, row.item["subject"]) for row in world.platform.live()] == [(second.key, "Dentist, later")]
    world.platform.edit(second.key.item_id, subject="Dentist, at last")
    world.settle()
    assert [(event.event_uid, event.summary) for event in world.calendar.live()] == [(uid, "Dentist, at last")]


@pytest.mark.parametrize("gone", ["deleted", "given to a colleague"])
def test_an_older_event_whose_appointment_is_gone_is_left_alone_and_the_psa_is_asked_no_more(
    world: World, gone: str
) -> None:
    uid, item = dentist(world)
    forget(world)
    if gone == "deleted":
        world.platform.remove(item)
    else:
        world.platform.assign(item, USER + 1)
    world.settle()
    world.calendar.edit(uid, summary="Dentist, later")
    world.settle()
    asked = len(world.trace)
    world.calendar.edit(uid, summary="Dentist, at last")
    world.settle()
    assert not any(step == "find item" for _, _, _, step in world.trace[asked:])
    (link,) = [link for link in world.links.links.values() if isinstance(link.event, ExternalEvent)]
    assert (link.state, link.reason) == (LinkState.IGNORED, Reason.BEFORE_LINKING)
    assert len(world.platform.rows) == 1


def test_an_appointment_out_of_the_calendar_services_sight_gets_no_event_beside_its_own(world: World) -> None:
    _, item = dentist(world)
    forget(world)
    long_ago = NOON - timedelta(days=60)
    for event in world.calendar.live():
        del world.calendar.visible[event.event_uid]
    world.platform.edit(item, start=stamp(long_ago), end=stamp(long_ago + HOUR))
    world.settle()
    assert len(world.calendar.live()) == 1
    (link,) = world.links.links.values()
    assert link.reason is Reason.OUT_OF_WINDOW


def test_a_run_counts_what_was_there_already_as_not_created(world: World) -> None:
    dentist(world)
    forget(world)
    sync_now(world)
    world.settle()
    (run,) = world.runs.runs.values()
    assert (run.totals.created, run.totals.unchanged, run.totals.failed) == (0, 1, 0)
    assert (len(world.platform.rows), len(world.calendar.live())) == (1, 1)
