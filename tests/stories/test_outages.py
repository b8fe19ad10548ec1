"""A system that is away is said once and waited for; nothing is lost, and everything goes on when it is back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import structlog
from pydantic import SecretStr
from structlog.typing import EventDict

from cli.local.workers import WorkerProcess
from events.items import ItemType
from sandbox.cronofy.control.event_messages import EventView
from sandbox.psa.client import PsaItem
from tests.adapters.rabbitmq.link import Link, linked
from tests.stories.stage import DANA, Linked, NotYet, Services, Stage, environment, stage
from worker.parts import ALL_PARTS, Part

TOMORROW: Final = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
HOUR: Final = timedelta(hours=1)
SYSTEMS: Final = ("rabbitmq", "mongodb", "cronofy", "psa")


@dataclass(frozen=True)
class Cables:
    """The worker's ways to the four systems, each to be cut. Everybody else has ways of their own."""

    links: Mapping[str, Link]

    def settings(self) -> dict[str, Any]:
        """Return the settings with which a worker goes these ways."""
        store = urlsplit(self.links["mongodb"].url)
        return {
            "rabbitmq_url": SecretStr(self.links["rabbitmq"].url),
            # Or the driver would ask the server where it is, and go there.
            "mongodb_url": SecretStr(f"mongodb://{store.netloc}/?directConnection=true"),
            "cronofy_api_url": self.links["cronofy"].url,
            "psa_api_url": self.links["psa"].url,
        }


@contextlib.asynccontextmanager
async def cables(world: Stage) -> AsyncGenerator[Cables, None]:
    settings = world.settings
    urls = {
        "rabbitmq": world.services.rabbitmq_url,
        "mongodb": world.services.mongodb_url,
        "cronofy": settings.cronofy_api_url,
        "psa": settings.psa_api_url,
    }
    async with contextlib.AsyncExitStack() as stack:
        yield Cables({name: await stack.enter_async_context(linked(url)) for name, url in urls.items()})


def said(lines: list[EventDict], event: str) -> list[str]:
    """Return the systems of which this was said, in order."""
    return [str(line["system"]) for line in lines if line["event"] == event]


async def is_said(lines: list[EventDict], event: str, system: str) -> None:
    if system not in said(lines, event):
        raise NotYet(f"{system}: {event}")


async def new_item(world: Stage, subject: str) -> PsaItem:
    return await world.psa.create_item(
        ItemType.APPOINTMENT, [DANA], subject=subject, start=TOMORROW, end=TOMORROW + HOUR
    )


async def drag(world: Stage, event: EventView) -> None:
    """Do something for which the PSA is needed."""
    await world.cronofy.edit_event(event, start=TOMORROW + 2 * HOUR, end=TOMORROW + 3 * HOUR)


async def starts(world: Stage, item: PsaItem, hour: int) -> None:
    shown = (await world.psa.item(item.item_type, item.item_id)).field("start")
    if shown != TOMORROW.replace(hour=hour):
        raise NotYet(f"{shown}")


@pytest.mark.parametrize("system", SYSTEMS)
async def test_a_system_that_goes_away_is_waited_for(services: Services, tmp_path: Path, system: str) -> None:
    with structlog.testing.capture_logs() as lines:
        async with stage(services, tmp_path) as world, cables(world) as ways, world.working(**ways.settings()):
            dana = await world.link()
            known = await new_item(world, "Known")
            event = await dana.event(known)
            await world.rest()
            ways.links[system].go_down()
            fresh = await new_item(world, "Fresh")
            await drag(world, event)
            await world.until(lambda: is_said(lines, "system_away", system))
            ways.links[system].come_up()
            await dana.event(fresh)
            await world.until(lambda: starts(world, known, 11))
            await world.until(lambda: is_said(lines, "system_back", system))
            await world.rest()
            assert await shown(dana) == {"Known", "Fresh"}
            assert world.store["dead_letters"].count_documents({}) == 0
    assert set(said(lines, "system_away")) == {system}
    away, back = said(lines, "system_away"), said(lines, "system_back")
    assert len(away) == len(back) <= 2, "a handler may have been in the middle of it when it came back"


async def shown(dana: Linked) -> set[str]:
    events = await dana.events()
    assert len({one.event_id for one in events}) == len(events)
    return {one.summary for one in events}


async def test_systems_that_are_absent_at_the_start_are_waited_for(services: Services, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        async with stage(services, tmp_path) as world, cables(world) as ways:
            for link in ways.links.values():
                link.go_down()
            async with world.working(**ways.settings()):
                for system in ("mongodb", "rabbitmq"):
                    await world.until(lambda system=system: is_said(lines, "system_away", system))  # type: ignore[misc]
                    ways.links[system].come_up()
                await world.until(lambda: is_said(lines, "system_back", "rabbitmq"))
                for system in ("cronofy", "psa"):
                    ways.links[system].come_up()
                dana = await world.link()
                assert (await dana.event(await new_item(world, "Review"))).summary == "Review"
    assert [one for one in said(lines, "system_away") if one in {"mongodb", "rabbitmq"}] == ["mongodb", "rabbitmq"]


async def test_every_part_works_apart_and_waits_for_the_others(services: Services, tmp_path: Path) -> None:
    intake = (Part.PSA_ITEMS, Part.INTEGRATIONS, Part.NOTIFICATIONS)
    others = tuple(part for part in ALL_PARTS if part not in intake)
    async with stage(services, tmp_path) as world:
        async with world.working(parts=intake), world.working(parts=others):
            dana = await world.link()
        async with world.working(parts=intake):
            first = await new_item(world, "First")
            await world.until(lambda: stored(world, 1))
            assert await dana.events() == []
        async with world.working(parts=others):
            await dana.event(first)
            await world.rest()
            second = await new_item(world, "Second")
            typed = await world.cronofy.create_event(dana.calendar_id, summary="Typed", start=TOMORROW, end=TOMORROW)
            async with world.working(parts=(Part.NOTIFICATIONS,)):
                assert (await dana.appointment(typed)).field("subject") == "Typed"
            async with world.working(parts=(Part.PSA_ITEMS,)):
                await dana.event(second)


async def stored(world: Stage, count: int) -> None:
    links = await asyncio.to_thread(lambda: world.store["links"].count_documents({}))
    if links < count:
        raise NotYet(f"{links} links")


@pytest.mark.parametrize("away", [(), SYSTEMS], ids=["nothing", "everything"])
async def test_a_worker_that_is_asked_to_end_does_so_in_order_whatever_is_away(
    services: Services, tmp_path: Path, away: tuple[str, ...]
) -> None:
    async with stage(services, tmp_path) as world, cables(world) as ways:
        settings = world.settings.model_copy(update=ways.settings())
        log = tmp_path / "worker.log"
        worker = WorkerProcess(environment(settings), log)
        await worker.start()
        try:
            await worker.ready()
            dana = await world.link()
            await dana.event(await new_item(world, "Known"))
            for system in away:
                ways.links[system].go_down()
            await new_item(world, "Fresh")
            if away:
                await world.until(lambda: in_log(log, "system_away"))
        finally:
            code = await worker.stop()
        assert code == 0, worker.last_lines()
        await in_log(log, "worker_stopped")
        for system in away:
            ways.links[system].come_up()
        async with world.working():
            await world.until(lambda: both(dana))


async def in_log(log: Path, event: str) -> None:
    if event not in await asyncio.to_thread(log.read_text, encoding="utf-8"):
        raise NotYet(event)


async def both(dana: Linked) -> None:
    if await shown(dana) != {"Known", "Fresh"}:
        raise NotYet
