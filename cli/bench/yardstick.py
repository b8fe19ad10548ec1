"""The yardstick: consume, find, POST, update, insert log, ack; 16 at once. No order, no merge, no retry.

It is what somebody would write in an afternoon, and wrong in all the ways that calendar sync is about. Run as
`python -m cli.bench.yardstick`, with everything in the environment; it works until it is ended.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aio_pika
import httpx
import uvloop
from aio_pika.abc import AbstractIncomingMessage
from motor.motor_asyncio import AsyncIOMotorClient

from events.psa import PSA_EVENT, AppointmentChanged, ItemChanged

AT_ONCE: Final = 16
QUEUE: Final = "yardstick"
EXCHANGE: Final = "yardstick"
_PATIENCE: Final = 60.0
"""Seconds. It never tries again, so that on a busy machine a shorter wait would only lose events."""


@dataclass(frozen=True)
class _Loop:
    database: Any
    http: httpx.AsyncClient

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Do all of it for one event."""
        event = PSA_EVENT.validate_json(message.body)
        assert isinstance(event, ItemChanged)
        data = event.data
        found = await self.database.people.find_one({"tenant_id": data.tenant_id, "user_id": {"$in": data.assignees}})
        if found is not None and isinstance(data, AppointmentChanged) and data.item is not None:
            item = data.item
            body = {
                "event_id": f"yardstick-{data.item_id}",
                "summary": item.subject,
                "start": f"{item.start:%Y-%m-%dT%H:%M:%SZ}",
                "end": f"{item.end:%Y-%m-%dT%H:%M:%SZ}",
            }
            answer = await self.http.post(
                f"/v1/calendars/{found['calendar_id']}/events",
                json=body,
                headers={"authorization": f"Bearer {found['token']}"},
            )
            answer.raise_for_status()
            now = datetime.now(UTC)  # noqa: TID251 - it is a program of its own
            state = {"revision": data.revision, "at": now}
            await self.database.states.update_one({"_id": data.item_id}, {"$set": state}, upsert=True)
            await self.database.log.insert_one({"item": data.item_id, "at": now, "what": "written"})
        await message.ack()


async def main() -> None:
    """Work until ended."""
    env = os.environ  # noqa: TID251 - as above
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(env["CALSYNC_MONGODB_URL"])
    database = client[env["CALSYNC_MONGODB_DATABASE"]]
    connection = await aio_pika.connect_robust(env["CALSYNC_RABBITMQ_URL"])
    url = env["CALSYNC_CRONOFY_API_URL"]
    async with connection, httpx.AsyncClient(base_url=url, trust_env=False, timeout=_PATIENCE) as http:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=AT_ONCE)
        queue = await channel.get_queue(QUEUE)
        await queue.consume(_Loop(database, http).take)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
