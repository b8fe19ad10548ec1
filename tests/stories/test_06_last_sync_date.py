"""Point 6: the last sync date moves whenever anything is synced either way; beside it stands when all was verified."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from cli.showing import instant
from events.items import ItemType
from events.outcomes import Synced, SyncedData
from tests.cli.conftest import Calsync
from tests.stories.stage import Linked, NotYet, Stage, environment
from tests.stories.waiting import shows

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)  # noqa: TID251


async def told(world: Stage, dana: Linked) -> list[SyncedData]:
    """Return what the PSA was told for its listing, the oldest first."""
    outcomes = await world.psa.outcomes("calsync.integration.synced.v1", integration_id=dana.integration_id)
    return [one.event.data for one in outcomes if isinstance(one.event, Synced)]


async def told_more(world: Stage, dana: Linked, than: int) -> list[SyncedData]:
    async def look() -> list[SyncedData]:
        if len(now := await told(world, dana)) <= than:
            raise NotYet(f"{now}")
        return now

    return await world.until(look)


async def shown(world: Stage, dana: Linked, calsync: Calsync) -> tuple[str, str]:
    """Return both dates as an operator sees them."""
    words = ("integrations", "show", dana.integration_id, "--json")
    said = await asyncio.to_thread(calsync, *words, **environment(world.settings))
    (line,) = [line for line in said.out.splitlines() if line.startswith("{")]  # others are the worker's log
    document = orjson.loads(line)
    return document["last_sync"], document["last_verified"]


async def verify(world: Stage, dana: Linked) -> None:
    """Let the moment of a complete look come, while nobody works."""
    now = datetime.now(UTC)  # noqa: TID251 - the workers' clock is real
    come = {"$set": {"held.audit.deep_at": now, "due_at": now, "rerun": True}}
    query = {"_id": dana.integration_id, "lease.owner": None}

    async def look() -> None:
        if not (await asyncio.to_thread(world.store["integrations"].update_one, query, come)).matched_count:
            raise NotYet

    await world.until(look)


async def test_the_date_moves_with_every_sync_either_way_and_the_psa_and_operators_see_it(
    world: Stage, calsync: Calsync
) -> None:
    dana = await world.link(601)
    await dana.rest(still_for=0.1)
    assert await told(world, dana) == []
    assert await shown(world, dana, calsync) == ("", "")
    began = datetime.now(UTC) - timedelta(seconds=1)  # noqa: TID251 - the workers' clock is real
    item = await world.psa.create_item(ItemType.APPOINTMENT, [601], subject="Visit", start=NOON, end=NOON)
    event = await dana.event(item)
    (first,) = await told_more(world, dana, 0)
    assert first.last_sync is not None
    assert first.last_sync > began
    assert first.verified_complete is None
    await dana.rest(still_for=0.1)
    await world.cronofy.edit_event(event, summary="Visit to Contoso")
    await shows(world, item, subject="Visit to Contoso")
    *_, second = await told_more(world, dana, 1)
    assert second.last_sync is not None
    assert second.last_sync > first.last_sync
    await dana.rest(still_for=0.1)
    assert await shown(world, dana, calsync) == (instant(second.last_sync), "")


async def test_a_calendar_that_was_verified_complete_says_so_and_the_date_of_the_last_sync_stays(
    world: Stage, calsync: Calsync
) -> None:
    dana = await world.link(602)
    item = await world.psa.create_item(ItemType.TODO, [602], description="Call back", date=NOON)
    await dana.event(item)
    await dana.rest(still_for=0.1)
    before = await told(world, dana)
    writes = await world.writes()
    await verify(world, dana)
    *_, verified = await told_more(world, dana, len(before))
    assert verified.verified_complete is not None
    assert verified.last_sync == before[-1].last_sync
    assert before[-1].verified_complete is None
    await dana.rest(still_for=0.1)
    assert await shown(world, dana, calsync) == (instant(verified.last_sync), instant(verified.verified_complete))
    assert await world.writes() == writes, "looking changes nothing"
