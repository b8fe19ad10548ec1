"""A broker that could lose messages is found out, by what its management API shows."""

from __future__ import annotations

import operator
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from adapters.rabbitmq.connection import connect_once
from adapters.rabbitmq.inspection import inspect
from adapters.rabbitmq.management import Seen, SeenQueue, look, virtual_host
from adapters.rabbitmq.topology import EXCHANGES, QUEUES, Finding, check
from events.addresses import (
    COMMANDS,
    COMMANDS_QUEUE,
    DEAD_LETTERS,
    DEAD_LETTERS_QUEUE,
    OUTCOMES,
    OUTCOMES_QUEUE,
    PSA_EVENTS,
    PSA_ITEMS_QUEUE,
)
from events.failures import TryLater
from events.reasons import Reason
from tests.adapters.rabbitmq.seen import VirtualHost
from tests.services import Urls

APPLY = "run `calsync topology apply`"


async def findings_at(urls: Urls, host: VirtualHost) -> list[Finding]:
    return inspect(await look(urls.rabbitmq_management, host.url, None))


async def test_on_an_empty_broker_everything_is_missing(empty: VirtualHost, service_urls: Urls) -> None:
    findings = await findings_at(service_urls, empty)
    subjects = [f"exchange {name}" for name in EXCHANGES] + [f"queue {queue.name}" for queue in QUEUES]
    assert [finding.subject for finding in findings] == subjects
    assert {(finding.problem, finding.remedy) for finding in findings} == {("does not exist", APPLY)}


async def test_what_was_applied_is_as_it_should_be(broker: VirtualHost, service_urls: Urls) -> None:
    assert await findings_at(service_urls, broker) == []


Change = Callable[[AbstractChannel], Awaitable[object]]


@dataclass(frozen=True)
class Harm:
    """What somebody did to the broker, and what is said of it."""

    change: Change
    subject: str
    words: str
    remedy: str


def instead(name: str, arguments: dict[str, Any]) -> Change:
    async def declare(channel: AbstractChannel) -> None:
        await channel.queue_delete(name)
        queue = await channel.declare_queue(name, durable=True, arguments=arguments)
        await queue.bind(PSA_EVENTS if name == PSA_ITEMS_QUEUE else OUTCOMES, "psa.calendar_item.#")
        await queue.bind(PSA_EVENTS if name == PSA_ITEMS_QUEUE else OUTCOMES, "#")

    return declare


def unbound(name: str, exchange: str) -> Change:
    async def unbind(channel: AbstractChannel) -> None:
        queue = await channel.get_queue(name, ensure=False)
        await queue.unbind(exchange, "#")

    return unbind


async def fanout_instead(channel: AbstractChannel) -> None:
    await channel.exchange_delete(COMMANDS)
    await channel.declare_exchange(COMMANDS, ExchangeType.FANOUT, durable=True)


def deleted(name: str) -> Change:
    return lambda channel: channel.exchange_delete(name)


def without(argument: str) -> dict[str, Any]:
    (queue,) = [queue for queue in QUEUES if queue.name == PSA_ITEMS_QUEUE]
    return {name: value for name, value in queue.arguments.items() if name != argument}


HARMS = {
    "a classic queue": Harm(
        instead(PSA_ITEMS_QUEUE, {"x-queue-type": "classic"}),
        f"queue {PSA_ITEMS_QUEUE}",
        "is a durable classic queue, and not a quorum queue",
        "delete it",
    ),
    "no dead letters": Harm(
        instead(PSA_ITEMS_QUEUE, without("x-dead-letter-exchange") | {"x-dead-letter-exchange": "nowhere"}),
        f"queue {PSA_ITEMS_QUEUE}",
        f"has x-dead-letter-exchange nowhere instead of {DEAD_LETTERS}",
        "delete it",
    ),
    "dead letters at most once": Harm(
        instead(PSA_ITEMS_QUEUE, without("x-dead-letter-strategy")),
        f"queue {PSA_ITEMS_QUEUE}",
        "has x-dead-letter-strategy nothing instead of at-least-once",
        "delete it",
    ),
    "a limit at the end of the way": Harm(
        instead(OUTCOMES_QUEUE, {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000, "x-max-length": 5}),
        f"queue {OUTCOMES_QUEUE}",
        "has x-max-length 5 instead of nothing",
        "delete it",
    ),
    "outcomes go nowhere": Harm(
        unbound(OUTCOMES_QUEUE, OUTCOMES),
        f"queue {OUTCOMES_QUEUE}",
        f"gets nothing of {OUTCOMES} with key #",
        APPLY,
    ),
    "dead letters go nowhere": Harm(
        unbound(DEAD_LETTERS_QUEUE, DEAD_LETTERS),
        f"queue {DEAD_LETTERS_QUEUE}",
        f"gets nothing of {DEAD_LETTERS} with key #",
        APPLY,
    ),
    "no exchange for dead letters": Harm(deleted(DEAD_LETTERS), f"exchange {DEAD_LETTERS}", "does not exist", APPLY),
    "an exchange of another type": Harm(
        fanout_instead, f"exchange {COMMANDS}", "is durable, of type fanout", "delete it"
    ),
}


