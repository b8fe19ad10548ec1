"""The loop on the simulation's stage, without faults and in order: what happens rarely."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

import worker.executor
from events.calendar import Page
from events.commands import Cause, Wake
from events.failures import Malformed, Refused, TryLater
from events.items import ItemType
from events.journal import Act, Entry
from events.link import ItemKey, LinkState
from events.outcomes import ItemBlocked
from events.platform import AppointmentDraft, CreateAnswer, Declined, ItemNow
from events.psa import ItemChanged
from events.reasons import Reason
from tests.memory.calendar import CALENDAR_ID
from tests.memory.platform import Row, stamp
from tests.simulation.world import INTEGRATION, NOON, USER, Message, Task, World
from worker.judging import judge as honest_judge
from worker.publishing import OutcomeEvents

HOUR = timedelta(hours=1)
TIMES: dict[str, Any] = {"start": stamp(NOON), "end": stamp(NOON + HOUR)}


def lines(world: World, reason: Reason) -> list[Entry]:
    return [entry for entry in world.journal.entries.values() if entry.reason is reason]


def parked(world: World) -> list[tuple[Reason, str]]:
    return [(entry.reason, entry.link_id or "") for _, entry in world.parked]


# Events without a time


def test_an_event_that_loses_its_time_changes_nothing_until_it_has_one_again(world: World) -> None:
    item = world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", **TIMES)
    world.settle()
    (event,) = world.calendar.live()
    world.calendar.edit(event.event_uid, start=None, end=None, summary="Odd")
    world.settle()
    assert not world.platform.rows[item].deleted
    assert world.platform.rows[item].item["subject"] == "Review"
    assert [(entry.act, entry.link_id) for entry in lines(world, Reason.NO_TIME)] == [(Act.SKIP, only_link(world))]
    world.calendar.edit(event.event_uid, start=NOON + HOUR, end=NOON + 2 * HOUR)
    world.settle()
    assert world.platform.rows[item].item["start"] == stamp(NOON + HOUR)


def test_an_unknown_event_without_a_time_is_remembered_with_its_reason_and_taken_in_when_it_has_one(
    world: World,
) -> None:
    uid = world.calendar.create("Odd", NOON, NOON + HOUR)
    world.calendar.edit(uid, start=None, end=None)
    world.settle()
    (link,) = world.links.links.values()
    assert (link.state, link.reason, link.due_at) == (LinkState.IGNORED, Reason.NO_TIME, None)
    assert len(lines(world, Reason.NO_TIME)) == 1
    assert world.platform.rows == {}
    world.calendar.edit(uid, start=NOON, end=NOON + HOUR)
    world.settle()
    (row,) = world.platform.live()
    assert row.item["subject"] == "Odd"


def only_link(world: World) -> str:
    (link,) = world.links.links
    return link


# What a person must look at


def test_an_item_that_the_psa_does_not_know_is_set_aside_once(world: World) -> None:
    item = world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", **TIMES)
    world.settle()
    row = world.platform.rows.pop(item)
    world.queue.append(Message("item", "item-x", without_content(world, row)))
    world.settle()
    world.look_again()
    world.settle()
    assert parked(world) == [(Reason.ITEM_NOT_FOUND, only_link(world))]
    assert [outcome.data.reason for outcome in world.outcomes if isinstance(outcome, ItemBlocked)] == ["item_not_found"]


def without_content(world: World, row: Row, later: int = 1) -> ItemChanged:
    event = world.platform.event(replace(row, revision=row.revision + later))
    return event.model_copy(update={"data": event.data.model_copy(update={"item": None})})


def test_an_event_that_the_psa_refuses_is_set_aside_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(draft: AppointmentDraft) -> CreateAnswer:
        del draft
        return Declined("user is not active")

    monkeypatch.setattr(world.platform, "create", refuse)
    world.calendar.create("Mine", NOON, NOON + HOUR)
    world.settle()
    world.look_again()
    world.settle()
    assert parked(world) == [(Reason.PSA_REFUSED, only_link(world))]
    (_, entry) = world.parked[0]
    assert entry.message == "user is not active"


def test_an_item_of_which_the_psa_talks_nonsense_is_set_aside_once_and_the_others_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = world.platform.read

    async def read(key: ItemKey) -> ItemNow | None:
        if key.item_id == "1":
            raise Malformed(Reason.BREAKS_SCHEMA, "revision: should be a number")
        return await honest(key)

    monkeypatch.setattr(world.platform, "read", read)
    for subject in ("Broken", "Whole"):
        item = world.platform.make(ItemType.APPOINTMENT, USER, subject=subject, **TIMES)
        world.queue[-1] = Message("item", f"item-{item}", without_content(world, world.platform.rows[item], 0))
    world.settle()
    world.look_again()
    world.settle()
    assert [(entry.reason, entry.message) for _, entry in world.parked] == [
        (Reason.BREAKS_SCHEMA, "revision: should be a number")
    ]
    assert [event.summary for event in world.calendar.live()] == ["Whole"]
    assert world.integrations.rows[INTEGRATION].integration.held.psa_hold is None


def test_a_link_that_cannot_be_judged_is_set_aside_once_and_the_others_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(stored: Any, link: Any, circumstances: Any, *, answered: bool = False) -> Any:
        if link.item is not None and link.item.item_id == "1":
            raise ZeroDivisionError
        return honest_judge(stored, link, circumstances, answered=answered)

    monkeypatch.setattr("worker.slice.judge", judge)
    for subject in ("Broken", "Whole"):
        world.platform.make(ItemType.APPOINTMENT, USER, subject=subject, **TIMES)
    world.settle()
    world.look_again()
    world.settle()
    assert [(entry.reason, entry.message) for _, entry in world.parked] == [(Reason.BUG, "ZeroDivisionError")]
    assert [event.summary for event in world.calendar.live()] == ["Whole"]


# Taking turns


def wake(id_: str) -> Message:
    return Message("wake", id_, Wake(integration_id=INTEGRATION, cause=Cause.PSA_EVENT))


def run(world: World, task: Task) -> None:
    while task.alive:
        world.advance_task(task)


def start(world: World, id_: str) -> Task:
    world.queue.append(wake(id_))
    return world.deliver(world.queue[-1])


def test_whoever_has_worked_for_long_gives_way_although_more_has_come_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.executor, "_TURN", -1.0)
    first = start(world, "first")
    while not world.integrations.leased(INTEGRATION):
        world.advance_task(first)
    run(world, start(world, "second"))  # finds the lease taken, and leaves a mark
    run(world, first)
    assert not world.integrations.leased(INTEGRATION)
    due_at = world.integrations.rows[INTEGRATION].integration.due_at
    assert due_at is not None, "should the new message get lost, the sweeper finds it"
    assert [message.kind for message in world.queue] == ["wake"], "one message goes on with it, however many waited"


def test_with_ever_so_short_turns_everything_is_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    item = world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", **TIMES)
    turns = iter([-1.0] * 5)
    monkeypatch.setattr(worker.executor, "_TURN", 0.0)
    honest = world.clock.monotonic
    monkeypatch.setattr(world.clock, "monotonic", lambda: honest() - next(turns, 0.0))
    world.settle()
    assert [event.event_id for event in world.calendar.live()] == [f"psa-1-7-appointment-{item}"]


# Whose failure it is


class Unroutable:
    """A broker on which no queue takes outcomes."""

    async def send_all(self, messages: Any) -> None:
        del messages
        raise Refused(Reason.UNROUTABLE, "calsync.outcomes")


def test_outcomes_that_no_queue_takes_are_no_fault_of_the_calendars(world: World) -> None:
    """Or every missing queue would have all connections checked, and the message would be set aside."""
    publisher: Any = Unroutable()
    told = OutcomeEvents(publisher, lambda: "1")
    world.executor = replace(world.executor, tools=replace(world.executor.tools, outcomes=told))
    world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", **TIMES)
    failure: TryLater | None = None
    for _ in range(2000):
        try:
            failure = failure or step(world)
        except StopIteration:
            break
    assert failure is not None
    assert (failure.system, failure.reason) == ("rabbitmq", Reason.UNROUTABLE)
    assert world.integrations.rows[INTEGRATION].integration.held.calendar_failures == 0


def step(world: World) -> TryLater | None:
    """Let one message after the other be handled until one fails; no more after that."""
    if not world.tasks:
        if not world.queue:
            world.clock.advance(60)
            world.look_again()
            world.queue.append(wake(f"wake-{world.calendar.reads}"))
        world.deliver(world.queue[0])
    task = world.tasks[0]
    try:
        task.coroutine.send(None)
    except StopIteration:
        world.tasks.remove(task)
    except TryLater as error:
        world.tasks.remove(task)
        return error
    return None


# Long work


def test_a_long_read_keeps_its_lease_and_is_read_to_its_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or whoever takes the lease meanwhile begins the same read anew, and nobody ever finishes it."""
    honest = world.calendar.first_page
    turned: list[str] = []

    async def first_page(calendar_id: str, since: datetime | None) -> Page:
        return replace(await honest(calendar_id, since), next_url="2")

    async def next_page(url: str) -> Page:
        turned.append(url)
        world.clock.advance(14)
        page = await honest(CALENDAR_ID, None)
        return replace(page, next_url=str(int(url) + 1) if int(url) < 12 else None)

    monkeypatch.setattr(world.calendar, "first_page", first_page)
    monkeypatch.setattr(world.calendar, "next_page", next_page)
    world.look_again()
    task = start(world, "reading")
    while task.alive:
        held = world.integrations.leased(INTEGRATION)
        assert held or len(turned) in {0, 11}, f"lost at page {turned}"
        world.advance_task(task)
    assert turned == [str(number) for number in range(2, 13)]


