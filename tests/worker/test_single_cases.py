"""Single cases on the simulation's stage, each from beginning to end: what people do, and what befalls the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typing_extensions import override

import worker.projection.times
from events.calendar import Accepted, CalendarWrite, NotThere, Page, Rejected, Stumbled, WriteResult
from events.commands import Cause
from events.failures import Gone, System, TryLater
from events.items import ItemType
from events.journal import Act
from events.link import LinkState, Origin
from events.reasons import Reason
from tests.memory.calendar import CALENDAR_ID, Pace
from tests.memory.platform import stamp
from tests.memory.steps import MemoryClock, nobody_comes
from tests.simulation.people import People
from tests.simulation.properties import check_all
from tests.simulation.schedules import check_it_stays_at_rest
from tests.simulation.world import INTEGRATION, NOON, USER, World

HOUR = timedelta(hours=1)
TIMES: dict[str, Any] = {"start": stamp(NOON), "end": stamp(NOON + HOUR)}
OTHER = "int-2"
COLLEAGUE = 8


def appointment(world: World, subject: str = "Review") -> str:
    """Have an appointment in sync. Returns its id."""
    item = world.platform.make(ItemType.APPOINTMENT, USER, subject=subject, **TIMES)
    world.settle()
    return item


def writes(world: World) -> tuple[int, int]:
    return len(world.calendar.applied), len(world.platform.writes)


def subjects(world: World) -> list[str]:
    return sorted(row.item["subject"] for row in world.platform.live())


# What users do in their calendars


def test_a_copy_of_an_event_of_ours_is_an_event_of_its_own(world: World) -> None:
    """The provider copies text and footer along; the id that makes it ours it does not."""
    appointment(world)
    (ours,) = world.calendar.live()
    copy = world.calendar.create(ours.summary, NOON + HOUR, NOON + 2 * HOUR)
    world.calendar.edit(copy, description=ours.description)
    world.settle()
    assert subjects(world) == ["Review", "Review"]
    origins = sorted(link.origin for link in world.links.links.values())
    assert origins == [Origin.CALENDAR, Origin.PSA]
    world.calendar.delete(copy)
    world.settle()
    assert subjects(world) == ["Review"]
    assert world.calendar.live() == [ours]


def test_an_appointments_event_that_is_moved_to_another_calendar_counts_as_deleted_and_moved_back_as_new(
    world: World,
) -> None:
    item = appointment(world)
    (ours,) = world.calendar.live()
    world.calendar.delete(ours.event_uid)
    world.calendar.home = "elsewhere"
    away = world.calendar.create(ours.summary, NOON, NOON + HOUR)
    world.settle()
    assert world.platform.rows[item].deleted
    assert subjects(world) == [], "of a calendar that is not linked nothing is taken"
    world.calendar.delete(away)
    world.calendar.home = ours.calendar_id
    world.calendar.create(ours.summary, NOON, NOON + HOUR)
    world.settle()
    assert subjects(world) == ["Review"]
    assert [event.summary for event in world.calendar.live()] == ["Review"]


def test_a_work_records_event_that_is_moved_to_another_calendar_leaves_the_record_as_it_is(world: World) -> None:
    ticket = {"id": 1, "number": "1", "title": "Printer"}
    account = {"id": 1, "name": "Contoso"}
    call = world.platform.make(ItemType.SERVICE_CALL, USER, account=account, ticket=ticket, user_id=USER, **TIMES)
    world.settle()
    (ours,) = world.calendar.live()
    world.calendar.delete(ours.event_uid)
    world.settle()
    assert not world.platform.rows[call].deleted
    assert [link.state for link in world.links.links.values()] == [LinkState.DETACHED]


def test_an_event_moved_far_beyond_what_is_shown_is_a_move_and_no_deletion(world: World) -> None:
    item = appointment(world)
    (ours,) = world.calendar.live()
    far = NOON + timedelta(days=425)
    world.calendar.edit(ours.event_uid, start=far, end=far + HOUR)
    world.settle()
    assert world.platform.rows[item].item["start"] == stamp(far)
    world.calendar.hidden = {ours.event_uid}
    before = writes(world)
    world.pass_a_day()
    world.pass_a_day()
    assert not world.platform.rows[item].deleted
    assert writes(world) == before


def test_what_both_sides_have_deleted_is_over_without_another_word(world: World) -> None:
    item = appointment(world)
    (ours,) = world.calendar.live()
    before = writes(world)
    world.platform.remove(item)
    world.calendar.delete(ours.event_uid)
    world.settle()
    assert [(link.state, link.reason) for link in world.links.links.values()] == [
        (LinkState.BURIED, Reason.BOTH_DELETED)
    ]
    assert writes(world) == before


def test_new_rules_of_a_time_zone_move_nothing_that_is_agreed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored and compared are instants and days; a zone only says how an event is displayed."""
    zone = "Europe/Berlin"
    world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", time_zone=zone, **TIMES)
    days = {"all_day": True, "start_date": "2026-03-12", "end_date": "2026-03-13"}
    world.platform.make(ItemType.APPOINTMENT, USER, subject="Fair", time_zone=zone, **days)
    world.calendar.create("Mine", NOON, NOON + HOUR)
    world.settle()
    before, times = writes(world), [(event.start, event.end) for event in world.calendar.live()]

    def known(name: str | None) -> ZoneInfo:
        del name
        return ZoneInfo("Pacific/Apia")

    monkeypatch.setattr(worker.projection.times, "_known", known)
    world.look_again()
    world.settle()
    world.pass_a_day()
    assert writes(world) == before
    assert [(event.start, event.end) for event in world.calendar.live()] == times


