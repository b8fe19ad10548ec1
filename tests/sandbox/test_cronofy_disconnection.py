"""What becomes of a profile that cannot be used, and of what was asked of it meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.cronofy.model.moments import show_time
from tests.sandbox.conftest import ELEVEN, NOON, TEN, Caller, Receiver, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_writes_to_a_disconnected_profile_are_applied_after_it_is_linked_again(
    cronofy: Running, caller: Caller
) -> None:
    await caller.upsert("before")
    await cronofy.control.disconnect(caller.account.profile_id)
    assert (await caller.upsert("meanwhile", summary="Old")).status_code == 202
    await caller.upsert("meanwhile", summary="New")
    await cronofy.control.advance(3600)
    pending = await cronofy.control.pending()
    assert pending.quiet
    assert [(write.event, write.held) for write in pending.writes] == [
        ("before", True),
        ("meanwhile", True),
        ("meanwhile", True),
    ]
    assert await cronofy.control.events(caller.calendar_id) == []
    await cronofy.control.relink(caller.account.profile_id)
    await cronofy.control.run_until_quiet()
    events = await cronofy.control.events(caller.calendar_id)
    assert [(event.event_id, event.summary) for event in events] == [("before", "Visit"), ("meanwhile", "New")]
    assert [tally.updates for tally in await cronofy.control.tallies()] == [0, 1]


async def test_writes_to_a_disconnected_profile_can_be_refused(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(while_disconnected="locked")
    await cronofy.control.disconnect(caller.account.profile_id)
    assert (await caller.upsert()).status_code == 423


async def test_writes_to_a_disconnected_profile_can_be_lost(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(while_disconnected="dropped")
    await cronofy.control.disconnect(caller.account.profile_id)
    assert (await caller.upsert()).status_code == 202
    await cronofy.control.relink(caller.account.profile_id)
    await cronofy.control.run_until_quiet()
    assert await cronofy.control.events(caller.calendar_id) == []


async def test_reads_of_a_disconnected_profile_show_what_was_known(cronofy: Running, caller: Caller) -> None:
    known = await cronofy.control.create_event(caller.calendar_id, summary="Known", start=TEN, end=ELEVEN)
    await cronofy.control.run_until_quiet()
    await cronofy.control.disconnect(caller.account.profile_id)
    await cronofy.control.edit_event(known, summary="Unknown")
    await cronofy.control.advance(3600)
    assert [event["summary"] for event in await caller.read()] == ["Known"]


async def test_what_a_person_changed_meanwhile_is_learned_and_notified_after_linking_again(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await caller.open_channel(receiver.url)
    await cronofy.control.disconnect(caller.account.profile_id)
    await cronofy.control.create_event(caller.calendar_id, summary="Lunch", start=TEN, end=ELEVEN)
    await cronofy.control.advance(3600)
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["verification", "profile_disconnected"]
    await cronofy.control.relink(caller.account.profile_id)
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["verification", "profile_disconnected", "change"]
    assert receiver.notifications[-1]["notification"]["changes_since"] == show_time(NOON)
    assert [event["summary"] for event in await caller.read()] == ["Lunch"]


# Three failures with pauses of a minute


@pytest.mark.parametrize("use", ["write", "change"])
async def test_withdrawn_credentials_are_found_out_when_they_are_used(
    cronofy: Running, caller: Caller, receiver: Receiver, use: str
) -> None:
    await caller.open_channel(receiver.url)
    await cronofy.control.withdraw_credentials(caller.account.profile_id)
    await cronofy.control.advance(86_400)
    assert await connected(caller)
    if use == "write":
        await caller.upsert()
    else:
        await cronofy.control.create_event(caller.calendar_id, start=TEN, end=ELEVEN)
    await cronofy.control.advance(20 + 119)
    assert await connected(caller) is (use == "change")
    await cronofy.control.advance(1)
    assert not await connected(caller)
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["verification", "profile_disconnected"]


async def test_credentials_that_are_back_in_time_keep_the_profile_connected(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await caller.open_channel(receiver.url)
    await cronofy.control.withdraw_credentials(caller.account.profile_id)
    await caller.upsert()
    await cronofy.control.advance(60)
    await cronofy.control.relink(caller.account.profile_id)
    await cronofy.control.advance(3600)
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["verification"]
    assert len(await cronofy.control.events(caller.calendar_id)) == 1


async def connected(caller: Caller) -> bool:
    (profile,) = (await caller.get("/v1/profiles")).json()["profiles"]
    return bool(profile["profile_connected"])


# Outages of a provider


async def test_an_outage_delays_everything_and_disconnects_nobody(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(outages=["google"])
    await caller.upsert()
    await cronofy.control.create_event(caller.calendar_id, summary="Lunch", start=TEN, end=ELEVEN)
    await cronofy.control.advance(4 * 3600)
    assert await caller.read(include_managed="true") == []
    assert await connected(caller)
    await cronofy.control.change_settings(outages=[])
    await cronofy.control.run_until_quiet()
    read = await caller.read(include_managed="true")
    assert sorted(event["summary"] for event in read) == ["Lunch", "Visit"]
    written = next(event for event in read if "event_id" in event)
    assert written["updated"] == show_time(NOON + timedelta(hours=4, seconds=10))


async def test_an_outage_of_one_provider_leaves_the_others_alone(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(outages=["icloud"])
    await caller.upsert()
    await cronofy.control.run_until_quiet()
    assert len(await caller.managed()) == 1
