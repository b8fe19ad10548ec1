"""What can come in between while a run is under way, on the simulation's stage and in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from events.calendar import CalendarEvent, Page
from events.failures import Gone, MustReconnect, System, TryLater
from events.integration import Status
from events.items import ItemType
from events.journal import Result
from events.orders import OPERATOR, Order, OrderKind
from events.platform import AppointmentDraft, CreateAnswer, Declined
from events.psa import Inbound
from events.reasons import Reason
from events.runs import Run, RunState
from tests.memory.calendar import Pace
from tests.memory.platform import stamp
from tests.simulation.wizard import Wizard
from tests.simulation.world import INTEGRATION, NOON, USER, World
from worker.runs.going import TURN

if TYPE_CHECKING:
    from pydantic import JsonValue

HOUR = timedelta(hours=1)
MONTH: dict[str, JsonValue] = {"past": "none", "future": "1_month"}
MANY = 4


@pytest.fixture
def world() -> Generator[World]:
    """Items and events, as many of each, of which nobody has heard."""
    made = World(Random(1), pace=Pace(apply=0, lag=0))
    told = made.platform.on_change
    made.platform.on_change = lambda _: None
    since = made.integrations.rows[INTEGRATION].integration.held.linked_since
    assert since is not None
    for number in range(MANY):
        start = NOON + timedelta(days=number)
        made.platform.make(
            ItemType.APPOINTMENT, USER, subject=f"item {number}", start=stamp(start), end=stamp(start + HOUR)
        )
        made.calendar.create(f"event {number}", start, start + HOUR)
    made.calendar.events = {uid: replace(one, created=since - HOUR) for uid, one in made.calendar.events.items()}
    made.calendar.visible = dict(made.calendar.events)
    made.calendar.pending.clear()
    made.platform.on_change = told
    made.settle()
    yield made
    made.close()


def order(world: World, kind: OrderKind, **details: JsonValue) -> None:
    given = Order(f"{kind}", INTEGRATION, OPERATOR, kind, world.clock.now(), details)
    world.orders.orders[given.id] = given
    sweep(world)


def sweep(world: World) -> None:
    """Let the integration be woken as soon as everything is at rest."""
    row = world.integrations.rows[INTEGRATION]
    row.integration = replace(row.integration, due_at=world.clock.now())


def run(world: World) -> Run:
    """Let a run bring everything together, and return it as it is when all has come to rest."""
    order(world, OrderKind.SYNC, trigger="asked", retrieve=MONTH, send=MONTH)
    world.settle()
    return world.runs.runs["sync"]


def at_first_write(world: World, happens: Callable[[], object]) -> None:
    """Let something happen at the very moment at which the first events are written."""

    def once(_: Sequence[Any]) -> None:
        world.calendar.on_write = lambda _: None
        happens()
        world.clock.advance(TURN + 1)  # it is heard of when the run gives way to others

    world.calendar.on_write = once


def titles(world: World) -> tuple[list[str], list[str]]:
    """Return what is in the calendar and in the PSA."""
    events = sorted(event.summary for event in world.calendar.live())
    return events, sorted(str(row.item["subject"]) for row in world.platform.live())


EVERYTHING = sorted(f"{kind} {number}" for kind in ("event", "item") for number in range(MANY))
TOGETHER = EVERYTHING, EVERYTHING


def test_appointments_are_created_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    honest = world.platform.create_all

    async def create_all(drafts: Sequence[AppointmentDraft]) -> list[CreateAnswer]:
        sizes.append(len(drafts))
        return await honest(drafts)

    monkeypatch.setattr(world.platform, "create_all", create_all)
    assert run(world).totals.created == 2 * MANY
    assert sizes == [MANY]
    assert titles(world) == TOGETHER


def test_a_whole_hundred_that_fails_goes_one_by_one_so_that_one_item_fails_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = world.platform.create

    async def create_all(drafts: Sequence[AppointmentDraft]) -> list[CreateAnswer]:
        raise TryLater(System.PSA, Reason.SERVER_ERROR, f"{len(drafts)} are too many")

    async def create(draft: AppointmentDraft) -> CreateAnswer:
        return Declined("not this one") if draft.subject == "event 1" else await honest(draft)

    monkeypatch.setattr(world.platform, "create_all", create_all)
    monkeypatch.setattr(world.platform, "create", create)
    ended = run(world)
    assert (ended.state, ended.reason) == (RunState.FINISHED, None)
    assert (ended.totals.created, ended.totals.failed) == (2 * MANY - 1, 1)
    assert titles(world) == (EVERYTHING, [title for title in EVERYTHING if title != "event 1"])
    failed = [entry for entry in world.journal.entries.values() if entry.result is Result.FAILED]
    assert {(entry.reason, entry.run_id) for entry in failed} == {(Reason.PSA_REFUSED, "sync")}


def test_a_run_in_which_everything_failed_has_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def create_all(drafts: Sequence[AppointmentDraft]) -> list[CreateAnswer]:
        return [Declined("closed for today") for _ in drafts]

    monkeypatch.setattr(world.platform, "create_all", create_all)
    order(world, OrderKind.SYNC, trigger="asked", retrieve=MONTH, send=None)
    world.settle()
    ended = world.runs.runs["sync"]
    assert (ended.state, ended.reason, ended.totals.failed) == (RunState.FAILED, Reason.EVERYTHING_FAILED, MANY)


def test_a_page_that_expires_in_the_middle_costs_its_window_and_nothing_is_there_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, rest, expired = world.calendar.span_page, dict[str, tuple[CalendarEvent, ...]](), list[str]()

    async def span_page(*args: Any, **which: Any) -> Page:
        page = await honest(*args, **which)
        url = f"page {len(rest)}"
        rest[url] = page.events[1:]
        return replace(page, events=page.events[:1], next_url=url)

    async def next_page(url: str) -> Page:
        await world.step("read a page")
        if not expired:
            expired.append(url)
            raise Gone(Reason.GONE, "the page has expired")
        return Page(rest[url], None, world.clock.now())

    monkeypatch.setattr(world.calendar, "span_page", span_page)
    monkeypatch.setattr(world.calendar, "next_page", next_page)
    ended = run(world)
    assert (ended.state, ended.totals.created) == (RunState.FINISHED, 2 * MANY)
    assert expired
    assert titles(world) == TOGETHER


def test_a_run_that_is_ended_stops_and_what_it_has_done_stays(world: World) -> None:
    at_first_write(world, lambda: order(world, OrderKind.CANCEL_RUN, run_id="sync"))
    ended = run(world)
    assert (ended.state, ended.reason) == (RunState.CANCELLED, Reason.CANCELLED)
    items = [f"item {number}" for number in range(MANY)]
    assert set(titles(world)[0]) & set(items), "something was written"
    assert titles(world)[1] == items, "nothing was read of the calendar any more"
    before = titles(world)
    world.look_again()
    world.settle()
    assert titles(world) == before


# S69


def test_a_token_that_is_revoked_in_the_middle_stops_the_run_which_goes_on_where_it_was_after_relinking(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = world.calendar.span_page

    async def span_page(*args: Any, **which: Any) -> Page:
        if not world.access.connected:
            raise MustReconnect(Reason.REAUTHORISE_NEEDED, "invalid_grant")
        return await honest(*args, **which)

    monkeypatch.setattr(world.calendar, "span_page", span_page)
    at_first_write(world, lambda: setattr(world.access, "connected", False))
    stopped = run(world)
    held = world.integrations.rows[INTEGRATION].integration.held
    assert (held.status, held.reason) == (Status.NOT_CONNECTED, Reason.REAUTHORISE_NEEDED)
    assert stopped.state is RunState.RUNNING
    assert len(titles(world)[1]) == MANY, "nothing came in"

    world.access.connected = True
    world.clock.advance(3600)
    sweep(world)
    world.settle()
    ended = world.runs.runs["sync"]
    assert (ended.state, ended.totals.created) == (RunState.FINISHED, 2 * MANY)
    assert (ended.retrieve, ended.send) == (stopped.retrieve, stopped.send), "the dates do not move"
    assert titles(world) == TOGETHER


# S75, S76


def test_switched_off_during_a_run_nothing_more_is_written_and_switched_on_it_goes_on(world: World) -> None:
    wizard = Wizard(Random(1), world)

    watching = world.calendar.on_write

    def switch_off() -> None:
        world.calendar.on_write = watching
        wizard.switch_off(world)

    at_first_write(world, switch_off)
    paused = run(world)
    assert paused.state is RunState.RUNNING
    assert not wizard.wrong
    assert titles(world) != TOGETHER
    (edited,) = [row for row in world.platform.live() if row.item["subject"] == "item 0"]
    world.platform.edit(edited.key.item_id, subject="worked on while it was off")
    world.settle()
    assert "worked on while it was off" not in titles(world)[0]

    wizard.switch_on(world)
    world.settle()
    assert world.runs.runs["sync"].state is RunState.FINISHED
    events, items = titles(world)
    assert events == items == sorted([*(t for t in EVERYTHING if t != "item 0"), "worked on while it was off"])
    assert not wizard.wrong


def test_settings_that_change_during_a_run_count_from_then_on_and_the_run_goes_on_under_them(world: World) -> None:
    wizard = Wizard(Random(1), world)

    def untick() -> None:
        wizard.inbound = Inbound(create=False, update=False, delete=True)
        wizard.save(world)

    at_first_write(world, untick)
    ended = run(world)
    assert (ended.state, ended.totals.created, ended.totals.skipped) == (RunState.FINISHED, MANY, MANY)
    assert ended.epoch == world.integrations.rows[INTEGRATION].integration.epoch
    assert titles(world) == (EVERYTHING, [f"item {number}" for number in range(MANY)])
