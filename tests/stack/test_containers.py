"""Where a Docker engine answers, services are containers."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stack import containers
from stack.failures import Unavailable
from stack.kept import Kept, await_ready
from stack.services import ServiceName
from tests.stack.conftest import Bystander
from tests.stack.engine import Engine, running_engine


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Generator[Engine]:
    with tempfile.TemporaryDirectory() as folder, running_engine(Path(folder)) as engine:  # a short path, for a socket
        monkeypatch.setenv("DOCKER_HOST", engine.address)
        monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
        yield engine


@pytest.mark.usefixtures("engine")
def test_an_engine_that_answers_is_found() -> None:
    assert containers.engine_answers()


@pytest.mark.usefixtures("no_engine")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_that_does_not_answer_is_none() -> None:
    assert not containers.engine_answers()
    gc.collect()  # the engine's client forgets to close the socket that it could not connect: better here than later


def test_images_are_fetched_once(engine: Engine, owner: Bystander) -> None:
    containers.prepare(["rabbitmq"], owner)
    containers.prepare(["rabbitmq"], owner)
    assert owner.told == ["fetching the image rabbitmq:4-management (once)"]
    assert len(engine.images) == 1


def test_an_image_that_cannot_be_fetched_is_named(engine: Engine, owner: Bystander) -> None:
    engine.refuses = True
    with pytest.raises(Unavailable, match=r"mongo:8.*the registry is away"):
        containers.prepare(["mongodb"], owner)


def test_a_broker_keeps_its_addresses_through_kill_and_start(engine: Engine, owner: Bystander) -> None:
    with ExitStack() as held:
        broker = launched("rabbitmq", held, owner)
        addresses = broker.addresses
        for end in (broker.kill, broker.stop):
            end()
            broker.kill()  # of one that is not there: nothing to do
            broker.launch()
            await_ready(broker, owner)
            assert broker.addresses == addresses
        (box,) = engine.boxes.values()
        assert addresses == {
            "rabbitmq_url": f"amqp://guest:guest@localhost:{box.ports['5672']}/",
            "rabbitmq_management_url": f"http://guest:guest@localhost:{box.ports['15672']}",
            "rabbitmq_metrics_url": f"http://localhost:{box.ports['15692']}/metrics",
        }
    assert box.status == "removed"


def test_a_container_can_stand_still(engine: Engine, owner: Bystander) -> None:
    with ExitStack() as held:
        broker = launched("rabbitmq", held, owner)
        broker.freeze()
        assert engine.boxes["box0"].status == "paused"
        broker.thaw()
        assert engine.boxes["box0"].status == "running"


def test_a_database_is_a_replica_set_with_one_name_inside_and_outside(engine: Engine, owner: Bystander) -> None:
    with ExitStack() as held:
        database = containers.launch(["mongodb"], held, owner)["mongodb"]
        (box,) = engine.boxes.values()
        ((inside, outside),) = box.ports.items()
        assert inside == str(outside)
        assert database.addresses == {"mongodb_url": f"mongodb://localhost:{outside}/?replicaSet=calsync"}
        assert " ".join(box.asked["Cmd"]).startswith(f"--replSet calsync --bind_ip_all --port {outside}")


def test_a_container_that_ends_while_it_starts_is_named(engine: Engine, owner: Bystander) -> None:
    with ExitStack() as held:
        broker = launched("rabbitmq", held, owner)
        engine.boxes["box0"].end()
        with pytest.raises(Unavailable, match=r"rabbitmq:4-management did not start(.|\n)*out of memory"):
            broker.is_ready()


def launched(name: ServiceName, held: ExitStack, owner: Bystander) -> Kept:
    service = containers.launch([name], held, owner)[name]
    await_ready(service, owner)
    return service