@pytest.mark.parametrize("name", HARMS)
async def test_what_could_lose_messages_is_said_with_the_remedy(
    name: str, broker: VirtualHost, service_urls: Urls
) -> None:
    harm = HARMS[name]
    async with connect_once(broker.url, "somebody") as connection, connection.channel() as channel:
        await harm.change(channel)
    findings = {finding.subject: finding for finding in await findings_at(service_urls, broker)}
    assert harm.words in findings[harm.subject].problem
    assert findings[harm.subject].remedy.startswith(harm.remedy)


async def test_a_policy_that_loses_messages_is_found(broker: VirtualHost, service_urls: Urls) -> None:
    await broker.limit_length(DEAD_LETTERS_QUEUE, 5)
    nothing_found = retry_if_result(operator.not_)
    # The API learns of a queue's policy within five seconds.
    retrying = AsyncRetrying(retry=nothing_found, wait=wait_fixed(0.25), stop=stop_after_delay(20))
    found: list[Finding] = await retrying(findings_at, service_urls, broker)
    (finding,) = found
    assert finding.subject == f"queue {DEAD_LETTERS_QUEUE}"
    assert finding.problem == "loses messages by policy: max-length is 5"
    assert finding.remedy.startswith("take it out of the policies")


def as_declared() -> Seen:
    return Seen(
        dict.fromkeys(EXCHANGES, ("topic", True)),
        {queue.name: SeenQueue("quorum", durable=True, arguments=dict(queue.arguments), policy={}) for queue in QUEUES},
        frozenset((queue.exchange, key, queue.name) for queue in QUEUES for key in queue.keys),
    )


@pytest.mark.parametrize(
    ("queue", "policy", "loses"),
    [
        (COMMANDS_QUEUE, {"max-length": 1000}, False),  # a full queue refuses, and whoever publishes knows
        (COMMANDS_QUEUE, {"delivery-limit": 5}, False),
        (COMMANDS_QUEUE, {"message-ttl": 1000}, True),
        (COMMANDS_QUEUE, {"expires": 1000}, True),
        (OUTCOMES_QUEUE, {"max-length-bytes": 1000}, True),
        (OUTCOMES_QUEUE, {"delivery-limit": 5}, True),
        (OUTCOMES_QUEUE, {"ha-mode": "all"}, False),
    ],
)
def test_which_policies_lose_messages(queue: str, policy: dict[str, Any], *, loses: bool) -> None:
    seen = as_declared()
    seen.queues[queue] = replace(seen.queues[queue], policy=policy)
    assert bool(inspect(seen)) is loses


def test_what_others_have_on_the_same_broker_is_nobodys_concern() -> None:
    seen = as_declared()
    seen.queues["calsync.psa-items.v0"] = SeenQueue("classic", durable=False, arguments={}, policy={"expires": 1})
    assert inspect(seen) == []


async def test_a_user_whom_the_api_does_not_let_in_is_told_so(broker: VirtualHost, service_urls: Urls) -> None:
    async with broker.user() as user:  # without the tag `management`
        with pytest.raises(TryLater, match="does not let this user GET exchanges") as told:
            await look(service_urls.rabbitmq_management.replace("guest:guest@", ""), user.url, None)
    assert told.value.reason is Reason.NOT_AUTHENTICATED


async def test_a_user_who_may_not_configure_is_told_what_was_not_compared(broker: VirtualHost) -> None:
    async with broker.user() as user:
        await user.may(configure="^$")
        async with connect_once(user.url, "topology") as connection:
            findings = await check(connection)
    assert len(findings) == len(EXCHANGES) + len(QUEUES)
    assert all(finding.unseen for finding in findings)
    assert {finding.problem for finding in findings} == {"is there, but this user may not compare it"}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("amqp://h", "/"),
        ("amqp://h/", "/"),
        ("amqp://h/%2F", "/"),
        ("amqp://h/calsync", "calsync"),
        ("amqp://h/a%2Fb", "a/b"),
    ],
)
def test_which_virtual_host_an_address_names(url: str, name: str) -> None:
    assert virtual_host(url) == name
