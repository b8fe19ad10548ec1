"""Many users, many events, twice and in any order, on two replicas; also when one is killed and the broker restarts."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from events.items import ItemType
from sandbox.psa.model.commands import Command, CreateItem, DeleteItem, EditItem
from sandbox.psa.publishing.mishaps import Kind, Mishap
from stack.services import Broker
from tests.stories.stage import GENEROUS, TENANT, Linked, NotYet, Services, Stage, stage

USERS = range(7001, 7021)
ITEMS_EACH = 25
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)  # noqa: TID251
ITEM_CHANGED = "psa.calendar_item.changed.v1"


@dataclass
class Crowd:
    """Twenty users with linked calendars, and what each calendar should show in the end."""

    world: Stage
    linked: dict[int, Linked]
    expected: dict[int, set[tuple[str, str]]] = field(default_factory=dict[int, set[tuple[str, str]]])

    async def publish_a_thousand(self) -> None:
        """Create 500 items and edit 450 of them and delete 50 others: 1,000 events."""
        random = Random(5)
        creates: list[Command] = [_create(user, number) for user in USERS for number in range(ITEMS_EACH)]
        made = (await self.world.psa.bulk(creates)).item_ids
        owners = dict(zip(made, (user for user in USERS for _ in range(ITEMS_EACH)), strict=True))
        gone = set(random.sample(made, 50))
        changes: list[Command] = [_edit(item_id) if item_id not in gone else _delete(item_id) for item_id in made]
        random.shuffle(changes)
        await self.world.psa.bulk(changes)
        self.expected = {user: set() for user in USERS}
        for item_id, user in owners.items():
            if item_id not in gone:
                name = f"psa-{TENANT}-{user}-appointment-{item_id}"
                self.expected[user].add((name, f"edited {item_id}"))

    async def is_served(self) -> None:
        """Raise `NotYet` unless every calendar shows just what it should."""
        for user, linked in self.linked.items():
            shown = Counter((event.event_id or "", event.summary) for event in await linked.events())
            if shown != Counter(self.expected[user]):
                missing, extra = self.expected[user] - shown.keys(), shown.keys() - self.expected[user]
                raise NotYet(f"user {user}: {len(missing)} missing, {len(extra)} too many")

    async def is_not_served(self) -> None:
        """Make sure that it is still the middle."""
        with pytest.raises(NotYet):
            await self.is_served()

    async def creates_per_event(self) -> Counter[int]:
        """Count how often events were created: {1: 500} is every event once."""
        return Counter(tally.creates for tally in await self.world.cronofy.tallies() if tally.creates)

    async def publish_again(self) -> None:
        """Save every item as it is: a second round of events in which nothing differs."""
        items = [item for user in USERS for item in await self.world.psa.items(user) if not item.deleted]
        same: list[Command] = [EditItem(item_type=item.item_type, item_id=item.item_id, fields={}) for item in items]
        await self.world.psa.bulk(same)


def _create(user: int, number: int) -> CreateItem:
    start = NOON + timedelta(minutes=30 * number)
    end = start + timedelta(minutes=20)
    return CreateItem(
        item_type=ItemType.APPOINTMENT,
        user_ids=(user,),
        fields={"subject": f"item {number}", "start": start.isoformat(), "end": end.isoformat()},
    )


def _edit(item_id: str) -> EditItem:
    return EditItem(item_type=ItemType.APPOINTMENT, item_id=item_id, fields={"subject": f"edited {item_id}"})


def _delete(item_id: str) -> DeleteItem:
    return DeleteItem(item_type=ItemType.APPOINTMENT, item_id=item_id)


@contextlib.asynccontextmanager
async def crowd(services: Services, folder: Path) -> AsyncGenerator[Crowd, None]:
    """Link twenty calendars; events will come twice and in any order."""
    async with stage(services, folder, GENEROUS, **ALLOWED) as world:
        async with world.working():
            linked = await asyncio.gather(*(world.link(user) for user in USERS))
        await world.psa.add_mishap(Mishap(kind=Kind.TWICE, type=ITEM_CHANGED, times=None))
        await world.psa.add_mishap(Mishap(kind=Kind.SHUFFLED, type=ITEM_CHANGED, times=None))
        yield Crowd(world, {one.user_id: one for one in linked})


ALLOWED: dict[str, Any] = {"cronofy_requests_per_second": 10_000, "cronofy_requests_per_minute": 100_000}
UNHURRIED: dict[str, Any] = {"cronofy_requests_per_second": 40}
"""So that there is a middle, however quick the machine."""


async def test_a_thousand_events_twice_and_shuffled_make_each_event_once_and_a_second_round_writes_nothing(
    services: Services, tmp_path: Path
) -> None:
    async with crowd(services, tmp_path) as many, many.world.processes(2):
        await many.publish_a_thousand()
        await many.world.until(many.is_served)
        await many.world.rest()
        await many.is_served()
        assert max(await many.creates_per_event()) == 1
        before = await many.world.writes()
        await many.publish_again()
        await many.world.rest()
        assert await many.world.writes() == before


@pytest.mark.timeout(300)  # a broker that starts while everything else runs takes its time
async def test_a_replica_killed_and_the_broker_restarted_in_the_middle_change_nothing_in_the_end(
    own_broker: Broker, services: Services, tmp_path: Path
) -> None:
    services = Services(own_broker.url, services.mongodb_url, services.database)
    async with crowd(services, tmp_path) as many, many.world.processes(2, **UNHURRIED) as replicas:
        await many.publish_a_thousand()
        await many.world.until(lambda: begun(many))
        await replicas[0].kill()
        await many.is_not_served()
        await asyncio.to_thread(own_broker.restart)
        await many.world.until(many.is_served)
        await many.world.rest()
        await many.is_served()
        assert max(await many.creates_per_event()) == 1


async def begun(many: Crowd) -> None:
    """Raise `NotYet` until some of the work is done."""
    if len(await many.world.cronofy.tallies()) < 20:
        raise NotYet
