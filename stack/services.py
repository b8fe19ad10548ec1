"""The services as those who use them see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

ServiceName = Literal["rabbitmq", "mongodb"]
Action = Literal["start", "stop", "kill", "freeze", "thaw"]
Ask = Callable[[ServiceName, Action], None]

ALL: Final[tuple[ServiceName, ...]] = ("rabbitmq", "mongodb")


@dataclass(frozen=True, slots=True)
class Service:
    """A server at an address that stays the same, however often it is stopped and started.

    Every call returns when it is done: after `start` and `thaw` the server answers. What was confirmed before is still
    there after. The calls block; from async code use `asyncio.to_thread`.
    """

    name: ServiceName
    url: str
    ask: Ask = field(repr=False)

    def stop(self) -> None:
        """End it in good order."""
        self.ask(self.name, "stop")

    def kill(self) -> None:
        """End it on the spot, as `kill -9` does.

        Beware of RabbitMQ 3.10: it writes down the name of a new quorum queue up to a second late. Killed before that,
        it comes back with the queue, but nobody leads it, and all that is asked of it hangs.
        """
        self.ask(self.name, "kill")

    def start(self) -> None:
        """Start it again at the same address with the same data."""
        self.ask(self.name, "start")

    def restart(self) -> None:
        """Stop it in good order and start it again."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let it stand still: connections stay open and nobody answers."""
        self.ask(self.name, "freeze")

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self.ask(self.name, "thaw")


@dataclass(frozen=True, slots=True)
class Broker(Service):
    """RabbitMQ. `url` is that of the default virtual host."""

    management_url: str
    """Base of the HTTP API, with user and password."""
    metrics_url: str = ""
    """What Prometheus reads; empty if that is not known."""


@dataclass(frozen=True, slots=True)
class Database(Service):
    """MongoDB, a replica set of one member."""


@dataclass(frozen=True, slots=True)
class Services:
    """All that the product needs from others."""

    rabbitmq: Broker
    mongodb: Database

    @property
    def rabbitmq_url(self) -> str:
        """Where RabbitMQ is."""
        return self.rabbitmq.url

    @property
    def rabbitmq_management_url(self) -> str:
        """Where RabbitMQ's HTTP API is."""
        return self.rabbitmq.management_url

    @property
    def mongodb_url(self) -> str:
        """Where MongoDB is."""
        return self.mongodb.url
