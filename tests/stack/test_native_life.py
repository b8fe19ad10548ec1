"""Native services live as long as they are wanted, and no longer, however their owner ends."""

# ruff: noqa: S404, S603 - programs of our own

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from stack.native.places import PROJECT
from stack.opening import open_database
from stack.services import Database
from tests.stack.conftest import eventually, folder_of, processes_in

pytestmark = pytest.mark.usefixtures("no_engine")

OWNER = """
import signal
from stack.opening import *
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs in the background is born deaf to it
with open_{}() as service:
    print(service.url, flush=True)
    input()
"""


def test_a_database_that_was_restarted_killed_or_frozen_has_what_was_confirmed() -> None:
    with open_database() as database:
        folder = folder_of(database.url)
        insert(database.url, 1)
        database.restart()
        insert(database.url, 2)
        database.kill()
        assert not listens(database.url)
        database.start()
        database.freeze()
        database.thaw()
        assert inserted(database.url) == [1, 2]
    assert not folder.exists()
    assert not processes_in(folder)


def test_stacks_that_start_at_once_do_not_meet() -> None:
    with ExitStack() as held, ThreadPoolExecutor() as pool:
        databases: list[Database] = list(pool.map(held.enter_context, [open_database() for _ in range(2)]))
        for number, database in enumerate(databases):
            insert(database.url, number)
        assert [inserted(database.url) for database in databases] == [[0], [1]]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_services_end_with_their_owner_however_it_ends(end: signal.Signals) -> None:
    with owner_of("database") as (owner, url):
        folder = folder_of(url)
        owner.send_signal(end)
        assert eventually(lambda: not folder.exists())
        assert not processes_in(folder)


def test_a_broker_whose_owner_is_killed_leaves_nothing_behind() -> None:
    with owner_of("broker") as (owner, url):
        folder = folder_of(url)
        owner.kill()
        assert eventually(lambda: not folder.exists())
        assert eventually(lambda: not processes_in(folder))


def test_services_end_with_a_killed_keeper_too_and_the_next_run_clears_away() -> None:
    with owner_of("database") as (owner, url):
        folder = folder_of(url)
        (keeper,) = Path(f"/proc/{owner.pid}/task/{owner.pid}/children").read_text(encoding="utf-8").split()
        os.kill(int(keeper), signal.SIGKILL)
        assert eventually(lambda: not processes_in(folder))
        assert folder.exists()
        with open_database():
            assert not folder.exists()


@contextmanager
def owner_of(what: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Another process that has opened a service, and the service's URL."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER.format(what)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port)).close()
    except OSError:
        return False
    return True


def insert(url: str, number: int) -> None:
    with MongoClient[dict[str, int]](url) as client:
        client["stack"]["numbers"].insert_one({"number": number})


def inserted(url: str) -> list[int]:
    with MongoClient[dict[str, int]](url) as client:
        return sorted(found["number"] for found in client["stack"]["numbers"].find())
