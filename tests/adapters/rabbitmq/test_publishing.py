"""Publishing: what is confirmed is there, and what is not says why."""

from __future__ import annotations

import asyncio
import time

import pytest

from adapters.rabbitmq.connection import Connections, connect, connect_once
from adapters.rabbitmq.consumer import consume
from adapters.rabbitmq.publisher import Outgoing, Publisher, open_publisher
from adapters.rabbitmq.topology import apply
from events.addresses import COMMANDS, COMMANDS_QUEUE, OUTCOMES, OUTCOMES_QUEUE, WAKE_KEY
from events.failures import Misconfigured, Refused, System, TryLater
from events.reasons import Reason
from tests.adapters.rabbitmq.link import Link
from tests.adapters.rabbitmq.seen import VirtualHost, eventually


def wake(number: int, exchange: str = COMMANDS) -> Outgoing:
    return Outgoing(exchange, WAKE_KEY, b'{"number":%d}' % number, f"message-{number}")


async def test_what_was_published_is_there_and_persistent_when_the_call_returns(
    publisher: Publisher, broker: VirtualHost
) -> None:
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    await publisher.publish(COMMANDS, WAKE_KEY, b"{}", headers=headers, message_id="one")
    (message,) = await broker.messages(COMMANDS_QUEUE)
    assert (message["exchange"], message["routing_key"], message["payload"]) == (COMMANDS, WAKE_KEY, "{}")
    properties = message["properties"]
    assert (properties["delivery_mode"], properties["message_id"]) == (2, "one")
    assert properties["content_type"] == "application/json"
    assert headers.items() <= properties["headers"].items()


async def test_a_body_that_is_no_text_arrives_byte_for_byte(connections: Connections, publisher: Publisher) -> None:
    body = bytes(range(256)) * 1000
    await publisher.send(Outgoing(OUTCOMES, "any.key", body, "one"))
    async with consume(connections.consuming, OUTCOMES_QUEUE, 1) as inbox:
        (delivery,) = await inbox.batch(1)
    assert delivery.body == body


async def test_many_are_published_at_once(publisher: Publisher, broker: VirtualHost) -> None:
    await publisher.send_all(wake(number) for number in range(300))
    messages = await broker.messages(COMMANDS_QUEUE)
    assert {each["properties"]["message_id"] for each in messages} == {f"message-{number}" for number in range(300)}


async def test_what_no_queue_takes_is_refused(publisher: Publisher, broker: VirtualHost) -> None:
    await unbind(broker)
    with pytest.raises(Refused) as refused:
        await publisher.send(wake(1))
    assert refused.value.reason is Reason.UNROUTABLE
    assert refused.value.detail == f"{COMMANDS} {WAKE_KEY}"


async def test_what_no_queue_takes_leaves_the_others_alone(publisher: Publisher, broker: VirtualHost) -> None:
    await unbind(broker)
    sent = [publisher.send(wake(number, [COMMANDS, OUTCOMES][number % 2])) for number in range(100)]
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    assert [isinstance(outcome, Refused) for outcome in outcomes] == [True, False] * 50
    assert len(await broker.messages(OUTCOMES_QUEUE)) == 50


async def unbind(broker: VirtualHost) -> None:
    async with connect_once(broker.url, "test") as connection, connection.channel() as channel:
        await (await channel.get_queue(COMMANDS_QUEUE)).unbind(COMMANDS, "#")


async def test_a_queue_that_is_full_asks_to_try_later(publisher: Publisher, broker: VirtualHost) -> None:
    await fill(publisher, broker)
    with pytest.raises(TryLater) as failure:
        await publisher.send(wake(99))
    assert failure.value.system is System.BROKER
    assert "message-99" not in {each["properties"]["message_id"] for each in await broker.messages(COMMANDS_QUEUE)}


async def test_a_queue_that_was_full_takes_messages_again(
    connections: Connections, publisher: Publisher, broker: VirtualHost
) -> None:
    await fill(publisher, broker)
    async with consume(connections.consuming, COMMANDS_QUEUE, 10) as inbox:
        async with asyncio.timeout(10):
            while not await accepted(publisher):
                for delivery in await inbox.batch(10):
                    await delivery.ack()


async def fill(publisher: Publisher, broker: VirtualHost) -> None:
    """Publish until the queue refuses; its limit overshoots a little."""
    await broker.limit_length(COMMANDS_QUEUE, 1)
    async with asyncio.timeout(10):
        while await accepted(publisher):
            pass


async def accepted(publisher: Publisher) -> bool:
    try:
        await publisher.send(wake(0))
    except TryLater:
        return False
    return True


async def test_one_failure_among_many_is_named_as_if_it_were_alone(publisher: Publisher, broker: VirtualHost) -> None:
    await fill(publisher, broker)
    with pytest.raises(TryLater):
        await publisher.send_all([wake(1), wake(2, OUTCOMES), wake(3)])


