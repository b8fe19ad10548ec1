"""Point 4: the user presses Sync now and can trust what it does: within the range, once, and nobody gets mail."""

from __future__ import annotations

from collections import Counter

import pytest

from events.outcomes import RunProgressData
from events.psa import SyncDirection
from tests.stories.backfills import MONTH, ended, linked, progress, subjects, summaries, unannounced_items
from tests.stories.stage import NotYet, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_both_ways_within_the_range_with_totals_and_nobody_is_reminded(world: Stage) -> None:
    await unannounced_items(world, 7001, [-20, -3, 2, 5, 60])
    dana = await linked(world, 7001, [-20, -2, 3, 8, 60])
    pressed = await world.psa.sync_now(dana.integration_id, SyncDirection.BOTH, MONTH)
    last = await ended(world, dana.integration_id, pressed.revision)
    assert (last.state, last.created, last.failed, last.done, last.total) == ("finished", 6, 0, 6, 6)
    inside = Counter(["item -3", "item 2", "item 5", "old -2", "old 3", "old 8"])
    assert await summaries(dana) == inside + Counter(["old -20", "old 60"])
    assert await subjects(world, 7001) == inside + Counter(["item -20", "item 60"])
    assert all((event.attendees, event.reminders) == ((), ()) for event in await dana.events())


async def test_pressing_twice_joins_and_switched_off_is_refused_with_that_reason(world: Stage) -> None:
    dana = await linked(world, 7002, [1, 2])
    first = await world.psa.sync_now(dana.integration_id, SyncDirection.RETRIEVE, MONTH)
    second = await world.psa.sync_now(dana.integration_id, SyncDirection.RETRIEVE, MONTH)
    done = await ended(world, dana.integration_id, first.revision)
    assert (done.state, done.created) == ("finished", 2)
    again = await world.until(lambda: answered(world, dana.integration_id, second.revision))
    assert again.run_id == done.run_id or again.reason == "too_soon"
    await world.psa.deactivate(dana.integration_id)
    third = await world.psa.sync_now(dana.integration_id, SyncDirection.BOTH, MONTH)
    refused = await ended(world, dana.integration_id, third.revision)
    assert (refused.state, refused.reason) == ("refused", "inactive")
    assert await subjects(world, 7002) == Counter(["old 1", "old 2"])


async def answered(world: Stage, integration_id: str, revision: int) -> RunProgressData:
    """Return the first word to whoever asked."""
    told = [one for one in await progress(world, integration_id) if one.revision == revision]
    if not told:
        raise NotYet
    return told[0]


async def test_what_was_ticked_when_settings_were_saved_runs_once_they_are_in_force(world: Stage) -> None:
    dana = await linked(world, 7003, [1, 60])
    saved = await world.psa.configure(dana.integration_id, dana.calendar_id, retrieve=MONTH)
    done = await ended(world, dana.integration_id, saved.revision)
    assert (done.state, done.created) == ("finished", 1)
    assert await subjects(world, 7003) == Counter(["old 1"])
