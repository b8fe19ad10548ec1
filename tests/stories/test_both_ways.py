"""The main job: what is planned in the PSA appears in the calendar, what is done in the calendar reaches the PSA."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.mongodb.driver import Driver
from events.items import ItemType
from events.outcomes import ItemSynced
from sandbox.psa.model.commands import NewPeriod
from tests.stories.stage import DANA, NotYet, Services, Stage, stage

TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251


def at(hour: int, days: int = 0) -> datetime:
    return TOMORROW.replace(hour=hour) + timedelta(days=days)


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


ITEMS: list[tuple[ItemType, dict[str, Any], str]] = [
    (ItemType.APPOINTMENT, {"subject": "Review", "start": at(9), "end": at(10)}, "Review"),
    (ItemType.CRM_ACTIVITY, {"type": "Call", "subject": "Renewal", "due": at(11)}, "Call: Renewal"),
    (ItemType.SERVICE_CALL, {"start": at(13), "end": at(14)}, "Service call: "),
    (ItemType.TODO, {"description": "Call back", "date": at(15)}, "To-do: Call back"),
]


@pytest.mark.parametrize(("kind", "fields", "summary"), ITEMS, ids=[kind.value for kind, _, _ in ITEMS])
async def test_an_item_goes_out_and_is_confirmed_by_a_read_back(
    services: Services, tmp_path: Path, kind: ItemType, fields: dict[str, Any], summary: str
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        item = await world.psa.create_item(kind, [DANA], **fields)
        event = await dana.event(item)
        told = await world.psa.outcome(ItemSynced, item_id=item.item_id, within=30)
    assert event.summary.startswith(summary)
    assert (event.attendees, event.reminders) == ((), ())
    assert told.data.direction == "to_calendar"
    assert f"#{item.item_id}" in event.description


async def test_a_planned_period_of_a_task_goes_out_and_the_task_itself_does_not(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        task = await world.psa.create_item(ItemType.TASK, [DANA], periods=[NewPeriod(start=at(9), end=at(12))])
        (period,) = await world.psa.parts(task)
        event = await dana.event(period)
        await world.rest()
        assert [(one.start, one.event_id) for one in await dana.events()] == [(stamp(at(9)), event.event_id)]


@pytest.mark.parametrize("driver", list(Driver))
async def test_the_day_of_a_service_call_and_a_typed_event(services: Services, tmp_path: Path, driver: Driver) -> None:
    services = Services(services.rabbitmq_url, services.mongodb_url, services.database, driver)
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        call = await world.psa.create_item(ItemType.SERVICE_CALL, [DANA], start=at(9), end=at(10))
        event = await dana.event(call)
        # The technician drags it.
        await world.cronofy.edit_event(event, start=at(14), end=at(15))
        await world.until(lambda: starts_at(world, call.item_id, at(14)))
        # An event typed into the calendar becomes an appointment.
        typed = await world.cronofy.create_event(dana.calendar_id, summary="Dentist", start=at(16), end=at(17))
        appointment = await dana.appointment(typed)
        assert appointment.field("subject") == "Dentist"
        # Its deletion travels back.
        await world.cronofy.delete_event(typed)
        await world.until(lambda: is_deleted(world, appointment.item_id))
        # Then nothing more moves, because nothing differs.
        await world.rest()
        before = await world.writes()
        await world.psa.edit_item(await world.psa.item(ItemType.SERVICE_CALL, call.item_id))
        await world.rest()
        assert await world.writes() == before
        assert [one.start for one in await dana.events()] == [stamp(at(14))]
        assert await world.cronofy.mails() == []


async def starts_at(world: Stage, item_id: str, start: datetime) -> None:
    shown = (await world.psa.item(ItemType.SERVICE_CALL, item_id)).field("start")
    if shown != start:
        raise NotYet(f"{shown}")


async def is_deleted(world: Stage, item_id: str) -> None:
    if not (await world.psa.item(ItemType.APPOINTMENT, item_id)).deleted:
        raise NotYet(item_id)
