"""Looking unasked: what a lost message hid is found, time brings events into sight, and absence proves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from events.items import ItemType
from events.outcomes import SuspiciousRead, Synced
from sandbox.clock import Clock
from sandbox.cronofy.api.faults import Match
from sandbox.cronofy.api.faults import Thin as ThinRead
from sandbox.psa.api.faults import Fault, Thin
from sandbox.psa.client import PsaItem
from sandbox.psa.publishing.mishaps import Kind, Mishap
from tests.services import Urls
from tests.stories.stage import PATIENCE, Linked, NotYet, Services, Stage, held_open, stage
from tests.stories.waiting import shows
from worker.parts import ALL_PARTS, Part

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)  # noqa: TID251
DAY: Final = timedelta(days=1)
LONG_AGO: Final = NOW - 7 * DAY
"""The sandboxes' today: whatever is changed there is late news to a worker."""
MANY: Final = 4
UNHEARD: Final = [part for part in ALL_PARTS if part is not Part.NOTIFICATIONS]
"""Nobody takes notifications: they might as well have been lost."""
AN_HOUR: Final = 3600.0
USERS: Final = itertools.count(1701)


@dataclass
class Scene:
    """Dana with some appointments in her calendar, and nobody who hears notifications."""

    world: Stage
    dana: Linked
    items: list[PsaItem]

    @property
    def user(self) -> int:
        return self.dana.user_id

    async def time_has_come(self, which: str) -> None:
        """Let the moment of a look come that nobody asked for, while nobody writes down another one."""
        now = datetime.now(UTC)  # noqa: TID251 - the workers' clock is real
        come = {"$set": {f"held.audit.{which}": now, "due_at": now, "rerun": True}}
        nobody_works = {"_id": self.dana.integration_id, "lease.owner": None}

        async def look() -> None:
            integrations = self.world.store["integrations"]
            if not (await asyncio.to_thread(integrations.update_one, nobody_works, come)).matched_count:
                raise NotYet(which)

        await self.world.until(look)

    async def found(self, reason: str) -> None:
        """Wait until the log tells of something that an audit found."""

        async def look() -> None:
            if not await self.world.log(self.dana.integration_id, act="find", reason=reason):
                raise NotYet(reason)

        await self.world.until(look)

    async def stock_is_taken(self) -> None:
        """Have the PSA's items listed, and return when that has been done."""
        await self.time_has_come("stock.at")
        integrations, query = self.world.store["integrations"], {"_id": self.dana.integration_id}

        async def look() -> None:
            document = await asyncio.to_thread(integrations.find_one, query)
            stock = document["held"]["audit"]["stock"]
            if stock["until"] is None or stock["at"] <= datetime.now(UTC):  # noqa: TID251 - as above
                raise NotYet(stock)

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


@contextlib.asynccontextmanager
async def unheard(services: Services, folder: Path) -> AsyncGenerator[Stage]:
    async with stage(services, folder, clock=Clock(LONG_AGO)) as world, world.working(parts=UNHEARD):
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    service_urls: Urls, modules_vhost: str, modules_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Stage]:
    services = Services(modules_vhost, service_urls.mongodb, modules_database)
    async with held_open(unheard(services, tmp_path_factory.mktemp("stage"))) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def scene(world: Stage) -> Scene:
    user = next(USERS)
    dana = await world.link(user)
    items = [
        await world.psa.create_item(
            ItemType.APPOINTMENT,
            [user],
            subject=f"Visit {number}",
            start=NOW + (number + 2) * DAY,
            end=NOW + (number + 2) * DAY + timedelta(hours=1),
        )
        for number in range(MANY)
    ]
    for item in items:
        await dana.event(item)
    await dana.rest(still_for=0.1)
    return Scene(world, dana, items)


