"""Tokens of the calendar API: a pair per sign-in, each for one tenant, expiring by the sandbox's clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.psa.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token, and the refresh token that gets the next pair."""

    tenant_id: int
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    access_until: datetime
    refresh_until: datetime


class Tokens:
    """See the module."""

    def __init__(self, new_token: Callable[[], str]) -> None:
        self._new_token = new_token
        self._pairs: dict[str, Pair] = {}

    def issue(self, tenant_id: int, now: datetime, settings: Settings) -> Pair:
        """Sign in a tenant."""
        access_until = now + timedelta(seconds=settings.access_token_seconds)
        refresh_until = now + timedelta(seconds=settings.refresh_token_seconds)
        pair = Pair(tenant_id, self._new_token(), self._new_token(), access_until, refresh_until)
        self._pairs[pair.access] = pair
        return pair

    def tenant_of(self, access: str, now: datetime) -> int | None:
        """Return whose access token this is, while it is valid."""
        pair = self._pairs.get(access)
        return pair.tenant_id if pair and now < pair.access_until else None

    def exchange(self, access: str, refresh: str, now: datetime, settings: Settings) -> Pair | None:
        """Exchange a pair, whose access token may have expired, for a new one. The old one ends."""
        pair = self._pairs.get(access)
        if pair is None or pair.refresh != refresh or now >= pair.refresh_until:
            return None
        del self._pairs[access]
        return self.issue(pair.tenant_id, now, settings)

    def revoke(self, tenant_id: int) -> None:
        """End all of a tenant's tokens."""
        self._pairs = {access: pair for access, pair in self._pairs.items() if pair.tenant_id != tenant_id}
