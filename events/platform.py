"""What passes between the PSA adapter and the worker: items read, and changes to carry out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from events.link import ItemKey, PsaSeen


@dataclass(frozen=True, slots=True)
class ItemNow:
    """An item as the PSA's calendar API answered it. `assignees` are user ids."""

    key: ItemKey
    revision: int
    deleted: bool
    assignees: frozenset[int]
    item: str | None
    """The snapshot as JSON in the form of the item-changed event; None if deleted."""
    modified_on: datetime | None = None
    """By the PSA's clock, in whole milliseconds; None if it does not say."""

    def seen_by(self, user_id: int, at: datetime) -> PsaSeen:
        """Return it as the observation of one user's link."""
        return PsaSeen(self.revision, self.deleted, user_id in self.assignees, self.item, at)


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One page of the items that a user's My Calendar shows in a span."""

    items: tuple[ItemNow, ...]
    last: bool
    total: int
    """How many there are on all pages, as of this page. If it changes from one page to the next, one may be missed."""


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out; the item as it is now."""

    now: ItemNow


@dataclass(frozen=True, slots=True)
class MovedOn:
    """Not carried out, because the item is no longer at the revision that was named; the item as it is now."""

    now: ItemNow


@dataclass(frozen=True, slots=True)
class Declined:
    """Not carried out, now or when repeated. `message`: the PSA's words for the user."""

    message: str


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no such item."""


ItemAnswer = Done | MovedOn | Declined | Absent


@dataclass(frozen=True, slots=True)
class AppointmentDraft:
    """An appointment to create under a unique reference. Timed or all-day, never both."""

    reference: str
    tenant_id: int
    user_id: int
    subject: str
    description: str
    location: str
    start: datetime | date
    end: datetime | date
    private: bool
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Created:
    """The appointment. `found`: the reference existed already, and nothing was changed."""

    now: ItemNow
    found: bool


CreateAnswer = Created | Declined


@dataclass(frozen=True, slots=True)
class ItemChanges:
    """What to change of an item; None leaves a value as it is. Which ones a kind accepts, its rules say."""

    subject: str | None = None
    description: str | None = None
    location: str | None = None
    private: bool | None = None
    times: AppointmentTimes | ServiceCallTimes | DueTimes | TodoDate | PeriodTimes | None = None


@dataclass(frozen=True, slots=True)
class AppointmentTimes:
    """Timed if datetimes, all-day if dates (`end` exclusive)."""

    start: datetime | date
    end: datetime | date


@dataclass(frozen=True, slots=True)
class ServiceCallTimes:
    """When a service call takes place."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class DueTimes:
    """When a CRM activity is due, and its end if it keeps one."""

    due: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class TodoDate:
    """When a to-do is due; midnight of the user's zone means the whole day."""

    date: datetime


@dataclass(frozen=True, slots=True)
class PeriodTimes:
    """When a task's planned period begins and ends."""

    start: datetime
    end: datetime