def test_pages_that_lead_in_a_circle_are_no_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = world.calendar.first_page

    async def first_page(calendar_id: str, since: datetime | None) -> Page:
        return replace(await honest(calendar_id, since), next_url="2")

    async def next_page(url: str) -> Page:
        return replace(await honest(CALENDAR_ID, None), next_url={"2": "3", "3": "2"}[url])

    monkeypatch.setattr(world.calendar, "first_page", first_page)
    monkeypatch.setattr(world.calendar, "next_page", next_page)
    world.look_again()
    task = start(world, "reading")
    for _ in range(2000):
        if not task.alive:
            break
        world.advance_task(task)
    assert not task.alive
    assert world.integrations.rows[INTEGRATION].integration.held.calendar_failures == 1


def test_a_slice_that_is_over_leaves_the_rest_of_its_looks_for_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = world.platform.read

    async def read(key: ItemKey) -> ItemNow | None:
        world.clock.advance(14)
        assert world.integrations.leased(INTEGRATION), "others have taken over"
        return await honest(key)

    monkeypatch.setattr(world.platform, "read", read)
    for number in range(12):
        item = world.platform.make(ItemType.APPOINTMENT, USER, subject=f"Item {number}", **TIMES)
        world.queue[-1] = Message("item", f"item-{item}", without_content(world, world.platform.rows[item], 0))
    world.settle()
    assert len(world.calendar.live()) == 12
