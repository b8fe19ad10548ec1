"""Items as the PSA describes them, one of each kind, to be changed field by field."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from events.items import (
    Appointment,
    CrmActivity,
    Item,
    ItemType,
    Named,
    Period,
    Person,
    Place,
    Project,
    ServiceCall,
    Task,
    Ticket,
    Todo,
)
from events.link import ItemKey
from worker.core.sides import PsaGone, PsaHolds
from worker.projection.items import project

START: Final = datetime(2026, 3, 9, 14, 0, tzinfo=UTC)
END: Final = datetime(2026, 3, 9, 15, 30, tzinfo=UTC)
MIDNIGHT: Final = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
"""In New York."""
NEW_YORK: Final = "America/New_York"
CONTOSO: Final = Named(id=2528, name="Contoso")
TICKET: Final = Ticket(id=40317, number="40317-1204", title="VPN drops")


def key(item: Item, part_id: str | None = None) -> ItemKey:
    """Name an item."""
    match item:
        case Appointment():
            return ItemKey(1204, ItemType.APPOINTMENT, str(item.id), part_id)
        case CrmActivity():
            return ItemKey(1204, ItemType.CRM_ACTIVITY, str(item.id), part_id)
        case ServiceCall():
            return ItemKey(1204, ItemType.SERVICE_CALL, str(item.id), part_id)
        case Task():
            return ItemKey(1204, ItemType.TASK, str(item.task_id), part_id)
        case Todo():
            return ItemKey(1204, ItemType.TODO, str(item.id), part_id)


def held(item: Item, part_id: str | None = None, time_zone: str | None = None) -> PsaHolds:
    """Return what the calendar should show of an item that it should show."""
    found = project(key(item, part_id), item, time_zone)
    assert isinstance(found, PsaHolds), found
    return found


def gone(item: Item, part_id: str | None = None) -> PsaGone:
    """Return why the calendar should show nothing of an item."""
    found = project(key(item, part_id), item, None)
    assert isinstance(found, PsaGone), found
    return found


def appointment(**parts: Any) -> Appointment:
    """Make an appointment."""
    return Appointment.model_validate({"id": 1, "subject": "Review", "start": START, "end": END, **parts})


def whole_days(**parts: Any) -> Appointment:
    """Make an all-day appointment."""
    days = {"start_date": date(2026, 3, 9), "end_date": date(2026, 3, 11)}
    return Appointment.model_validate({"id": 2, "subject": "Fair", "all_day": True, **days, **parts})


def crm_activity(**parts: Any) -> CrmActivity:
    """Make an activity that has only a due time."""
    least = {"id": 3, "type_id": 1, "type": "Call", "account": CONTOSO, "due": START, "status_id": 1, "status": "Open"}
    return CrmActivity.model_validate({**least, "assigned_to": Named(id=5571, name="Ann"), **parts})


def service_call(**parts: Any) -> ServiceCall:
    """Make a service call."""
    least = {"id": 4, "ticket": TICKET, "account": CONTOSO, "user_id": 5571}
    return ServiceCall.model_validate({**least, "start": START, "end": END, **parts})


def task(**parts: Any) -> Task:
    """Make a task that has only a due date."""
    least = {"task_id": 5, "name": "Move mailboxes", "project": Project(id=9, name="Migration")}
    return Task.model_validate({**least, "end_date": date(2026, 3, 13), **parts})


def planned(**parts: Any) -> Task:
    """Make a task with two planned periods, 70 and 71."""
    periods = (period(70, START, END), period(71, START + timedelta(days=1), END + timedelta(days=1)))
    return task(**{"periods": periods, **parts})


def period(number: int, start: datetime, end: datetime) -> Period:
    """Make a planned period."""
    return Period.model_validate({"task_member_hour_id": number, "from": start, "to": end})


def todo(**parts: Any) -> Todo:
    """Make a to-do."""
    return Todo.model_validate({"id": 6, "description": "Call back about VPN quote", "date": START, **parts})


CONTACT: Final = Person(id=1, name="Bob Roe", phone="+1 555 0100")
PLACE: Final = Place(name="Head office", address="1 Main St, Springfield", phone="+1 555 0199")
