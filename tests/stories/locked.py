"""A MongoDB that lets in only whom it knows: one server of the test's own."""

# ruff: noqa: S404, S603 - a program of our own

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure

from stack.native.mongodb_files import mongodb_files
from stack.native.places import HOME
from stack.native.ports import LOOPBACK, reserved_port
from tests.stack.conftest import Bystander

ROOT: Final = "root:secret"


@contextlib.contextmanager
def locked_database(folder: Path) -> Generator[str]:
    """Run a MongoDB with authorization for as long as the block runs. Yields its address for an administrator."""
    files = mongodb_files(HOME, Bystander())
    with contextlib.ExitStack() as held:
        port = reserved_port(held)
        options = ["--port", str(port), "--bind_ip", LOOPBACK, "--dbpath", str(folder), "--nounixsocket", "--auth"]
        with subprocess.Popen(
            [str(files.mongod), *options, "--setParameter", "diagnosticDataCollectionEnabled=false"],
            env={"LD_LIBRARY_PATH": ":".join(files.libraries)},
            stdout=subprocess.DEVNULL,
        ) as server:
            try:
                _let_root_in(port)
                yield f"mongodb://{ROOT}@{LOOPBACK}:{port}/?authSource=admin"
            finally:
                server.kill()


def _let_root_in(port: int) -> None:
    """Make the first user, as soon as the server is there: it lets somebody on its own machine do that once."""
    user, _, password = ROOT.partition(":")
    with MongoClient[dict[str, Any]](LOOPBACK, port, serverSelectionTimeoutMS=500) as client:
        for _ in range(60):
            with contextlib.suppress(ConnectionFailure):
                client.admin.command("createUser", user, pwd=password, roles=["root"])
                return
    raise AssertionError("the server did not start")
