"""Each part has a user of its own, works as that user, and may do nothing else."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import httpx
import pytest
import pytest_asyncio
from aio_pika.abc import AbstractChannel
from aiormq.exceptions import ChannelAccessRefused
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from adapters.mongodb import access as in_store
from adapters.mongodb.driver import Driver, open_database
from adapters.mongodb.overview import Overview
from adapters.rabbitmq import access as on_broker
from adapters.rabbitmq.connection import connect_once
from adapters.rabbitmq.management import virtual_host
from cli.commands.topology import apply_topology
from events.addresses import (
    COMMANDS,
    COMMANDS_QUEUE,
    CRONOFY_EVENTS,
    DEAD_LETTERS_QUEUE,
    OUTCOMES,
    OUTCOMES_QUEUE,
    PSA_EVENTS,
    PSA_ITEMS_QUEUE,
)
from events.items import ItemType
from events.roles import Role
from relay.run import running_relay
from relay.settings import RelaySettings
from tests.services import Urls
from tests.stories.locked import locked_database
from tests.stories.stage import DANA, SECRET, NotYet, Services, stage
from worker.settings import Infrastructure, Store
from worker.starting import look_at_broker

DATABASE = "calsync"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
ONE = NOON + timedelta(hours=1)


@dataclass(frozen=True)
class Keys:
    """Where everybody signs in: as the administrator, and as each role."""

    root: Services
    management: str
    broker: dict[Role, str]
    store: dict[Role, str]

    def infrastructure(self, role: Role) -> Infrastructure:
        return Infrastructure(
            allow_plaintext=True,
            rabbitmq_url=SecretStr(self.broker[role]),
            rabbitmq_management_url=SecretStr(self.management),
            mongodb_url=SecretStr(self.store[role]),
            mongodb_database=DATABASE,
        )


@pytest_asyncio.fixture
async def keys(vhost: str, management: httpx.Client, service_urls: Urls, tmp_path: Path) -> AsyncGenerator[Keys]:
    """All users, made by an administrator; and the topology, made by the user whose work that is."""
    folder = tmp_path / "mongodb"
    folder.mkdir()
    passwords = (f"word-{number}" for number in itertools.count())
    with locked_database(folder) as root:
        host = virtual_host(vhost)
        await on_broker.apply(service_urls.rabbitmq_management, vhost, host, lambda: "word", None)
        async with open_database(Driver.PYMONGO, root, DATABASE) as database:
            words = await in_store.apply(database, DATABASE, lambda: next(passwords))
            assert await in_store.apply(database, DATABASE, lambda: "another") == {}  # twice does no harm
        server = urlsplit(root).netloc.rpartition("@")[2]
        broker = urlsplit(vhost)
        netloc = broker.netloc.rpartition("@")[2]
        keys = Keys(
            Services(vhost, root, DATABASE),
            service_urls.rabbitmq_management.replace("guest:guest@", ""),
            {role: broker._replace(netloc=f"{role.user}:word@{netloc}").geturl() for role in on_broker.RIGHTS},
            {role: f"mongodb://{role.user}:{word}@{server}/?authSource={DATABASE}" for role, word in words.items()},
        )
        assert await apply_topology(keys.infrastructure(Role.TOPOLOGY)) == []
        yield keys
    for role in on_broker.RIGHTS:
        (await asyncio.to_thread(management.delete, f"/users/{role.user}")).raise_for_status()


async def test_every_part_does_its_work_as_its_own_user_and_may_do_nothing_else(keys: Keys, tmp_path: Path) -> None:
    await everybody_works(keys, tmp_path)
    await the_broker_refuses_the_rest(keys)
    the_store_refuses_the_rest(keys)


async def everybody_works(keys: Keys, folder: Path) -> None:
    mine = keys.infrastructure(Role.WORKER)
    names = ("rabbitmq_url", "rabbitmq_management_url", "mongodb_url")
    relay = RelaySettings(
        allow_plaintext=True,
        rabbitmq_url=SecretStr(keys.broker[Role.RELAY]),
        cronofy_client_secrets=(SecretStr(SECRET),),
    )
    async with (
        running_relay(relay, "127.0.0.1", 0) as relay_url,
        stage(keys.root, folder) as world,
        world.working(
            cronofy_callback_url=f"{relay_url}/notifications", **{name: getattr(mine, name) for name in names}
        ),
    ):
        dana = await world.link()
        item = await world.psa.create_item(ItemType.APPOINTMENT, [DANA], subject="Review", start=NOON, end=ONE)
        event = await dana.shows(item, summary="Review")
        await world.cronofy.edit_event(event, summary="Half-yearly review")

        async def taken_over() -> None:
            (mine,) = await world.psa.items(DANA)
            if mine.field("subject") != "Half-yearly review":
                raise NotYet

        await world.until(taken_over)
    for role in (Role.OPERATOR, Role.READER):
        assert await look_at_broker(keys.infrastructure(role)) == []
        settings = Store(allow_plaintext=True, mongodb_url=SecretStr(keys.store[role]), mongodb_database=DATABASE)
        async with open_database(settings.mongodb_driver, settings.store_url, DATABASE) as database:
            assert [one.id for one in await Overview(database).page(None, None, "", 10)] == [dana.integration_id]


Try = Callable[[AbstractChannel], Awaitable[object]]


def publish(exchange: str) -> Try:
    async def to(channel: AbstractChannel) -> None:
        there = await channel.get_exchange(exchange, ensure=False)
        await there.publish(aio_pika.Message(b"{}"), "wake", mandatory=False)

    return to


def take(queue: str) -> Try:
    async def of(channel: AbstractChannel) -> None:
        there = await channel.get_queue(queue, ensure=False)
        await there.get(fail=False)

    return of


def delete(queue: str) -> Try:
    return lambda channel: channel.queue_delete(queue)


def unbind(queue: str, exchange: str) -> Try:
    async def from_(channel: AbstractChannel) -> None:
        there = await channel.get_queue(queue, ensure=False)
        await there.unbind(exchange, "#")

    return from_


MUST_NOT: dict[Role, list[Try]] = {
    Role.WORKER: [
        publish(PSA_EVENTS),
        publish(CRONOFY_EVENTS),
        publish(""),
        take(OUTCOMES_QUEUE),
        delete(COMMANDS_QUEUE),
        unbind(OUTCOMES_QUEUE, OUTCOMES),
    ],
    Role.RELAY: [publish(PSA_EVENTS), publish(COMMANDS), publish(""), take(PSA_ITEMS_QUEUE), delete(PSA_ITEMS_QUEUE)],
    Role.OPERATOR: [
        publish(OUTCOMES),
        publish(""),
        take(PSA_ITEMS_QUEUE),
        take(DEAD_LETTERS_QUEUE),
        delete(COMMANDS_QUEUE),
    ],
    Role.READER: [publish(PSA_EVENTS), publish(COMMANDS), take(DEAD_LETTERS_QUEUE), delete(COMMANDS_QUEUE)],
    Role.PLATFORM: [publish(COMMANDS), publish(OUTCOMES), take(PSA_ITEMS_QUEUE), delete(OUTCOMES_QUEUE)],
}


def forbidden_in_store(role: Role) -> list[dict[str, Any]]:
    """Commands that only an administrator may give, and one that others may and this role may not."""
    destroying: list[dict[str, Any]] = [
        {"delete": "links", "deletes": [{"q": {}, "limit": 0}]},
        {"drop": "links"},
        {"dropDatabase": 1},
        {"dropIndexes": "sync_log", "index": "expiry"},
        {"createUser": "somebody", "pwd": "secret", "roles": ["root"]},
    ]
    change = {"q": {}, "u": {"$set": {"reason": "nothing to see"}}}
    only_others: dict[Role, list[dict[str, Any]]] = {
        Role.OPERATOR: [{"update": "sync_log", "updates": [change]}],
        Role.READER: [{"update": "links", "updates": [change]}],
        Role.TOPOLOGY: [{"find": "integrations"}],
        Role.WORKER: [{"createIndexes": "links", "indexes": [{"key": {"a": 1}, "name": "a"}]}],
    }
    return [*destroying, *only_others[role]]


async def the_broker_refuses_the_rest(keys: Keys) -> None:
    for role, tries in MUST_NOT.items():
        async with connect_once(keys.broker[role], "test") as connection:
            for each in tries:
                channel = await connection.channel()
                with pytest.raises(ChannelAccessRefused):
                    await each(channel)


def the_store_refuses_the_rest(keys: Keys) -> None:
    for role, url in keys.store.items():
        with MongoClient[dict[str, Any]](url) as client:
            for command in forbidden_in_store(role):
                with pytest.raises(OperationFailure) as told:
                    client[DATABASE].command(command)
                assert told.value.code == 13, f"{role} may {next(iter(command))}"
