"""What the broker sets aside, and what becomes of headers on the way through it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aio_pika
from aio_pika.abc import AbstractQueue

from adapters.rabbitmq.connection import Connections, connect_once
from adapters.rabbitmq.consumer import Delivery, consume
from adapters.rabbitmq.publisher import Outgoing, Publisher
from adapters.rabbitmq.topology import DELIVERY_LIMIT
from events.addresses import DEAD_LETTERS, DEAD_LETTERS_QUEUE, PSA_EVENTS, PSA_ITEMS_QUEUE
from events.dead_letters import DeadLetter, portable
from events.reasons import Reason
from tests.adapters.rabbitmq.seen import VirtualHost

KEY = "psa.calendar_item.changed.v1"
NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)


async def dead(connections: Connections) -> Delivery:
    """Take one message out of the dead letters."""
    async with consume(connections.consuming, DEAD_LETTERS_QUEUE, 1) as inbox, asyncio.timeout(20):
        (delivery,) = await inbox.batch(1)
        await delivery.ack()
    return delivery


async def returned_until_gone(broker: VirtualHost) -> int:
    """Take the message and give it back, as workers that die do, until it does not come any more."""
    async with connect_once(broker.url, "dying") as connection, connection.channel() as channel:
        queue = await channel.get_queue(PSA_ITEMS_QUEUE)
        times = 0
        while await _returned(queue):
            times += 1
        return times


async def _returned(queue: AbstractQueue) -> bool:
    message = await queue.get(fail=False)
    if message is None:
        return False
    await message.reject(requeue=True)
    return True


async def test_a_message_that_makes_workers_die_ends_among_the_dead_letters_with_its_story(
    connections: Connections, publisher: Publisher, broker: VirtualHost
) -> None:
    await publisher.send(Outgoing(PSA_EVENTS, KEY, b"poison", "one", {"x-ours": "stays"}))
    assert await returned_until_gone(broker) == DELIVERY_LIMIT + 1
    delivery = await dead(connections)
    assert (delivery.body, delivery.message_id, delivery.headers["x-ours"]) == (b"poison", "one", "stays")
    letter = DeadLetter.of(delivery.headers, NOW)
    assert letter.reason == Reason.DELIVERY_LIMIT.value
    assert (letter.queue, letter.exchange, letter.routing_key) == (PSA_ITEMS_QUEUE, PSA_EVENTS, KEY)
    assert abs(letter.failed_at - datetime.now(UTC)) < timedelta(minutes=5)  # noqa: TID251 - the broker's own clock


async def test_a_message_that_somebody_rejected_by_hand_says_so(
    connections: Connections, publisher: Publisher, broker: VirtualHost
) -> None:
    await publisher.send(Outgoing(PSA_EVENTS, KEY, b"{}", "one"))
    async with connect_once(broker.url, "hand") as connection, connection.channel() as channel:
        await (await (await channel.get_queue(PSA_ITEMS_QUEUE)).get()).reject(requeue=False)
    letter = DeadLetter.of((await dead(connections)).headers, NOW)
    assert (letter.reason, letter.detail) == (Reason.POISON.value, "set aside by the broker: rejected")
    assert (letter.queue, letter.exchange, letter.routing_key) == (PSA_ITEMS_QUEUE, PSA_EVENTS, KEY)


async def test_our_own_account_of_a_failure_comes_back_as_it_went(
    connections: Connections, publisher: Publisher
) -> None:
    letter = DeadLetter(
        reason=Reason.BREAKS_SCHEMA.value,
        detail="data/revision: should be an integer - naïve, 日本語, 🗓",
        error="Malformed",
        queue=PSA_ITEMS_QUEUE,
        exchange=PSA_EVENTS,
        routing_key=KEY,
        message_id="one",
        attempts=3,
        failed_at=NOW,
    )
    await publisher.send(Outgoing(DEAD_LETTERS, PSA_ITEMS_QUEUE, b"{}", "two", letter.headers()))
    assert DeadLetter.of((await dead(connections)).headers, NOW + timedelta(days=1)) == letter


async def test_a_dead_message_that_is_published_again_can_die_again_and_tells_the_new_story(
    connections: Connections, publisher: Publisher, broker: VirtualHost
) -> None:
    await publisher.send(Outgoing(PSA_EVENTS, KEY, b"poison", "one"))
    await returned_until_gone(broker)
    first = await dead(connections)
    replayed = {**portable(first.headers), "x-replay": "1"}
    await publisher.send(Outgoing(PSA_EVENTS, KEY, first.body, "two", replayed))
    assert await returned_until_gone(broker) == DELIVERY_LIMIT + 1, "the count begins anew"
    second = await dead(connections)
    assert second.headers["x-replay"] == "1"
    assert DeadLetter.of(second.headers, NOW).reason == Reason.DELIVERY_LIMIT.value
    assert len(second.headers["x-death"]) == 1
    assert second.headers["x-death"][0]["count"] == 1


async def test_whatever_headers_a_foreign_message_has_they_can_be_published_again(
    connections: Connections, publisher: Publisher
) -> None:
    headers: dict[str, Any] = {
        "text": "naïve 🗓",
        "bytes": bytearray(b"\xff\x00"),
        "nothing": None,
        "yes": True,
        "small": -1,
        "large": 2**62,
        "real": 1.5,
        "decimal": Decimal("1.25"),
        "time": NOW,
        "table": {"inner": {"deep": [1, "two", {"three": None}]}},
        "list": [],
        "": "no name",
        "x" * 128: "a long one",
    }
    async with connections.publishing.channel() as channel:
        exchange = await channel.get_exchange(PSA_EVENTS)
        await exchange.publish(aio_pika.Message(b"{}", headers=headers), KEY)
    async with consume(connections.consuming, PSA_ITEMS_QUEUE, 1) as inbox:
        (delivery,) = await inbox.batch(1)
        await publisher.send(Outgoing(DEAD_LETTERS, PSA_ITEMS_QUEUE, b"{}", "two", portable(delivery.headers)))
        await delivery.ack()
    assert portable((await dead(connections)).headers) == portable(delivery.headers)


async def test_headers_that_can_be_read_but_not_written_do_not_keep_a_message_from_being_set_aside(
    connections: Connections, publisher: Publisher
) -> None:
    unwritable = {"latin": b"na\xefve", "large": 1e300}
    headers = {**unwritable, "list": [b"\xff", 1e300], "table": unwritable}
    await publisher.send(Outgoing(DEAD_LETTERS, PSA_ITEMS_QUEUE, b"{}", "one", headers))
    found = (await dead(connections)).headers
    assert (found["latin"], found["large"]) == (b"na\xefve", "1e+300")
    assert (found["list"], found["table"]) == ([b"\xff", "1e+300"], {"latin": b"na\xefve", "large": "1e+300"})
