"""Intake of a tenant's settings: they are stored, and count for all its integrations from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from events.psa import ConfigureTenantData, TenantOptions
from events.tenant import Tenant, TenantSettings
from worker.intake.safety import SAFETY_NET

if TYPE_CHECKING:
    from datetime import datetime

    from worker.ports import Tenants

_SETTINGS: Final = TypeAdapter(TenantSettings)


async def take_tenant(data: ConfigureTenantData, tenants: Tenants, now: datetime) -> Tenant:
    """Store what one event says. Raises `TryLater` if the store is away."""
    tenant = await tenants.configure(data.tenant_id, data.revision, settings_of(data))
    # Also if nothing was new: the first delivery may have ended in between.
    await tenants.spread(tenant, now + SAFETY_NET)
    return tenant


async def amend_tenant(known: Tenant, options: TenantOptions, tenants: Tenants, now: datetime) -> Tenant | None:
    """Store what an operator says. None if somebody else has changed it meanwhile."""
    tenant = await tenants.amend(known, settings_of(options))
    if tenant is not None:
        await tenants.spread(tenant, now)
    return tenant


def settings_of(options: TenantOptions) -> TenantSettings:
    """Return settings as they are worked with."""
    return _SETTINGS.validate_python(options.model_dump(exclude_unset=True))


def options_of(settings: TenantSettings) -> TenantOptions:
    """Return settings as they are put before people."""
    return TenantOptions.model_validate_json(_SETTINGS.dump_json(settings, exclude_none=True))
