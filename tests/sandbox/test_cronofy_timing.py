"""Accepted is not applied, applied is not shown, and time is the sandbox's."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from sandbox.cronofy.model.moments import show_time
from tests.sandbox.conftest import ELEVEN, NOON, SLOW, TEN, Caller, Running, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Writes: 10 s until applied, 5 s more until shown


async def test_a_write_is_accepted_at_once_and_applied_later(cronofy: Running, caller: Caller) -> None:
    response = await caller.upsert()
    assert (response.status_code, response.content) == (202, b"")
    await cronofy.control.advance(9.9)
    assert await cronofy.control.events(caller.calendar_id) == []
    await cronofy.control.advance(0.1)
    assert [event.summary for event in await cronofy.control.events(caller.calendar_id)] == ["Visit"]


async def test_reads_show_a_write_some_time_after_it_was_applied(cronofy: Running, caller: Caller) -> None:
    await caller.upsert()
    await cronofy.control.advance(14.9)
    assert await caller.managed() == []
    await cronofy.control.advance(0.1)
    assert [event["event_id"] for event in await caller.managed()] == ["item-1"]


async def test_updated_is_the_whole_second_of_the_application(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.advance(0.7)
    await caller.upsert()
    await cronofy.control.advance(60)
    (event,) = await caller.managed()
    assert event["updated"] == show_time(NOON + timedelta(seconds=10))
    assert event["created"] == event["updated"]


async def test_what_was_due_long_ago_happened_when_it_was_due(cronofy: Running, caller: Caller) -> None:
    await caller.upsert()
    await cronofy.control.advance(86_400)
    (event,) = await caller.managed()
    assert event["updated"] == show_time(NOON + timedelta(seconds=10))


async def test_writes_to_a_calendar_are_applied_in_the_order_of_acceptance(caller: Caller, cronofy: Running) -> None:
    await cronofy.control.change_settings(write_delay=(0, 60))
    for number in range(20):
        await caller.upsert(summary=f"Version {number}")
    await cronofy.control.run_until_quiet()
    (event,) = await caller.managed()
    assert event["summary"] == "Version 19"


async def test_a_slow_write_holds_up_those_behind_it(caller: Caller, cronofy: Running) -> None:
    await cronofy.control.change_settings(write_delay=(60, 60))
    await caller.upsert("slow")
    await cronofy.control.change_settings(write_delay=(0, 0))
    await caller.upsert("fast")
    await cronofy.control.advance(59)
    assert await cronofy.control.events(caller.calendar_id) == []
    await cronofy.control.advance(1)
    assert [event.event_id for event in await cronofy.control.events(caller.calendar_id)] == ["slow", "fast"]


async def test_a_slow_write_holds_up_nothing_in_another_calendar(caller: Caller, cronofy: Running) -> None:
    other = await cronofy.connect()
    await cronofy.control.change_settings(write_delay=(60, 60))
    await caller.upsert()
    await cronofy.control.change_settings(write_delay=(0, 0))
    await other.upsert()
    assert len(await cronofy.control.events(other.calendar_id)) == 1


async def test_an_older_version_never_replaces_a_newer_one_in_reads(caller: Caller, cronofy: Running) -> None:
    await cronofy.control.change_settings(read_lag=(0, 120), write_delay=(0, 0))
    for number in range(20):
        await caller.upsert(summary=f"Version {number}")
        await cronofy.control.advance(1)
    await cronofy.control.run_until_quiet()
    (event,) = await caller.managed()
    assert event["summary"] == "Version 19"


# A person's changes: 20 s until known, 5 s more until shown


async def test_a_persons_change_is_shown_after_both_lags(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.create_event(caller.calendar_id, summary="Lunch", start=TEN, end=ELEVEN)
    await cronofy.control.advance(24.9)
    assert await caller.read() == []
    await cronofy.control.advance(0.1)
    (event,) = await caller.read()
    assert (event["summary"], event["updated"]) == ("Lunch", show_time(NOON))


async def test_a_change_can_be_stamped_when_it_is_learned_of(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(stamped="seen")
    await cronofy.control.create_event(caller.calendar_id, summary="Lunch", start=TEN, end=ELEVEN)
    await cronofy.control.advance(25)
    (event,) = await caller.read()
    assert event["updated"] == show_time(NOON + timedelta(seconds=20))


async def test_one_provider_can_be_slower_than_the_others(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(timing={"google": {"write_delay": (100, 100), "provider_lag": (200, 200)}})
    await caller.upsert()
    await cronofy.control.advance(99)
    assert await cronofy.control.events(caller.calendar_id) == []
    await cronofy.control.advance(1)
    assert len(await cronofy.control.events(caller.calendar_id)) == 1


# The clock


async def test_answers_are_dated_by_the_sandboxs_clock(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.advance(3600)
    dates = (await caller.get("/v1/userinfo")).headers.get_list("date")
    assert [parsedate_to_datetime(date) for date in dates] == [NOON + timedelta(hours=1)]


async def test_time_that_runs_brings_about_what_is_due(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(write_delay=(0.2, 0.2), read_lag=(0, 0))
    await cronofy.control.unfreeze()
    await caller.upsert()
    await cronofy.control.wait_until_quiet(timeout=10)
    assert len(await caller.managed()) == 1


async def test_the_same_seed_gives_the_same_run() -> None:
    async def run(seed: int) -> list[str]:
        settings = SLOW.model_copy(update={"write_delay": (0, 60), "read_lag": (0, 60)})
        async with running(settings, seed=seed) as sandbox:
            caller = await sandbox.connect()
            for number in range(5):
                await caller.upsert(f"item-{number}")
            await sandbox.control.run_until_quiet()
            return [caller.account.sub, *(event["updated"] for event in await caller.managed())]

    assert await run(7) == await run(7)
    assert await run(7) != await run(8)


async def test_pending_names_everything_under_way(cronofy: Running, caller: Caller) -> None:
    await caller.upsert()
    await cronofy.control.create_event(caller.calendar_id, start=TEN, end=ELEVEN)
    pending = await cronofy.control.pending()
    assert not pending.quiet
    assert pending.next_due == NOON + timedelta(seconds=10)
    assert [(write.kind, write.event) for write in pending.writes] == [("upsert", "item-1")]
    assert [change.stage for change in pending.changes] == ["unknown"]
    await cronofy.control.run_until_quiet()
    assert (await cronofy.control.pending()).quiet
    assert cronofy.clock.now() == NOON + timedelta(seconds=25)


@pytest.mark.parametrize("wait", [0, 0.01])
async def test_waiting_for_quiet_gives_up_in_time(cronofy: Running, caller: Caller, wait: float) -> None:
    await caller.upsert()
    assert not (await cronofy.control.pending(wait=wait)).quiet
