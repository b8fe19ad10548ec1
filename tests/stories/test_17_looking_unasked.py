"""Looking unasked: what a lost notification hid is found, time brings events into sight, and absence proves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from events.items import ItemType
from events.outcomes import SuspiciousRead, Synced
from sandbox.cronofy.api.faults import Match, Thin
from sandbox.psa.client import PsaItem
from tests.stories.stage import DANA, PATIENCE, Linked, NotYet, Services, Stage, stage
from worker.parts import ALL_PARTS, Part

NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)  # noqa: TID251
DAY: Final = timedelta(days=1)
MANY: Final = 4
UNHEARD: Final = [part for part in ALL_PARTS if part is not Part.NOTIFICATIONS]
"""Nobody takes notifications: they might as well have been lost."""
AN_HOUR: Final = 3600.0


@dataclass
class Scene:
    """Dana with some appointments in her calendar, and nobody who hears notifications."""

    world: Stage
    dana: Linked
    items: list[PsaItem]

    async def time_has_come(self, which: str) -> None:
        """Let the moment of a look come that nobody asked for."""
        now = datetime.now(UTC)  # noqa: TID251 - the workers' clock is real
        await asyncio.to_thread(
            self.world.store["integrations"].update_one,
            {"_id": self.dana.integration_id},
            {"$set": {f"held.audit.{which}_at": now, "due_at": now, "rerun": True}},
        )

    async def found(self, reason: str) -> None:
        """Wait until the log tells of something that an audit found."""

        async def look() -> None:
            query = {"act": "find", "reason": reason}
            if await asyncio.to_thread(self.world.store["sync_log"].find_one, query) is None:
                raise NotYet(reason)

        await self.world.until(look)

    async def verified(self) -> Synced:
        """Wait until the PSA is told that the calendar was verified completely."""

        async def look() -> Synced:
            told = await self.world.psa.outcomes(
                "calsync.integration.synced.v1", integration_id=self.dana.integration_id
            )
            for one in told:
                if isinstance(one.event, Synced) and one.event.data.verified_complete is not None:
                    return one.event
            raise NotYet("verified")

        return await self.world.until(look)


@pytest.fixture
async def scene(services: Services, tmp_path: Path) -> AsyncGenerator[Scene]:
    async with stage(services, tmp_path) as world, world.working(parts=UNHEARD):
        dana = await world.link()
        items = [
            await world.psa.create_item(
                ItemType.APPOINTMENT,
                [DANA],
                subject=f"Visit {number}",
                start=NOW + (number + 2) * DAY,
                end=NOW + (number + 2) * DAY + timedelta(hours=1),
            )
            for number in range(MANY)
        ]
        for item in items:
            await dana.event(item)
        await world.rest()
        yield Scene(world, dana, items)


async def test_a_change_whose_notification_was_lost_is_found_healed_and_counted(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    event = await dana.event(scene.items[0])
    await world.cronofy.edit_event(event, summary="Visit to Contoso")
    await world.cronofy.advance(AN_HOUR)
    await scene.time_has_come("light")

    async def renamed() -> None:
        item = await world.psa.item(ItemType.APPOINTMENT, scene.items[0].item_id)
        if item.field("subject") != "Visit to Contoso":
            raise NotYet("renamed")

    await world.until(renamed)
    await scene.found("missed_signal")


async def test_an_event_that_time_brings_into_sight_comes_in_without_a_notification(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    start = NOW + timedelta(days=202)
    event = await world.cronofy.create_event(
        dana.calendar_id, summary="Far away", start=start, end=start + timedelta(hours=1)
    )
    await world.cronofy.advance(2 * 24 * AN_HOUR)
    await scene.time_has_come("light")
    await dana.appointment(event)


async def test_an_empty_listing_deletes_nothing_and_is_repeated_until_the_calendar_is_verified(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    await world.cronofy.set_fault(Thin(keep=0), Match(operation="read_events"), count=None)
    await scene.time_has_come("deep")
    told = await world.psa.outcome(SuspiciousRead, integration_id=dana.integration_id, within=PATIENCE)
    assert (told.data.known, told.data.shown) == (MANY, 0)
    await scene.found("suspicious_read")
    await world.rest()
    assert len([event for event in await dana.events() if not event.deleted]) == MANY
    assert len([item for item in await world.psa.items(DANA) if not item.deleted]) == MANY
    await world.cronofy.clear_faults()
    before = await world.writes()
    await scene.time_has_come("deep")
    assert (await scene.verified()).data.verified_complete is not None
    assert await world.writes() == before
