"""Point 20: a run is taken back, except what somebody has worked on since, and the brakes hold here as anywhere."""

from __future__ import annotations

from collections import Counter

import pytest

from events.items import ItemType
from events.outcomes import OrderClosed, RunProgressData
from events.psa import BrakeOptions, SyncDirection, TenantOptions
from sandbox.psa.model.integrations import ReleaseDeletions
from sandbox.psa.publishing.mishaps import Kind, Mishap
from tests.stories.backfills import MONTH, ended, linked, on, subjects, summaries, unannounced_items
from tests.stories.stage import PATIENCE, Linked, NotYet, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def brought_together(world: Stage, user: int) -> tuple[Linked, RunProgressData]:
    """Let a run bring two items out and two events in."""
    await unannounced_items(world, user, [2, 5])
    dana = await linked(world, user, [3, 8])
    pressed = await world.psa.sync_now(dana.integration_id, span=MONTH)
    done = await ended(world, dana.integration_id, pressed.revision)
    assert (done.state, done.created) == ("finished", 4)
    await dana.rest()
    return dana, done


async def undone(world: Stage, dana: Linked, run_id: str) -> RunProgressData:
    asked = await world.psa.undo_run(dana.integration_id, run_id)
    return await ended(world, dana.integration_id, asked.revision)


async def test_what_a_run_made_is_gone_and_comes_back_once_somebody_works_on_it(world: Stage) -> None:
    dana, done = await brought_together(world, 301)
    back = await undone(world, dana, done.run_id)
    assert (back.kind, back.state, back.deleted, back.skipped, back.failed) == ("undo", "finished", 4, 0, 0)
    await dana.rest()
    before = Counter(["item 2", "item 5"]), Counter(["old 3", "old 8"])
    assert (await subjects(world, 301), await summaries(dana)) == before, "as if nothing had been"
    assert len(await world.log(dana.integration_id, reason="undone", act="delete")) == 4

    again = await undone(world, dana, done.run_id)
    assert (again.state, again.total) == ("finished", 0)

    (item,) = [item for item in await world.psa.items(301) if item.field("subject") == "item 2"]
    await world.psa.edit_item(item, subject="worked on")
    await dana.shows(item, summary="worked on")
    (event,) = [event for event in await dana.events() if event.summary == "old 3"]
    await world.cronofy.edit_event(event, summary="moved on")
    await world.until(lambda: shows(world, 301, "moved on"))
    await dana.rest()
    assert await subjects(world, 301) == Counter(["worked on", "item 5", "moved on"])
    assert await summaries(dana) == Counter(["worked on", "moved on", "old 8"])


async def test_another_run_brings_back_what_was_taken_back(world: Stage) -> None:
    dana, done = await brought_together(world, 302)
    await undone(world, dana, done.run_id)
    pressed = await world.psa.sync_now(dana.integration_id, span=MONTH)
    told = await ended(world, dana.integration_id, pressed.revision)
    assert (told.state, told.created) == ("finished", 4)
    everything = Counter(["item 2", "item 5", "old 3", "old 8"])
    assert (await subjects(world, 302), await summaries(dana)) == (everything, everything)


async def test_what_somebody_changed_since_stays_as_it_is_with_that_reason(world: Stage) -> None:
    dana, done = await brought_together(world, 303)
    items = {str(item.field("subject")): item for item in await world.psa.items(303)}
    await world.psa.edit_item(items["item 2"], subject="edited in the PSA")
    await world.psa.edit_item(items["old 3"], subject="edited in the PSA, too")
    (event,) = [event for event in await dana.events() if event.event_uid and event.summary == "item 5"]
    await world.cronofy.edit_event(event, summary="edited in the calendar")
    await dana.rest()
    back = await undone(world, dana, done.run_id)
    assert (back.state, back.deleted, back.skipped) == ("finished", 1, 3)
    await dana.rest()
    assert len(await world.log(dana.integration_id, reason="changed_since")) == 3
    assert await subjects(world, 303) == Counter([
        "edited in the PSA",
        "edited in the PSA, too",
        "edited in the calendar",
    ])
    kept = Counter(["edited in the PSA", "edited in the calendar", "old 3", "old 8"])
    assert await summaries(dana) == kept, "the event of the user is not written without the right to"


async def test_what_a_run_changed_shows_again_what_it_showed_before_and_is_in_sync(world: Stage) -> None:
    dana = await world.link(304)
    item = await world.psa.create_item(ItemType.APPOINTMENT, [304], subject="review", start=on(2), end=on(2, 13))
    await dana.event(item)
    await dana.rest()
    await world.psa.add_mishap(Mishap(kind=Kind.LOST, type="psa.calendar_item.changed.v1", times=1))
    item = await world.psa.edit_item(item, subject="renamed unheard")
    pressed = await world.psa.sync_now(dana.integration_id, SyncDirection.SEND, MONTH)
    done = await ended(world, dana.integration_id, pressed.revision)
    assert (done.state, done.updated) == ("finished", 1)
    back = await undone(world, dana, done.run_id)
    assert (back.state, back.updated) == ("finished", 1)
    await dana.rest()
    assert (await subjects(world, 304), await summaries(dana)) == (Counter(["renamed unheard"]), Counter(["review"]))
    await world.psa.edit_item(item, location="Room 5")
    await dana.shows(item, location="Room 5", summary="review")


async def test_many_deletions_wait_to_be_released_as_always(world: Stage) -> None:
    await world.psa.configure_tenant(TenantOptions(brakes=BrakeOptions(few_deletions=1)))
    dana, done = await brought_together(world, 305)
    back = await undone(world, dana, done.run_id)
    assert (back.state, back.deleted, back.skipped) == ("finished", 2, 2)
    await dana.rest()
    assert await subjects(world, 305) == Counter(["item 2", "item 5", "old 3", "old 8"])
    await world.psa.release(dana.integration_id, ReleaseDeletions())
    await world.until(lambda: shows_just(world, 305, "item 2", "item 5"))
    await dana.rest()
    assert await summaries(dana) == Counter(["old 3", "old 8"]), "the user's own events stay the user's"
    await world.psa.configure_tenant(TenantOptions())


async def test_a_run_that_is_not_there_or_not_over_is_not_taken_back(world: Stage) -> None:
    dana = await world.link(306)
    asked = await world.psa.undo_run(dana.integration_id, "int-306/999")
    refused = await ended(world, dana.integration_id, asked.revision)
    assert (refused.state, refused.reason) == ("refused", "unknown_run")
    closed = await world.psa.outcome(OrderClosed, integration_id=dana.integration_id, within=PATIENCE)
    assert (closed.data.order, closed.data.reason) == ("undo_run", "unknown_run")


async def shows(world: Stage, user: int, subject: str) -> None:
    if subject not in await subjects(world, user):
        raise NotYet


async def shows_just(world: Stage, user: int, *wanted: str) -> None:
    if (found := await subjects(world, user)) != Counter(wanted):
        raise NotYet(f"{found}")
