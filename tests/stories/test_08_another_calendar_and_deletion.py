"""Point 8: another calendar is linked, the integration is deleted, and the same calendar is connected again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from events.items import ItemType
from events.outcomes import Configured, CopiesCounted, Deleted
from sandbox.cronofy.control.operation_messages import ChannelView
from sandbox.psa.client import PsaItem
from tests.stories.stage import DANA, PATIENCE, Linked, NotYet, Services, Stage, stage

TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
LATER = TOMORROW + timedelta(hours=1)


async def items_of(world: Stage, dana: Linked, count: int = 3) -> list[PsaItem]:
    """Have some items in the calendar."""
    items = [
        await world.psa.create_item(ItemType.APPOINTMENT, [DANA], subject=f"item {number}", start=TOMORROW, end=LATER)
        for number in range(count)
    ]
    for item in items:
        await dana.event(item)
    await world.rest()
    return items


async def shown(world: Stage, calendar_id: str) -> list[str]:
    return sorted(event.summary for event in await world.cronofy.events(calendar_id))


async def shows(world: Stage, calendar_id: str, *summaries: str) -> None:
    found = await shown(world, calendar_id)
    if found != sorted(summaries):
        raise NotYet(f"{found}")


async def test_another_calendar_gets_the_items_and_the_former_one_is_cleared_or_left_as_the_user_chose(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        first = dana.calendar_id
        second = (await world.cronofy.add_calendar(dana.account.profile_id)).calendar_id
        third = (await world.cronofy.add_calendar(dana.account.profile_id)).calendar_id
        own = await world.cronofy.create_event(first, summary="Dentist", start=TOMORROW, end=LATER)
        await dana.appointment(own)
        items = await items_of(world, dana)
        names = [f"item {number}" for number in range(3)]

        await world.psa.configure(dana.integration_id, second, remove_former=True)
        await world.until(lambda: shows(world, second, *names, "Dentist"))
        await world.until(lambda: shows(world, first, "Dentist"))
        await world.psa.edit_item(items[0], subject="retitled")
        await world.until(lambda: shows(world, second, "retitled", *names[1:], "Dentist"))
        await world.rest()
        assert await shown(world, first) == ["Dentist"], "the user's own event is the user's"

        await world.psa.configure(dana.integration_id, third)
        await world.until(lambda: shows(world, third, "retitled", *names[1:], "Dentist"))
        await world.rest()
        assert len(await shown(world, second)) == 4, "nobody asked for their removal"
        assert [len(account.profiles) for account in await world.cronofy.accounts()] == [1]
        assert [channel.calendar_ids for channel in await open_channels(world)] == [(third,)]


async def test_a_deleted_integration_leaves_the_events_unless_their_removal_was_asked_for(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        own = await world.cronofy.create_event(dana.calendar_id, summary="Dentist", start=TOMORROW, end=LATER)
        await dana.appointment(own)
        items = await items_of(world, dana)
        await world.psa.count_copies(dana.integration_id)
        counted = await world.psa.outcome(CopiesCounted, integration_id=dana.integration_id, within=PATIENCE)
        assert (counted.data.total, counted.data.by_type) == (3, {"appointment": 3})

        await world.psa.delete_integration(dana.integration_id)
        told = await world.psa.outcome(Deleted, integration_id=dana.integration_id, within=PATIENCE)
        assert (told.data.removed, told.data.complete) == (0, True)
        before = await world.writes()
        await world.psa.edit_item(items[0], subject="too late")
        await world.psa.configure(dana.integration_id, dana.calendar_id)
        await world.rest()
        assert await world.writes() == before, "messages in flight are dropped"
        assert len(await shown(world, dana.calendar_id)) == 4
        (account,) = await world.cronofy.accounts()
        assert not account.authorized, "nobody else needs the authorization"
        assert await open_channels(world) == []

        again = await connected_again(world, dana)
        await world.until(lambda: shows(world, dana.calendar_id, "too late", "item 1", "item 2", "Dentist"))
        await world.rest()
        assert len(await world.psa.items(DANA)) == 4, "an appointment was made of what was there already"
        creates = [tally.creates for tally in await world.cronofy.tallies()]
        assert max(creates) == 1, "what was there already was adopted"

        await world.psa.delete_integration(again, remove_events=True)
        told = await world.psa.outcome(Deleted, integration_id=again, within=PATIENCE)
        assert (told.data.removed, told.data.complete) == (3, True)
        assert await shown(world, dana.calendar_id) == ["Dentist"]


async def connected_again(world: Stage, dana: Linked) -> str:
    """Connect the same calendar as a new integration. Returns its id."""
    code = await world.cronofy.issue_code(dana.account.sub)
    await world.psa.connect("int-again", DANA, code)
    await world.psa.configure("int-again", dana.calendar_id)
    await world.psa.outcome(Configured, integration_id="int-again", within=PATIENCE)
    return "int-again"


async def open_channels(world: Stage) -> list[ChannelView]:
    return [channel for channel in await world.cronofy.channels() if not channel.closed]
