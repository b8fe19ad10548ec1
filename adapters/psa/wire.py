"""The PSA's envelope and item states, to values and back. Property names are read in any case. Source: psa.md, 3."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import orjson

from adapters.http.json import array, integer, mapping, text
from events.items import ItemType
from events.link import ItemKey
from events.platform import (
    AppointmentDraft,
    AppointmentTimes,
    DueTimes,
    ItemChanges,
    ItemNow,
    PeriodTimes,
    ServiceCallTimes,
    TodoDate,
)

if TYPE_CHECKING:
    from datetime import date

Body = dict[str, Any]
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(value: object) -> object:
    """Return parsed JSON with all property names in snake case, whichever case they came in."""
    if isinstance(value, dict):
        return {_HUMP.sub("_", name).lower(): snake(inner) for name, inner in mapping(cast("object", value)).items()}
    if isinstance(value, list):
        return [snake(inner) for inner in array(cast("object", value))]
    return value


def item_now(state: object, tenant_id: int) -> ItemNow | None:
    """Return an item state, given in snake case; None if it lacks what names it."""
    body = mapping(state)
    kind, item_id = text(body.get("item_type")), text(body.get("item_id"))
    revision, item = integer(body.get("revision")), body.get("item")
    if kind not in set(ItemType) or not item_id or revision is None:
        return None
    return ItemNow(
        key=ItemKey(tenant_id, ItemType(kind), item_id, text(body.get("part_id")) or None),
        revision=revision,
        deleted=body.get("deleted") is True,
        assignees=frozenset(user for one in array(body.get("assignees")) if (user := integer(one)) is not None),
        item=orjson.dumps(item).decode() if isinstance(item, dict) else None,
    )


def draft_body(draft: AppointmentDraft) -> Body:
    """Return the body that creates an appointment."""
    return {
        "externalReference": draft.reference,
        "userId": draft.user_id,
        "timeZone": draft.time_zone,
        "subject": draft.subject,
        "description": draft.description,
        "location": draft.location,
        "isPrivate": draft.private,
        **_appointment_times(draft.start, draft.end),
    }


def changes_body(changes: ItemChanges) -> Body:
    """Return the properties to change."""
    named = {
        "subject": changes.subject,
        "description": changes.description,
        "location": changes.location,
        "isPrivate": changes.private,
    }
    return {name: value for name, value in named.items() if value is not None} | _times(changes)


def _times(changes: ItemChanges) -> Body:
    match changes.times:
        case None:
            return {}
        case AppointmentTimes(start=start, end=end):
            return _appointment_times(start, end)
        case ServiceCallTimes(start=start, end=end):
            return {"start": _stamp(start), "end": _stamp(end)}
        case DueTimes(due=due, end=end):
            return {"due": _stamp(due)} | ({"end": _stamp(end)} if end else {})
        case TodoDate(date=moment):
            return {"date": _stamp(moment)}
        case PeriodTimes(start=start, end=end):
            return {"from": _stamp(start), "to": _stamp(end)}


def _appointment_times(start: datetime | date, end: datetime | date) -> Body:
    if isinstance(start, datetime) and isinstance(end, datetime):
        return {"allDay": False, "start": _stamp(start), "end": _stamp(end), "startDate": None, "endDate": None}
    return {"allDay": True, "start": None, "end": None, "startDate": start.isoformat(), "endDate": end.isoformat()}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
