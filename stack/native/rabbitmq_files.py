"""Where RabbitMQ's and Erlang's files are: the machine's own, or fetched once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.failures import Unavailable
from stack.kept import Owner
from stack.native import apt
from stack.native.once import made_once

_OLDEST: Final = (3, 10)
_SERVER: Final = "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"
_ERL: Final = """\
#!/bin/sh
# The packaged script knows only /usr/lib/erlang; this one looks around itself.
ROOTDIR=$(dirname "$(dirname "$(readlink -f "$0")")")
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
EMU=beam
PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" "$@"
"""


@dataclass(frozen=True, slots=True)
class RabbitMQFiles:
    """What it takes to run RabbitMQ."""

    server: Path
    erlang: Path
    """The folder with `erl` and `epmd`."""

    libraries: Sequence[str] = ()


def rabbitmq_files(home: Path, owner: Owner) -> RabbitMQFiles:
    """Return the machine's own RabbitMQ if it is whole and new enough, else a fetched one."""
    return of_the_machine() or _in_folder(made_once(home / "rabbitmq", lambda folder: _fetch(folder, owner), owner))


def of_the_machine(root: Path = Path("/")) -> RabbitMQFiles | None:
    """Return RabbitMQ as its package installs it. It needs the package's own script: the one in PATH changes user."""
    erl = shutil.which("erl")
    server = _newest(root)
    if erl is None or server is None or _version(server) < _OLDEST:
        return None
    return RabbitMQFiles(server, Path(erl).resolve().parent)


def _in_folder(folder: Path) -> RabbitMQFiles:
    server = _newest(folder)
    assert server is not None, "checked before the folder got its name"
    return RabbitMQFiles(server, folder / "usr/lib/erlang/bin", apt.libraries(folder))


def _fetch(folder: Path, owner: Owner) -> None:
    if not apt.is_here():
        raise Unavailable(
            "RabbitMQ is needed and there is no way to get it here: start a Docker engine, "
            "or set CALSYNC_RABBITMQ_URL, or use a Debian or Ubuntu machine, where apt can fetch it."
        )
    owner.tell("fetching RabbitMQ and Erlang (35 MB, once)")
    apt.unpack(["rabbitmq-server"], _is_part_of_it, folder, owner)
    server = _newest(folder)
    if server is None or _version(server) < _OLDEST:
        raise Unavailable(
            f"The RabbitMQ that apt has here is older than {_OLDEST[0]}.{_OLDEST[1]}: "
            "start a Docker engine, or set CALSYNC_RABBITMQ_URL."
        )
    erl = folder / "usr/lib/erlang/bin/erl"
    erl.unlink()
    erl.write_text(_ERL)
    erl.chmod(0o755)


def _is_part_of_it(package: str) -> bool:
    return package == "rabbitmq-server" or package.startswith("erlang-")


def _newest(root: Path) -> Path | None:
    return max(root.glob(_SERVER), key=_version, default=None)


def _version(server: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", server.parents[1].name))
