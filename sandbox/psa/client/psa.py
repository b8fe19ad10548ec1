"""The client as a whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from sandbox.psa.client.items import ItemCalls
from sandbox.psa.client.people import PeopleCalls
from sandbox.psa.client.sync import SyncCalls
from sandbox.psa.client.trouble import TroubleCalls
from sandbox.trust import trusted


class PsaControl(ItemCalls, SyncCalls, PeopleCalls, TroubleCalls):
    """Acts in the platform on behalf of one tenant. Raises `ControlRefused` where the platform says no."""

    def for_tenant(self, tenant_id: int) -> PsaControl:
        """Return one that acts for another tenant, over the same connection."""
        return PsaControl(self.http, tenant_id)


@asynccontextmanager
async def psa_control(base_url: str, tenant_id: int = 1204) -> AsyncGenerator[PsaControl]:
    """Connect to a running sandbox."""
    async with httpx.AsyncClient(base_url=base_url, trust_env=False, verify=trusted()) as http:
        yield PsaControl(http, tenant_id)
