"""Writing events. The id of one is the same whenever it is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import orjson
from pydantic import JsonValue

from events.psa import PSA_EVENT, ConfigureTenant, ConfigureTenantData, ItemChanged, TenantOptions
from sandbox.psa.model.facts import facts
from sandbox.psa.model.integrations import Integration, Restore, Wish
from sandbox.psa.model.records import Record
from sandbox.psa.publishing.outbox import Message

ITEM_CHANGED: Final = "psa.calendar_item.changed.v1"
TENANT_CONFIGURED: Final = "psa.tenant.configure.v1"


def item_changed(record: Record, *, bare: bool) -> Message:
    """Write that an item is as it is now; `bare`: without its snapshot."""
    event = ItemChanged(
        specversion="1.0",
        id=f"{record.key}@{record.revision}",
        source=_source(record.key.tenant_id),
        time=record.author.at,
        subject=str(record.key),
        type=ITEM_CHANGED,
        data=facts(record, bare=bare),
    )
    return Message(ITEM_CHANGED, event.model_dump_json(by_alias=True, exclude_none=True).encode(), str(record.key))


def wished(wish: Wish, integration: Integration, now: datetime) -> Message:
    """Write what a user wishes of an integration."""
    about = "item" if isinstance(wish, Restore) else "integration"
    routing_key = f"psa.{about}.{wish.do}.v1"
    subject = f"integration/{integration.integration_id}"
    whose: dict[str, JsonValue] = {
        "tenant_id": integration.tenant_id,
        "user_id": integration.user_id,
        "integration_id": integration.integration_id,
        "revision": integration.revision,
    }
    body = orjson.dumps({
        "specversion": "1.0",
        "id": f"{subject}@{integration.revision}",
        "source": _source(integration.tenant_id),
        "time": now,
        "subject": subject,
        "type": routing_key,
        "data": wish.model_dump(mode="json", exclude={"do"}, exclude_none=True) | whose,
    })
    PSA_EVENT.validate_json(body)  # the platform keeps to the contract, whatever it was asked
    return Message(routing_key, body, subject)


def tenant_configured(tenant_id: int, revision: int, options: TenantOptions, now: datetime) -> Message:
    """Write what a tenant's administrator saved."""
    event = ConfigureTenant(
        specversion="1.0",
        id=f"tenant/{tenant_id}@{revision}",
        source=_source(tenant_id),
        time=now,
        subject=f"tenant/{tenant_id}",
        type=TENANT_CONFIGURED,
        data=ConfigureTenantData(tenant_id=tenant_id, revision=revision, **dict(options)),
    )
    return Message(TENANT_CONFIGURED, event.model_dump_json(exclude_none=True).encode(), f"tenant/{tenant_id}")


def of_people(what: str, data: Mapping[str, JsonValue], number: int, now: datetime) -> Message:
    """Write about people: `user.left`, `tenant.left`, `user.export` or `user.erase`."""
    routing_key, subject = f"psa.{what}.v1", f"people/{number}"
    body = orjson.dumps({
        "specversion": "1.0",
        "id": f"{what}@{number}",
        "source": _source(int(str(data["tenant_id"]))),
        "time": now,
        "subject": subject,
        "type": routing_key,
        "data": data,
    })
    PSA_EVENT.validate_json(body)
    return Message(routing_key, body, subject)


def _source(tenant_id: int) -> str:
    return f"https://psa.pulseway.com/tenants/{tenant_id}"
