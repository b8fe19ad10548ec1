"""Point 9: a user or a whole tenant leaves; one user's data is told, and erased."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from events.items import ItemType
from events.outcomes import Deleted, Exported
from sandbox.psa.client import PsaItem
from tests.stories.stage import DANA, PATIENCE, Linked, NotYet, Services, Stage, stage

TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
LATER = TOMORROW + timedelta(hours=1)
ERIN, FINN = 5572, 5573


async def with_item(world: Stage, user_id: int, subject: str) -> tuple[Linked, PsaItem]:
    """Let a user have a linked calendar with one item in it."""
    linked = await world.link(user_id)
    item = await world.psa.create_item(ItemType.APPOINTMENT, [user_id], subject=subject, start=TOMORROW, end=LATER)
    await linked.event(item)
    return linked, item


async def is_gone(world: Stage, *leavers: Linked) -> None:
    told = await world.psa.outcomes(Deleted.model_fields["type"].default)
    gone = {one.event.data.integration_id for one in told if isinstance(one.event, Deleted)}
    missing = {one.integration_id for one in leavers} - gone
    if missing:
        raise NotYet(f"{missing}")


async def test_who_leaves_is_synced_no_more_and_leaves_the_calendar_as_it_is(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        (dana, _), (erin, of_erin), (finn, _) = [
            await with_item(world, user, f"of {user}") for user in (DANA, ERIN, FINN)
        ]
        await world.rest()
        await world.psa.user_left(ERIN)
        await world.until(lambda: is_gone(world, erin))
        before = await world.writes()
        await world.psa.edit_item(of_erin, subject="nobody cares")
        await world.rest()
        assert await world.writes() == before
        assert [event.summary for event in await erin.events()] == [f"of {ERIN}"]
        channels = [one.callback_url.rpartition("/")[2] for one in await world.cronofy.channels() if not one.closed]
        assert sorted(channels) == [dana.integration_id, finn.integration_id]

        await world.psa.tenant_left()
        await world.until(lambda: is_gone(world, dana, erin, finn))
        assert not any(account.authorized for account in await world.cronofy.accounts())
        assert [event.summary for event in await dana.events()] == [f"of {DANA}"]


async def test_what_is_kept_about_a_user_is_told_and_then_erased(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, world.working():
        (dana, item), (erin, _) = [await with_item(world, user, f"of {user}") for user in (DANA, ERIN)]
        await world.rest()
        await world.psa.export_user(DANA, "request-1")
        told = await world.psa.outcome(Exported, integration_id=dana.integration_id, within=PATIENCE)
        assert (told.data.request_id, told.data.part, told.data.last) == ("request-1", 1, True)
        kinds = {str(record["record"]) for record in told.data.records}
        assert {"integration", "link", "log"} <= kinds
        assert f"of {DANA}" in repr(told.data.records)
        assert f"of {ERIN}" not in repr(told.data.records)

        await world.psa.erase_user(DANA)
        await world.until(lambda: is_gone(world, dana))
        await world.until(lambda: is_empty(world, dana))
        # What comes late brings nothing back.
        await world.psa.edit_item(item, subject="late")
        await world.psa.configure(dana.integration_id, dana.calendar_id)
        before = (await world.psa.outcomes())[-1].number
        await world.psa.delete_integration(dana.integration_id, remove_events=True)
        late = await world.psa.outcome(Deleted, integration_id=dana.integration_id, after=before, within=PATIENCE)
        assert (late.data.complete, late.data.erased) == (False, True), "there is no way to its events any more"
        await world.rest()
        await is_empty(world, dana)
        assert [event.summary for event in await dana.events()] == [f"of {DANA}"]
        assert [event.summary for event in await erin.events()] == [f"of {ERIN}"]


async def is_empty(world: Stage, linked: Linked) -> None:
    """Raise `NotYet` while anything is kept about an integration but names that go with their time to live."""
    kept = await asyncio.to_thread(
        lambda: [
            document
            for name in ("integrations", "links", "sync_log")
            for document in world.store[name].find({})
            if linked.integration_id in repr(document)
        ]
    )
    full = [one for one in kept if not one.keys() <= {"_id", "integration_id", "expires_at"}]
    if full:
        raise NotYet(f"{full}")
