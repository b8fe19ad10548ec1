"""Tenants in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from events.tenant import Tenant, TenantSettings
from tests.memory.steps import Stepper
from tests.memory.store import MemoryIntegrations


class MemoryTenants:
    """See `adapters.mongodb.tenants.Tenants`."""

    def __init__(self, step: Stepper, integrations: MemoryIntegrations) -> None:
        self._step = step
        self._integrations = integrations
        self.known: dict[int, Tenant] = {}

    async def get(self, tenant_id: int) -> Tenant:
        await self._step("get tenant")
        return self.known.get(tenant_id, Tenant(tenant_id))

    async def configure(self, tenant_id: int, revision: int, settings: TenantSettings) -> Tenant:
        await self._step("configure tenant")
        known = self.known.get(tenant_id, Tenant(tenant_id))
        if revision > known.revision:
            known = Tenant(tenant_id, settings, revision, known.version + 1)
            self.known[tenant_id] = known
        await self._step("configured tenant")
        return known

    async def amend(self, known: Tenant, settings: TenantSettings) -> Tenant | None:
        await self._step("amend tenant")
        if self.known.get(known.id, Tenant(known.id)).version != known.version:
            return None
        amended = self.known[known.id] = replace(known, settings=settings, version=known.version + 1)
        await self._step("amended tenant")
        return amended

    async def spread(self, tenant: Tenant, due_at: datetime) -> None:
        await self._step("spread tenant")
        for row in self._integrations.rows.values():
            integration = row.integration
            if integration.tenant_id == tenant.id and integration.wanted.tenant_version < tenant.version:
                row.integration = replace(
                    integration,
                    wanted=replace(integration.wanted, tenant_version=tenant.version),
                    epoch=integration.epoch + 1,
                    due_at=min(due_at, integration.due_at or due_at),
                )
                row.rerun = True
        await self._step("spread it")
