"""MongoDB as a private, native server: a replica set of one."""

from __future__ import annotations

import contextlib
from typing import Final

from stack.kept import Kept
from stack.native.mongodb_files import MongoDBFiles
from stack.native.ports import LOOPBACK, listens, reserved_port
from stack.native.program import Program, Recipe
from stack.native.runs import Run
from stack.replica_set import NAME, is_primary

_CACHE_GB: Final = "0.5"


def mongodb(files: MongoDBFiles, run: Run, held: contextlib.ExitStack) -> Kept:
    """Set a database going."""
    port = reserved_port(held)
    data = run.folder / "mongodb"
    data.mkdir()
    options = {
        "--port": str(port),
        "--bind_ip": LOOPBACK,
        "--dbpath": str(data),
        "--replSet": NAME,
        "--wiredTigerCacheSizeGB": _CACHE_GB,
        "--setParameter": "diagnosticDataCollectionEnabled=false",
    }
    words = [word for option in options.items() for word in option]
    recipe = Recipe(
        "mongodb",
        [str(files.mongod), "--nounixsocket", *words],
        {"PATH": "/usr/bin:/bin", "HOME": str(run.folder), "LD_LIBRARY_PATH": ":".join(files.libraries)},
        {"mongodb_url": f"mongodb://{LOOPBACK}:{port}/?replicaSet={NAME}"},
        lambda: listens(LOOPBACK, port) and is_primary(LOOPBACK, port),
    )
    database = Program(recipe, run)
    held.callback(database.kill)
    database.launch()
    return database
