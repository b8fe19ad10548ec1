"""What the alerts are made of: each kind of trouble is caused with a real worker, and its number moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aio_pika

from events.addresses import (
    CRONOFY_EVENTS,
    NOTIFICATION_KEY,
    NOTIFICATIONS_QUEUE,
    OUTCOMES,
    OUTCOMES_QUEUE,
    PSA_EVENTS,
    PSA_ITEMS_QUEUE,
    SIGNATURE_HEADER,
)
from events.items import ItemType
from sandbox.cronofy.api.faults import Instead, Match
from sandbox.cronofy.model.settings import Service
from sandbox.psa.api.faults import Fault, Reset
from sandbox.psa.client import PsaItem
from tests.stories.stage import DANA, Linked, Services, Stage, stage
from tests.stories.watching import Watched, watched
from worker.parts import Part

SOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
ITEM_CHANGED: Final = "psa.calendar_item.changed.v1"


@dataclass
class Scene:
    """A worker, its numbers, and a user."""

    world: Stage
    seen: Watched
    dana: Linked

    async def item(self) -> PsaItem:
        """Let an item go out."""
        end = SOON + timedelta(hours=1)
        return await self.world.psa.create_item(ItemType.APPOINTMENT, [DANA], subject="A", start=SOON, end=end)

    async def typed(self) -> None:
        """Let an event come in."""
        end = SOON + timedelta(hours=1)
        await self.world.cronofy.create_event(self.dana.calendar_id, summary="B", start=SOON, end=end)

    async def publish(self, exchange: str, key: str, body: bytes, **headers: Any) -> None:
        async with await aio_pika.connect(self.world.services.rabbitmq_url) as connection:
            to = await (await connection.channel()).get_exchange(exchange)
            await to.publish(aio_pika.Message(body, message_id="m", headers=headers), key)


async def test_messages_that_can_never_succeed_are_counted_and_stay_open(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, watched(world) as seen:
        scene = Scene(world, seen, await world.link())
        before = await seen.metrics()
        await scene.publish(CRONOFY_EVENTS, NOTIFICATION_KEY, b"{}", **{SIGNATURE_HEADER: "AAAA"})
        await scene.publish(PSA_EVENTS, ITEM_CHANGED, b'{"type": "psa.calendar_item.changed.v1"}')
        for source, reason in ((NOTIFICATIONS_QUEUE, "bad_signature"), (PSA_ITEMS_QUEUE, "breaks_schema")):
            await seen.grows(before, "calsync_dead_letters_total", source=source, reason=reason)
        await seen.until(lambda shown: shown("calsync_open_dead_letters") == 2)
        world.store["dead_letters"].update_many({}, {"$set": {"first_at": SOON - timedelta(days=3)}})
        await seen.until(
            lambda shown: shown("calsync_open_dead_letters_oldest_seconds", reason="breaks_schema") > 86400
        )


async def test_an_outage_of_the_psa_and_one_of_cronofy_are_told_apart(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, watched(world) as seen:
        scene = Scene(world, seen, await world.link())
        await world.rest()
        before = await seen.metrics()
        await world.psa.add_fault(Fault(effect=Reset(), path="/v2/calendar/*", times=None))
        await scene.typed()
        shown = await seen.until(lambda shown: shown("calsync_integrations_on_hold", system="psa") == 1)
        assert shown("calsync_integrations_on_hold", system="cronofy") == 0
        await seen.grows(before, "calsync_http_requests_total", system="psa", status="none")
        await seen.grows(before, "calsync_retries_total", system="psa", failure="transient")
        await seen.grows(before, "calsync_messages_processed_total", consumer="commands", outcome="psa_on_hold")
        shown = await seen.until(lambda shown: shown("calsync_waiting_links") > 0)
        assert shown.has("calsync_waiting_links_oldest_seconds")
        await world.cronofy.set_fault(Instead(status=503), Match(sub=scene.dana.account.sub), count=None)
        await scene.item()
        await seen.grows(before, "calsync_http_requests_total", system="cronofy", status="503")
        await seen.grows(before, "calsync_retries_total", system="cronofy", failure="transient")
        await seen.until(lambda shown: shown("calsync_integrations_on_hold", system="cronofy") == 1)
        await seen.grows(before, "calsync_messages_processed_total", consumer="commands", outcome="calendar_on_hold")


async def test_being_told_to_slow_down_is_seen_in_the_allowance(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, watched(world) as seen:
        scene = Scene(world, seen, await world.link())
        await world.rest()
        before = await seen.metrics()
        slow = Instead(status=429, headers={"Retry-After": "30"})
        await world.cronofy.set_fault(slow, Match(path="/v1/batch"), count=1)
        await scene.item()
        shown = await seen.until(lambda shown: shown("calsync_budget_rate_ratio") < 0.6)
        assert shown("calsync_budget_paused_seconds") > 0
        await seen.grows(before, "calsync_retries_total", system="cronofy", failure="rate")
        another = await world.cronofy.create_account(Service.GOOGLE, None)
        await world.psa.connect("int-another", DANA + 1, another.code)
        await seen.grows(before, "calsync_budget_waits_total", lane="real_time", outcome="postponed")


async def test_a_queue_that_takes_nothing_and_a_user_who_left_are_seen(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, watched(world) as seen:
        scene = Scene(world, seen, await world.link())
        await world.rest()
        before = await seen.metrics()
        async with await aio_pika.connect(services.rabbitmq_url) as connection:
            queue = await (await connection.channel()).get_queue(OUTCOMES_QUEUE)
            await queue.unbind(OUTCOMES, "#")
            await world.cronofy.revoke(scene.dana.account.sub)
            await scene.item()
            await seen.grows(before, "calsync_messages_published_total", exchange=OUTCOMES, outcome="unroutable")
            await queue.bind(OUTCOMES, "#")
        await seen.until(lambda shown: shown("calsync_integrations", reason="reauthorise_needed") == 1)


async def test_work_that_is_due_and_nobody_takes_is_seen(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world:
        async with world.working():
            await world.link()
        async with watched(world, parts=(Part.PSA_ITEMS,)) as seen:
            world.store["integrations"].update_many({}, {"$set": {"due_at": SOON - timedelta(days=2)}})
            shown = await seen.until(lambda shown: shown("calsync_overdue_integrations") == 1)
            assert shown("calsync_overdue_integrations_oldest_seconds") > 3600
