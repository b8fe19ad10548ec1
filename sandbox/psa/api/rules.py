"""What calendar sync may do to items, kind by kind. Whatever it may not is refused in words for the user."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import JsonValue
from pydantic.alias_generators import to_snake
from pydantic_core import to_jsonable_python

from events.items import Appointment, Item, ItemType, ServiceCall
from events.link import ItemKey
from sandbox.psa.api.bodies import Changes, NewAppointment
from sandbox.psa.model.changes import edited
from sandbox.psa.model.examples import page
from sandbox.psa.model.ledger import Ledger
from sandbox.psa.model.records import Draft, Drafts, Record
from sandbox.psa.model.refusal import Code, Refusal
from sandbox.psa.model.settings import Style
from sandbox.psa.model.snapshots import Document, made
from sandbox.psa.model.spans import known_zone
from sandbox.psa.model.style import LONGEST, in_house_style
from sandbox.psa.model.times import switched

_TEXTS: Final = frozenset({"subject", "description", "location", "isPrivate"})
_TIMES: Final = frozenset({"allDay", "startDate", "endDate", "start", "end"})


def found(ledger: Ledger, key: ItemKey) -> Record:
    """Return exactly this item or part, deleted or not."""
    record = ledger.record(key)
    if record is None:
        raise Refusal(Code.NOT_FOUND, f"There is no {key}.")
    return record


def current(ledger: Ledger, key: ItemKey, revision: int) -> Record:
    """Return the item if it is still at this revision."""
    record = found(ledger, key)
    if record.revision != revision:
        raise Refusal(Code.MOVED_ON, f"The item is at revision {record.revision} by now.", record)
    return record


def synced(ledger: Ledger, record: Record, changes: Changes, style: Style) -> Drafts:
    """Change an item on behalf of calendar sync."""
    if record.deleted:
        raise Refusal(Code.NOT_FOUND, "The item has been deleted.")
    _may_be_changed(record.item)
    allowed = _changeable(record.key)
    if excess := sorted(changes.keys() - allowed):
        kind = record.key.item_type.replace("_", " ")
        takes = ", ".join(sorted(allowed)) or "no changes from a calendar"
        raise Refusal(Code.REFUSED, f"This {kind} takes {takes}; not {', '.join(excess)}.")
    fields: dict[str, JsonValue] = {to_snake(name): value for name, value in to_jsonable_python(changes).items()}
    _fit(fields, style)
    drafts = edited(ledger, record.key, fields, style)
    _has_times(drafts[0].item)
    return drafts


def _changeable(key: ItemKey) -> frozenset[str]:
    match key.item_type:
        case ItemType.APPOINTMENT:
            return _TEXTS | _TIMES
        case ItemType.SERVICE_CALL:
            return frozenset({"start", "end"})
        case ItemType.CRM_ACTIVITY:
            return frozenset({"due", "end"})
        case ItemType.TODO:
            return frozenset({"date"})
        case ItemType.TASK:
            return frozenset() if key.part_id is None else frozenset({"from", "to"})


def _may_be_changed(item: Item) -> None:
    if not isinstance(item, ServiceCall):
        return
    if item.complete:
        raise Refusal(Code.REFUSED, "This service call is completed and can no longer be moved.")
    if item.ticket is not None and (item.status or "").casefold() == "closed":
        raise Refusal(Code.REFUSED, f"Ticket {item.ticket.number} is closed; its service calls can no longer be moved.")


def _fit(fields: Document, style: Style) -> None:
    for name, longest in LONGEST.items():
        text = fields.get(name)
        if isinstance(text, str) and len(text) > longest and not style.cut_long_text:
            raise Refusal(Code.MALFORMED, f"{name} has {len(text)} characters; {longest} are allowed")


def _has_times(item: Item) -> None:
    if not isinstance(item, Appointment):
        return
    start, end = (item.start_date, item.end_date) if item.all_day else (item.start, item.end)
    if start is None or end is None:
        kind = "all-day appointment needs startDate and endDate" if item.all_day else "appointment needs start and end"
        raise Refusal(Code.REFUSED, f"An {kind}.")


def appointment(ledger: Ledger, tenant_id: int, new: NewAppointment, style: Style) -> Drafts:
    """Make the appointment that calendar sync asks for."""
    user = ledger.user(tenant_id, new.user_id)
    if not user.active:
        raise Refusal(Code.REFUSED, f"{user.name} is no longer active.")
    if new.time_zone is not None and known_zone(new.time_zone) is None:
        raise Refusal(Code.MALFORMED, f"timeZone: {new.time_zone!r} is no time zone")
    number = ledger.new_id()
    fields = new.model_dump(mode="json", exclude={"user_id"})
    _fit(fields, style)
    own: Document = {
        "id": number,
        "url": page(ItemType.APPOINTMENT, number),
        "resource": {"user_id": user.user_id, "name": user.name},
        "time_zone": new.time_zone or user.time_zone,
    }
    item = in_house_style(made(Appointment, {**switched(fields), **own}), style)
    _has_times(item)
    key = ItemKey(tenant_id, ItemType.APPOINTMENT, str(number))
    return (Draft(key, item, (user.user_id,), deleted=False),)


def shown_between(ledger: Ledger, tenant_id: int, user_id: int, start: datetime, end: datetime) -> list[Record]:
    """Return what a user's My Calendar shows in [start, end), oldest id first."""
    shown = ledger.shown_to(tenant_id, user_id)
    return [record for record in shown if record.span is not None and record.span.overlaps(start, end)]