async def test_a_change_whose_notification_was_lost_is_found_healed_and_counted(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    event = await dana.event(scene.items[0])
    await world.cronofy.edit_event(event, summary="Visit to Contoso")
    await world.cronofy.advance(AN_HOUR)
    await scene.time_has_come("light_at")

    async def renamed() -> None:
        item = await world.psa.item(ItemType.APPOINTMENT, scene.items[0].item_id)
        if item.field("subject") != "Visit to Contoso":
            raise NotYet("renamed")

    await world.until(renamed)
    await scene.found("missed_signal")


async def test_an_event_that_time_brings_into_sight_comes_in_without_a_notification(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    start = world.clock.now().replace(microsecond=0) + timedelta(days=202)
    event = await world.cronofy.create_event(
        dana.calendar_id, summary="Far away", start=start, end=start + timedelta(hours=1)
    )
    await world.cronofy.advance(2 * 24 * AN_HOUR)
    await scene.time_has_come("light_at")
    await dana.appointment(event)


async def test_an_empty_listing_deletes_nothing_and_is_repeated_until_the_calendar_is_verified(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    thin = Match(operation="read_events", sub=dana.account.sub)
    await world.cronofy.set_fault(ThinRead(keep=0), thin, count=None)
    await scene.time_has_come("deep_at")
    told = await world.psa.outcome(SuspiciousRead, integration_id=dana.integration_id, within=PATIENCE)
    assert (told.data.known, told.data.shown) == (MANY, 0)
    await scene.found("suspicious_read")
    await dana.rest()
    assert len([event for event in await dana.events() if not event.deleted]) == MANY
    assert len([item for item in await world.psa.items(scene.user) if not item.deleted]) == MANY
    await world.cronofy.clear_faults()
    before = await world.writes()
    await scene.time_has_come("deep_at")
    assert (await scene.verified()).data.verified_complete is not None
    assert await world.writes() == before


async def test_what_happened_in_the_psa_while_events_were_lost_is_found_healed_and_counted(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    await scene.stock_is_taken()
    renamed, deleted, reassigned, _ = scene.items
    lost = await world.psa.add_mishap(Mishap(kind=Kind.LOST, type="psa.calendar_item.changed.v1", times=None))
    await world.psa.edit_item(renamed, subject="Visit to Contoso")
    await world.psa.delete_item(deleted)
    await world.psa.reassign_item(reassigned, [next(USERS)])
    new = await world.psa.create_item(
        ItemType.SERVICE_CALL, [scene.user], start=NOW + 9 * DAY, end=NOW + 9 * DAY + timedelta(hours=1)
    )
    await world.psa.remove_mishaps(lost)
    await scene.stock_is_taken()
    await dana.shows(renamed, summary="Visit to Contoso")
    await dana.event(new)
    await dana.gone(deleted)
    await dana.gone(reassigned)
    told = await world.log(dana.integration_id, act="find")
    assert sorted(line["reason"] for line in told) == ["missed_event", "missed_event", "not_listed", "not_listed"]
    assert {line["trigger"] for line in told} == {"audit"}
    await shows(world, renamed, subject="Visit to Contoso")


@pytest.mark.parametrize("keep", [0.0, 0.5], ids=["nothing", "half"])
async def test_a_listing_of_the_psa_that_lacks_items_deletes_nothing(scene: Scene, keep: float) -> None:
    world, dana = scene.world, scene.dana
    await scene.stock_is_taken()
    before = await world.writes()
    thin = await world.psa.add_fault(Fault(effect=Thin(keep=keep), path="/v2/calendar/items", times=None))
    await scene.stock_is_taken()
    await dana.rest(still_for=0.1)
    listed = await world.psa.requests(path="/v2/calendar/items")
    assert listed[-1].fault == "thin", "the listing did lack items"
    await world.psa.remove_faults(thin)
    assert len([event for event in await dana.events() if not event.deleted]) == MANY
    assert await world.writes() == before


async def test_what_was_there_before_is_not_sent_because_an_audit_lists_it(world: Stage) -> None:
    user = next(USERS)
    lost = await world.psa.add_mishap(Mishap(kind=Kind.LOST, type="psa.calendar_item.changed.v1", times=None))
    await world.psa.create_item(ItemType.TODO, [user], description="From before", date=NOW + 2 * DAY)
    await world.psa.wait_until_quiet()
    await world.psa.remove_mishaps(lost)  # it cannot come late either
    dana = await world.link(user)
    scene = Scene(world, dana, [])
    before = await world.writes()
    for _ in range(2):
        await scene.stock_is_taken()
    await dana.rest(still_for=0.1)
    assert await dana.events() == []
    assert await world.writes() == before
