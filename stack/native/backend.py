"""All services as native servers."""

from __future__ import annotations

import contextlib
import platform
import shutil
from collections.abc import Sequence

from stack.failures import Unavailable
from stack.kept import Kept, Owner
from stack.native.mongodb import mongodb
from stack.native.mongodb_files import mongodb_files
from stack.native.places import HOME, LOCK_FILE, RUNS
from stack.native.rabbitmq import rabbitmq
from stack.native.rabbitmq_files import rabbitmq_files
from stack.native.runs import new_run
from stack.services import ServiceName


def prepare(names: Sequence[ServiceName], owner: Owner) -> None:
    """Fetch what is not here yet."""
    if platform.system() != "Linux" or shutil.which("setpriv") is None or not LOCK_FILE.is_file():
        raise Unavailable(
            "RabbitMQ and MongoDB are needed, and native ones can be had in a clone of the project on Linux only: "
            "start a Docker engine, or set CALSYNC_RABBITMQ_URL and CALSYNC_MONGODB_URL."
        )
    if "rabbitmq" in names:
        rabbitmq_files(HOME, owner)
    if "mongodb" in names:
        mongodb_files(HOME, owner)


def launch(names: Sequence[ServiceName], held: contextlib.ExitStack, owner: Owner) -> dict[ServiceName, Kept]:
    """Set services going that are prepared, to be ended with `held`."""
    run = held.enter_context(new_run(RUNS))
    kept: dict[ServiceName, Kept] = {}
    if "mongodb" in names:
        kept["mongodb"] = mongodb(mongodb_files(HOME, owner), run, held)
    if "rabbitmq" in names:
        kept["rabbitmq"] = rabbitmq(rabbitmq_files(HOME, owner), run, held, owner)
    return kept
