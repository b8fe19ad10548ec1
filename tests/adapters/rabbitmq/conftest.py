"""A virtual host of the session's RabbitMQ, a link to it, and what the worker opens."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx
import pytest
import pytest_asyncio

from adapters.rabbitmq.connection import Connections, connect, connect_once
from adapters.rabbitmq.publisher import Publisher, open_publisher
from adapters.rabbitmq.topology import EXCHANGES, apply
from tests.adapters.rabbitmq.link import Link, linked
from tests.adapters.rabbitmq.seen import VirtualHost


@pytest.fixture
def empty(vhost: str, management: httpx.Client) -> VirtualHost:
    """A virtual host with nothing in it."""
    return VirtualHost(vhost, management)


@pytest_asyncio.fixture
async def broker(empty: VirtualHost) -> VirtualHost:
    """A virtual host with everything in it."""
    async with connect_once(empty.url, "topology") as connection:
        assert await apply(connection) == []
    return empty


@pytest_asyncio.fixture
async def link(broker: VirtualHost) -> AsyncGenerator[Link]:
    """The way to the broker."""
    async with linked(broker.url) as link:
        yield link


@pytest_asyncio.fixture
async def connections(link: Link) -> AsyncGenerator[Connections]:
    """Both connections, by the link. They call themselves `test publish` and `test consume`."""
    async with connect(link.url, "test") as connections:
        yield connections


@pytest_asyncio.fixture
async def publisher(connections: Connections) -> AsyncGenerator[Publisher]:
    async with open_publisher(connections.publishing, EXCHANGES) as publisher:
        yield publisher
