"""All services as containers, where a Docker engine answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, cast

from docker.errors import DockerException  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs]
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from stack.failures import Unavailable
from stack.kept import Kept, Owner
from stack.native.ports import free_port
from stack.native.rabbitmq import answers
from stack.replica_set import NAME, is_primary
from stack.services import ServiceName

RABBITMQ_IMAGE: Final = "rabbitmq:4-management"
MONGODB_IMAGE: Final = "mongo:8"
_IMAGES: Final[Mapping[ServiceName, str]] = {"rabbitmq": RABBITMQ_IMAGE, "mongodb": MONGODB_IMAGE}
_AMQP: Final = 5672
_MANAGEMENT: Final = 15672
_METRICS: Final = 15692
_STOP_SECONDS: Final = 60


class _Engine(Protocol):
    """What we ask of the engine itself: its client has no types."""

    def ping(self) -> bool: ...
    def close(self) -> None: ...

    @property
    def images(self) -> _Images: ...


class _Images(Protocol):
    def list(self, name: str) -> list[object]: ...
    def pull(self, repository: str) -> object: ...


class _Engined(Protocol):
    """What we ask of a container."""

    @property
    def status(self) -> str: ...

    def reload(self) -> None: ...
    def start(self) -> None: ...
    def stop(self, *, timeout: int) -> None: ...
    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def unpause(self) -> None: ...
    def logs(self, *, tail: int) -> bytes: ...


def engine_answers() -> bool:
    """Return whether there is a Docker engine."""
    try:
        with contextlib.closing(_engine()) as engine:
            return engine.ping()
    except (DockerException, OSError):
        return False


def prepare(names: Sequence[ServiceName], owner: Owner) -> None:
    """Fetch the images that are not here yet."""
    with contextlib.closing(_engine()) as engine:
        for image in [_IMAGES[name] for name in names]:
            try:
                if not engine.images.list(image):
                    owner.tell(f"fetching the image {image} (once)")
                    engine.images.pull(image)
            except DockerException as error:
                raise Unavailable(f"The Docker engine has no image {image}: {error}") from error


def launch(names: Sequence[ServiceName], held: contextlib.ExitStack, _: Owner) -> dict[ServiceName, Kept]:
    """Set services going that are prepared, to be ended with `held`."""
    kept: dict[ServiceName, Kept] = {}
    for name in names:
        container = _rabbitmq() if name == "rabbitmq" else _mongodb()
        held.callback(container.remove)
        container.launch()
        kept[name] = container
    return kept


Place = tuple[str, Sequence[int]]
"""A host and ports: where a container is seen from here, which may itself be a container."""


class Container:
    """A server in a container. Its ports are chosen by us: one that the engine chooses changes with every start."""

    def __init__(
        self,
        container: DockerContainer,
        ports: Sequence[int],
        addresses: Callable[[Place], Mapping[str, str]],
        ready: Callable[[Place], bool],
    ) -> None:
        self._container = container
        self._ports = ports
        self._addresses = addresses
        self._ready = ready
        self._place: Place = ("", [])

    @property
    def name(self) -> str:
        """What it is."""
        return self._container.image

    @property
    def addresses(self) -> Mapping[str, str]:
        """Its URLs by name."""
        return self._addresses(self._place)

    def launch(self) -> None:
        """Set it going, without waiting for it. Nothing to do if it is going. Raises `Unavailable`."""
        try:
            if self._container.status == "not_started":
                self._container.start()
                self._place = self._seen_from_here()
            else:
                self._engined.start()
        except DockerException as error:
            raise Unavailable(f"{self.name} could not be started: {error}") from error

    def is_ready(self) -> bool:
        """Return whether it does its work. Raises `Unavailable` if it has ended."""
        self._container.reload()
        if self._container.status in {"exited", "dead"}:
            log = self._engined.logs(tail=12).decode(errors="replace")
            raise Unavailable(f"{self._container.image} did not start. The end of its log:\n{log}")
        return self._ready(self._place)

    def stop(self) -> None:
        """End it in good order; on the spot if that takes too long."""
        self._engined.stop(timeout=_STOP_SECONDS)

    def kill(self) -> None:
        """End it on the spot."""
        self._container.reload()
        if self._container.status in {"running", "paused"}:
            self._engined.kill()

    def freeze(self) -> None:
        """Let it stand still."""
        self._engined.pause()

    def thaw(self) -> None:
        """Let it go on."""
        self._engined.unpause()

    def remove(self) -> None:
        """End it on the spot, and its data with it."""
        self._container.stop()

    def _seen_from_here(self) -> Place:
        host = self._container.get_container_host_ip()
        return host, [self._container.get_exposed_port(port) for port in self._ports]

    @property
    def _engined(self) -> _Engined:
        return cast("_Engined", self._container.get_wrapped_container())


def _rabbitmq() -> Container:
    container = DockerContainer(RABBITMQ_IMAGE)
    ports = [_AMQP, _MANAGEMENT, _METRICS]
    for port in ports:
        container.with_bind_ports(port, free_port())
    return Container(container, ports, _rabbitmq_urls, lambda place: answers(place[0], *place[1][:2]))


def _rabbitmq_urls(place: Place) -> Mapping[str, str]:
    host, (amqp, management, metrics) = place
    return {
        "rabbitmq_url": f"amqp://guest:guest@{host}:{amqp}/",
        "rabbitmq_management_url": f"http://guest:guest@{host}:{management}",
        "rabbitmq_metrics_url": f"http://{host}:{metrics}/metrics",
    }


def _mongodb() -> Container:
    """It listens at the same port inside and outside: a replica set's members must have one name for all."""
    port = free_port()
    container = DockerContainer(MONGODB_IMAGE).with_bind_ports(port, port)
    container.with_command(["--replSet", NAME, "--bind_ip_all", "--port", str(port), "--wiredTigerCacheSizeGB", "0.5"])
    return Container(container, [port], _mongodb_urls, lambda place: is_primary(place[0], *place[1]))


def _mongodb_urls(place: Place) -> Mapping[str, str]:
    host, (port,) = place
    return {"mongodb_url": f"mongodb://{host}:{port}/?replicaSet={NAME}"}


def _engine() -> _Engine:
    return cast("_Engine", DockerClient(timeout=10).client)
