"""Point 3: Active off stops everything both ways; Active on catches up, and nothing that changed meanwhile is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from events.items import ItemType
from events.outcomes import Switched
from tests.stories.stage import DANA, PATIENCE, Linked, NotYet, Services, Stage, stage

TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251


async def test_off_stops_both_ways_and_on_catches_up_from_what_was_agreed(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        kept, retitled, dragged = [
            await world.psa.create_item(
                ItemType.APPOINTMENT, [DANA], subject=subject, start=TOMORROW, end=TOMORROW + timedelta(hours=1)
            )
            for subject in ("Kept", "Old title", "Dragged")
        ]
        events = [await dana.event(item) for item in (kept, retitled, dragged)]
        await world.rest()

        await switched(world, dana, active=False)
        before = await world.writes()
        await world.psa.edit_item(retitled, subject="New title")
        moved = TOMORROW + timedelta(hours=4)
        await world.cronofy.edit_event(events[2], start=moved, end=moved + timedelta(hours=1))
        typed = await world.cronofy.create_event(
            dana.calendar_id, summary="Dentist", start=TOMORROW, end=TOMORROW + timedelta(hours=1)
        )
        await world.psa.wait_until_quiet(still_for=0.7, within=PATIENCE)
        assert await world.writes() == before, "switched off, and yet something was written"

        await switched(world, dana, active=True)
        await dana.shows(retitled, summary="New title")
        await world.until(lambda: starts_at(world, dragged.item_id, moved))
        assert (await dana.appointment(typed)).field("subject") == "Dentist"
        await world.rest()
        assert (await dana.event(kept)).updated == events[0].updated, "what did not change was written over"


async def switched(world: Stage, linked: Linked, *, active: bool) -> None:
    """Turn the toggle, and wait for its acknowledgement."""
    turn = world.psa.activate if active else world.psa.deactivate
    turned = await turn(linked.integration_id)
    await world.until(lambda: acknowledged(world, linked, turned.revision, active=active))


async def acknowledged(world: Stage, linked: Linked, revision: int, *, active: bool) -> None:
    told = await world.psa.outcomes(Switched.model_fields["type"].default, integration_id=linked.integration_id)
    seen = [(one.event.data.revision, one.event.data.active) for one in told if isinstance(one.event, Switched)]
    if (revision, active) not in seen:
        raise NotYet(f"{seen}")


async def starts_at(world: Stage, item_id: str, start: datetime) -> None:
    shown = (await world.psa.item(ItemType.APPOINTMENT, item_id)).field("start")
    if shown != start:
        raise NotYet(f"{shown}")
