"""Consuming: everything arrives, in order, and what is not acked arrives again."""

from __future__ import annotations

import asyncio

import aio_pika
import pytest

from adapters.rabbitmq.connection import Connections, connect, connect_once
from adapters.rabbitmq.consumer import Delivery, Inbox, ack_batch, consume
from adapters.rabbitmq.publisher import Outgoing, Publisher
from adapters.rabbitmq.topology import apply
from events.addresses import COMMANDS, COMMANDS_QUEUE, WAKE_KEY
from events.failures import Misconfigured, TryLater
from events.reasons import Reason
from tests.adapters.rabbitmq.link import Link
from tests.adapters.rabbitmq.seen import VirtualHost, eventually


async def publish(publisher: Publisher, *bodies: str) -> None:
    for body in bodies:
        await publisher.send(Outgoing(COMMANDS, WAKE_KEY, body.encode(), f"id of {body}", {"x-ours": body}))


async def taken(inbox: Inbox, count: int, limit: int = 100) -> list[Delivery]:
    """Take batches until there are so many."""
    deliveries: list[Delivery] = []
    async with asyncio.timeout(20):
        while len(deliveries) < count:
            deliveries += await inbox.batch(limit)
    return deliveries


async def noticed(inbox: Inbox) -> bool:
    return inbox.cancelled


def bodies(deliveries: list[Delivery]) -> list[str]:
    return [delivery.body.decode() for delivery in deliveries]


async def test_a_delivery_tells_all_there_is_to_tell(connections: Connections, publisher: Publisher) -> None:
    await publish(publisher, "a")
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        (delivery,) = await inbox.batch(10)
    assert (delivery.body, delivery.message_id, delivery.headers["x-ours"]) == (b"a", "id of a", "a")
    assert (delivery.exchange, delivery.routing_key, delivery.queue) == (COMMANDS, WAKE_KEY, COMMANDS_QUEUE)
    assert not delivery.redelivered


async def test_a_foreign_message_may_lack_everything(connections: Connections) -> None:
    async with connections.publishing.channel() as channel:
        await channel.default_exchange.publish(aio_pika.Message(b""), COMMANDS_QUEUE)
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        (delivery,) = await inbox.batch(10)
    assert (delivery.body, delivery.exchange, delivery.routing_key) == (b"", "", COMMANDS_QUEUE)


async def test_batches_are_limited_and_in_order(connections: Connections, publisher: Publisher) -> None:
    async with consume(connections.consuming, COMMANDS_QUEUE, 100) as inbox:
        await publish(publisher, *"abcdefg")
        await eventually(lambda: ready(inbox), lambda count: count == 7)
        assert bodies(await inbox.batch(3)) == ["a", "b", "c"]
        assert bodies(await inbox.batch(3)) == ["d", "e", "f"]
        assert bodies(await inbox.batch(3)) == ["g"]


async def ready(inbox: Inbox) -> int:
    return inbox._buffer.qsize()  # pyright: ignore[reportPrivateUsage] - only a test needs to know


