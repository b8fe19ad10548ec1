"""Point 21: tokens are encrypted at rest, refreshed by one worker, and their keys change while work goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import bson
import pytest
from pydantic import SecretStr

from adapters.cronofy.client import Application, Cronofy
from adapters.http.pool import open_pool
from adapters.mongodb.driver import Database
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.resealing import Resealing
from adapters.mongodb.vault import Vault, new_key
from adapters.process.system import SystemClock
from cli.database import opened_database
from events.failures import Stale, System
from events.integration import Taken, Tokens
from events.items import ItemType
from events.lanes import Lane
from events.reasons import Reason
from sandbox.psa.client import PsaItem
from tests.stories.stage import DANA, Linked, NotYet, Services, Stage, stage
from worker.access import CronofyAccess, Service
from worker.holding import LEASE, Holding

TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
OLD, NEW = new_key(), new_key()
KEYS: Final = {"old": (SecretStr(OLD),), "both": (SecretStr(NEW), SecretStr(OLD)), "new": (SecretStr(NEW),)}


async def appointment(world: Stage, subject: str, hours: int = 0) -> PsaItem:
    start = TOMORROW + timedelta(hours=hours)
    return await world.psa.create_item(
        ItemType.APPOINTMENT, [DANA], subject=subject, start=start, end=start + timedelta(hours=1)
    )


async def tokens(database: Database, linked: Linked, *keys: str) -> Tokens:
    """Open the tokens that are stored."""
    found = await Integrations(database, Vault(keys), time.monotonic).get(linked.integration_id)
    assert found is not None
    assert found.held.tokens is not None
    return found.held.tokens


async def came_back(world: Stage, item: PsaItem) -> None:
    now = await world.psa.item(item.item_type, item.item_id)
    if getattr(now.facts.item, "subject", "") != "and back":
        raise NotYet


async def refreshes(world: Stage) -> int:
    asked = await world.cronofy.requests(path="/oauth/token", method="POST")
    return sum(1 for one in asked if one.body.get("grant_type") == "refresh_token")


async def test_keys_are_rotated_while_work_goes_on_and_the_old_one_is_then_taken_away(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, opened_database(world.settings) as database:
        async with world.working(encryption_keys=KEYS["old"]):
            dana = await world.link()
            await dana.event(await appointment(world, "under the old key"))
            await world.rest()
        secret = await tokens(database, dana, OLD)
        stored = await asyncio.to_thread(lambda: [bson.encode(one) for one in world.store["integrations"].find({})])
        assert not any(one.encode() in kept for one in (secret.access, secret.refresh) for kept in stored)

        async with world.working(2, encryption_keys=KEYS["both"]):
            await world.cronofy.expire_tokens(dana.account.sub)  # so that one is refreshed just then
            items = [await appointment(world, f"meanwhile {number}", number) for number in range(3)]
            await Resealing(database, Vault([NEW, OLD])).run()
            for item in items:
                await dana.event(item)
            await world.rest()
            assert await refreshes(world) == 1, "two workers refreshed one token"
            assert (await Resealing(database, Vault([NEW, OLD])).run()).unopened == ()
        fresh = await tokens(database, dana, NEW)
        assert fresh.access != secret.access

        async with world.working(encryption_keys=KEYS["new"]):
            item = await appointment(world, "under the new key", 5)
            event = await dana.event(item)
            await world.cronofy.expire_tokens(dana.account.sub)
            await world.cronofy.edit_event(event, summary="and back")
            await world.until(lambda: came_back(world, item))
            assert await refreshes(world) == 2


@asynccontextmanager
async def way_in(world: Stage) -> AsyncGenerator[Service]:
    """Open a way to Cronofy such as a worker has."""
    application = Application(world.settings.cronofy_api_url, "sandbox-client", ("sandbox-secret",))
    async with open_pool(System.CRONOFY, None) as pool:
        yield Service(Cronofy(pool, application), Generous(), SystemClock(), world.settings.cronofy_callback_url)


class Generous:
    """An allowance without end."""

    async def spend(self, requests: int, lane: Lane) -> float:
        del requests, lane
        return 0.0

    async def refused(self, retry_after: float | None) -> None:
        raise AssertionError(retry_after)


async def test_whoever_loses_the_race_for_a_refresh_is_stale_and_goes_on_with_the_winners_token(
    services: Services, tmp_path: Path
) -> None:
    async with (
        stage(services, tmp_path) as world,
        opened_database(world.settings) as database,
        way_in(world) as service,
    ):
        async with world.working(encryption_keys=KEYS["new"]):
            dana = await world.link()
            await world.rest()
        integrations = Integrations(database, Vault([NEW]), time.monotonic)

        async def entered() -> Holding:
            """Enter under the same message, as its redelivery does; whoever was there before has lost the lease."""
            taken = await integrations.take(dana.integration_id, "message", LEASE)
            assert isinstance(taken, Taken)
            return Holding(integrations, SystemClock(), taken)

        loser, winner = await entered(), await entered()
        await world.cronofy.expire_tokens(dana.account.sub)
        await CronofyAccess(service, winner).userinfo()
        with pytest.raises(Stale) as lost:
            await CronofyAccess(service, loser).userinfo()
        assert lost.value.reason is Reason.LEASE_LOST
        assert await tokens(database, dana, NEW) == winner.held.tokens

        before = await refreshes(world)
        again = await entered()
        await CronofyAccess(service, again).userinfo()
        assert (again.held.tokens, await refreshes(world)) == (winner.held.tokens, before)
