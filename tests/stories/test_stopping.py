"""Replicas are stopped one after the other, as a rollout does, in the middle of the work. Nobody notices."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from cli.local.workers import WorkerProcess
from events.items import ItemType
from sandbox.cronofy.api.faults import Match
from sandbox.psa.model.commands import Command, CreateItem, EditItem
from tests.stories.stage import GENEROUS, PATIENCE, TENANT, Linked, NotYet, Services, Stage, stage
from worker.said import Said

USERS: Final = range(7101, 7106)
ITEMS_EACH: Final = 10
GRACE: Final = 15.0
"""Seconds that a replica has after SIGTERM, as `CALSYNC_STOP_SECONDS` says here."""
SLOWLY: Final = 0.25
"""Seconds that each batch takes, so that the work lasts long enough to be stopped in."""
NOON: Final = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)  # noqa: TID251


@dataclass
class Burst:
    """Waves of events, each about every item."""

    world: Stage
    linked: dict[int, Linked]
    owners: dict[str, int]
    title: str = "new"

    async def create(self) -> None:
        """The first wave: every item is new."""
        creates: list[Command] = [_create(user, number) for user in USERS for number in range(ITEMS_EACH)]
        made = (await self.world.psa.bulk(creates)).item_ids
        self.owners = dict(zip(made, (user for user in USERS for _ in range(ITEMS_EACH)), strict=True))

    async def edit(self, title: str) -> None:
        """Another wave: every item gets another title."""
        self.title = title
        edits: list[Command] = [
            EditItem(item_type=ItemType.APPOINTMENT, item_id=item_id, fields={"subject": title})
            for item_id in self.owners
        ]
        await self.world.psa.bulk(edits)

    async def is_under_way(self) -> None:
        """Raise `NotYet` unless a part of the wave has reached the calendars."""
        done = await self.done()
        if not 0 < done < len(self.owners):
            raise NotYet(f"{done} of {len(self.owners)}")

    async def is_served(self) -> None:
        """Raise `NotYet` unless every event is there once, with the last title."""
        for user, linked in self.linked.items():
            shown = Counter((event.event_id, event.summary) for event in await linked.events())
            wanted = [item_id for item_id, owner in self.owners.items() if owner == user]
            if shown != Counter((f"psa-{TENANT}-{user}-appointment-{item_id}", self.title) for item_id in wanted):
                raise NotYet(f"user {user}")

    async def done(self) -> int:
        """Return how many events show the last title."""
        shown = [event.summary for linked in self.linked.values() for event in await linked.events()]
        return shown.count(self.title)


def _create(user: int, number: int) -> CreateItem:
    start = NOON + timedelta(minutes=30 * number)
    times = {"start": start.isoformat(), "end": (start + timedelta(minutes=20)).isoformat()}
    return CreateItem(item_type=ItemType.APPOINTMENT, user_ids=(user,), fields={"subject": "new", **times})


async def test_replicas_stopped_in_turn_during_a_burst_lose_nothing_and_repeat_nothing(
    services: Services, tmp_path: Path
) -> None:
    allowed: dict[str, Any] = {"cronofy_requests_per_second": 10_000, "cronofy_requests_per_minute": 100_000}
    async with stage(services, tmp_path, GENEROUS, **allowed) as world:
        # Three to be stopped, and one that comes after them.
        async with world.processes(4, integrations_at_once=1, stop_seconds=GRACE) as (*replicas, _):
            linked = await asyncio.gather(*(world.link(user) for user in USERS))
            burst = Burst(world, {one.user_id: one for one in linked}, {})
            await world.cronofy.set_fault(match=Match(path="/v1/batch"), delay=SLOWLY, count=None)
            await burst.create()
            for title, replica in zip(("edited", "edited again", "edited at last"), replicas, strict=True):
                await world.until(burst.is_under_way)
                await stopped_in_order(replica)
                await world.until(burst.is_served)
                await burst.edit(title)
            await world.until(burst.is_served)
            await world.psa.wait_until_quiet(still_for=0.5, within=PATIENCE)
            await world.cronofy.wait_until_quiet(timeout=PATIENCE)
            await burst.is_served()
        for tally in await world.cronofy.tallies():
            assert (tally.creates, tally.deletes) == (1, 0)
            assert tally.updates <= 3, "one for each wave of edits"


async def stopped_in_order(replica: WorkerProcess) -> None:
    """Stop a replica. It has to end by itself, within its grace period, and say so last."""
    began = time.monotonic()
    assert await replica.stop() == 0, replica.last_lines()
    assert time.monotonic() - began < GRACE
    assert orjson.loads(replica.last_lines().splitlines()[-1])["event"] == Said.STOPPED
