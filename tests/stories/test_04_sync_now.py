"""Point 4: the user presses Sync now and can trust what it does: within the range, once, and nobody gets mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from events.items import ItemType
from events.outcomes import Configured, RunProgress, RunProgressData
from events.psa import FutureRange, PastRange, Range, SyncDirection
from sandbox.cronofy.control.event_messages import EventFields
from sandbox.psa.client import PsaItem
from sandbox.psa.publishing.mishaps import Kind, Mishap
from tests.stories.stage import PATIENCE, Linked, NotYet, Services, Stage, stage

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)  # noqa: TID251
MONTH = Range(past=PastRange.ONE_WEEK, future=FutureRange.ONE_MONTH)


def on(day: int, hour: int = 12) -> datetime:
    return NOON.replace(hour=hour) + timedelta(days=day)


async def linked(world: Stage, user: int, days: Sequence[int]) -> Linked:
    """Link a calendar that has been in use before, with an event on each of these days."""
    account = await world.cronofy.create_account()
    events: list[EventFields] = [{"summary": f"old {day}", "start": on(day, 9), "end": on(day, 10)} for day in days]
    await world.cronofy.create_known_events(account.calendar_id, events)
    await world.cronofy.advance(60)
    dana = Linked(world, user, f"int-{user}", account)
    await world.psa.connect(dana.integration_id, user, account.code, time_zone="Europe/Berlin")
    await world.psa.configure(dana.integration_id, account.calendar_id)
    await world.psa.outcome(Configured, integration_id=dana.integration_id, within=PATIENCE)
    return dana


async def unannounced_items(world: Stage, user: int, days: Sequence[int]) -> list[PsaItem]:
    """Make items of which nobody is told: their events get lost."""
    await world.psa.add_mishap(Mishap(kind=Kind.LOST, type="psa.calendar_item.changed.v1", times=len(days)))
    return [
        await world.psa.create_item(ItemType.APPOINTMENT, [user], subject=f"item {day}", start=on(day), end=on(day, 13))
        for day in days
    ]


async def progress(world: Stage, integration_id: str) -> list[RunProgressData]:
    told = await world.psa.outcomes("calsync.run.progress.v1", integration_id=integration_id)
    return [one.event.data for one in told if isinstance(one.event, RunProgress)]


async def ended(world: Stage, integration_id: str, revision: int) -> RunProgressData:
    """Return the last word about the run that an event asked for."""

    async def look() -> RunProgressData:
        told = await progress(world, integration_id)
        (run_id,) = {one.run_id for one in told if one.revision == revision} or {""}
        last = [one for one in told if one.run_id == run_id and one.state != "running"]
        if not last:
            raise NotYet(f"{told}")
        return last[-1]

    return await world.until(look)


async def subjects(world: Stage, user: int) -> Counter[str]:
    """Return what the user's My Calendar shows."""
    mine = [item for item in await world.psa.items(user) if not item.deleted]
    return Counter(str(getattr(item.facts.item, "subject", "")) for item in mine)


async def summaries(dana: Linked) -> Counter[str]:
    return Counter(event.summary for event in await dana.events())


@pytest.fixture
async def world(services: Services, tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(services, tmp_path) as opened, opened.working():
        yield opened


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
