"""Services that settings name are taken as they are."""

from __future__ import annotations

import pytest

from stack.failures import NotOurs
from stack.opening import open_stack, prepare
from stack.settings import GivenUrls


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSYNC_RABBITMQ_URL", "amqp://me:secret@broker.example:5673/calendars")
    monkeypatch.setenv("CALSYNC_MONGODB_URL", "mongodb://store.example/?replicaSet=rs0")


@pytest.mark.usefixtures("given")
def test_urls_in_settings_are_taken_as_they_are() -> None:
    prepare(tell=pytest.fail)
    with open_stack(tell=pytest.fail) as services:
        assert services.rabbitmq_url == "amqp://me:secret@broker.example:5673/calendars"
        assert services.rabbitmq_management_url == "http://me:secret@broker.example:15672"
        assert services.mongodb_url == "mongodb://store.example/?replicaSet=rs0"


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("action", ["stop", "kill", "start", "restart", "freeze", "thaw"])
def test_services_that_are_not_ours_are_not_touched(action: str) -> None:
    with open_stack() as services:
        for service in (services.rabbitmq, services.mongodb):
            with pytest.raises(NotOurs):
                getattr(service, action)()


@pytest.mark.parametrize(
    ("rabbitmq", "mongodb", "lacking"),
    [
        ("", "", ["rabbitmq", "mongodb"]),
        ("amqp://a", "", ["mongodb"]),
        ("", "mongodb://b", ["rabbitmq"]),
        ("amqp://a", "mongodb://b", []),
    ],
)
def test_only_what_settings_lack_is_started(rabbitmq: str, mongodb: str, lacking: list[str]) -> None:
    assert GivenUrls(rabbitmq_url=rabbitmq, mongodb_url=mongodb).lacking() == lacking


@pytest.mark.parametrize(
    ("broker", "management"),
    [
        ("amqp://localhost/", "http://guest:guest@localhost:15672"),
        ("amqp://u:p%40ss@localhost:1/v", "http://u:p%40ss@localhost:15672"),
        ("amqps://u:p@rabbit.example", "https://u:p@rabbit.example:15671"),
        ("amqp://u:p@[::1]:5672/", "http://u:p@[::1]:15672"),
    ],
)
def test_the_http_api_is_looked_for_where_it_usually_is(broker: str, management: str) -> None:
    assert GivenUrls(rabbitmq_url=broker).management_url() == management


def test_the_http_api_may_be_elsewhere() -> None:
    given = GivenUrls(rabbitmq_url="amqp://a", rabbitmq_management_url="https://a/rabbit")
    assert given.management_url() == "https://a/rabbit"