async def test_one_refusal_among_many_is_named_as_if_it_were_alone(publisher: Publisher, broker: VirtualHost) -> None:
    await unbind(broker)
    with pytest.raises(Refused):
        await publisher.send_all([wake(1), wake(2, OUTCOMES), wake(3)])


async def test_an_exchange_that_does_not_exist_is_named_with_the_remedy(connections: Connections) -> None:
    with pytest.raises(Misconfigured, match=r"exchange nowhere does not exist; run `calsync topology apply`"):
        async with open_publisher(connections.publishing, [COMMANDS, "nowhere"]):
            pass


async def test_a_publisher_works_again_once_a_missing_exchange_is_back(
    publisher: Publisher, broker: VirtualHost
) -> None:
    async with connect_once(broker.url, "operator") as connection:
        async with connection.channel() as channel:
            await channel.exchange_delete(COMMANDS)
        for number in range(3):
            with pytest.raises(TryLater):
                await publisher.send(wake(number))
        assert await apply(connection) == []
    await publisher.send(wake(4))
    assert len(await broker.messages(COMMANDS_QUEUE)) == 1


async def test_a_publisher_survives_a_dropped_connection(publisher: Publisher, broker: VirtualHost) -> None:
    await broker.cut("test publish")
    await eventually(lambda: accepted(publisher), bool)
    assert len(await broker.messages(COMMANDS_QUEUE)) == 1


async def test_our_own_cancellation_is_not_taken_for_an_outage(publisher: Publisher) -> None:
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(publisher.send(wake(1)))
        await asyncio.sleep(0)  # it has begun, and waits for the broker
        sending.cancel()
    assert sending.cancelled()


async def test_while_the_broker_is_away_a_publisher_says_so_and_afterwards_it_works(
    publisher: Publisher, link: Link
) -> None:
    seen = [publisher.connected]
    link.go_down()
    for number in range(20):
        with pytest.raises(TryLater, match="unreachable"):
            await publisher.send(wake(number))
    seen.append(publisher.connected)
    link.come_up()
    await eventually(lambda: accepted(publisher), bool)
    assert [*seen, publisher.connected] == [True, False, True]


async def test_a_broker_that_falls_silent_is_waited_for_only_so_long(
    publisher: Publisher, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.rabbitmq.publisher.CONFIRM_TIMEOUT", 0.3)
    link.go_silent()
    began = time.monotonic()
    with pytest.raises(TryLater, match="TimeoutError"):
        await publisher.send_all(wake(number) for number in range(1000))
    assert time.monotonic() - began < 5
    link.go_on()
    await eventually(lambda: accepted(publisher), bool)


async def test_a_dead_link_does_not_look_like_our_own_cancellation(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.rabbitmq.connection.HEARTBEAT", 1)
    async with (
        connect(link.url, "test") as connections,
        open_publisher(connections.publishing, [COMMANDS]) as publisher,
    ):
        link.go_silent()
        with pytest.raises(TryLater, match="the connection broke"):
            await publisher.send(wake(1))  # the library misses the heartbeats before we lose our patience
        link.go_on()


async def test_who_gives_up_on_a_silent_broker_is_not_held_up_by_it(publisher: Publisher, link: Link) -> None:
    link.go_silent()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await publisher.send(wake(1))
    link.go_on()


async def test_a_silent_broker_does_not_hold_up_the_end(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.rabbitmq.connection.CLOSE_TIMEOUT", 0.1)
    async with connect(link.url, "test") as connections, open_publisher(connections.publishing, [COMMANDS]):
        link.go_silent()
        began = time.monotonic()
    assert time.monotonic() - began < 2


async def test_wrong_credentials_are_named(broker: VirtualHost) -> None:
    with pytest.raises(TryLater) as failure:
        async with connect(broker.url.replace("guest:guest", "guest:wrong"), "test"):
            pass
    assert failure.value.reason is Reason.NOT_AUTHENTICATED


async def test_a_port_at_which_nobody_listens_is_named_without_any_password() -> None:
    for connecting in (connect, connect_once):
        with pytest.raises(TryLater, match=r"unreachable: .*Connect call failed") as failure:
            async with connecting("amqp://user:hidden@127.0.0.1:1", "test"):
                pass
        assert "hidden" not in str(failure.value)


async def test_a_server_that_accepts_and_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.rabbitmq.connection.CONNECT_TIMEOUT", 0.2)
    async with await asyncio.start_server(_listen_in_silence, "127.0.0.1", 0) as server:
        url = f"amqp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for connecting in (connect, connect_once):
            began = time.monotonic()
            with pytest.raises(TryLater, match="unreachable"):
                async with connecting(url, "test"):
                    pass
            assert time.monotonic() - began < 5


async def _listen_in_silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()
