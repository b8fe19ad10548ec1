"""What becomes of work when the connection is in trouble, or is said to be, or when settings change under a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from typing_extensions import override

from events.calendar import CalendarWrite, Page, UserInfo, WriteResult
from events.commands import Cause, Wake
from events.failures import MustReconnect, RateLimited, Refused, System, TryLater
from events.integration import CalendarInfo, ConnectWish, Held, Status
from events.items import ItemType
from events.psa import Inbound
from events.reasons import Reason
from events.runs import RunState
from tests.memory.access import ACCOUNT, MemoryAccess
from tests.memory.platform import stamp
from tests.simulation.runs import sync_now
from tests.simulation.wizard import Wizard
from tests.simulation.world import INTEGRATION, NOON, USER, Message, World

HOUR = timedelta(hours=1)
TIMES: dict[str, Any] = {"start": stamp(NOON), "end": stamp(NOON + HOUR)}
ITEMS = 12


def held(world: World) -> Held:
    return world.integrations.rows[INTEGRATION].integration.held


def wake(world: World) -> None:
    """Let somebody look, whether or not anything is said to be due."""
    world.queue.append(Message("wake", f"wake-{world.clock.now()}", Wake(integration_id=INTEGRATION, cause=Cause.DUE)))
    world.settle()


# Whose trouble it is


class TwoProfiles(MemoryAccess):
    """Somebody else has granted access in the same browser: Cronofy has put both under one account."""

    theirs = CalendarInfo("cal_of_another", "Alex", "pro_of_another")

    @override
    async def userinfo(self) -> UserInfo:
        honest = await super().userinfo()
        (mine,) = honest.profiles
        theirs = replace(mine, profile_id=self.theirs.profile_id, connected=False)
        return replace(honest, profiles=(theirs, mine), calendars=(self.theirs, *honest.calendars))

    @override
    async def calendars(self) -> tuple[CalendarInfo, ...]:
        return (self.theirs, *await super().calendars())


def test_of_two_users_under_one_account_each_has_a_connection_and_calendars_of_their_own(world: World) -> None:
    world.access = TwoProfiles(world.step, world.clock)
    row = world.integrations.rows[INTEGRATION]
    signals = replace(row.integration.signals, profile_check=1)
    row.integration = replace(row.integration, signals=signals)
    wake(world)
    assert held(world).status is Status.CONNECTED
    assert [calendar.profile_id for calendar in held(world).calendars] == [ACCOUNT.profile_id]


@pytest.mark.parametrize(
    "trouble",
    [
        TryLater(System.CRONOFY, Reason.SERVER_ERROR, "503"),
        RateLimited(System.CRONOFY, Reason.RATE_LIMITED, "429"),
        Refused(Reason.MISSING_SCOPE, "403"),
        MustReconnect(Reason.REAUTHORISE_NEEDED, "401 once"),
        TryLater(System.STORE, Reason.UNREACHABLE, "no primary"),
    ],
    ids=["unavailable", "limited", "forbidden", "unauthorized", "own store away"],
)
def test_only_what_the_account_itself_says_changes_the_status(
    world: World, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    honest, failing = world.calendar.first_page, [trouble]

    async def first_page(calendar_id: str, since: datetime | None) -> Page:
        if failing:
            raise failing.pop()
        return await honest(calendar_id, since)

    monkeypatch.setattr(world.calendar, "first_page", first_page)
    world.calendar.create("Mine", NOON, NOON + HOUR)
    world.settle()
    assert held(world).status is Status.CONNECTED
    assert [row.item["subject"] for row in world.platform.live()] == ["Mine"], "and it was done once it worked again"
    assert not failing


def test_a_connection_that_counts_as_broken_is_asked_about_and_heals_by_itself(world: World) -> None:
    world.access.connected = False
    row = world.integrations.rows[INTEGRATION]
    signals = replace(row.integration.signals, profile_check=1)
    row.integration = replace(row.integration, signals=signals)
    wake(world)
    assert (held(world).status, held(world).reason) == (Status.NOT_CONNECTED, Reason.REAUTHORISE_NEEDED)
    item = world.platform.make(ItemType.APPOINTMENT, USER, subject="waits", **TIMES)
    world.settle()
    assert world.calendar.live() == []
    world.access.connected = True
    world.clock.advance(11 * 60)
    wake(world)
    assert held(world).status is Status.CONNECTED
    assert [event.event_id for event in world.calendar.live()] == [f"psa-1-7-appointment-{item}"]


# Under a run


def unheard_items(world: World) -> None:
    """Make items of which nobody is told."""
    for number in range(ITEMS):
        world.platform.make(ItemType.APPOINTMENT, USER, subject=f"item {number}", **TIMES)
    world.queue.clear()


def test_a_run_whose_connection_is_revoked_in_the_middle_goes_on_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard_items(world)
    honest = world.calendar.write
    asked: list[int] = []

    async def write(batch: Sequence[CalendarWrite]) -> list[WriteResult]:
        if len(asked) == 2 and not world.access.connected:
            raise MustReconnect(Reason.REAUTHORISE_NEEDED, "invalid_grant")
        asked.append(len(batch))
        world.access.connected = len(asked) != 2
        return await honest(batch)

    monkeypatch.setattr(world.calendar, "write", write)
    sync_now(world)
    world.settle()
    assert held(world).status is Status.NOT_CONNECTED
    (run,) = world.runs.runs.values()
    assert run.state is RunState.RUNNING
    there = len(world.calendar.live())
    assert 0 < there < ITEMS
    world.access.connected = True
    world.clock.advance(11 * 60)
    wake(world)
    (run,) = world.runs.runs.values()
    assert (run.state, run.totals.created, run.totals.failed) == (RunState.FINISHED, ITEMS, 0)
    assert len(world.calendar.live()) == ITEMS
    assert all(one.before is None for one in world.calendar.applied), "nothing was written twice"


def test_a_tick_that_is_taken_away_under_a_run_holds_at_once_and_the_run_goes_on(world: World) -> None:
    item = world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", **TIMES)
    world.settle()
    unheard_items(world)
    sync_now(world)
    running = world.deliver(world.queue[0])
    while len(world.calendar.live()) < 4:
        world.advance_task(running)
    Wizard(Random(1), world).tick(Inbound(create=True, update=False, delete=True))
    saving = world.deliver(world.queue[0])
    while saving.alive:
        world.advance_task(saving)
    (ours,) = [event for event in world.calendar.live() if event.summary == "Review"]
    world.calendar.edit(ours.event_uid, summary="edited")
    assert running.alive
    world.settle()
    assert world.platform.rows[item].item["subject"] == "Review"
    (run,) = world.runs.runs.values()
    epoch = world.integrations.rows[INTEGRATION].integration.epoch
    assert (run.state, run.epoch) == (RunState.FINISHED, epoch)
    assert len(world.calendar.live()) == ITEMS + 1


# An authorization that is refused


def refused_authorization(world: World, monkeypatch: pytest.MonkeyPatch, **before: Any) -> list[str]:
    """Let a code be sent that does not work, and return what is told."""

    async def exchange(*_: object) -> None:
        await world.step("refused")
        raise MustReconnect(Reason.REAUTHORISE_NEEDED, "invalid_grant")

    monkeypatch.setattr(world.access, "exchange", exchange)
    row = world.integrations.rows[INTEGRATION]
    wanted = replace(row.integration.wanted, connect=ConnectWish(1000, "used", "https://psa.example/back", None))
    row.integration = replace(row.integration, wanted=wanted, held=replace(held(world), **before))
    world.outcomes.clear()
    wake(world)
    wake(world)
    assert held(world).connected_revision == 1000
    return [outcome.type.split(".")[2] for outcome in world.outcomes if outcome.type.startswith("calsync.integration.")]


def test_a_code_that_is_sent_twice_leaves_a_working_connection_as_it_is_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = held(world).tokens
    assert refused_authorization(world, monkeypatch) == ["connected", "calendars_found"]
    assert (held(world).status, held(world).tokens) == (Status.CONNECTED, tokens)
    world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", **TIMES)
    world.settle()
    assert [event.summary for event in world.calendar.live()] == ["Review"]


def test_a_code_that_is_refused_where_nothing_is_connected_is_answered_with_the_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused_authorization(world, monkeypatch, tokens=None) == ["disconnected"]
    assert (held(world).status, held(world).reason) == (Status.NOT_CONNECTED, Reason.REAUTHORISE_NEEDED)


def test_a_code_that_is_refused_where_the_connection_is_broken_is_answered_with_the_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def userinfo() -> UserInfo:
        await world.step("refused")
        raise MustReconnect(Reason.REAUTHORISE_NEEDED, "invalid_grant")

    monkeypatch.setattr(world.access, "userinfo", userinfo)
    broken: dict[str, Any] = {"status": Status.NOT_CONNECTED, "reason": Reason.REAUTHORISE_NEEDED}
    assert refused_authorization(world, monkeypatch, **broken) == ["disconnected"]
    assert held(world).reason is Reason.REAUTHORISE_NEEDED
