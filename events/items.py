"""The five kinds of item that a My Calendar shows, as the PSA platform describes them (snapshots).

Instants are RFC 3339 with an offset; one without an offset is refused, because nobody could say what it means. Dates
are plain dates; `end_date` of an all-day appointment is exclusive. Both lie between 1900 and 2199: what has no date
has none, and not the first or last one that a program can write. Field names follow the platform's public API where it
has them.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from events.contract import Contract, Day, Instant, Int32


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
    """A customer's contact. Shown in descriptions; never an attendee, so nobody is ever invited."""

    id: Int32 | None = None
    name: str = ""
    phone: str | None = None


class Ticket(Contract):
    """The ticket behind a service call or to-do."""

    id: Int32
    number: str = ""
    """As people write it, such as `40317-1204`."""
    title: str = ""


class Place(Contract):
    """Where a service call takes place. Name and address become the event's location."""

    name: str | None = None
    address: str | None = None
    """On one line."""
    phone: str | None = None


class Resource(Contract):
    """The user whose time is planned."""

    user_id: Int32
    name: str = ""


class Snapshot(Contract):
    """What every kind of item has."""

    time_zone: str | None = Field(default=None, max_length=64)
    """IANA name of the zone in which the PSA shows the item to its user. Decides which midnight means a whole day."""
    url: str | None = Field(default=None, max_length=2048)
    """Where a user opens the item in the PSA. Shown at the end of the event's description."""


class Recurrence(Contract):
    """Which series an appointment belongs to. The occurrence itself is named by the event's `part_id`."""

    master_id: Int32
    """Id of the series; the same as the event's `item_id`."""
    rule: str | None = None
    """The series' rule, for people: occurrences are never computed from it."""
    instance_date: Instant | Day | None = None
    """The original start of this occurrence, before anybody moved it."""
    is_exception: bool = False
    """Whether this occurrence was changed by itself."""


class Appointment(Snapshot):
    """A personal entry of the calendar. Timed (`start`, `end`) or all-day (`start_date`, `end_date`)."""

    id: Int32
    subject: str = ""
    """Title of the event. Empty: the event says `(no subject)`."""
    description: str | None = None
    """Text or HTML; the calendar gets it as plain text, cut to 4,096 characters."""
    location: str | None = None
    all_day: bool = False
    """Whether `start_date` and `end_date` count, and not `start` and `end`."""
    start: Instant | None = None
    """Of a timed appointment. One without is not shown in the calendar."""
    end: Instant | None = None
    """Not before `start`. Absent: 30 minutes later."""
    start_date: Day | None = None
    """First day of an all-day appointment."""
    end_date: Day | None = None
    """The day after its last one. Absent: it lasts one day."""
    is_private: bool = False
    """Whether the event is marked private. Private text appears in no log and no outcome."""
    resource: Resource | None = None
    """Whose appointment it is. Whose calendars show it is said by `assignees`."""
    recurrence: Recurrence | None = None
    """Of one occurrence of a series. Every occurrence is an event of its own."""
    external_reference: str | None = Field(default=None, max_length=255)
    """Given by this worker when it created the appointment from a calendar event; returned unchanged for ever."""

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
    """Name of the type, such as `Call`. First word of the event's title."""
    subject: str | None = None
    """Rest of the title. Absent: the account's name."""
    account: Named
    contact: Person | None = None
    opportunity_id: Int32 | None = None
    due: Instant | None = None
    """When it is due; at midnight of the user's zone, and without `end`, it means the whole day."""
    end: Instant | None = None
    """Absent: 30 minutes after `due`."""
    status_id: Int32
    status: str
    priority: str | None = None
    assigned_to: Named
    notes: str | None = None
    """Text or HTML; becomes part of the event's description."""
    is_private: bool = False
    """Whether the event is marked private."""
    completed: bool = False
    """A completed activity stays in the calendar, marked `[Done]` and shown as free."""


class ServiceCall(Snapshot):
    """A planned visit or remote session of one technician, for a ticket or a task.

    The event's title is made of the ticket's title (or the task's name) and the account.
    """

    id: Int32
    ticket: Ticket | None = None
    task_id: Int32 | None = None
    task_name: str | None = None
    account: Named
    description: str | None = None
    """Text or HTML; becomes part of the event's description."""
    complete: bool = False
    """A completed call stays in the calendar, marked `[Done]` and shown as free."""
    start: Instant | None = None
    """One without is not shown in the calendar."""
    end: Instant | None = None
    """Not before `start`. Absent: 30 minutes later."""
    user_id: Int32
    """The technician. One service call for each, as in the PSA."""
    resource: str | None = None
    """The technician's name."""
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
    """As text, it is the `part_id` of the event about this period."""
    start: Instant = Field(alias="from")
    """When the work begins."""
    end: Instant = Field(alias="to")
    """When it ends; not before `from`."""
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
    """Title of the event, together with the project's name."""
    description: str | None = None
    """Text or HTML; becomes part of the event's description."""
    project: Project
    planned_hours: float | None = None
    start_date: Day | None = None
    end_date: Day | None = None
    """The due date (inclusive: the last day of the task)."""
    status_id: Int32 | None = None
    status: str | None = None
    account_id: Int32 | None = None
    periods: tuple[Period, ...] = ()
    """All planned periods of the task, also in the event about one of them."""
    completed: bool = False
    """A completed task stays in the calendar, marked `[Done]` and shown as free."""


class Todo(Snapshot):
    """A reminder to oneself, due at an instant; at midnight of the user's zone it means the whole day."""

    id: Int32
    ticket: Ticket | None = None
    account: Named | None = None
    description: str
    """The only text. Its first 80 characters are the event's title."""
    date: Instant | None = None
    """When it is due. One without is not shown in the calendar."""
    end: Instant | None = None
    """Kept, and not shown: a to-do takes 30 minutes in the calendar."""
    status_id: Int32 | None = None
    complete: bool = False
    """A completed to-do stays in the calendar, marked `[Done]`."""
    user_id: Int32 | None = None


Item = Appointment | CrmActivity | ServiceCall | Task | Todo

DEFAULT_LENGTH = timedelta(minutes=30)
"""How long an item without an end is shown: a to-do, and an activity that only has a due time."""
