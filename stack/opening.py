"""Opening the stack: services for as long as a block of code runs."""

from __future__ import annotations

import contextlib
import json
import subprocess  # noqa: S404 - starting our own keeper
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from typing import cast

from stack.failures import NotOurs, Unavailable
from stack.native.places import PROJECT
from stack.services import Action, Broker, Database, ServiceName, Services
from stack.settings import GivenUrls

Tell = Callable[[str], None]


def to_stderr(progress: str) -> None:
    """Tell a person at a terminal."""
    sys.stderr.write(f"stack: {progress}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def open_stack(tell: Tell = to_stderr) -> Generator[Services]:
    """RabbitMQ and MongoDB: those that settings name, else containers, else native ones. Raises `Unavailable`.

    What was started ends with the block, with this process, and were it by `kill -9`.
    """
    given = GivenUrls()
    lacking = given.lacking()
    with contextlib.ExitStack() as held:
        keeper = held.enter_context(_kept(lacking, tell)) if lacking else None
        yield Services(
            rabbitmq=keeper.broker() if keeper and "rabbitmq" in lacking else _given_broker(given),
            mongodb=keeper.database() if keeper and "mongodb" in lacking else _given_database(given),
        )


@contextlib.contextmanager
def open_broker(tell: Tell = to_stderr) -> Generator[Broker]:
    """A RabbitMQ of one's own, to be killed and started at will, whatever settings name. Raises `Unavailable`."""
    with _kept(["rabbitmq"], tell) as keeper:
        yield keeper.broker()


@contextlib.contextmanager
def open_database(tell: Tell = to_stderr) -> Generator[Database]:
    """A MongoDB of one's own, to be killed and started at will, whatever settings name. Raises `Unavailable`."""
    with _kept(["mongodb"], tell) as keeper:
        yield keeper.database()


def prepare(tell: Tell = to_stderr) -> None:
    """Fetch now what opening the stack would have to fetch. Raises `Unavailable`."""
    given = GivenUrls()
    if not (given.rabbitmq_url and given.mongodb_url):
        with _keeper_process(["prepare"]) as process:
            _Keeper(process, tell).answer()


@contextlib.contextmanager
def _kept(names: Sequence[ServiceName], tell: Tell) -> Generator[_Keeper]:
    with _keeper_process(names) as process:
        keeper = _Keeper(process, tell)
        keeper.addresses = keeper.answer()
        yield keeper


@contextlib.contextmanager
def _keeper_process(arguments: Sequence[str]) -> Generator[subprocess.Popen[str]]:
    """Run a keeper and wait for its end, which comes with the end of its standard input."""
    with subprocess.Popen(  # noqa: S603 - ourselves, in another role
        [sys.executable, "-m", "stack.keeper", *arguments],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us; the keeper ends with us
    ) as process:
        try:
            yield process
        finally:
            process.communicate()


class _Keeper:
    """Our side of the pipes to the process that keeps the services."""

    def __init__(self, process: subprocess.Popen[str], tell: Tell) -> None:
        self.addresses: dict[str, str] = {}
        self._process = process
        self._tell = tell
        self._turn = threading.Lock()

    def broker(self) -> Broker:
        """The RabbitMQ that is kept."""
        urls = self.addresses
        return Broker(
            "rabbitmq",
            urls["rabbitmq_url"],
            self._ask,
            urls["rabbitmq_management_url"],
            urls["rabbitmq_metrics_url"],
        )

    def database(self) -> Database:
        """The MongoDB that is kept."""
        return Database("mongodb", self.addresses["mongodb_url"], self._ask)

    def answer(self) -> dict[str, str]:
        """Wait until what was asked is done; return the addresses if they were. Raises `Unavailable`."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            match cast("tuple[str, str | dict[str, str]]", tuple(json.loads(line))):
                case ("progress", str(progress)):
                    self._tell(progress)
                case ("failed", str(sentence)):
                    raise Unavailable(sentence)
                case (_, dict(addresses)):
                    return addresses
                case _:
                    return {}
        raise Unavailable("The process that keeps RabbitMQ and MongoDB has ended.")

    def _ask(self, name: ServiceName, action: Action) -> None:
        assert self._process.stdin is not None
        with self._turn:
            try:
                self._process.stdin.write(f"{name} {action}\n")
                self._process.stdin.flush()
            except BrokenPipeError as error:
                raise Unavailable("The process that keeps RabbitMQ and MongoDB has ended.") from error
            self.answer()


def _given_broker(given: GivenUrls) -> Broker:
    return Broker("rabbitmq", given.rabbitmq_url, _refuse, given.management_url())


def _given_database(given: GivenUrls) -> Database:
    return Database("mongodb", given.mongodb_url, _refuse)


def _refuse(name: ServiceName, action: Action) -> None:
    raise NotOurs(f"{name} was given by its URL; it is not ours to {action}")
