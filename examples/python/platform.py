"""What the PSA platform does on RabbitMQ: it publishes events until they are confirmed, and takes outcomes in.

    pip install aio-pika
    python examples/python/platform.py publish EVENT.json…
    python examples/python/platform.py outcomes

`CALSYNC_RABBITMQ_URL` says where the broker is.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import aio_pika

QUEUE = "platform.outcomes.v1"
"""A queue of our own, with its own binding; `calsync.outcomes.psa.v1` is there for whoever needs no other."""


async def publish(url: str, bodies: list[bytes]) -> None:
    """Publish events in their order; return when the broker has them all.

    Raises what aio-pika raises: nobody knows then which of them arrived, and all are to be published again. Best do
    this from an outbox that was written in the transaction of the change, and strike out what is confirmed.
    """
    async with await aio_pika.connect(url, timeout=10) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange("psa.events", ensure=False)
        for body in bodies:
            event = json.loads(body)
            message = aio_pika.Message(
                body,
                content_type="application/cloudevents+json",
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=event["id"],
            )
            # Mandatory: what no queue takes comes back as an error instead of being forgotten.
            await exchange.publish(message, routing_key=event["type"], mandatory=True, timeout=10)


async def outcomes(url: str, handle: Callable[[dict[str, Any]], None]) -> None:
    """Hand each outcome over, for ever, and acknowledge it afterwards.

    Whatever `handle` stores must be stored when it returns. After a crash the outcome comes again, under the same id.
    """
    async with await aio_pika.connect_robust(url, timeout=10) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=50)
        queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind("calsync.outcomes", routing_key="#")
        async with queue.iterator() as messages:
            async for message in messages:
                handle(json.loads(message.body))
                await message.ack()


class Board:
    """What is known, as a platform would keep it in its database: the newest of each type about each subject."""

    def __init__(self) -> None:
        self.newest: dict[tuple[str, str, str], dict[str, Any]] = {}

    def take(self, outcome: dict[str, Any]) -> bool:
        """Store an outcome, unless something newer is known. Whether it was stored."""
        about = outcome["data"]["integration_id"], outcome["type"], outcome["subject"]
        known = self.newest.get(about)
        if known is not None and moment(known) > moment(outcome):
            return False
        self.newest[about] = outcome
        return True


def moment(outcome: dict[str, Any]) -> datetime:
    """When it was so. Moments are compared as such: their texts have fractions of a second, or none."""
    return datetime.fromisoformat(outcome["time"])


def show(board: Board, outcome: dict[str, Any]) -> None:
    """Print what is news. Types, reasons and fields that are not known here are no error: there will be more."""
    if board.take(outcome):
        print(outcome["type"], outcome["subject"], json.dumps(outcome["data"]))


if __name__ == "__main__":
    where = os.environ["CALSYNC_RABBITMQ_URL"]
    if sys.argv[1:2] == ["publish"]:
        asyncio.run(publish(where, [Path(name).read_bytes() for name in sys.argv[2:]]))
    else:
        asyncio.run(outcomes(where, partial(show, Board())))
