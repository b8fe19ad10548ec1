"""The fixtures that give services to tests: see `tests/services.py`."""

# ruff: noqa: S404, S603 - programs of our own

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import aio_pika
import httpx
import pytest
from pymongo import MongoClient

from stack.failures import EXIT_CODE
from stack.native.places import PROJECT
from tests.services import Urls

PLAIN: Final = "def test_plain(): pass\n"
ASKS: Final = "def test_asks(rabbitmq_url, mongodb_url): print(rabbitmq_url, mongodb_url)\n"


@pytest.mark.parametrize("attempt", [1, 2])
async def test_every_test_has_an_empty_virtual_host_of_its_own(
    attempt: int, vhost: str, management: httpx.Client
) -> None:
    del attempt  # the first would be in the second's way
    connection = await aio_pika.connect(vhost)
    async with connection, connection.channel() as channel:
        await channel.declare_queue("same", durable=True)
    queues = await asyncio.to_thread(management.get, f"/queues/{vhost.rpartition('/')[2]}")
    assert [queue["name"] for queue in queues.json()] == ["same"]


@pytest.mark.parametrize("attempt", [1, 2])
def test_every_test_has_an_empty_database_of_its_own(
    attempt: int, database: str, mongodb: MongoClient[dict[str, Any]]
) -> None:
    mongodb[database]["same"].insert_one({"_id": attempt})
    assert mongodb[database]["same"].count_documents({}) == 1


def test_transactions_work(database: str, mongodb: MongoClient[dict[str, Any]]) -> None:
    with mongodb.start_session() as session, session.start_transaction():
        mongodb[database]["some"].insert_one({}, session=session)


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_without_services_the_run_ends_with_the_reason_and_nothing_is_skipped(
    workers: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    ended = run(PLAIN + ASKS, tmp_path, *workers)
    assert ended.returncode == EXIT_CODE
    assert "1 passed, 1 error" in ended.stdout, "a test that asks for nothing runs without"
    assert "RabbitMQ and MongoDB are needed" in ended.stdout.splitlines()[-2]
    assert "skipped" not in ended.stdout


def test_workers_share_what_settings_name(tmp_path: Path, service_urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSYNC_RABBITMQ_URL", service_urls.rabbitmq)
    monkeypatch.setenv("CALSYNC_MONGODB_URL", service_urls.mongodb)
    ended = run(ASKS + ASKS.replace("asks", "asks_too"), tmp_path, "-n", "2", "-rP")
    assert ended.stdout.count(f"{service_urls.rabbitmq} {service_urls.mongodb}") == 2


def run(tests: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run tests of their own with the plugin."""
    (folder / "test_it.py").write_text(tests)
    (folder / "pytest.ini").touch()
    command = [sys.executable, "-m", "pytest", "-p", "tests.services", "-p", "no:randomly", "-q", *options, str(folder)]
    return subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)
