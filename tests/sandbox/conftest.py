"""A running Cronofy sandbox, people in it, the application's own requests, and a receiver of notifications."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.serve import serve
from sandbox.clock import Chance, Clock
from sandbox.cronofy.app import create_app
from sandbox.cronofy.client import CronofyControl
from sandbox.cronofy.control.account_messages import CreatedAccount, NewAccount
from sandbox.cronofy.model.settings import Service, Settings
from sandbox.cronofy.model.state import Application
from sandbox.trust import trusted

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
CLIENT_ID, SECRET = "the-application", "the-client-secret"
REDIRECT = "https://app.example/connected"

TEN, ELEVEN = "2026-03-10T10:00:00Z", "2026-03-10T11:00:00Z"
"""An hour on the day after `NOON`."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """The application, acting for one account."""

    http: httpx.AsyncClient
    account: CreatedAccount
    tokens: Json

    @property
    def calendar_id(self) -> str:
        return self.account.calendar_id

    async def request(
        self, method: str, path: str, *, params: Mapping[str, str | list[str]] | None = None, body: object = None
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.tokens['access_token']}"}
        return await self.http.request(method, path, params=params, json=body, headers=headers)

    async def get(self, path: str, **params: str | list[str]) -> httpx.Response:
        return await self.request("GET", path, params=params or None)

    async def post(self, path: str, body: object) -> httpx.Response:
        return await self.request("POST", path, body=body)

    async def upsert(
        self, event_id: str = "item-1", calendar_id: str | None = None, **fields: object
    ) -> httpx.Response:
        body = {"event_id": event_id, "summary": "Visit", "start": TEN, "end": ELEVEN, **fields}
        return await self.post(self.events_path(calendar_id), body)

    async def delete(self, **ids: str) -> httpx.Response:
        return await self.request("DELETE", self.events_path(), body=ids)

    async def page(self, **params: str | list[str]) -> Json:
        response = await self.get("/v1/events", **{"tzid": "Etc/UTC", **params})
        assert response.status_code == 200, response.text
        page: Json = response.json()
        return page

    async def read(self, **params: str | list[str]) -> list[Json]:
        """Read to the last page."""
        page = await self.page(**params)
        events: list[Json] = page["events"]
        while next_page := page["pages"].get("next_page"):
            page = (await self.get(next_page)).json()
            events += page["events"]
        return events

    async def managed(self, **params: str | list[str]) -> list[Json]:
        return await self.read(only_managed="true", include_deleted="true", **params)

    async def open_channel(self, url: str, **filters: object) -> Json:
        response = await self.post("/v1/channels", {"callback_url": url, **({"filters": filters} if filters else {})})
        assert response.status_code == 200, response.text
        channel: Json = response.json()["channel"]
        return channel

    def events_path(self, calendar_id: str | None = None) -> str:
        return f"/v1/calendars/{calendar_id or self.calendar_id}/events"


@dataclass(frozen=True)
class Running:
    """A sandbox, its clock, whoever controls it, and the application's HTTP client."""

    url: str
    clock: Clock
    control: CronofyControl
    http: httpx.AsyncClient

    async def token(self, **body: str) -> httpx.Response:
        return await self.http.post("/oauth/token", json={"client_id": CLIENT_ID, "client_secret": SECRET, **body})

    async def exchange(self, code: str, redirect_uri: str = REDIRECT) -> Json:
        response = await self.token(grant_type="authorization_code", code=code, redirect_uri=redirect_uri)
        assert response.status_code == 200, response.text
        tokens: Json = response.json()
        return tokens

    async def connect(self, provider: Service = Service.GOOGLE, given: NewAccount | None = None) -> Caller:
        """Let somebody consent, and exchange the code."""
        account = await self.control.create_account(provider, given)
        return Caller(self.http, account, await self.exchange(account.code))


class Stage:
    """Serves whichever app a test puts on it: starting and stopping a server takes longer than most tests."""

    url = ""
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncGenerator[Stage]:
    stage = Stage()
    async with serve(stage) as stage.url:
        yield stage


@contextlib.asynccontextmanager
async def performing(stage: Stage, settings: Settings, *, seed: int = 1) -> AsyncGenerator[Running]:
    """Run a new sandbox on the stage."""
    clock = Clock(NOON, frozen=True)
    stage.app = app = create_app(clock, Chance(seed), Application(CLIENT_ID, (SECRET,)), settings)
    async with (
        app.running(),
        CronofyControl(stage.url) as control,
        httpx.AsyncClient(base_url=stage.url, timeout=10, trust_env=False, verify=trusted()) as http,
    ):
        yield Running(stage.url, clock, control, http)


@contextlib.asynccontextmanager
async def running(settings: Settings, *, seed: int = 1) -> AsyncGenerator[Running]:
    """Run a new sandbox on a server of its own."""
    stage = Stage()
    async with serve(stage) as stage.url, performing(stage, settings, seed=seed) as sandbox:
        yield sandbox


SLOW = Settings(
    write_delay=(10, 10),
    provider_lag=(20, 20),
    read_lag=(5, 5),
    timing={},
    notification_delay=(2, 2),
    retry_jitter=0,
    rewriting="off",
    requests_per_second=1000,
    requests_per_minute=10_000,
    token_lifetime=10**8,
)
"""Everything takes a time that is easy to reckon with, and nothing is rewritten."""


@pytest_asyncio.fixture(loop_scope="module")
async def cronofy(stage: Stage) -> AsyncGenerator[Running]:
    async with performing(stage, SLOW) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(loop_scope="module")
async def caller(cronofy: Running) -> Caller:
    return await cronofy.connect()


@dataclass
class Receiver:
    """Takes notifications, and answers them as it is told."""

    url: str
    bodies: list[bytes] = field(default_factory=list[bytes])
    signatures: list[str] = field(default_factory=list[str])
    status: int = 200
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.released.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.bodies.append(await request.body())
        self.signatures.append(request.headers["cronofy-hmac-sha256"])
        await self.released.wait()
        await Response(status_code=self.status)(scope, receive, send)

    @property
    def notifications(self) -> list[Json]:
        return [json.loads(body) for body in self.bodies]

    @property
    def types(self) -> list[str]:
        return [body["notification"]["type"] for body in self.notifications]

    @contextlib.contextmanager
    def silent(self) -> Generator[None]:
        """Do not answer while the block runs."""
        self.released.clear()
        try:
            yield
        finally:
            self.released.set()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def receivers() -> AsyncGenerator[Stage]:
    stage = Stage()
    async with serve(stage) as stage.url:
        yield stage


@pytest.fixture
def receiver(receivers: Stage) -> Generator[Receiver]:
    receivers.app = receiving = Receiver(f"{receivers.url}/notify")
    yield receiving
    receiving.released.set()
