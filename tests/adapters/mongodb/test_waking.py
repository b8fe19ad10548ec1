"""No work is forgotten: what comes in while somebody works, and what is due while nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from events.integration import Assignee, Busy, DeletionWish, Note, Released, Status, Taken
from tests.adapters.mongodb.examples import ANN, HOUR, NOTHING, NOW, OVER, after, linked, settings, taken
from tests.adapters.mongodb.subjects import IntegrationStore

pytestmark = pytest.mark.usefixtures("ann")

FAR = datetime(2200, 1, 1, tzinfo=UTC)


# Releasing: no work is forgotten


async def test_a_released_integration_is_due_when_its_holder_said(integrations: IntegrationStore) -> None:
    for due_at in (after(7), None):
        took = await taken(integrations)
        assert await integrations.release(took.lease, NOTHING, due_at, HOUR) == Released()
        found = await integrations.get(ANN.integration_id)
        assert found is not None
        assert found.due_at == due_at


async def test_a_message_that_found_it_busy_makes_the_holder_run_again_once(integrations: IntegrationStore) -> None:
    took = await taken(integrations, "first")
    await integrations.take(ANN.integration_id, "second", HOUR)
    await integrations.take(ANN.integration_id, "third", HOUR)
    again = await integrations.release(took.lease, NOTHING, None, HOUR)
    assert isinstance(again, Taken)
    assert again.lease.fence == took.lease.fence
    assert await integrations.current(again.lease)
    assert await integrations.take(ANN.integration_id, "fourth", HOUR) == Busy(), "the lease was kept"
    assert isinstance(await integrations.release(again.lease, NOTHING, None, HOUR), Taken), (
        "the fourth left a mark of its own"
    )
    assert await integrations.release(again.lease, NOTHING, None, HOUR) == Released()


async def test_a_lease_that_is_kept_begins_anew(integrations: IntegrationStore) -> None:
    took = await taken(integrations, "first", OVER)
    await integrations.mark_due([ANN.integration_id], NOW)
    again = await integrations.release(took.lease, NOTHING, None, HOUR)
    assert isinstance(again, Taken)
    assert again.lease.deadline > took.lease.deadline
    assert await integrations.take(ANN.integration_id, "second", HOUR) == Busy()


async def test_whoever_takes_the_lease_anew_has_seen_what_the_mark_was_for(integrations: IntegrationStore) -> None:
    await taken(integrations, "first")
    await integrations.take(ANN.integration_id, "second", HOUR)
    again = await taken(integrations, "first")
    assert await integrations.release(again.lease, NOTHING, None, HOUR) == Released()


Hint = Callable[[IntegrationStore], Awaitable[object]]
HINTS: dict[str, Hint] = {
    "an observation of an item": lambda store: store.mark_due([ANN.integration_id], after(5)),
    "a notification": lambda store: store.note_change(ANN.integration_id, NOW, after(5)),
    "a hint about the profile": lambda store: store.note_profile(ANN.integration_id, after(5)),
    "a wish": lambda store: store.want_settings(ANN, settings(1), after(5)),
}


@pytest.mark.parametrize("hint", HINTS)
async def test_a_hint_that_came_while_the_lease_was_held_is_not_released_away(
    integrations: IntegrationStore, hint: str
) -> None:
    took = await taken(integrations)
    await HINTS[hint](integrations)
    again = await integrations.release(took.lease, NOTHING, None, HOUR)
    assert isinstance(again, Taken), "its wake-up may get lost, so that the holder must look"
    assert again.integration == await integrations.get(ANN.integration_id)
    assert await integrations.release(again.lease, NOTHING, None, HOUR) == Released()


@pytest.mark.parametrize("hint", HINTS)
async def test_a_hint_that_came_before_the_lease_was_taken_needs_no_second_run(
    integrations: IntegrationStore, hint: str
) -> None:
    await HINTS[hint](integrations)
    took = await taken(integrations)
    assert await integrations.release(took.lease, NOTHING, None, HOUR) == Released()


async def test_with_the_mark_comes_what_was_changed_meanwhile(integrations: IntegrationStore) -> None:
    took = await taken(integrations)
    await integrations.want_settings(ANN, settings(1), NOW)
    again = await integrations.release(took.lease, NOTHING, None, HOUR)
    assert isinstance(again, Taken)
    assert again.lease.epoch == took.lease.epoch + 1
    assert again.integration.wanted.settings == settings(1)


# Waking what is due


async def some(integrations: IntegrationStore, *due: datetime) -> list[str]:
    return [await linked(integrations, Assignee(f"int_{number}", 1, 100 + number), at) for number, at in enumerate(due)]


async def test_what_is_due_and_not_worked_on_is_claimed_the_longest_waiting_first(
    integrations: IntegrationStore,
) -> None:
    third, first, second, later = await some(integrations, after(-1), after(-3), after(-2), after(1))
    assert await integrations.claim_due(NOW, after(1), 10) == [first, second, third, ANN.integration_id]
    assert later not in await integrations.claim_due(NOW, after(1), 10)


async def test_one_that_works_and_of_which_nothing_is_due_is_roused_and_no_other_is(
    integrations: IntegrationStore,
) -> None:
    working, off, gone = [Assignee(f"int_{name}", 1, 7) for name in ("working", "off", "gone")]
    for whose in (working, off, gone):
        await linked(integrations, whose)
    await integrations.want_active(off, 1, NOW, active=False)
    await integrations.want_deletion(gone, DeletionWish(2), NOW)
    for whose in (working, off, gone, ANN):
        took = await integrations.take(whose.integration_id, "message", HOUR)
        assert isinstance(took, Taken)
        held = took.integration.held
        status = Status.NOT_CONNECTED if whose is ANN else Status.CONNECTED
        await integrations.release(took.lease, Note(held, replace(held, status=status)), None, HOUR)
    assert await integrations.rouse(NOW) == 1
    assert await integrations.claim_due(NOW, after(1), 10) == [working.integration_id]
    assert await integrations.rouse(NOW) == 0


async def test_no_more_is_claimed_than_was_asked_for(integrations: IntegrationStore) -> None:
    third, first, second = await some(integrations, after(-1), after(-3), after(-2))
    assert await integrations.claim_due(NOW, after(1), 2) == [first, second]
    assert await integrations.claim_due(NOW, after(1), 2) == [third, ANN.integration_id]


async def test_what_was_claimed_is_due_again_later_should_nobody_have_heard(integrations: IntegrationStore) -> None:
    assert await integrations.claim_due(NOW, after(1), 10) == [ANN.integration_id]
    assert await integrations.claim_due(NOW, after(1), 10) == []
    assert await integrations.claim_due(after(1), after(2), 10) == [ANN.integration_id]


async def test_what_is_worked_on_is_not_claimed_until_the_lease_runs_out(integrations: IntegrationStore) -> None:
    await taken(integrations, "message")
    assert await integrations.claim_due(FAR, FAR, 10) == []
    await taken(integrations, "message", OVER)
    assert await integrations.claim_due(FAR, FAR, 10) == [ANN.integration_id]


async def test_whoever_dies_at_work_is_found_out_when_the_lease_ends_though_nothing_else_made_it_due(
    integrations: IntegrationStore,
) -> None:
    took = await taken(integrations)
    await integrations.release(took.lease, NOTHING, None, HOUR)
    await taken(integrations, "dies", OVER)
    assert await integrations.claim_due(FAR, FAR, 10) == [ANN.integration_id]


async def test_whoever_finds_it_taken_makes_it_due_at_the_end_of_the_lease_at_the_latest(
    integrations: IntegrationStore,
) -> None:
    took = await taken(integrations, "first")
    assert await integrations.take(ANN.integration_id, "second", HOUR) == Busy()
    held = await integrations.get(ANN.integration_id)
    assert held is not None
    assert held.due_at is not None
    await integrations.mark_due([ANN.integration_id], NOW)
    assert await integrations.take(ANN.integration_id, "third", HOUR) == Busy()
    again = await integrations.get(ANN.integration_id)
    assert again is not None
    assert again.due_at == NOW, "what is due earlier stays so"
    assert isinstance(await integrations.release(took.lease, NOTHING, None, HOUR), Taken)


async def test_what_rests_is_not_claimed_until_something_makes_it_due(integrations: IntegrationStore) -> None:
    took = await taken(integrations)
    await integrations.release(took.lease, NOTHING, None, HOUR)
    assert await integrations.claim_due(after(999), after(1000), 10) == []
    await integrations.mark_due([ANN.integration_id], NOW)
    assert await integrations.claim_due(NOW, after(1), 10) == [ANN.integration_id]


async def test_of_many_who_claim_at_once_each_gets_something_else(integrations: IntegrationStore) -> None:
    due = await some(integrations, *(after(-n) for n in range(20)))
    claimed = await asyncio.gather(*(integrations.claim_due(NOW, after(1), 100) for _ in range(5)))
    assert sorted(id_ for ids in claimed for id_ in ids) == sorted([ANN.integration_id, *due])
