"""The PSA's envelope and item states, to values and back. Property names are read in any case. Source: psa.md, 3."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
from pydantic import TypeAdapter

from adapters.http.json import array, mapping, text
from events.contract import parse
from events.failures import Malformed
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
from events.psa import ItemChange
from events.reasons import Reason

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


_STATE: Final[TypeAdapter[ItemChange]] = TypeAdapter(ItemChange)
_PARTS: Final = ("item_type", "item_id", "revision", "deleted", "assignees", "item", "modified_on")


def item_now(state: object, tenant_id: int) -> ItemNow | None:
    """Return an item state, given in snake case; None if it lacks what names it.

    Raises `Malformed` if this one item breaks the contract, which is that of the event about it.
    """
    now = _item(state, tenant_id)
    if now is not None and now.item is None and not now.deleted:
        raise Malformed(Reason.BREAKS_SCHEMA, "item: is missing")
    return now


def listed_item(state: object, tenant_id: int) -> ItemNow | None:
    """Return an item state out of a list; of one that breaks the contract only what names it.

    Such an item is then read by itself, and is at fault by itself. None if not even its name and state can be told:
    to whoever knows the item, it is then one that was not listed.
    """
    for body in (mapping(state), {**mapping(state), "item": None}):
        with contextlib.suppress(Malformed):
            return _item(body, tenant_id)
    return None


def is_named(state: object) -> bool:
    """Whether something out of a list is an item at all."""
    return bool(text(mapping(state).get("item_id")))


def _item(state: object, tenant_id: int) -> ItemNow | None:
    body = mapping(state)
    if text(body.get("item_type")) not in set(ItemType) or not text(body.get("item_id")):
        return None
    named = {name: body[name] for name in _PARTS if name in body}
    part_id = body.get("part_id") or None
    now = parse(_STATE, orjson.dumps({"tenant_id": tenant_id, "deleted": False, **named, "part_id": part_id}))
    return ItemNow(
        key=ItemKey(tenant_id, now.item_type, now.item_id, now.part_id),
        revision=now.revision,
        deleted=now.deleted,
        assignees=frozenset(now.assignees or ()),
        item=orjson.dumps(body["item"]).decode() if now.item and not now.deleted else None,
        modified_on=now.modified_on and _as_kept(now.modified_on),
    )


def _as_kept(moment: datetime) -> datetime:
    """Return a moment as fine as the store keeps it, or what is kept would lie a little before what it was made of."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


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
            return {"start": stamp(start), "end": stamp(end)}
        case DueTimes(due=due, end=end):
            return {"due": stamp(due)} | ({"end": stamp(end)} if end else {})
        case TodoDate(date=moment):
            return {"date": stamp(moment)}
        case PeriodTimes(start=start, end=end):
            return {"from": stamp(start), "to": stamp(end)}


def _appointment_times(start: datetime | date, end: datetime | date) -> Body:
    if isinstance(start, datetime) and isinstance(end, datetime):
        return {"allDay": False, "start": stamp(start), "end": stamp(end), "startDate": None, "endDate": None}
    return {"allDay": True, "start": None, "end": None, "startDate": start.isoformat(), "endDate": end.isoformat()}


def stamp(moment: datetime) -> str:
    """Return an instant as the API takes it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