async def test_no_more_are_held_unacked_than_the_prefetch_allows(
    connections: Connections, publisher: Publisher
) -> None:
    await publish(publisher, *"abcde")
    async with consume(connections.consuming, COMMANDS_QUEUE, 2) as inbox:
        first = await taken(inbox, 2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await inbox.batch(10)
        await first[0].ack()
        assert bodies(await taken(inbox, 1)) == ["c"]


async def test_what_is_acked_is_gone_and_what_is_not_comes_back_when_the_consumer_ends(
    connections: Connections, publisher: Publisher
) -> None:
    await publish(publisher, *"abc")
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        deliveries = await taken(inbox, 3)
        assert await deliveries[1].ack()
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        again = await taken(inbox, 2)
    assert [(delivery.body, delivery.redelivered) for delivery in again] == [(b"a", True), (b"c", True)]


@pytest.mark.parametrize("acked_before", ["", "a", "c", "abc"])
async def test_a_batch_is_acked_as_a_whole_whatever_was_acked_before(
    acked_before: str, connections: Connections, publisher: Publisher, broker: VirtualHost
) -> None:
    await publish(publisher, *"abc")
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        deliveries = await taken(inbox, 3)
        for delivery in deliveries:
            if delivery.body.decode() in acked_before:
                await delivery.ack()
        await ack_batch(deliveries)
        await publish(publisher, "d")
        await taken(inbox, 1)  # by now the broker has seen the acks
    assert [each["payload"] for each in await broker.messages(COMMANDS_QUEUE)] == ["d"]


async def test_an_ack_leaves_later_messages_alone(connections: Connections, publisher: Publisher) -> None:
    await publish(publisher, *"abc")
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        deliveries = await taken(inbox, 3)
        assert await deliveries[1].ack_up_to()
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        assert bodies(await taken(inbox, 1)) == ["c"]


async def test_after_a_cut_everything_unacked_comes_again_and_the_old_deliveries_are_lost(
    connections: Connections, publisher: Publisher, link: Link
) -> None:
    await publish(publisher, *"abc")
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        before = await taken(inbox, 3)
        link.cut()
        after = await taken(inbox, 3)
        assert [(each.body, each.redelivered) for each in after] == [(b"a", True), (b"b", True), (b"c", True)]
        assert all(delivery.lost for delivery in before)
        assert not any(delivery.lost for delivery in after)


async def test_what_waits_in_the_buffer_when_the_connection_breaks_is_taken_only_once(
    connections: Connections, publisher: Publisher, link: Link
) -> None:
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        await publish(publisher, *"abc")
        await eventually(lambda: ready(inbox), lambda count: count == 3)
        link.cut()
        await eventually(lambda: ready(inbox), lambda count: count == 6)
        assert bodies(await inbox.batch(10)) == ["a", "b", "c"]
        assert await ready(inbox) == 0


async def test_an_ack_by_a_broken_connection_is_no_error_and_does_nothing(
    connections: Connections, publisher: Publisher, link: Link
) -> None:
    await publish(publisher, *"ab")
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        before = await taken(inbox, 2)
        link.cut()
        after = await taken(inbox, 2)
        assert not await before[0].ack()
        assert not await before[1].ack_up_to()
        await ack_batch(before)
        await ack_batch(after)
        await publish(publisher, "c")
        assert bodies(await taken(inbox, 1)) == ["c"]


async def test_a_batch_from_before_and_after_a_cut_is_acked_as_far_as_it_can_be(
    connections: Connections, publisher: Publisher, link: Link, broker: VirtualHost
) -> None:
    await publish(publisher, "a")
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        before = await taken(inbox, 1)
        link.cut()
        after = await taken(inbox, 1)
        await ack_batch([*after, *before])
        await publish_eventually(publisher, "b")
        await taken(inbox, 1)
    assert [each["payload"] for each in await broker.messages(COMMANDS_QUEUE)] == ["b"]


async def publish_eventually(publisher: Publisher, body: str) -> None:
    async def once() -> bool:
        try:
            await publish(publisher, body)
        except TryLater:
            return False
        return True

    await eventually(once, bool)


async def test_a_consumer_goes_on_after_the_operator_closed_its_connection(
    connections: Connections, publisher: Publisher, broker: VirtualHost
) -> None:
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        await broker.cut("test consume")
        await publish(publisher, "a")
        assert bodies(await taken(inbox, 1)) == ["a"]


async def test_a_consumer_goes_on_after_an_outage(connections: Connections, publisher: Publisher, link: Link) -> None:
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        link.go_down()
        with pytest.raises(TryLater):
            await publish(publisher, "a")
        link.come_up()
        await publish_eventually(publisher, "b")
        assert bodies(await taken(inbox, 1)) == ["b"]


async def test_a_consumer_goes_on_once_its_queue_is_back(
    connections: Connections, publisher: Publisher, broker: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.rabbitmq.consumer.WATCH_SECONDS", 0.5)
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        async with connect_once(broker.url, "operator") as connection:
            async with connection.channel() as channel:
                await channel.queue_delete(COMMANDS_QUEUE)
            await eventually(lambda: noticed(inbox), bool)
            assert await apply(connection) == []
        await publish(publisher, "a")
        assert bodies(await taken(inbox, 1)) == ["a"]


async def test_a_consumer_that_its_queue_has_forgotten_consumes_anew(
    connections: Connections, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.rabbitmq.consumer.WATCH_SECONDS", 0.1)
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        await publish(publisher, "a")
        (delivery,) = await taken(inbox, 1)
        tag = delivery.message.consumer_tag
        assert tag is not None
        await delivery.message.channel.basic_cancel(
            tag
        )  # behind the back of the library, which thinks that it consumes
        assert await delivery.ack()
        await publish(publisher, "b")
        assert bodies(await taken(inbox, 1)) == ["b"]


async def test_a_consumer_goes_on_after_the_broker_closed_its_channel(
    connections: Connections, publisher: Publisher
) -> None:
    await publish(publisher, *"ab")
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        first = await taken(inbox, 2)
        await first[0].message.channel.basic_ack(4711)  # nothing has this number, and the broker takes offence
        again = await taken(inbox, 2)
        assert [(each.body, each.redelivered) for each in again] == [(b"a", True), (b"b", True)]
        await ack_batch(again)


async def test_a_consumer_whose_channel_could_not_be_restored_tries_again(
    publisher: Publisher, broker: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.rabbitmq.consumer.WATCH_SECONDS", 0.1)
    async with (
        broker.user() as user,
        connect(user.url, "theirs") as theirs,
        consume(theirs.consuming, COMMANDS_QUEUE, 10) as inbox,
    ):
        await publish(publisher, "a")
        (delivery,) = await taken(inbox, 1)
        await user.may(read="nothing")
        await delivery.message.channel.basic_ack(4711)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await inbox.batch(10)
        await user.may(read=".*")
        assert bodies(await taken(inbox, 1)) == ["a"]


async def test_our_own_cancellation_ends_the_waiting_and_loses_nothing(
    connections: Connections, publisher: Publisher
) -> None:
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(inbox.batch(10))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        await publish(publisher, "a")
        assert bodies(await taken(inbox, 1)) == ["a"]


async def test_a_queue_that_does_not_exist_is_named_with_the_remedy(connections: Connections) -> None:
    with pytest.raises(Misconfigured) as failure:
        async with consume(connections.consuming, "nowhere", 10):
            pass
    assert failure.value.reason is Reason.BAD_SETTINGS
    assert failure.value.detail == "queue nowhere does not exist; run `calsync topology apply`"


async def test_to_begin_consuming_while_the_broker_is_away_asks_to_try_later(
    connections: Connections, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.rabbitmq.connection.OPEN_TIMEOUT", 0.3)
    link.go_down()
    for _ in range(3):
        with pytest.raises(TryLater):
            async with consume(connections.consuming, COMMANDS_QUEUE, 10):
                pass


async def test_to_begin_consuming_from_a_silent_broker_asks_to_try_later(
    connections: Connections, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.rabbitmq.connection.OPEN_TIMEOUT", 0.3)
    link.go_silent()
    with pytest.raises(TryLater):
        async with consume(connections.consuming, COMMANDS_QUEUE, 10):
            pass
    link.go_on()
