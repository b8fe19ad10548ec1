"""What a made-up item of each kind says, apart from its times."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from events.items import ItemType
from sandbox.psa.model.ledger import User
from sandbox.psa.model.snapshots import Document

SITE: Final = "https://psa.pulseway.com"


def page(item_type: ItemType, number: int) -> str:
    """Return the address at which the platform shows an item."""
    return f"{SITE}/calendar/{item_type}/{number}"


def example(item_type: ItemType, number: int, owner: User) -> Document:
    """Return the snapshot of a made-up item that belongs to `owner`."""
    shared: dict[str, JsonValue] = {"time_zone": owner.time_zone, "url": page(item_type, number)}
    match item_type:
        case ItemType.APPOINTMENT:
            return shared | _appointment(number, owner)
        case ItemType.CRM_ACTIVITY:
            return shared | _crm_activity(number, owner)
        case ItemType.SERVICE_CALL:
            return shared | _service_call(number, owner)
        case ItemType.TASK:
            return shared | _task(number)
        case ItemType.TODO:
            return shared | _todo(number, owner)


def _ticket() -> dict[str, JsonValue]:
    return {"id": 40317, "number": "40317-1204", "title": "VPN drops every hour"}


def _account() -> dict[str, JsonValue]:
    return {"id": 2528, "name": "Contoso"}


def _contact() -> dict[str, JsonValue]:
    return {"id": 9031, "name": "Ann Lee", "phone": "+1 555 0100"}


def _appointment(number: int, owner: User) -> dict[str, JsonValue]:
    return {
        "id": number,
        "subject": "Quarterly review - Contoso",
        "description": "Bring the figures.",
        "location": "Room 2",
        "resource": {"user_id": owner.user_id, "name": owner.name},
    }


def _crm_activity(number: int, owner: User) -> dict[str, JsonValue]:
    return {
        "id": number,
        "type_id": 1,
        "type": "Call",
        "subject": "Renewal of the support contract",
        "account": _account(),
        "contact": _contact(),
        "status_id": 1,
        "status": "Open",
        "priority": "Medium",
        "assigned_to": {"id": owner.user_id, "name": owner.name},
        "notes": "Ask about the second site.",
    }


def _service_call(number: int, owner: User) -> dict[str, JsonValue]:
    return {
        "id": number,
        "ticket": _ticket(),
        "account": _account(),
        "description": "Replace the firewall.",
        "user_id": owner.user_id,
        "resource": owner.name,
        "location": {"name": "Head office", "address": "1 Main Street, Springfield", "phone": "+1 555 0101"},
        "contact": _contact(),
        "priority": "High",
        "status": "In Progress",
        "queue": "Field service",
        "url": f"{SITE}/react/servicedesk/tickets/40317",
    }


def _task(number: int) -> dict[str, JsonValue]:
    return {
        "task_id": number,
        "name": "Migrate the mail server",
        "description": "Move all mailboxes.",
        "project": {"id": 310, "name": "Office move", "color": "#3366cc"},
        "planned_hours": 8.0,
        "status_id": 1,
        "status": "Open",
        "account_id": 2528,
    }


def _todo(number: int, owner: User) -> dict[str, JsonValue]:
    return {
        "id": number,
        "ticket": _ticket(),
        "account": _account(),
        "description": "Call back about VPN quote",
        "user_id": owner.user_id,
        "url": f"{SITE}/react/servicedesk/tickets/40317",
    }
