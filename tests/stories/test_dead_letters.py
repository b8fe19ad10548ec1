"""What a person can do with what failed for good, on real parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from adapters.rabbitmq.connection import connect
from adapters.rabbitmq.publisher import Outgoing, open_publisher
from events.addresses import PSA_EVENTS
from tests.stories.stage import NotYet, Services, Stage, stage

ITEM_CHANGED = "psa.calendar_item.changed.v1"


async def publish(world: Stage, body: bytes, message_id: str = "m-1", **headers: str) -> None:
    """Publish an item event as the platform would."""
    async with (
        connect(world.services.rabbitmq_url, "story") as connections,
        open_publisher(connections.publishing, (PSA_EVENTS,)) as publisher,
    ):
        await publisher.send(Outgoing(PSA_EVENTS, ITEM_CHANGED, body, message_id, headers))


async def kept(world: Stage, **fields: Any) -> dict[str, Any]:
    """Return the dead letter as soon as it shows these fields."""

    async def look() -> dict[str, Any]:
        found = world.store["dead_letters"].find_one({})
        if found is None or any(found.get(name) != value for name, value in fields.items()):
            raise NotYet(f"{found}")
        return dict(found)

    return await world.until(look)


async def test_a_message_that_breaks_its_contract_is_kept_with_its_story(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, world.working():
        body = orjson.dumps({"type": ITEM_CHANGED, "id": "e-1", "data": {"tenant_id": 1204}})
        await publish(world, body, traceparent="00-1")
        found = await kept(world, status="open")
        assert (found["reason"], found["tenant_id"], found["correlation_id"]) == ("breaks_schema", 1204, "e-1")
        assert found["original"]["body"] == body
        assert ["traceparent", "00-1"] in found["original"]["headers"]
        assert found["failure"]["error"] == "Malformed"
        assert "worker/consumers/items.py" in found["failure"]["stack"]
        await publish(world, body)
        assert (await kept(world, count=2))["_id"] == found["_id"], "the same message again is counted"
