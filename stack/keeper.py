"""The keeper: a process that starts services, keeps them up and ends them with its owner.

It is a process of its own so that the services end however the owner ends, `kill -9` included: the pipe from the owner
then ends, too. And should the keeper itself be killed, the kernel ends what it started.

The owner writes one line for each request, `<service> <action>`, and gets lines of JSON: any number of
`["progress", text]`, then one of `["ready", addresses]`, `["done", ""]`, `["failed", sentence]`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import select
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol, cast

from stack.failures import OwnerGone, Unavailable
from stack.kept import Kept, Owner, await_ready
from stack.native import backend as native
from stack.services import ALL, Action, ServiceName

Kind = Literal["progress", "ready", "done", "failed"]


class Backend(Protocol):
    """A way to run services: a module."""

    def prepare(self, names: Sequence[ServiceName], owner: Owner) -> None:
        """Fetch what is not here yet."""
        ...

    def launch(
        self, names: Sequence[ServiceName], held: contextlib.ExitStack, owner: Owner, /
    ) -> Mapping[ServiceName, Kept]:
        """Set services going that are prepared, to be ended with `held`."""
        ...


class PipeOwner:
    """The owner, at the other end of our standard input and output."""

    def tell(self, progress: str) -> None:
        """Say what is being done."""
        self.say("progress", progress)

    def say(self, kind: Kind, what: str | dict[str, str]) -> None:
        """Send the owner a line."""
        try:
            sys.stdout.write(json.dumps([kind, what]) + "\n")
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise OwnerGone from error

    def pause(self, seconds: float) -> None:
        """Wait. The owner never speaks while it waits for an answer: if there is something to read, it is the end."""
        readable, _, _ = select.select([sys.stdin], [], [], seconds)
        if readable:
            raise OwnerGone

    def requests(self) -> Iterator[tuple[ServiceName, Action]]:
        """What the owner wants, until it has ended."""
        for line in sys.stdin:
            name, action = line.split()
            yield cast("ServiceName", name), cast("Action", action)


def main(arguments: Sequence[str]) -> None:
    """Names of services: keep them up. `prepare`: only fetch what all of them need."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # not what our owner blocks for itself
    signal.signal(signal.SIGTERM, _end)
    owner = PipeOwner()
    with contextlib.suppress(OwnerGone), contextlib.ExitStack() as held:
        try:
            if arguments == ["prepare"]:
                _prepared_backend(ALL, owner)
                owner.say("done", "")
            else:
                _keep([name for name in ALL if name in arguments], held, owner)
        except Unavailable as failure:
            owner.say("failed", str(failure))


def _keep(names: Sequence[ServiceName], held: contextlib.ExitStack, owner: PipeOwner) -> None:
    kept = _prepared_backend(names, owner).launch(names, held, owner)
    for service in kept.values():
        await_ready(service, owner)
    owner.say("ready", {name: url for service in kept.values() for name, url in service.addresses.items()})
    for name, action in owner.requests():
        try:
            _act(kept[name], action, owner)
            owner.say("done", "")
        except Unavailable as failure:
            owner.say("failed", str(failure))


def _prepared_backend(names: Sequence[ServiceName], owner: PipeOwner) -> Backend:
    containers = _containers()
    if containers is not None:
        try:
            containers.prepare(names, owner)
        except Unavailable as failure:
            owner.tell(f"{failure} Going on without containers.")
        else:
            return containers
    native.prepare(names, owner)
    return native


def _containers() -> Backend | None:
    """Containers, if a Docker engine answers. What asks it is not installed everywhere."""
    if importlib.util.find_spec("testcontainers") is None:
        return None
    from stack import containers  # noqa: PLC0415 - see above

    return containers if containers.engine_answers() else None


def _act(service: Kept, action: Action, owner: PipeOwner) -> None:
    match action:
        case "start":
            service.launch()
            await_ready(service, owner)
        case "stop":
            service.stop()
        case "kill":
            service.kill()
        case "freeze":
            service.freeze()
        case "thaw":
            service.thaw()
            await_ready(service, owner)


def _end(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what follows is the clearing up
    raise SystemExit


if __name__ == "__main__":
    main(sys.argv[1:])
