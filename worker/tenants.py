"""What tenants have decided, remembered for a moment: it is asked for with every slice of work."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from events.tenant import Tenant
    from worker.ports import Clock, Tenants

_FRESH: Final = 5.0
"""Seconds for which an answer is good, as long as nobody knows of newer settings."""
_MANY: Final = 1000


class TenantCache:
    """See the module. `default_keep`: how long the log of a tenant is kept that has not decided it."""

    def __init__(self, tenants: Tenants, clock: Clock, default_keep: timedelta) -> None:
        self._tenants = tenants
        self._clock = clock
        self._default_keep = default_keep
        self._known: dict[int, tuple[float, Tenant]] = {}

    async def of(self, tenant_id: int, version: int = 0) -> Tenant:
        """Return a tenant, at this version of its settings or a later one."""
        now = self._clock.monotonic()
        asked, known = self._known.get(tenant_id, (now - _FRESH, None))
        if known is not None and now - asked < _FRESH and known.version >= version:
            return known
        tenant = await self._tenants.get(tenant_id)
        if len(self._known) >= _MANY:
            self._known.clear()
        self._known[tenant_id] = (now, tenant)
        return tenant

    async def now(self, tenant_id: int) -> Tenant:
        """Return a tenant as it is at this moment."""
        self._known.pop(tenant_id, None)
        return await self.of(tenant_id)

    async def keeps_until(self, tenant_id: int, at: datetime) -> datetime:
        """Return until when the tenant keeps what is written into its log at a moment."""
        days = (await self.of(tenant_id)).settings.log_keep_days
        return at + (self._default_keep if days is None else timedelta(days=days))
