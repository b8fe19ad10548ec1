"""What a worker's log says, and what it never says: read as an operator reads it, at the most talkative level."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aio_pika
import orjson

from adapters.mongodb.driver import Driver, open_database
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.vault import Vault
from events.addresses import PSA_EVENTS
from events.items import ItemType
from events.outcomes import ItemSynced
from tests.stories.stage import DANA, SECRET, Linked, NotYet, Services, Stage, stage

SOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
LATER = SOON + timedelta(hours=1)
PRIVATE = ("Zq-oncologist", "Zq-bring-the-scans", "Zq-ward-nine", "Zq-subject", "Zq-notes", "Zq-malformed")


def lines_of(log: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in log.read_bytes().splitlines()]


async def publish(services: Services, body: bytes) -> None:
    async with await aio_pika.connect(services.rabbitmq_url) as connection:
        exchange = await (await connection.channel()).get_exchange(PSA_EVENTS)
        await exchange.publish(aio_pika.Message(body, message_id="bad-1"), "psa.calendar_item.changed.v1")


async def a_private_day(world: Stage, dana: Linked) -> str:
    """A private event comes in, is moved, and goes; an item goes out and is moved. Returns the item's id."""
    typed = await world.cronofy.create_event(
        dana.calendar_id,
        summary=PRIVATE[0],
        description=PRIVATE[1],
        location=PRIVATE[2],
        private=True,
        start=SOON,
        end=LATER,
    )
    await dana.appointment(typed)
    await world.cronofy.edit_event(typed, start=LATER, end=LATER + timedelta(hours=1))
    item = await world.psa.create_item(
        ItemType.APPOINTMENT, [DANA], subject=PRIVATE[3], description=PRIVATE[4], start=SOON, end=LATER
    )
    await dana.event(item)
    await world.psa.outcome(ItemSynced, item_id=item.item_id, within=30)
    await world.cronofy.delete_event(typed)
    return item.item_id


async def test_what_was_done_is_joined_by_its_ids_and_nothing_private_or_secret_is_said(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world:
        async with world.processes(1, log_level="DEBUG"):
            dana = await world.link()
            item_id = await a_private_day(world, dana)
            await publish(services, b'{"type": "Zq-malformed", "data": "Zq-malformed"}')
            await world.until(lambda: _set_aside(tmp_path / "worker-0.log"))
            await world.rest()
            tokens = await _tokens(world, dana)
        log = (tmp_path / "worker-0.log").read_text()
        password = services.rabbitmq_url.partition("://")[2].rpartition("@")[0].partition(":")[2]
        keys = [key.get_secret_value() for key in world.settings.encryption_keys]
    for secret in (*PRIVATE, *tokens, dana.account.code, SECRET, *keys, f":{password}@"):
        assert secret not in log
    lines = lines_of(tmp_path / "worker-0.log")
    told = [line for line in lines if line["event"] == "item_acted_on" and line["item"] == f"appointment/{item_id}"]
    assert {("create", "accepted"), ("confirm", "done")} <= {(line["act"], line["result"]) for line in told}
    (correlation,) = {line["correlation_id"] for line in told if line["act"] == "create"}
    woken = [line for line in lines if line["event"] == "wake_executed" and line["correlation_id"] == correlation]
    assert {line["integration_id"] for line in woken} == {dana.integration_id}
    (aside,) = [line for line in lines if line["event"] == "message_dead_lettered"]
    assert (aside["message_id"], aside["reason"]) == ("bad-1", "unknown_type")


async def _set_aside(log: Path) -> None:
    if "message_dead_lettered" not in await asyncio.to_thread(log.read_text):
        raise NotYet


async def _tokens(world: Stage, dana: Linked) -> list[str]:
    """Return what opens the account, as it is stored."""
    vault = Vault([key.get_secret_value() for key in world.settings.encryption_keys])
    async with open_database(Driver.MOTOR, world.services.mongodb_url, world.services.database) as database:
        found = await Integrations(database, vault, time.monotonic).get(dana.integration_id)
    assert found is not None
    assert found.held.tokens is not None
    return [found.held.tokens.access, found.held.tokens.refresh]
