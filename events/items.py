"""The five kinds of item that a My Calendar shows, as the PSA platform describes them (snapshots).

Instants are RFC 3339 with an offset; one without an offset is refused, because nobody could say what it means. Dates
are plain dates; `end_date` of an all-day appointment is exclusive. Field names follow the platform's public API where
it has them.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from events.contract import Contract, Int32


class ItemType(StrEnum):
    """The kinds of item. The value is the wire form."""

    APPOINTMENT = "appointment"
    CRM_ACTIVITY = "crm_activity"
    SERVICE_CALL = "service_call"
    TASK = "task"
    TODO = "todo"


class Named(Contract):
    """A reference that also carries the name to show."""

    id: Int32
    name: str = ""


class Person(Contract):
    """A customer's contact. Shown in descriptions; never an attendee."""

    id: Int32 | None = None
    name: str = ""
    phone: str | None = None


class Ticket(Contract):
    """The ticket behind a service call or to-do."""

    id: Int32
    number: str = ""
    title: str = ""


class Place(Contract):
    """Where a service call takes place."""

    name: str | None = None
    address: str | None = None
    phone: str | None = None


class Resource(Contract):
    """The user whose time is planned."""

    user_id: Int32
    name: str = ""


class Snapshot(Contract):
    """What every kind of item has. `time_zone`: IANA name of the zone in which the PSA shows the item to its user."""

    time_zone: str | None = Field(default=None, max_length=64)
    url: str | None = Field(default=None, max_length=2048)


class Recurrence(Contract):
    """Which series an appointment belongs to. The occurrence itself is named by the event's `part_id`."""

    master_id: Int32
    rule: str | None = None
    instance_date: AwareDatetime | date | None = None
    is_exception: bool = False


class Appointment(Snapshot):
    """A personal entry of the calendar. Timed (`start`, `end`) or all-day (`start_date`, `end_date`)."""

    id: Int32
    subject: str = ""
    description: str | None = None
    location: str | None = None
    all_day: bool = False
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    start_date: date | None = None
    end_date: date | None = None
    is_private: bool = False
    resource: Resource | None = None
    recurrence: Recurrence | None = None
    external_reference: str | None = Field(default=None, max_length=255)

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.all_day:
            if self.start_date and self.end_date and self.end_date <= self.start_date:
                msg = "end_date is exclusive and must be after start_date"
                raise ValueError(msg)
        elif self.start and self.end and self.end < self.start:
            msg = "end must not be before start"
            raise ValueError(msg)
        return self


class CrmActivity(Snapshot):
    """A call, mail or meeting with a customer, due at an instant."""

    id: Int32
    type_id: Int32
    type: str
    subject: str | None = None
    account: Named
    contact: Person | None = None
    opportunity_id: Int32 | None = None
    due: AwareDatetime | None = None
    end: AwareDatetime | None = None
    status_id: Int32
    status: str
    priority: str | None = None
    assigned_to: Named
    notes: str | None = None
    is_private: bool = False
    completed: bool = False


class ServiceCall(Snapshot):
    """A planned visit or remote session of one technician, for a ticket or a task."""

    id: Int32
    ticket: Ticket | None = None
    task_id: Int32 | None = None
    task_name: str | None = None
    account: Named
    description: str | None = None
    complete: bool = False
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    user_id: Int32
    resource: str | None = None
    created_by_name: str | None = None
    location: Place | None = None
    contact: Person | None = None
    priority: str | None = None
    status: str | None = None
    queue: str | None = None

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.start and self.end and self.end < self.start:
            msg = "end must not be before start"
            raise ValueError(msg)
        return self


class Project(Contract):
    """The project of a task."""

    id: Int32
    name: str = ""
    color: str | None = None


class Period(Contract):
    """A planned block of work on a task (`taskMemberHour` in the PSA's planner)."""

    task_member_hour_id: Int32
    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    scheduled_hours: float | None = None

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.end < self.start:
            msg = "to must not be before from"
            raise ValueError(msg)
        return self


class Task(Snapshot):
    """A project task. A planned period of it travels as an event of its own, named by `part_id`.

    The event without `part_id` is about the task as such: it is shown all-day on its due date (`end_date`) as long as
    no periods are planned.
    """

    task_id: Int32
    name: str
    description: str | None = None
    project: Project
    planned_hours: float | None = None
    start_date: date | None = None
    end_date: date | None = None
    status_id: Int32 | None = None
    status: str | None = None
    account_id: Int32 | None = None
    periods: tuple[Period, ...] = ()
    completed: bool = False


class Todo(Snapshot):
    """A reminder to oneself, due at an instant; at midnight of the user's zone it means the whole day."""

    id: Int32
    ticket: Ticket | None = None
    account: Named | None = None
    description: str
    date: AwareDatetime | None = None
    end: AwareDatetime | None = None
    status_id: Int32 | None = None
    complete: bool = False
    user_id: Int32 | None = None


Item = Appointment | CrmActivity | ServiceCall | Task | Todo

DEFAULT_LENGTH = timedelta(minutes=30)
"""How long an item without an end is shown: a to-do, and an activity that only has a due time."""
