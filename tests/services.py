"""RabbitMQ and MongoDB for tests: a pytest plugin.

One stack serves the whole session. It is started when the first test asks for it, so that a run of unit tests starts
nothing, and it belongs to the process that runs the session: with xdist that is the controller, and its workers ask it
for the URLs through a socket. Tests share the servers and nothing else: each has a virtual host and a database of its
own. Without any way to get the services the run ends, with the reason; no test is skipped.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Generator
from dataclasses import dataclass
from multiprocessing.connection import Client, Listener
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
from pymongo import MongoClient
from pymongo.write_concern import WriteConcern

from stack.failures import EXIT_CODE, Unavailable
from stack.opening import open_broker, open_database, open_stack
from stack.services import Broker, Database


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the session's services are."""

    rabbitmq: str
    rabbitmq_management: str
    mongodb: str
    rabbitmq_metrics: str = ""
    """Empty if the broker was given: nobody says where it shows them."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there are none."""

    why: str


class SharedStack:
    """The part of the plugin that the session's process has: opens the stack for the first test that asks."""

    def __init__(self) -> None:
        self._listener = Listener(family="AF_UNIX")
        self._held = contextlib.ExitStack()
        self._ending = False
        self._answer: Urls | Missing | None = None
        self._thread = threading.Thread(target=self._serve, name="shared stack", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where to ask."""
        return cast("str", self._listener.address)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["stack"] = self.address

    def pytest_runtest_logreport(self) -> None:
        if isinstance(self._answer, Missing):
            pytest.exit(self._answer.why, returncode=EXIT_CODE)

    def pytest_unconfigure(self) -> None:
        self._ending = True
        Client(self.address, family="AF_UNIX").close()  # wakes the thread
        self._thread.join()
        self._listener.close()
        self._held.close()

    def _serve(self) -> None:
        while True:
            with self._listener.accept() as connection:
                if self._ending:
                    return
                self._answer = self._answer or self._open()
                with contextlib.suppress(OSError):  # whoever asked may have ended meanwhile
                    connection.send(self._answer)

    def _open(self) -> Urls | Missing:
        try:
            services = self._held.enter_context(open_stack())
        except Unavailable as failure:
            return Missing(str(failure))
        return Urls(
            services.rabbitmq_url,
            services.rabbitmq_management_url,
            services.mongodb_url,
            services.rabbitmq.metrics_url,
        )


_ADDRESS = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
    if workerinput is None:
        shared = SharedStack()
        config.pluginmanager.register(shared)
        config.stash[_ADDRESS] = shared.address
    else:
        config.stash[_ADDRESS] = workerinput["stack"]


@pytest.fixture(scope="session")
def service_urls(pytestconfig: pytest.Config) -> Urls:
    """Where the session's services are."""
    with Client(pytestconfig.stash[_ADDRESS], family="AF_UNIX") as connection:
        answer: Urls | Missing = connection.recv()
    if isinstance(answer, Missing):
        pytest.fail(answer.why, pytrace=False)
    return answer


@pytest.fixture(scope="session")
def rabbitmq_url(service_urls: Urls) -> str:
    """The session's RabbitMQ. What one test declares there others see: prefer `vhost`."""
    return service_urls.rabbitmq


@pytest.fixture(scope="session")
def mongodb_url(service_urls: Urls) -> str:
    """The session's MongoDB. A test works in its own `database`."""
    return service_urls.mongodb


@pytest.fixture(scope="session")
def management(service_urls: Urls) -> Generator[httpx.Client]:
    """The HTTP API of the session's RabbitMQ."""
    with management_of(service_urls.rabbitmq_management) as client:
        yield client


def management_of(url: str) -> httpx.Client:
    """A client for the HTTP API of a RabbitMQ."""
    parts = urlsplit(url)
    base = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return httpx.Client(base_url=f"{base}/api", auth=(parts.username or "", parts.password or ""), trust_env=False)


@pytest.fixture
def vhost(service_urls: Urls, management: httpx.Client) -> Generator[str]:
    """The URL of a fresh virtual host. It is deleted after the test, with all connections to it."""
    yield from _fresh_vhost(service_urls, management)


@pytest.fixture(scope="module")
def modules_vhost(service_urls: Urls, management: httpx.Client) -> Generator[str]:
    """The URL of a virtual host for all tests of a module."""
    yield from _fresh_vhost(service_urls, management)


def _fresh_vhost(service_urls: Urls, management: httpx.Client) -> Generator[str]:
    name = _fresh_name()
    user = urlsplit(service_urls.rabbitmq).username
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    management.put(f"/vhosts/{name}").raise_for_status()
    management.put(f"/permissions/{name}/{user}", json=everything).raise_for_status()
    yield urlsplit(service_urls.rabbitmq)._replace(path=f"/{name}").geturl()
    management.delete(f"/vhosts/{name}").raise_for_status()


@pytest.fixture(scope="session")
def mongodb(mongodb_url: str) -> Generator[MongoClient[dict[str, Any]]]:
    """A blocking client of the session's MongoDB, to look at what others wrote."""
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client


@pytest.fixture
def database(mongodb: MongoClient[dict[str, Any]]) -> Generator[str]:
    """The name of a fresh database. It is dropped after the test."""
    yield from fresh_database(mongodb)


@pytest.fixture(scope="module")
def modules_database(mongodb: MongoClient[dict[str, Any]]) -> Generator[str]:
    """The name of a database for all tests of a module."""
    yield from fresh_database(mongodb)


def fresh_database(mongodb: MongoClient[dict[str, Any]]) -> Generator[str]:
    """Yield the name of a database that is not there yet, and drop it afterwards."""
    name = _fresh_name()
    yield name
    mongodb.drop_database(name)


def empty(mongodb: MongoClient[dict[str, Any]], name: str) -> None:
    """Empty all collections of a database, which is much quicker than to make and drop them with their indexes."""
    database = mongodb.get_database(name, write_concern=WriteConcern("majority"))
    for collection in database.list_collection_names(filter={"name": {"$not": {"$regex": "^system"}}}):
        database[collection].delete_many({})


@pytest.fixture
def own_broker() -> Generator[Broker]:
    """A RabbitMQ of the test's own, to be killed and started at will. It takes seconds to start."""
    with open_broker() as broker:
        yield broker


@pytest.fixture
def own_database() -> Generator[Database]:
    """A MongoDB of the test's own, to be killed and started at will."""
    with open_database() as database:
        yield database


def _fresh_name() -> str:
    return f"test-{secrets.token_hex(6)}"