# Messages


def test_a_burst_of_notifications_is_two_reads_at_most_and_one_write(world: World) -> None:
    item = appointment(world)
    (ours,) = world.calendar.live()
    reads = world.calendar.reads
    world.calendar.edit(ours.event_uid, summary="Moved")
    world.calendar.tick()
    for _ in range(4):
        world.calendar.on_change(world.clock.now())
    assert len(world.queue) == 5
    changes = len(world.platform.writes)
    while world.queue or world.tasks:
        for message in list(world.queue):
            world.deliver(message)
        for task in list(world.tasks):
            if task.alive:
                world.advance_task(task)
    assert world.platform.rows[item].item["subject"] == "Moved"
    assert world.calendar.reads - reads <= 2
    assert len(world.platform.writes) - changes == 1


def test_after_hours_of_backlog_each_item_is_written_once_as_it_is_now(world: World) -> None:
    """Wake-ups hold ids, and what intake keeps of an item is its newest revision."""
    items = [appointment(world, f"item {number}") for number in range(3)]
    before = len(world.calendar.applied)
    for round_ in range(20):
        for item in items:
            world.platform.edit(item, subject=f"item {item}, edit {round_}")
        world.clock.advance(18 * 60)
    world.settle()
    assert sorted(event.summary for event in world.calendar.live()) == [f"item {item}, edit 19" for item in items]
    assert len(world.calendar.applied) - before == len(items)


@pytest.mark.parametrize("minutes", [-7, 7])
def test_clocks_that_differ_change_nothing(minutes: int) -> None:
    """Nothing compares our clock with the calendar's: whose edit counts is no question of time."""
    for seed in range(25):
        random = Random(seed)
        world, people = World(random, pace=Pace(apply=0, lag=0)), People(random)
        world.calendar.clock = Skewed(world, timedelta(minutes=minutes))
        try:
            world.run(people.plan(6))
            world.settle()
            check_all(world, people, faultless=True)
            check_it_stays_at_rest(world)
        finally:
            world.close()


class Skewed(MemoryClock):
    """The clock of a server that is not set right."""

    def __init__(self, world: World, by: timedelta) -> None:
        super().__init__(world.step)
        self._world, self._by = world, by

    @override
    def now(self) -> datetime:
        return self._world.clock.now() + self._by


