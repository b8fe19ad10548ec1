"""The people, items and events that the laws are told with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from events.content import Content, Timed
from events.integration import Assignee, ConnectWish, Held, Lease, Note, SettingsWish, Taken
from events.items import ItemType
from events.link import (
    ItemKey,
    Link,
    ManagedEvent,
    Observed,
    Origin,
    PsaSeen,
    link_id,
    managed_event_id,
)
from tests.adapters.mongodb.subjects import IntegrationStore, LinkStore

NOW: Final = datetime(2026, 3, 9, 8, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
NOTHING: Final = Note(Held(), Held())
OVER: Final = timedelta()
"""The length of a lease that has run out as soon as it is taken."""
TENANT: Final = 1
ANN: Final = Assignee("int_ann", TENANT, 7)
BOB: Final = Assignee("int_bob", TENANT, 8)


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


# Integrations


def connect(revision: int, code: str = "the-code") -> ConnectWish:
    return ConnectWish(revision, code, "https://psa.example/connected", "Europe/London")


def settings(revision: int, calendar_id: str = "cal_1") -> SettingsWish:
    ticked = frozenset({ItemType.APPOINTMENT, ItemType.TODO})
    return SettingsWish(
        revision, calendar_id, inbound_create=True, inbound_update=True, inbound_delete=False, outbound=ticked
    )


async def linked(integrations: IntegrationStore, whose: Assignee = ANN, now: datetime = NOW) -> str:
    """Make an integration. Returns its id."""
    await integrations.want_settings(whose, settings(0), now)
    return whose.integration_id


async def taken(integrations: IntegrationStore, owner: str = "message", length: timedelta = HOUR) -> Taken:
    """Take the lease of Ann's integration."""
    result = await integrations.take(ANN.integration_id, owner, length)
    assert isinstance(result, Taken)
    return result


# Links


def item(number: int = 1, tenant_id: int = TENANT) -> ItemKey:
    return ItemKey(tenant_id, ItemType.APPOINTMENT, str(number))


def seen(revision: int, item: str | None = "{}", *, deleted: bool = False, assigned: bool = True) -> PsaSeen:
    return PsaSeen(revision, deleted, assigned, item, NOW)


def content(summary: str = "Call Smith") -> Content:
    return Content(Timed(NOW, NOW + HOUR), summary)


def link(key: ItemKey | None = None, whose: Assignee = ANN, **changes: Any) -> Link:
    """Return the link of an item in somebody's calendar."""
    key = key or item()
    event = ManagedEvent("cal_1", managed_event_id(key, whose.user_id))
    made = Link(
        link_id(whose.integration_id, event),
        whose.integration_id,
        whose.tenant_id,
        whose.user_id,
        event,
        Origin.PSA,
        item=key,
    )
    return replace(made, **changes)


def lease(fence: int, whose: Assignee = ANN) -> Lease:
    """Return a lease as links know it: only the fence counts there."""
    return Lease(whose.integration_id, "message", fence, epoch=1, deadline=0.0)


def observed(of: Link, what: PsaSeen, **more: Any) -> Observed:
    assert of.item is not None
    return Observed(of.id, of.item, what, **more)


async def stored(links: LinkStore, of: Link) -> Link:
    """Return a link as it is stored."""
    return (await links.by_ids([of.id]))[of.id]
