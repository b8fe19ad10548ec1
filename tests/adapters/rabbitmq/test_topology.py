"""What exists on the broker: compared, and created."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

import aio_pika
import pytest
import pytest_asyncio
from aio_pika.abc import AbstractConnection

from adapters.rabbitmq.connection import connect_once
from adapters.rabbitmq.topology import EXCHANGES, QUEUES, Finding, apply, check
from events.addresses import (
    COMMANDS,
    COMMANDS_QUEUE,
    CRONOFY_EVENTS,
    DEAD_LETTERS,
    DEAD_LETTERS_QUEUE,
    INTEGRATIONS_QUEUE,
    NOTIFICATIONS_QUEUE,
    OUTCOMES,
    OUTCOMES_QUEUE,
    PSA_EVENTS,
    PSA_ITEMS_QUEUE,
)
from events.failures import TryLater
from tests.adapters.rabbitmq.seen import VirtualHost

APPLY = "run `calsync topology apply`"


@pytest_asyncio.fixture
async def connection(empty: VirtualHost) -> AsyncGenerator[AbstractConnection]:
    async with connect_once(empty.url, "topology") as connection:
        yield connection


async def test_on_an_empty_broker_everything_is_missing_and_the_remedy_is_named(connection: AbstractConnection) -> None:
    findings = await check(connection)
    subjects = [f"exchange {name}" for name in EXCHANGES] + [f"queue {queue.name}" for queue in QUEUES]
    assert [finding.subject for finding in findings] == subjects
    assert {(finding.problem, finding.remedy) for finding in findings} == {("does not exist", APPLY)}


async def test_a_check_changes_nothing(connection: AbstractConnection, empty: VirtualHost) -> None:
    await check(connection)
    assert await empty.exchanges() == {}
    assert await empty.queues() == {}


async def test_what_was_applied_is_found_in_order(connection: AbstractConnection) -> None:
    assert await apply(connection) == []
    assert await check(connection) == []


async def test_applying_twice_changes_nothing(connection: AbstractConnection, empty: VirtualHost) -> None:
    await apply(connection)
    first = await _declared(empty)
    assert await apply(connection) == []
    assert await _declared(empty) == first


async def _declared(empty: VirtualHost) -> tuple[object, ...]:
    queues = {name: queue["arguments"] for name, queue in (await empty.queues()).items()}
    return await empty.exchanges(), queues, await empty.bindings()


async def test_every_exchange_is_durable_and_routes_by_topic(
    connection: AbstractConnection, empty: VirtualHost
) -> None:
    await apply(connection)
    exchanges = await empty.exchanges()
    assert sorted(exchanges) == sorted([PSA_EVENTS, CRONOFY_EVENTS, COMMANDS, OUTCOMES, DEAD_LETTERS])
    for exchange in exchanges.values():
        assert (exchange["type"], exchange["durable"], exchange["auto_delete"]) == ("topic", True, False)


@pytest.mark.parametrize("name", [PSA_ITEMS_QUEUE, INTEGRATIONS_QUEUE, NOTIFICATIONS_QUEUE, COMMANDS_QUEUE])
async def test_what_a_work_queue_gives_up_on_reaches_the_dead_letters_at_least_once(
    name: str, connection: AbstractConnection, empty: VirtualHost
) -> None:
    await apply(connection)
    queue = await empty.queue(name)
    assert (queue["type"], queue["durable"]) == ("quorum", True)
    assert queue["arguments"]["x-dead-letter-strategy"] == "at-least-once"
    assert queue["arguments"]["x-overflow"] == "reject-publish", "at least once needs it"
    assert queue["arguments"]["x-dead-letter-exchange"] == DEAD_LETTERS
    assert queue["arguments"]["x-dead-letter-routing-key"] == name
    assert 0 < queue["arguments"]["x-delivery-limit"] < 100


@pytest.mark.parametrize("name", [DEAD_LETTERS_QUEUE, OUTCOMES_QUEUE])
async def test_a_queue_at_the_end_of_the_way_keeps_what_it_has(
    name: str, connection: AbstractConnection, empty: VirtualHost
) -> None:
    await apply(connection)
    queue = await empty.queue(name)
    assert (queue["type"], queue["durable"]) == ("quorum", True)
    assert queue["arguments"]["x-delivery-limit"] > 1_000_000
    assert not {"x-dead-letter-exchange", "x-message-ttl", "x-max-length", "x-expires"} & queue["arguments"].keys()


async def test_every_queue_gets_what_it_is_for(connection: AbstractConnection, empty: VirtualHost) -> None:
    await apply(connection)
    assert await empty.bindings() == {
        (PSA_EVENTS, "psa.calendar_item.#", PSA_ITEMS_QUEUE),
        (PSA_EVENTS, "psa.integration.#", INTEGRATIONS_QUEUE),
        (PSA_EVENTS, "psa.item.#", INTEGRATIONS_QUEUE),
        (PSA_EVENTS, "psa.tenant.#", INTEGRATIONS_QUEUE),
        (PSA_EVENTS, "psa.user.#", INTEGRATIONS_QUEUE),
        (CRONOFY_EVENTS, "#", NOTIFICATIONS_QUEUE),
        (COMMANDS, "#", COMMANDS_QUEUE),
        (OUTCOMES, "#", OUTCOMES_QUEUE),
        (DEAD_LETTERS, "#", DEAD_LETTERS_QUEUE),
    }


async def test_applying_restores_a_binding_that_somebody_took_away(
    connection: AbstractConnection, empty: VirtualHost
) -> None:
    await apply(connection)
    before = await empty.bindings()
    async with connection.channel() as channel:
        queue = await channel.get_queue(COMMANDS_QUEUE, ensure=False)
        await queue.unbind(COMMANDS, "#")
    assert await empty.bindings() < before
    assert await apply(connection) == []
    assert await empty.bindings() == before


async def test_a_queue_that_is_declared_differently_is_named_with_the_difference_and_left_alone(
    connection: AbstractConnection, empty: VirtualHost
) -> None:
    async with connection.channel() as channel:
        await channel.declare_queue(COMMANDS_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(aio_pika.Message(b"kept"), COMMANDS_QUEUE)
    for findings in (await apply(connection), await check(connection)):
        (finding,) = findings  # everything else was created
        assert finding.subject == f"queue {COMMANDS_QUEUE}"
        assert finding.problem.startswith("is declared differently: ")
        assert "x-dead-letter-exchange" in finding.problem
        assert finding.remedy.startswith("delete it (a queue when it is empty), then run `calsync topology apply`")
    (message,) = await empty.messages(COMMANDS_QUEUE)
    assert message["payload"] == "kept"


async def test_an_exchange_that_is_declared_differently_is_named(connection: AbstractConnection) -> None:
    async with connection.channel() as channel:
        await channel.declare_exchange(OUTCOMES, aio_pika.ExchangeType.FANOUT, durable=True)
    for findings in (await apply(connection), await check(connection)):
        (finding,) = findings
        assert finding.subject == f"exchange {OUTCOMES}"
        assert "'type'" in finding.problem
        assert finding.remedy.startswith("delete it")


async def test_a_user_without_the_right_to_declare_is_told_so(empty: VirtualHost) -> None:
    async with empty.user() as user:
        await user.may(configure="^calsync.commands.*")
        async with connect_once(user.url, "topology") as connection:
            findings = {finding.subject: finding for finding in await apply(connection)}
    assert f"queue {COMMANDS_QUEUE}" not in findings
    refused = findings[f"queue {PSA_ITEMS_QUEUE}"]
    assert refused.problem.startswith("may not be declared by this user: ")
    assert refused.remedy == "use a user who may configure, write and read it"


@pytest.mark.parametrize("action", [check, apply])
async def test_a_broker_that_has_gone_away_is_no_finding(
    action: Callable[[AbstractConnection], Awaitable[list[Finding]]], connection: AbstractConnection
) -> None:
    await connection.close()
    with pytest.raises(TryLater, match="unreachable"):
        await action(connection)
