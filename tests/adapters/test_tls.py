"""Who cannot prove to be the other side is not spoken to; who can is, also with an authority of one's own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from adapters.http.pool import open_pool
from adapters.http.serve import serve
from adapters.mongodb.driver import Driver, open_database, ping
from adapters.process.endpoints import Broker
from adapters.rabbitmq.connection import connect, connect_once
from events.failures import System, TryLater
from events.reasons import Reason
from tests.services import Urls
from tests.tls import Authority, authority, behind_tls
from worker.settings import Store


@dataclass(frozen=True)
class Tried:
    """A way to speak to a system: at this port, trusting this authority."""

    system: System
    port: int
    speak: Callable[[int, Path], Awaitable[None]]


async def to_the_broker(url: str, port: int, ca_file: Path) -> None:
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    secret = SecretStr(parts._replace(scheme="amqps", netloc=f"{login}@127.0.0.1:{port}").geturl())
    settings = Broker(rabbitmq_url=secret, rabbitmq_ca_file=ca_file)
    async with connect_once(settings.broker_url, "test"), connect(settings.broker_url, "test"):
        pass


async def to_the_store(driver: Driver, port: int, ca_file: Path) -> None:
    # One member alone: the whole set would answer with its own address, which is the one without TLS.
    url = SecretStr(f"mongodb://127.0.0.1:{port}/?tls=true&directConnection=true")
    settings = Store(mongodb_url=url, mongodb_ca_file=ca_file, mongodb_driver=driver)
    async with open_database(settings.mongodb_driver, settings.store_url, "test") as database:
        await ping(database)


async def to_the_psa(port: int, ca_file: Path) -> None:
    async with open_pool(System.PSA, ca_file) as pool:
        answer = await pool.request("GET", f"https://127.0.0.1:{port}/")
    assert answer.body == {"hello": "there"}


@contextlib.asynccontextmanager
async def served(urls: Urls, server: Authority, name: str) -> AsyncGenerator[list[Tried]]:
    """Everything there is to speak to, with certificates of `server` for `name`."""

    async def hello(_: Request) -> JSONResponse:
        return JSONResponse({"hello": "there"})

    async with serve(Starlette(routes=[Route("/", hello)])) as web:
        ports = [urlsplit(url).port or 0 for url in (urls.rabbitmq, urls.mongodb, web)]
        with behind_tls(ports, server.certificate(name)) as (broker, store, psa):
            yield [
                Tried(System.BROKER, broker, lambda port, ca: to_the_broker(urls.rabbitmq, port, ca)),
                Tried(System.STORE, store, lambda port, ca: to_the_store(Driver.MOTOR, port, ca)),
                Tried(System.STORE, store, lambda port, ca: to_the_store(Driver.PYMONGO, port, ca)),
                Tried(System.PSA, psa, to_the_psa),
            ]


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    """The authority that settings name."""
    return authority(tmp_path, "ours")


async def test_who_proves_to_be_the_other_side_is_spoken_to(service_urls: Urls, ours: Authority) -> None:
    async with served(service_urls, ours, "127.0.0.1") as all_of_them:
        for tried in all_of_them:
            await tried.speak(tried.port, ours.file)


@pytest.mark.parametrize(("vouched_by", "name"), [("somebody", "127.0.0.1"), ("ours", "another.example")])
async def test_who_does_not_is_not_spoken_to_and_the_reason_is_said(
    vouched_by: str, name: str, service_urls: Urls, ours: Authority, tmp_path: Path
) -> None:
    server = ours if vouched_by == "ours" else authority(tmp_path, vouched_by)
    async with served(service_urls, server, name) as all_of_them:
        told = await asyncio.gather(
            *(tried.speak(tried.port, ours.file) for tried in all_of_them), return_exceptions=True
        )
    for tried, error in zip(all_of_them, told, strict=True):
        assert isinstance(error, TryLater), f"{tried.system} was spoken to"
        assert (error.system, error.reason) == (tried.system, Reason.NOT_TRUSTED)
