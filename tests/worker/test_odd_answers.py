"""What the calendar service and the PSA answer if they are not in order. One bad thing spoils nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from events.calendar import Accepted, CalendarWrite, NotThere, Page, PutEventWrite, WriteResult
from events.failures import Gone, Refused, SyncError, System, TryLater
from events.items import ItemType
from events.link import ExternalEvent, ItemKey, LinkState
from events.platform import AppointmentDraft, CreateAnswer, Done, ItemAnswer, ItemChanges, ItemNow, MovedOn
from events.reasons import Reason
from tests.memory.access import MemoryAccess
from tests.memory.platform import stamp, state_of
from tests.simulation.world import INTEGRATION, NOON, USER, World
from tests.worker.passing import HOUR, TIMES, appointment, for_hours, held, links, shown


def _unheard(_: object) -> None: ...


# The calendar service


@pytest.mark.parametrize(
    "failure",
    [
        Refused(Reason.MISSING_SCOPE, "403"),
        Refused(Reason.PLAN_LACKS_FEATURE, "402"),
        Refused(Reason.CALENDAR_REFUSED, "400"),
        Gone(Reason.GONE, "404"),
    ],
    ids=str,
)
def test_while_everything_is_turned_down_even_how_the_account_is_all_waits(
    world: World, monkeypatch: pytest.MonkeyPatch, failure: SyncError
) -> None:
    async def refuse(*_: object) -> None:
        await world.step("refused")
        raise failure

    with monkeypatch.context() as patch:
        for side, asked in ((world.calendar, "first_page"), (world.access, "userinfo"), (world.access, "calendars")):
            patch.setattr(side, asked, refuse)
        appointment(world, "first")
        for_hours(world, 24)
        assert held(world).calendar_hold is not None
    for_hours(world, 2)
    assert shown(world) == ["first"]


def test_an_event_of_the_users_own_that_vanished_keeps_nothing_else_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _may_change_everything(world)
    uid = world.calendar.create("Dentist", NOON, NOON + HOUR)
    world.settle()
    (row,) = world.platform.live()
    honest = world.calendar.write
    del world.calendar.events[uid], world.calendar.visible[uid]

    async def write(batch: Sequence[CalendarWrite]) -> list[WriteResult]:
        await honest([one for one in batch if not isinstance(one.event, ExternalEvent)])
        return [NotThere() if isinstance(one.event, ExternalEvent) else Accepted() for one in batch]

    monkeypatch.setattr(world.calendar, "write", write)
    world.platform.edit(row.key.item_id, subject="Dentist, moved")
    for_hours(world, 1)
    appointment(world, "Sibling")
    for_hours(world, 1)
    assert shown(world) == ["Sibling"]
    assert held(world).calendar_failures == 0
    assert [link.state for link in links(world) if isinstance(link.event, ExternalEvent)] == [LinkState.DETACHED]
    assert [one.key for one in world.platform.live()][:1] == [row.key], "nobody has deleted the appointment"


def _may_change_everything(world: World) -> None:
    world.access.calendar = replace(MemoryAccess.CALENDAR, unrestricted=True)
    row = world.integrations.rows[INTEGRATION]
    row.integration = replace(row.integration, held=replace(held(world), calendars=(world.access.calendar,)))


@pytest.mark.parametrize(
    "error",
    [
        Refused(Reason.CALENDAR_REFUSED, "400"),
        Refused(Reason.MISSING_SCOPE, "403"),
        TryLater(System.CRONOFY, Reason.UNREADABLE_ANSWER, "302"),
        TryLater(System.CRONOFY, Reason.SERVER_ERROR, "500"),
    ],
    ids=str,
)
def test_an_event_with_which_a_whole_request_fails_is_set_aside_and_all_others_are_written(
    world: World, monkeypatch: pytest.MonkeyPatch, error: SyncError
) -> None:
    honest = world.calendar.write

    async def write(batch: Sequence[CalendarWrite]) -> list[WriteResult]:
        if any(isinstance(one, PutEventWrite) and one.summary == "poison" for one in batch):
            await world.step("refused")
            raise error
        return await honest(batch)

    monkeypatch.setattr(world.calendar, "write", write)
    for name in ("poison", "a", "b"):
        appointment(world, name)
    for_hours(world, 6)
    assert shown(world) == ["a", "b"]
    for_hours(world, 48)
    assert len(world.parked) == 1, "somebody has to look at it"


@pytest.mark.parametrize("reason", [Reason.CALENDAR_REFUSED, Reason.MISSING_SCOPE], ids=str)
def test_while_every_write_is_turned_down_nothing_is_set_aside(
    world: World, monkeypatch: pytest.MonkeyPatch, reason: Reason
) -> None:
    async def refuse(_: Sequence[CalendarWrite]) -> list[WriteResult]:
        await world.step("refused")
        raise Refused(reason, "all of them")

    with monkeypatch.context() as patch:
        patch.setattr(world.calendar, "write", refuse)
        for name in ("a", "b", "c", "d"):
            appointment(world, name)
        for_hours(world, 12)
        assert world.parked == []
    for_hours(world, 2)
    assert shown(world) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=400)], ids=str)
@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_a_clock_that_was_wrong_once_hides_nothing_for_good(
    world: World, monkeypatch: pytest.MonkeyPatch, ahead: timedelta, *, told: bool
) -> None:
    item = appointment(world, "first")
    world.settle()
    honest, wrong = world.calendar.first_page, [ahead]

    async def first_page(calendar_id: str, since: datetime | None) -> Page:
        page = await honest(calendar_id, since)
        return replace(page, as_of=page.as_of + wrong.pop()) if wrong and page.as_of else page

    monkeypatch.setattr(world.calendar, "first_page", first_page)
    world.platform.edit(item, subject="second")
    for_hours(world, 2)
    for number in range(3):
        before = len(world.calendar.applied)
        world.platform.edit(item, subject=f"edit {number}")
        for_hours(world, 3)
        assert len(world.calendar.applied) == before + 1, "it was confirmed at once"
    (event,) = world.calendar.live()
    if not told:
        world.calendar.on_change = _unheard
    world.calendar.edit(event.event_uid, summary="by hand")
    for_hours(world, 24)
    assert world.platform.rows[item].item["subject"] == "by hand"


@pytest.mark.parametrize("newest", ["first", "last"])
def test_of_an_event_that_a_page_shows_twice_the_newest_state_counts(
    world: World, monkeypatch: pytest.MonkeyPatch, newest: str
) -> None:
    appointment(world, "first")
    world.settle()
    (event,) = world.calendar.live()
    world.clock.advance(100)
    honest, old = world.calendar.first_page, replace(event, digest="old")

    async def first_page(calendar_id: str, since: datetime | None) -> Page:
        page = await honest(calendar_id, since)
        again = [old for one in page.events if one.event_uid == old.event_uid]
        events = [*page.events, *again] if newest == "first" else [*again, *page.events]
        return replace(page, events=tuple(events))

    monkeypatch.setattr(world.calendar, "first_page", first_page)
    world.calendar.edit(event.event_uid, summary="edited")
    for_hours(world, 24)
    assert [row.item["subject"] for row in world.platform.live()] == ["edited"]


# What a calendar does not keep


def test_what_is_private_stays_private_in_the_psa_where_the_calendar_knows_nothing_private(world: World) -> None:
    world.calendar.rewrite = lambda event: replace(event, private=False)
    item = appointment(world, "Doctor")
    world.platform.edit(item, is_private=True)
    another = world.platform.make(ItemType.APPOINTMENT, USER, subject="Dentist", is_private=True, **TIMES)
    for_hours(world, 2)
    written = len(world.calendar.applied)
    for_hours(world, 24)
    assert len(world.calendar.applied) == written
    for private in (item, another):
        assert world.platform.rows[private].item["is_private"] is True
    assert {link.state for link in links(world)} == {LinkState.SETTLED}
    world.platform.edit(item, subject="Doctor, moved")
    for_hours(world, 2)
    assert "Doctor, moved" in shown(world)


def test_an_event_that_its_user_makes_open_is_open_in_the_psa(world: World) -> None:
    item = world.platform.make(ItemType.APPOINTMENT, USER, subject="Doctor", is_private=True, **TIMES)
    for_hours(world, 2)
    (event,) = world.calendar.live()
    world.calendar.edit(event.event_uid, private=False)
    for_hours(world, 2)
    assert world.platform.rows[item].item["is_private"] is False


def test_what_a_calendar_shows_as_busy_whatever_it_is_told_is_confirmed(world: World) -> None:
    world.calendar.rewrite = lambda event: replace(event, transparent=False)
    account = {"id": 1, "name": "Contoso"}
    call = world.platform.make(ItemType.SERVICE_CALL, USER, account=account, user_id=USER, complete=True, **TIMES)
    for_hours(world, 2)
    world.platform.edit(call, start=stamp(NOON + HOUR), end=stamp(NOON + 2 * HOUR))
    for_hours(world, 48)
    assert [link.state for link in links(world)] == [LinkState.SETTLED]
    assert (len(world.calendar.applied), world.parked) == (2, [])


# The PSA


@pytest.mark.parametrize("reason", [Reason.UNREADABLE_ANSWER, Reason.SERVER_ERROR])
def test_an_appointment_with_which_a_bulk_creation_fails_keeps_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch, reason: Reason
) -> None:
    honest = world.platform.create

    async def create(draft: AppointmentDraft) -> CreateAnswer:
        if draft.subject == "poison":
            await world.step("create item")
            raise TryLater(System.PSA, reason, "broken")
        return await honest(draft)

    async def create_all(drafts: Sequence[AppointmentDraft]) -> list[CreateAnswer]:
        if any(draft.subject == "poison" for draft in drafts):
            await world.step("create items")
            raise TryLater(System.PSA, reason, "broken")
        return [await honest(draft) for draft in drafts]

    monkeypatch.setattr(world.platform, "create_all", create_all)
    monkeypatch.setattr(world.platform, "create", create)
    for name in ("poison", "b", "c"):
        world.calendar.create(name, NOON, NOON + HOUR)
    for_hours(world, 30)
    assert sorted(row.item["subject"] for row in world.platform.live()) == ["b", "c"]
    assert len(world.parked) == 1


Answer = Callable[[ItemNow], ItemAnswer]
QUARRELS: dict[str, Answer] = {
    "done, as it was": Done,
    "moved on, as it was": MovedOn,
    "moved on, to what was before": lambda now: MovedOn(replace(now, revision=now.revision - 1)),
}


@pytest.mark.parametrize("answer", QUARRELS.values(), ids=QUARRELS)
def test_a_psa_that_changes_nothing_is_not_asked_without_end(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    item = appointment(world, "first")
    world.settle()
    asked = 0

    async def change(key: ItemKey, *_: object) -> ItemAnswer:
        nonlocal asked
        asked += 1
        await world.step("change item")
        return answer(state_of(world.platform.rows[key.item_id]))

    monkeypatch.setattr(world.platform, "change", change)
    (event,) = world.calendar.live()
    world.calendar.edit(event.event_uid, summary="edited")
    for_hours(world, 1)
    assert asked < 30
    monkeypatch.undo()
    world.calendar.edit(event.event_uid, summary="edited again")
    for_hours(world, 2)
    assert world.platform.rows[item].item["subject"] == "edited again"


def test_an_item_of_which_the_psa_shows_what_was_before_is_read_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = appointment(world, "first")
    world.settle()
    past, honest, reads, began = state_of(world.platform.rows[item]), world.platform.read, 0, world.clock.now()

    async def read(key: ItemKey) -> ItemNow | None:
        nonlocal reads
        reads += 1
        await world.step("read item")
        return past if world.clock.now() - began < HOUR else await honest(key)

    with monkeypatch.context() as patch:
        patch.setattr(world.platform, "on_change", _unheard)
        world.platform.edit(item, subject="second")
    monkeypatch.setattr(world.platform, "read", read)
    (link,) = links(world)
    assert link.psa_seen is not None
    announced = replace(link.psa_seen, revision=past.revision + 1, item=None)
    world.links.links[link.id] = replace(link, psa_seen=announced, due_at=world.clock.now())
    world.look_again()
    for_hours(world, 2)
    assert shown(world) == ["second"]
    assert reads < 30


def test_a_field_that_the_psa_does_not_keep_is_asked_for_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    item = appointment(world, "Review")
    world.settle()
    (event,) = world.calendar.live()
    asked: list[ItemChanges] = []

    async def change(key: ItemKey, _: int, changes: ItemChanges) -> ItemAnswer:
        asked.append(changes)
        await world.step("change item")
        return Done(state_of(world.platform.rows[key.item_id]))

    monkeypatch.setattr(world.platform, "change", change)
    world.calendar.edit(event.event_uid, location="Room 2")
    for_hours(world, 24)
    assert len(asked) == 1
    assert "location" not in world.platform.rows[item].item
    world.settle()
