"""Intake of integration events: what the user wants is stored, and the newest revision wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.integration import Assignee, ConnectWish, DeletionWish, SettingsWish
from events.items import ItemType
from events.psa import (
    Activate,
    Configure,
    ConfigureData,
    Connect,
    Deactivate,
    Delete,
    IntegrationData,
    ListCalendars,
    Outbound,
)
from worker.intake.safety import SAFETY_NET

if TYPE_CHECKING:
    from datetime import datetime

    from worker.ports import Wishes


WishEvent = Connect | Configure | Activate | Deactivate | ListCalendars | Delete
"""The integration events that say what is wanted to be so."""


async def take_wish(event: WishEvent, wishes: Wishes, now: datetime) -> bool:
    """Store what one event wants. False if something as new is known, so that there is nobody to wake.

    Raises `TryLater` if the store is away, `Malformed` if the integration belongs to somebody else.
    """
    whose, due_at = whose_of(event.data), now + SAFETY_NET
    match event:
        case Connect(data=data):
            wish = ConnectWish(data.revision, data.code, data.redirect_uri, data.time_zone)
            return await wishes.want_connect(whose, wish, due_at)
        case Configure(data=data):
            return await wishes.want_settings(whose, settings_of(data), due_at)
        case Activate(data=data):
            return await wishes.want_active(whose, data.revision, due_at, active=True)
        case Deactivate(data=data):
            return await wishes.want_active(whose, data.revision, due_at, active=False)
        case ListCalendars(data=data):
            return await wishes.want_calendars(whose, data.revision, due_at)
        case Delete(data=data):
            return await wishes.want_deletion(whose, DeletionWish(data.revision, data.remove_events), due_at)


def settings_of(data: ConfigureData) -> SettingsWish:
    """Return the settings that the wizard saves."""
    return SettingsWish(
        revision=data.revision,
        calendar_id=data.calendar_id,
        inbound_create=data.inbound.create,
        inbound_update=data.inbound.update,
        inbound_delete=data.inbound.delete,
        outbound=_ticked(data.outbound),
        remove_former=data.remove_former,
        remove_unticked=data.remove_unticked,
    )


def whose_of(data: IntegrationData) -> Assignee:
    """Return whose integration an event is about."""
    return Assignee(data.integration_id, data.tenant_id, data.user_id)


def _ticked(outbound: Outbound) -> frozenset[ItemType]:
    ticks = {
        ItemType.APPOINTMENT: outbound.appointments,
        ItemType.CRM_ACTIVITY: outbound.crm_activities,
        ItemType.SERVICE_CALL: outbound.service_calls,
        ItemType.TASK: outbound.tasks,
        ItemType.TODO: outbound.todos,
    }
    return frozenset(item_type for item_type, ticked in ticks.items() if ticked)
