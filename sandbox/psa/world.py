"""Everything that a running PSA sandbox consists of, and how a change becomes known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from events.psa import TenantOptions
from sandbox.clock import Chance
from sandbox.psa.api.faults import Fault
from sandbox.psa.api.limits import Limits
from sandbox.psa.api.tokens import Tokens
from sandbox.psa.api.traffic import Traffic
from sandbox.psa.bell import Bell
from sandbox.psa.model.integrations import Integration, Integrations, Wish
from sandbox.psa.model.ledger import Ledger
from sandbox.psa.model.outcomes import Outcomes
from sandbox.psa.model.records import Author, Drafts, Record
from sandbox.psa.model.settings import Settings
from sandbox.psa.publishing.events import ITEM_CHANGED, item_changed, of_people, tenant_configured, wished
from sandbox.psa.publishing.mishaps import Fate, Mishap, drawn
from sandbox.psa.publishing.outbox import Outbox
from sandbox.psa.troubles import Troubles


class Clock(Protocol):
    """What time it is in the sandbox."""

    def now(self) -> datetime:
        """Return the time, with an offset."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """What calendar sync signs in with."""

    client_id: str
    client_secret: str = field(repr=False)


class World:
    """See the module."""

    def __init__(self, clock: Clock, credentials: Credentials, ledger: Ledger, new_token: Callable[[], str]) -> None:
        self.clock = clock
        self.credentials = credentials
        self.ledger = ledger
        self.settings = Settings()
        self.faults = Troubles[Fault]()
        self.fault_chance = Chance(self.settings.seed).stream("faults")
        self.mishaps = Troubles[Mishap]()
        self.event_chance = Chance(self.settings.seed).stream("events")
        self.bell = Bell()
        """Rings whenever something happened: a change, a request and its answer, an outcome."""
        self.outbox = Outbox(self.bell)
        self.integrations = Integrations()
        self._people = 0
        self.outcomes = Outcomes()
        self.traffic = Traffic()
        self.tokens = Tokens(new_token)
        self.limits = Limits()

    def change_settings(self, settings: Settings) -> None:
        """Take on other habits. Chance begins anew from the seed."""
        self.settings = settings
        self.fault_chance = Chance(settings.seed).stream("faults")
        self.event_chance = Chance(settings.seed).stream("events")
        self.bell.ring()

    def save(self, drafts: Drafts, author: Author) -> tuple[Record, ...]:
        """Keep one change of one item together with the events that tell of it."""
        records = self.ledger.save(drafts, author)
        for record in records:
            fate = self._fate(ITEM_CHANGED, record.key.item_id)
            self.outbox.add(item_changed(record, bare=fate.bare), fate, _loop_time())
        return records

    def wish(self, tenant_id: int, integration_id: str, wish: Wish) -> Integration:
        """Let a user press a button of the Calendar Sync page."""
        integration = self.integrations.next_revision(tenant_id, integration_id, wish.user_id)
        message = wished(wish, integration, self.clock.now())
        self.integrations.keep(integration)
        self.outbox.add(message, self._fate(message.routing_key, integration_id), _loop_time())
        return integration

    def configure_tenant(self, tenant_id: int, options: TenantOptions) -> int:
        """Let a tenant's administrator save its settings. Returns their revision."""
        revision = self.integrations.next_tenant_revision(tenant_id)
        message = tenant_configured(tenant_id, revision, options, self.clock.now())
        self.outbox.add(message, self._fate(message.routing_key, str(tenant_id)), _loop_time())
        return revision

    def tell_of_people(self, what: str, data: Mapping[str, JsonValue]) -> int:
        """Let people leave, or ask for what is kept about them, or for its end. Returns the event's number."""
        self._people += 1
        message = of_people(what, data, self._people, self.clock.now())
        self.outbox.add(message, self._fate(message.routing_key, str(data["tenant_id"])), _loop_time())
        return self._people

    def received(self, body: bytes) -> None:
        """Take an outcome from calendar sync. Raises `Malformed` if it breaks its contract."""
        self.outcomes.receive(body, self.clock.now())
        self.bell.ring()

    async def quiet(self, still_for: float, within: float) -> bool:
        """Wait until no event waits to be published and nobody has called or told anything for a while."""
        try:
            async with asyncio.timeout(within):
                while (left := self._unrest(still_for)) is None or left > 0:
                    await self.bell.heard(left)
        except TimeoutError:
            return False
        return True

    def _unrest(self, still_for: float) -> float | None:
        """Return for how much longer it has to be still; None while something is under way."""
        if self.outbox.waiting or self.traffic.under_way:
            return None
        return self.bell.rang_at + still_for - _loop_time()

    def _fate(self, event_type: str, about: str) -> Fate:
        return drawn(self.mishaps, event_type, about, self.event_chance)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