def test_a_user_with_a_flood_of_items_keeps_others_waiting_for_one_turn_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wake-ups of one integration are one, and whoever has worked for a turn goes on behind all who wait."""
    mine = world.integrations.rows[INTEGRATION].integration
    world.integrations.put(replace(mine, id=OTHER, user_id=COLLEAGUE))
    honest = world.calendar.write

    async def write(batch: Sequence[CalendarWrite]) -> list[WriteResult]:
        world.clock.advance(10)
        return await honest(batch)

    monkeypatch.setattr(world.calendar, "write", write)
    for number in range(600):
        world.platform.make(ItemType.APPOINTMENT, USER, subject=f"item {number}", **TIMES)
    take_in(world)
    world.queue = world.queue[:1]  # events that come together wake once
    began = world.clock.now()
    item = world.platform.make(ItemType.APPOINTMENT, COLLEAGUE, subject="urgent", **TIMES)
    take_in(world)
    name = f"psa-1-{COLLEAGUE}-appointment-{item}"
    while not any(event.event_id == name for event in world.calendar.live()):
        assert world.clock.now() - began < timedelta(seconds=80)
        world.advance_task(world.tasks[0] if world.tasks else world.deliver(world.queue[0]))
        world.calendar.tick()
    assert len(world.calendar.live()) < 600, "the flood was not over, or this shows nothing"
    world.settle()
    assert len(world.calendar.live()) == 601


def take_in(world: World) -> None:
    """Let intake take in what was sent."""
    while messages := [message for message in world.queue if message.kind == "item"]:
        task = world.deliver(messages[0])
        while task.alive:
            world.advance_task(task)


def test_what_comes_in_while_its_integration_is_worked_on_already_is_written_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the first of a stream would be followed by many small writes, each with what has just come in."""
    honest, sizes = world.calendar.write, list[int]()

    def make(count: int) -> None:
        for _ in range(count):
            world.platform.make(ItemType.APPOINTMENT, USER, subject="one of a stream", **TIMES)
        take_in(world)

    async def write(batch: Sequence[CalendarWrite]) -> list[WriteResult]:
        sizes.append(len(batch))
        if len(sizes) == 1:
            make(1)
        return await honest(batch)

    async def turn() -> None:
        make(8)
        world.turn = nobody_comes

    monkeypatch.setattr(world.calendar, "write", write)
    world.turn = turn
    make(1)
    world.settle()
    assert sizes == [1, 9]


# Reads and writes that fail in part


@pytest.mark.parametrize(
    "failure",
    [
        TryLater(System.CRONOFY, Reason.SERVER_ERROR, "page 3"),
        Gone(Reason.GONE, "page 3 has expired"),
    ],
    ids=["fails", "has expired"],
)
def test_a_read_that_breaks_off_is_repeated_from_its_beginning_and_proves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    for number in range(3):
        appointment(world, f"item {number}")
    uids = [event.event_uid for event in world.calendar.live()]
    cursor = world.integrations.rows[INTEGRATION].integration.held.cursor
    pages = Pages(world, failure)
    monkeypatch.setattr(world.calendar, "first_page", pages.first_page)
    monkeypatch.setattr(world.calendar, "next_page", pages.next_page)
    before = writes(world)
    world.calendar.edit(uids[2], summary="on page 3")
    world.calendar.tick()
    while not pages.broken:
        world.advance_task(world.tasks[0] if world.tasks else world.deliver(world.queue[0]))
    assert world.integrations.rows[INTEGRATION].integration.held.cursor == cursor
    world.settle()
    assert "on page 3" in subjects(world)
    assert len(world.platform.live()) == 3
    assert writes(world) == (before[0], before[1] + 1)


class Pages:
    """Reads with one event a page, of which the third page cannot be had at first."""

    def __init__(self, world: World, failure: Exception) -> None:
        self._honest = world.calendar.first_page
        self._failure: Exception | None = failure
        self.broken = False

    async def first_page(self, calendar_id: str, since: datetime | None) -> Page:
        del since
        return await self._page(calendar_id, 0)

    async def next_page(self, url: str) -> Page:
        if url == "2" and self._failure is not None:
            failure, self._failure = self._failure, None
            self.broken = True
            raise failure
        return await self._page(CALENDAR_ID, int(url))

    async def _page(self, calendar_id: str, number: int) -> Page:
        page = await self._honest(calendar_id, None)
        last = number + 1 >= len(page.events)
        return replace(page, events=page.events[number : number + 1], next_url=None if last else str(number + 1))


