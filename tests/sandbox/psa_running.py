"""A running PSA sandbox: its users, calendar sync's own client, and what reaches the broker."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from adapters.http.serve import serve
from events.failures import System, TryLater
from events.psa import PSA_EVENT, ItemChanged, PsaEvent
from events.reasons import Reason
from sandbox.clock import Clock
from sandbox.psa.app import PsaSandbox, psa_sandbox
from sandbox.psa.client import PsaControl, psa_control
from sandbox.psa.world import Credentials
from sandbox.trust import trusted
from tests.sandbox.psa_contract import must_conform

TENANT, USER, OTHER = 1204, 5571, 5572
NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
Envelope = dict[str, Any]


@dataclass
class Broker:
    """Stands in for RabbitMQ: takes everything, or is away."""

    messages: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    away: bool = False

    async def __call__(self, routing_key: str, body: bytes) -> None:
        if self.away:
            raise TryLater(System.BROKER, Reason.UNREACHABLE)
        self.messages.append((routing_key, body))

    @property
    def events(self) -> list[PsaEvent]:
        """Everything published so far, through the one door that the worker has."""
        return [PSA_EVENT.validate_json(body) for _, body in self.messages]

    @property
    def changes(self) -> list[ItemChanged]:
        return [event for event in self.events if isinstance(event, ItemChanged)]


@dataclass
class CalendarApi:
    """Calls the calendar API as calendar sync does; every answer must conform to the OpenAPI document."""

    http: httpx.AsyncClient
    tenant: int = TENANT
    secret: str = "correct"

    async def sign_in(self) -> Envelope:
        form = {"grantType": "client_credentials", "clientId": "calsync", "clientSecret": self.secret}
        answer = await self.call("POST", "/v2/security/authenticate", data=form | {"tenant": str(self.tenant)})
        if answer.is_success:
            self.http.headers["Authorization"] = f"Bearer {answer.json()['result']['accessToken']}"
        return {"status": answer.status_code, **answer.json()}

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, str] | None = None,
        json: object = None,
    ) -> httpx.Response:
        response = await self.http.request(method, path, params=params, data=data, json=json)
        must_conform(method, path, response)
        return response

    async def items(self, start: str, end: str, user_id: int = USER, **query: object) -> Envelope:
        asked = {"userId": user_id, "from": start, "to": end, **query}
        return await self.envelope("GET", "/v2/calendar/items", params=asked)

    async def item(self, item_type: str, item_id: str, part_id: str | None = None) -> Envelope:
        return await self.envelope("GET", f"/v2/calendar/items/{item_type}/{item_id}", params=_part(part_id))

    async def change(
        self, item_type: str, item_id: str, revision: int, changes: Mapping[str, object], part_id: str | None = None
    ) -> Envelope:
        body = {"revision": revision, "changes": changes}
        path = f"/v2/calendar/items/{item_type}/{item_id}"
        return await self.envelope("PATCH", path, json=body, params=_part(part_id))

    async def create(self, **fields: object) -> Envelope:
        body = {"externalReference": "calsync:1", "userId": USER, "subject": "Lunch", **TIMED, **fields}
        return await self.envelope("POST", "/v2/calendar/appointments", json=body)

    async def find(self, reference: str) -> Envelope:
        return await self.envelope("GET", "/v2/calendar/appointments", params={"externalReference": reference})

    async def delete(self, item_id: str, revision: int, part_id: str | None = None) -> Envelope:
        query = {"revision": revision} | _part(part_id)
        return await self.envelope("DELETE", f"/v2/calendar/appointments/{item_id}", params=query)

    async def envelope(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: object = None
    ) -> Envelope:
        answer = await self.call(method, path, params=params, json=json)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


TIMED = {"start": "2026-03-10T12:00:00Z", "end": "2026-03-10T13:00:00Z"}


def _part(part_id: str | None) -> dict[str, object]:
    return {} if part_id is None else {"partId": part_id}


def refusal(envelope: Envelope) -> int:
    """Return the code of an answer that must be a refusal."""
    assert envelope["success"] is False
    return int(envelope["error"]["code"])


@dataclass
class Running:
    sandbox: PsaSandbox
    url: str
    psa: PsaControl
    api: CalendarApi
    clock: Clock
    broker: Broker


@asynccontextmanager
async def running() -> AsyncGenerator[Running]:
    """Run a sandbox at noon of 9 March 2026, with calendar sync signed in."""
    broker, clock = Broker(), Clock(NOON, frozen=True)
    async with (
        psa_sandbox(clock, broker, Credentials("calsync", "correct")) as sandbox,
        serve(sandbox.app) as url,
        psa_control(url, TENANT) as psa,
        httpx.AsyncClient(base_url=url, trust_env=False, verify=trusted()) as http,
    ):
        api = CalendarApi(http)
        await api.sign_in()
        yield Running(sandbox, url, psa, api, clock, broker)
