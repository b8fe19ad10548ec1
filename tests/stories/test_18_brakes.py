"""Brakes: unusually many deletions wait for a person, and the rest goes on; what goes to and fro is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import orjson
import pytest
from typer.testing import CliRunner

from cli.commands.brakes import app as brakes
from events.items import ItemType
from events.outcomes import DeletionsHeld, Disconnected, ItemFrozen, OrderClosed
from events.psa import BrakeOptions, TenantOptions
from sandbox.cronofy.control.event_messages import EventView
from sandbox.psa.client import PsaItem
from sandbox.psa.model.integrations import DiscardDeletions, ReleaseDeletions
from tests.stories.stage import DANA, PATIENCE, Linked, NotYet, Services, Stage, stage
from worker.parts import Part

TOMORROW: Final = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
MANY: Final = 6
STRICT: Final = TenantOptions(brakes=BrakeOptions(few_deletions=2))
"""More than two at once are many, if they are more than a quarter of all."""


@dataclass
class Scene:
    """Dana with six appointments in her calendar."""

    world: Stage
    dana: Linked
    items: list[PsaItem]

    async def delete_events(self) -> list[EventView]:
        """Let somebody delete all events at once, while nobody looks."""
        events = [await self.dana.event(item) for item in self.items]
        await asyncio.gather(*(self.world.cronofy.delete_event(event) for event in events))
        return events

    async def alive(self) -> list[PsaItem]:
        """Return the appointments that are there."""
        return [item for item in await self.world.psa.items(DANA) if not item.deleted]

    async def held(self) -> DeletionsHeld:
        """Return what the user is told, once."""
        return await self.world.psa.outcome(DeletionsHeld, integration_id=self.dana.integration_id, within=PATIENCE)

    async def all_heard_of(self) -> None:
        """Raise `NotYet` until intake has stored every deletion."""
        heard = await asyncio.to_thread(self.world.store["links"].count_documents, {"psa_seen.deleted": True})
        if heard < MANY:
            raise NotYet(f"{heard} of {MANY}")

    def states(self) -> list[str]:
        """Return the states of all links."""
        return sorted(link["state"] for link in self.world.store["links"].find({}, {"state": 1}))

    async def become(self, *states: str) -> None:
        """Wait until the links are in these states."""

        async def look() -> None:
            if (now := await asyncio.to_thread(self.states)) != sorted(states):
                raise NotYet(f"{now} instead of {states}")

        await self.world.until(look)


@pytest.fixture
async def scene(services: Services, tmp_path: Path) -> AsyncGenerator[Scene]:
    """Six appointments in sync, and nobody at work."""
    async with stage(services, tmp_path) as world:
        await world.psa.configure_tenant(STRICT)
        async with world.working():
            dana = await world.link()
            items = [await appointment(world, number) for number in range(MANY)]
            for item in items:
                await dana.event(item)
            scene = Scene(world, dana, items)
            await scene.become(*["settled"] * MANY)
        yield scene


async def appointment(world: Stage, number: int) -> PsaItem:
    start = TOMORROW + timedelta(hours=number)
    return await world.psa.create_item(
        ItemType.APPOINTMENT, [DANA], subject=f"Visit {number}", start=start, end=start + timedelta(hours=1)
    )


async def subjects(items: Sequence[PsaItem]) -> list[str]:
    return sorted(str(item.field("subject")) for item in items)


async def test_many_events_deleted_at_once_wait_and_the_rest_goes_on_until_they_are_released(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    *_, back = await scene.delete_events()
    async with world.working():
        told = await scene.held()
        assert (told.data.direction, told.data.count, told.data.reason) == ("from_calendar", MANY, "many_deletions")
        await scene.become(*["quarantined"] * MANY)
        assert len(await scene.alive()) == MANY
        later = await appointment(world, MANY)
        await dana.event(later)
        # One of the events is back before anybody decides.
        await world.cronofy.restore_event(back)
        await world.psa.release(dana.integration_id, ReleaseDeletions())
        await world.psa.outcome(OrderClosed, integration_id=dana.integration_id, within=PATIENCE)
        await scene.become(*["buried"] * (MANY - 1), "settled", "settled")
        assert await subjects(await scene.alive()) == [f"Visit {MANY - 1}", f"Visit {MANY}"]


async def test_deletions_that_are_discarded_bring_the_events_back(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    await scene.delete_events()
    async with world.working():
        await scene.held()
        await scene.become(*["quarantined"] * MANY)
        await world.psa.release(dana.integration_id, DiscardDeletions())
        await scene.become(*["settled"] * MANY)
        assert len([event for event in await dana.events() if not event.deleted]) == MANY
        assert len(await scene.alive()) == MANY


async def test_an_operator_sees_what_waits_and_decides_as_well(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    world, dana = scene.world, scene.dana
    monkeypatch.setenv("CALSYNC_MONGODB_URL", world.services.mongodb_url)
    monkeypatch.setenv("CALSYNC_MONGODB_DATABASE", world.services.database)
    await scene.delete_events()
    async with world.working():
        await scene.become(*["quarantined"] * MANY)
        (counted,) = await shown("list", "--json")
        assert (counted["integration_id"], counted["deletions"]) == (dana.integration_id, MANY)
        each = await shown("list", "--integration", dana.integration_id, "--json")
        assert {(row["reason"], row["where"]) for row in each} == {("many_deletions", "calendar")}
        assert {row["item"] for row in each} == {f"appointment/{item.item_id}" for item in scene.items}
        assert "Ordered as" in await said("release", dana.integration_id, "--direction", "from_calendar")
        await scene.become(*["buried"] * MANY)
        assert await scene.alive() == []
        assert await shown("list", "--json") == []


async def said(*words: str) -> str:
    result = await asyncio.to_thread(CliRunner().invoke, brakes, list(words))
    assert result.exit_code == 0, result.output
    return result.output


async def shown(*words: str) -> list[dict[str, object]]:
    # The worker of this process prints its log into the same stream.
    return [orjson.loads(line) for line in (await said(*words)).splitlines() if line.startswith("{")]


async def test_many_items_deleted_in_the_psa_wait_as_well_and_come_back_if_that_was_a_mistake(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    await asyncio.gather(*(world.psa.delete_item(item) for item in scene.items))
    async with world.working(parts=[Part.PSA_ITEMS]):  # all of it is heard of before anybody acts
        await world.until(scene.all_heard_of)
    async with world.working():
        told = await scene.held()
        assert (told.data.direction, told.data.count) == ("to_calendar", MANY)
        await scene.become(*["quarantined"] * MANY)
        assert len([event for event in await dana.events() if not event.deleted]) == MANY
        await world.psa.release(dana.integration_id, DiscardDeletions())
        await scene.become(*["settled"] * MANY)
        assert await subjects(await scene.alive()) == [f"Visit {number}" for number in range(MANY)]


async def test_a_calendar_that_cannot_be_written_any_more_deletes_nothing(scene: Scene) -> None:
    world, dana = scene.world, scene.dana
    await world.psa.configure_tenant(TenantOptions())
    await scene.delete_events()
    await world.cronofy.change_calendar(dana.calendar_id, readonly=True)
    async with world.working():
        told = await world.psa.outcome(Disconnected, integration_id=dana.integration_id, within=PATIENCE)
        assert told.data.reason == "calendar_read_only"
        await scene.become(*["quarantined"] * MANY)
        assert len(await scene.alive()) == MANY


async def test_a_title_that_two_tools_fight_over_is_left_alone_and_times_still_flow(scene: Scene) -> None:
    world, dana, item = scene.world, scene.dana, scene.items[0]
    mine, theirs = "Visit 0", "Visit 0 (via Reclaim)"
    async with world.working():
        event = await dana.event(item)
        await world.cronofy.edit_event(event, summary=theirs)
        await world.until(lambda: titled(world, item, theirs))
        await world.psa.edit_item(await world.psa.item(item.item_type, item.item_id), subject=mine)
        await dana.shows(item, summary=mine)
        await scene.become(*["settled"] * MANY)
        await world.cronofy.edit_event(event, summary=theirs)
        await world.until(lambda: titled(world, item, theirs))
        await world.psa.edit_item(await world.psa.item(item.item_type, item.item_id), subject=mine)
        told = await world.psa.outcome(ItemFrozen, item_id=item.item_id, within=PATIENCE)
        assert (told.data.field, told.data.tool) == ("summary", "Reclaim")
        later = TOMORROW + timedelta(hours=12)
        now = await world.psa.item(item.item_type, item.item_id)
        await world.psa.edit_item(now, start=later, end=later + timedelta(hours=1))
        await dana.shows(item, start=f"{later:%Y-%m-%dT%H:%M:%SZ}", summary=theirs)
        await titled(world, item, mine)
        # A person's own words end it.
        await world.cronofy.edit_event(event, summary="Kick-off")
        await world.until(lambda: titled(world, item, "Kick-off"))


async def titled(world: Stage, item: PsaItem, subject: str) -> None:
    shown = (await world.psa.item(item.item_type, item.item_id)).field("subject")
    if shown != subject:
        raise NotYet(f"{shown} instead of {subject}")
