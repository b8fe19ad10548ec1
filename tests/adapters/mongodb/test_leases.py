"""The right to work on an integration: one holder, and nothing is saved by whoever lost it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from events.integration import (
    Account,
    Busy,
    CalendarInfo,
    Held,
    Lease,
    Lost,
    Note,
    Released,
    Served,
    Signals,
    Status,
    Taken,
    Tokens,
    Unknown,
)
from events.reasons import Reason
from tests.adapters.mongodb.examples import ANN, BOB, HOUR, NOTHING, NOW, OVER, after, linked, settings, taken
from tests.adapters.mongodb.subjects import IntegrationStore

pytestmark = pytest.mark.usefixtures("ann")

HELD = Held(
    connected_revision=1,
    status=Status.CONNECTED,
    reason=Reason.IN_SYNC,
    account=Account("acc_1", "pro_1", "ann@example.com", "google", "gsuite"),
    tokens=Tokens("access", "refresh", after(60)),
    calendars=(CalendarInfo("cal_1", "Ann's", "pro_1", primary=True),),
    cursor=NOW,
)


# Taking


async def test_a_message_takes_the_lease_and_sees_the_integration(integrations: IntegrationStore) -> None:
    took = await taken(integrations, "message")
    assert took.integration == await integrations.get(ANN.integration_id)
    assert (took.lease.owner, took.lease.integration_id) == ("message", ANN.integration_id)
    assert took.lease.epoch == took.integration.epoch == 1
    assert await integrations.current(took.lease)


async def test_nobody_takes_what_does_not_exist(integrations: IntegrationStore) -> None:
    assert await integrations.take("int_nobody", "message", HOUR) == Unknown()
    assert await integrations.get("int_nobody") is None


async def test_a_held_lease_is_busy_for_another_message(integrations: IntegrationStore) -> None:
    took = await taken(integrations, "first")
    assert await integrations.take(ANN.integration_id, "second", HOUR) == Busy()
    assert await integrations.current(took.lease)


async def test_the_same_message_enters_again_at_once_with_the_next_fence(integrations: IntegrationStore) -> None:
    crashed = await taken(integrations, "message")
    again = await taken(integrations, "message")
    assert again.lease.fence == crashed.lease.fence + 1
    assert await integrations.current(again.lease)
    assert not await integrations.current(crashed.lease)


async def test_a_lease_that_has_run_out_can_be_taken_with_the_next_fence(integrations: IntegrationStore) -> None:
    slow = await taken(integrations, "first", OVER)
    quick = await taken(integrations, "second")
    assert quick.lease.fence == slow.lease.fence + 1
    assert not await integrations.current(slow.lease)


async def test_a_released_lease_can_be_taken_with_the_next_fence(integrations: IntegrationStore) -> None:
    former = await taken(integrations, "first")
    await integrations.release(former.lease, NOTHING, None, HOUR)
    assert (await taken(integrations, "second")).lease.fence == former.lease.fence + 1


async def test_of_many_who_take_at_once_exactly_one_holds(integrations: IntegrationStore) -> None:
    results = await asyncio.gather(*(integrations.take(ANN.integration_id, f"message {n}", HOUR) for n in range(20)))
    assert sum(isinstance(result, Taken) for result in results) == 1
    assert results.count(Busy()) == 19


async def test_leases_of_two_integrations_have_nothing_to_do_with_each_other(integrations: IntegrationStore) -> None:
    await linked(integrations, BOB)
    assert isinstance(await integrations.take(ANN.integration_id, "message", HOUR), Taken)
    assert isinstance(await integrations.take(BOB.integration_id, "another", HOUR), Taken)


@pytest.mark.parametrize("owner", ["$$NOW", "$lease.owner", "", "null"])
async def test_an_owner_is_a_name_whatever_it_looks_like(integrations: IntegrationStore, owner: str) -> None:
    assert (await taken(integrations, owner)).lease.owner == owner
    assert await integrations.take(ANN.integration_id, "another", HOUR) == Busy()
    assert isinstance(await integrations.take(ANN.integration_id, owner, HOUR), Taken)


# Losing


async def by_its_own_message(integrations: IntegrationStore) -> Lease:
    lost = await taken(integrations, "message")
    await taken(integrations, "message")
    return lost.lease


async def by_running_out(integrations: IntegrationStore) -> Lease:
    lost = await taken(integrations, "message", OVER)
    await taken(integrations, "another")
    return lost.lease


async def by_releasing(integrations: IntegrationStore) -> Lease:
    lost = await taken(integrations, "message")
    await integrations.release(lost.lease, NOTHING, after(7), HOUR)
    return lost.lease


@pytest.mark.parametrize("lose", [by_its_own_message, by_running_out, by_releasing])
async def test_whoever_lost_the_lease_can_do_nothing(
    integrations: IntegrationStore, lose: Callable[[IntegrationStore], Awaitable[Lease]]
) -> None:
    lost = await lose(integrations)
    before = await integrations.get(ANN.integration_id)
    assert not await integrations.current(lost)
    assert not await integrations.save(lost, Note(Held(), HELD))
    assert not await integrations.save(lost, Note(Held(), Held(), Served(9, 9)))
    assert await integrations.extend(lost, HOUR) == Lost()
    assert await integrations.release(lost, NOTHING, after(60), HOUR) == Lost()
    assert await integrations.give_way(lost, NOTHING, after(60)) == Lost()
    assert await integrations.get(ANN.integration_id) == before


@pytest.mark.parametrize("marked", [False, True])
async def test_whoever_gives_way_leaves_it_free_and_due_whatever_came_in(
    integrations: IntegrationStore, *, marked: bool
) -> None:
    took = await taken(integrations, "first")
    if marked:
        assert await integrations.take(ANN.integration_id, "second", HOUR) == Busy()
    assert await integrations.give_way(took.lease, Note(Held(), HELD), after(60)) == Released()
    left = await integrations.get(ANN.integration_id)
    assert left is not None
    assert (left.held, left.due_at) == (HELD, after(60))
    again = await taken(integrations, "third")
    assert again.lease.fence > took.lease.fence


async def test_a_lease_under_older_settings_is_not_current(integrations: IntegrationStore) -> None:
    took = await taken(integrations)
    await integrations.want_settings(ANN, settings(1), NOW)
    assert not await integrations.current(took.lease)


async def test_extending_keeps_the_lease_and_shows_new_settings(integrations: IntegrationStore) -> None:
    took = await taken(integrations, "first", OVER)
    await integrations.want_settings(ANN, settings(1), NOW)
    longer = await integrations.extend(took.lease, HOUR)
    assert isinstance(longer, Taken)
    assert longer.lease.fence == took.lease.fence
    assert longer.lease.epoch == took.lease.epoch + 1
    assert longer.lease.deadline > took.lease.deadline
    assert longer.integration.wanted.settings == settings(1)
    assert await integrations.take(ANN.integration_id, "second", HOUR) == Busy()


# What the holder records


async def test_what_the_holder_saves_is_what_the_next_one_finds(integrations: IntegrationStore) -> None:
    took = await taken(integrations)
    assert await integrations.save(took.lease, Note(took.integration.held, HELD))
    later = replace(HELD, tokens=Tokens("a2", "r2", after(90)), cursor=None, calendars=(), calendar_failures=3)
    assert await integrations.save(took.lease, Note(HELD, later))
    assert await integrations.save(took.lease, Note(later, later))
    assert (await taken(integrations)).integration.held == later
    assert await integrations.save(took.lease, Note(later, later)), "nothing to save, nothing to refuse"


@pytest.mark.parametrize("marked", [False, True])
async def test_what_was_noted_is_written_down_with_the_release(integrations: IntegrationStore, *, marked: bool) -> None:
    await integrations.note_change(ANN.integration_id, after(1), NOW)
    took = await taken(integrations)
    if marked:
        await integrations.mark_due([ANN.integration_id], NOW)
    note = Note(took.integration.held, HELD, Served(1, 0))
    result = await integrations.release(took.lease, note, after(60), HOUR)
    found = await integrations.get(ANN.integration_id)
    assert found is not None
    assert found.held == HELD
    assert found.signals == Signals(requested=1, served=1)
    assert isinstance(result, Taken) is marked
    assert not isinstance(result, Taken) or result.integration == found


async def test_a_hint_is_served_up_to_the_number_that_was_followed(integrations: IntegrationStore) -> None:
    await integrations.note_change(ANN.integration_id, after(1), NOW)
    await integrations.note_profile(ANN.integration_id, NOW)
    took = await taken(integrations)
    await integrations.note_change(ANN.integration_id, after(2), NOW)
    assert await integrations.save(took.lease, Note(Held(), Held(), Served(1, 1)))
    found = await integrations.get(ANN.integration_id)
    assert found is not None
    assert found.signals == Signals(
        requested=2, served=1, changes_since=after(1), profile_check=1, profile_checked=1
    ), "one is not served, and its moment is not known apart"
    assert await integrations.save(took.lease, Note(Held(), Held(), Served(2, 1)))
    found = await integrations.get(ANN.integration_id)
    assert found is not None
    assert found.signals == Signals(requested=2, served=2, profile_check=1, profile_checked=1)
    await integrations.note_change(ANN.integration_id, after(3), NOW)
    found = await integrations.get(ANN.integration_id)
    assert found is not None
    assert found.signals.changes_since == after(3), "what was served is forgotten"


# Setting aside


async def test_a_message_that_is_set_aside_holds_nothing_any_more(integrations: IntegrationStore) -> None:
    await taken(integrations, "poison")
    assert not await integrations.abandon(ANN.integration_id, "another")
    assert await integrations.take(ANN.integration_id, "another", HOUR) == Busy()
    assert await integrations.abandon(ANN.integration_id, "poison")
    assert not await integrations.abandon(ANN.integration_id, "poison")
    assert isinstance(await integrations.take(ANN.integration_id, "another", HOUR), Taken)


@pytest.mark.parametrize("marked", [False, True])
async def test_what_was_set_aside_is_due_when_its_lease_would_have_ended_or_at_once_for_a_mark(
    integrations: IntegrationStore, *, marked: bool
) -> None:
    await taken(integrations, "poison")
    held = await integrations.get(ANN.integration_id)
    if marked:
        assert await integrations.take(ANN.integration_id, "another", HOUR) == Busy()
    await integrations.abandon(ANN.integration_id, "poison")
    left = await integrations.get(ANN.integration_id)
    assert held is not None
    assert left is not None
    assert held.due_at is not None
    assert left.due_at is not None
    assert (left.due_at < held.due_at) is marked
