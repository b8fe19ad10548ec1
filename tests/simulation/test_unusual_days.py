# pyright: reportPrivateUsage=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
"""Brakes hold and audits heal in any order of events, whoever crashes; and planted bugs of both are caught."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

import worker.auditing
import worker.core.decide
import worker.judging
import worker.stocktaking
import worker.weighing
from events.calendar import CalendarEvent
from events.commands import Cause
from events.integration import CalendarInfo
from events.link import Link, LinkState, Tally
from events.reasons import Reason
from tests.memory.access import MemoryAccess
from tests.memory.calendar import CALENDAR_ID
from tests.memory.store import MemoryLinks
from tests.simulation.people import People
from tests.simulation.schedules import CRASHES, CUTS, NONE, OUTAGES
from tests.simulation.unusual import run_deletions, run_quarrel, run_unheard, run_unheard_of_the_psa
from tests.simulation.world import INTEGRATION, NOON, Faults, World
from worker.acting import advance
from worker.core import audits
from worker.core.brakes import holds
from worker.core.decide import decide

Plant = Callable[[pytest.MonkeyPatch], object]
SCHEDULES = 24
WRITES = 8
"""What two tools that quarrel for hours cost at most."""


@pytest.mark.parametrize("faults", [NONE, CRASHES, CUTS, OUTAGES], ids=["none", "crashes", "cuts", "outages"])
def test_many_deletions_wait_until_somebody_decides(faults: Faults) -> None:
    for seed in range(SCHEDULES):
        run_deletions(seed, faults)


def test_what_no_notification_told_is_found_and_absence_deletes_nothing() -> None:
    for seed in range(SCHEDULES * 2):
        run_unheard(seed)


def test_what_no_event_of_the_psa_told_is_found_and_absence_deletes_nothing() -> None:
    for seed in range(SCHEDULES // 2):
        run_unheard_of_the_psa(seed)


def test_a_channel_that_was_closed_is_opened_again_and_told_of() -> None:
    world, people = World(Random(1)), People(Random(1))
    people.make_item(world)
    world.settle()
    row = world.integrations.rows[INTEGRATION]
    row.integration = replace(row.integration, held=replace(row.integration.held, channel_id="chn_closed"))
    world.pass_a_day()
    world.pass_a_day()
    world.close()
    assert row.integration.held.channel_id == f"chn_{CALENDAR_ID}"
    told = [entry for entry in world.journal.entries.values() if entry.reason is Reason.CHANNEL_CLOSED]
    assert [entry.trigger for entry in told] == [Cause.AUDIT], "once"


def test_a_large_calendar_is_looked_at_in_parts_and_just_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "_PART", 1)
    for seed in range(SCHEDULES):
        run_unheard(seed)


def emptied(number: int = 4) -> World:
    """Return a world in which somebody has just deleted all events, few as they are."""
    world, people = World(Random(1)), People(Random(1))
    for _ in range(number):
        people.make_event(world)
    world.settle()
    for event in world.calendar.live():
        world.calendar.delete(event.event_uid)
    return world


@pytest.mark.parametrize(
    ("calendar", "reason"),
    [
        (replace(MemoryAccess.CALENDAR, deleted=True), Reason.CALENDAR_MISSING),
        (replace(MemoryAccess.CALENDAR, read_only=True), Reason.CALENDAR_READ_ONLY),
    ],
    ids=["vanished", "read_only"],
)
def test_with_a_calendar_that_is_not_what_it_was_nothing_is_deleted(calendar: CalendarInfo, reason: Reason) -> None:
    world = emptied()
    world.access.calendar = calendar
    world.settle()
    world.close()
    held = [link for link in world.links.links.values() if link.state is not LinkState.SETTLED]
    assert {(link.state, link.reason) for link in held} == {(LinkState.QUARANTINED, reason)}
    assert not [row for row in world.platform.rows.values() if row.deleted]
    assert world.integrations.rows[INTEGRATION].integration.held.reason is reason


def test_without_a_connection_nothing_is_deleted_and_nothing_held_back() -> None:
    """It goes on by itself once the connection works again."""
    world = emptied()
    world.access.connected = False
    world.settle()
    world.close()
    assert not [row for row in world.platform.rows.values() if row.deleted]
    assert not [link for link in world.links.links.values() if link.held_back]


def test_a_day_without_news_writes_nothing_and_verifies_the_calendar() -> None:
    world, people = World(Random(1)), People(Random(1))
    people.make_item(world)
    people.make_event(world)
    world.settle()
    world.pass_a_day()
    before = len(world.calendar.applied), len(world.platform.writes), len(world.journal.entries)
    first = world.integrations.rows[INTEGRATION].integration.held.verified_at
    world.pass_a_day()
    world.close()
    held = world.integrations.rows[INTEGRATION].integration.held
    assert (len(world.calendar.applied), len(world.platform.writes), len(world.journal.entries)) == before
    assert first is not None
    assert held.verified_at is not None
    assert held.verified_at > first


def test_what_was_there_before_the_calendar_was_linked_is_not_kept() -> None:
    """A complete look shows all that a person ever planned; nobody asked for it."""
    world, people = World(Random(1)), People(Random(1))
    people.make_item(world)
    world.settle()
    old = NOON - timedelta(days=30)
    event = CalendarEvent(
        CALENDAR_ID,
        "evt_old",
        None,
        start=NOON,
        end=NOON + timedelta(hours=1),
        summary="Dentist",
        created=old,
        updated=old,
    )
    world.calendar.events[event.event_uid] = world.calendar.visible[event.event_uid] = event
    world.pass_a_day()
    world.close()
    assert len(world.links.links) == 1


def test_a_calendar_service_that_fails_on_audits_keeps_nobody_waiting() -> None:
    """A read of everything that fails again and again is put off, by itself."""
    world, people = World(Random(1)), People(Random(1))
    people.make_item(world)
    world.settle()
    world.calendar.fails_on_everything = True
    world.pass_a_day()
    people.make_item(world)
    world.settle()
    world.close()
    held = world.integrations.rows[INTEGRATION].integration.held
    assert held.calendar_hold is None
    assert len(world.calendar.live()) == len(world.platform.live()), "what people do is synced all the same"
    assert held.verified_at is None


def writes_of_a_quarrel() -> int:
    world = run_quarrel(30)
    world.close()
    told = [one for one in world.outcomes if one.type == "calsync.item.frozen.v1"]
    assert len(told) == 1, "the user is told once"
    return len(world.calendar.applied) + len(world.platform.writes)


def test_two_tools_that_quarrel_over_a_title_are_left_to_it() -> None:
    assert writes_of_a_quarrel() <= WRITES


# Planted bugs


def forgetting_what_passed(patch: pytest.MonkeyPatch) -> None:
    """What was let through is remembered by the process only: the next one counts from nothing."""

    async def tally(self: MemoryLinks, integration_id: str, since: datetime) -> Tally:
        del since
        await self._step("tally")
        alive = sum(1 for link in self.links.values() if link.integration_id == integration_id)
        return Tally(0, 0, alive)

    patch.setattr(MemoryLinks, "tally", tally)


def weighing_without_writing_down(patch: pytest.MonkeyPatch) -> None:
    """A crash between weighing and deleting, and the deletion is weighed again as if it were another one."""

    def unmarked(link: Link, **changes: Any) -> Link:
        return replace(link, **{name: value for name, value in changes.items() if name != "ending"})

    patch.setattr(worker.weighing, "replace", unmarked)


def letting_everything_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(worker.weighing, "holds", lambda *_: False)


def holding_only_what_comes_at_once(patch: pytest.MonkeyPatch) -> None:
    """A burst that comes one by one is no burst."""
    patch.setattr(worker.weighing, "holds", lambda limits, tally, more: holds(limits, replace(tally, gone=0), more))


def discarding_only_what_was_held_first(patch: pytest.MonkeyPatch) -> None:
    """What a person decided is forgotten as soon as the link is judged."""
    patch.setattr(worker.core.decide, "_discarded", lambda _: False)


def taking_absence_for_deletion(patch: pytest.MonkeyPatch) -> None:
    """What a complete read does not show has been deleted."""

    async def look_for(work: Any, missing: Sequence[str]) -> None:
        found = await work.tools.links.by_ids(missing)
        pairs = [
            (link, replace(link, calendar_seen=replace(link.calendar_seen, content=None, deleted=True)))
            for link in found.values()
            if link.calendar_seen and link.calendar_base
        ]
        await advance(work, pairs)

    patch.setattr(worker.auditing, "_look_for", look_for)


def auditing_without_reading(patch: pytest.MonkeyPatch) -> None:
    """An audit that finds nothing looks healthy."""

    async def read(work: Any, page: Any, known: Any) -> set[str]:
        del work, known
        return {event.event_uid for event in page.events}

    patch.setattr(worker.auditing, "_read", read)


@pytest.mark.parametrize(
    "plant",
    [
        forgetting_what_passed,
        weighing_without_writing_down,
        letting_everything_pass,
        holding_only_what_comes_at_once,
        discarding_only_what_was_held_first,
    ],
    ids=lambda plant: plant.__name__,
)
def test_a_planted_bug_of_the_brake_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert caught(lambda seed: run_deletions(seed, CRASHES)), f"{plant.__name__} survived"


@pytest.mark.parametrize("plant", [taking_absence_for_deletion, auditing_without_reading], ids=lambda p: p.__name__)
def test_a_planted_bug_of_the_audit_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert caught(run_unheard), f"{plant.__name__} survived"


def taking_what_is_not_listed_for_deleted(patch: pytest.MonkeyPatch) -> None:
    """Nobody lists a deleted item, but not everything that is not listed is deleted."""

    async def look_for(work: Any, missing: Sequence[str]) -> None:
        found = await work.tools.links.by_ids(missing)
        gone = [
            (link, replace(link, psa_seen=replace(link.psa_seen, deleted=True), due_at=work.now()))
            for link in found.values()
            if link.psa_seen
        ]
        await work.save(gone)

    patch.setattr(worker.stocktaking, "_look_for", look_for)


def listing_without_comparing(patch: pytest.MonkeyPatch) -> None:
    """A listing from which nothing is learned looks healthy."""

    async def observe(work: Any, items: Any, until: Any, listed: Any) -> None:
        del items, until
        listed.links |= set(await work.tools.links.items_whereabouts(work.holding.id))

    patch.setattr(worker.stocktaking, "_observe", observe)


@pytest.mark.parametrize(
    "plant", [taking_what_is_not_listed_for_deleted, listing_without_comparing], ids=lambda plant: plant.__name__
)
def test_a_planted_bug_of_taking_stock_is_caught(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert caught(run_unheard_of_the_psa), f"{plant.__name__} survived"


def test_a_frozen_field_that_is_still_written_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.judging, "decide", lambda link, *rest: decide(replace(link, frozen={}), *rest))
    with pytest.raises(AssertionError):
        assert writes_of_a_quarrel() <= WRITES


def caught(run: Callable[[int], object]) -> bool:
    """Whether one of many schedules fails."""
    for seed in range(600):
        try:
            run(seed)
        except (AssertionError, KeyError):
            return True
    return False