def test_of_a_batch_some_entries_of_which_fail_each_has_its_own_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = world.calendar.write
    answers: dict[str, WriteResult] = {
        "item 3": Rejected(Reason.CALENDAR_REFUSED, "summary: too odd"),
        "item 7": Stumbled(Reason.SERVER_ERROR, "500"),
    }
    sizes: list[int] = []

    async def write(batch: Sequence[CalendarWrite]) -> list[WriteResult]:
        sizes.append(len(batch))
        taken = [one for one in batch if getattr(one, "summary", "") not in answers]
        await honest(taken)
        results = [answers.get(getattr(one, "summary", ""), Accepted()) for one in batch]
        answers.pop("item 7", None)
        return results

    monkeypatch.setattr(world.calendar, "write", write)
    for number in range(50):
        world.platform.make(ItemType.APPOINTMENT, USER, subject=f"item {number}", **TIMES)
    take_in(world)
    world.settle()
    assert sizes[:2] == [50, 1]
    assert sorted(event.summary for event in world.calendar.live()) == sorted(
        f"item {number}" for number in range(50) if number != 3
    )
    states = {link.state for link in world.links.links.values() if link.item and link.item.item_id != "4"}
    assert states == {LinkState.SETTLED}
    assert [entry.message for _, entry in world.parked] == ["summary: too odd"]


def test_what_a_replay_brings_about_is_told_as_a_replay_whichever_wake_up_does_it_until_it_rests(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = world.calendar.write

    async def refuse(batch: Sequence[CalendarWrite]) -> list[WriteResult]:
        return [Rejected(Reason.CALENDAR_REFUSED, "summary: too odd") for _ in batch]

    monkeypatch.setattr(world.calendar, "write", refuse)
    item = appointment(world)
    (link,) = world.links.links.values()
    assert link.state is LinkState.BLOCKED
    monkeypatch.setattr(world.calendar, "write", honest)
    before = set(world.journal.entries)
    again = world.links.look_again(INTEGRATION, link.id, world.clock.now())
    world.start("replay", again)
    row = world.integrations.rows[INTEGRATION]
    row.integration = replace(row.integration, due_at=world.clock.now())
    world.settle()
    told = [entry for id_, entry in world.journal.entries.items() if id_ not in before]
    assert [(entry.act, entry.trigger) for entry in told] == [(Act.CREATE, Cause.REPLAY), (Act.CONFIRM, Cause.REPLAY)]
    before = set(world.journal.entries)
    world.platform.edit(item, subject="Later")
    world.settle()
    told = [entry for id_, entry in world.journal.entries.items() if id_ not in before]
    assert told
    assert Cause.REPLAY not in {entry.trigger for entry in told}


@pytest.mark.parametrize("still_shown", [False, True], ids=["is gone", "is still shown"])
def test_a_removal_of_what_is_not_there_is_success_unless_reads_still_show_it(
    world: World, monkeypatch: pytest.MonkeyPatch, *, still_shown: bool
) -> None:
    item = appointment(world)
    honest, sent = world.calendar.write, 0

    async def write(batch: Sequence[CalendarWrite]) -> list[WriteResult]:
        nonlocal sent
        sent += 1
        return [NotThere() for _ in batch] if sent == 1 else await honest(batch)

    monkeypatch.setattr(world.calendar, "write", write)
    if not still_shown:
        world.calendar.events.clear()
        world.calendar.visible.clear()
    world.platform.remove(item)
    world.settle()
    world.pass_a_day()
    assert [link.state for link in world.links.links.values()] == [LinkState.BURIED]
    assert world.calendar.live() == []
    assert sent == (2 if still_shown else 1)


# Two integrations


def test_a_reassigned_item_moves_to_the_others_calendar_whoever_crashes_on_the_way() -> None:
    step = 0
    while True:
        world = World(Random(1), pace=Pace(apply=0, lag=0))
        try:
            mine = world.integrations.rows[INTEGRATION].integration
            world.integrations.put(replace(mine, id=OTHER, user_id=COLLEAGUE))
            item = appointment(world)
            world.platform.assign(item, COLLEAGUE)
            if not crash_at(world, step):
                break
            world.clock.advance(100)
            world.settle()
            assert [event.event_id for event in world.calendar.live()] == [f"psa-1-{COLLEAGUE}-appointment-{item}"], (
                f"crashed at step {step}\n" + world.story()
            )
        finally:
            world.close()
        step += 1
    assert step > 20


def crash_at(world: World, step: int) -> bool:
    """Let so many steps be taken, then crash whoever is at work. False if all has come to its end before."""
    for _ in range(step):
        if world.tasks:
            world.advance_task(world.tasks[0])
        elif world.queue:
            world.deliver(world.queue[0])
        else:
            return False
    if world.tasks:
        world.crash(world.tasks[0])
    return bool(world.tasks or world.queue)
