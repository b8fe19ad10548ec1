"""What passes between the calendar adapter and the worker: events read, writes to carry out, and what became of them.

A write has no field for attendees, reminders, colours or conferences, so nobody is ever mailed because of us.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from events.integration import CalendarInfo
from events.link import EventKey
from events.reasons import Reason


class Provider(StrEnum):
    """The calendar services that users know by name."""

    ICLOUD = "icloud"
    GOOGLE = "google"
    OFFICE365 = "office365"
    EXCHANGE = "exchange"
    OUTLOOK_COM = "outlook_com"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event as it was read. Times: an aware UTC datetime, or a date for all-day (`end` exclusive).

    One that is not deleted and has no `start` cannot be used: no time could be read.
    """

    calendar_id: str
    event_uid: str
    event_id: str | None
    """Present only on events that this application made."""
    deleted: bool = False
    start: datetime | date | None = None
    end: datetime | date | None = None
    summary: str = ""
    description: str = ""
    location: str = ""
    transparent: bool = False
    private: bool = False
    cancelled: bool = False
    declined: bool = False
    created: datetime | None = None
    """None also where the provider's stamp is nonsensical (year zero)."""
    updated: datetime | None = None
    recurring: bool = False
    series: str = ""
    """Names the series that it is an occurrence of; empty if it is none, or nobody says."""
    extended_transparency: str = ""
    """More than busy or free, where the provider says more: `out_of_office`, `working_elsewhere`, `tentative`."""
    categories: tuple[str, ...] = ()
    may_update: bool = True
    may_delete: bool = True
    digest: str = field(default="", compare=False)
    """Short for all that was read of it. Two reads with the same digest are the same, and need no second look."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a read. The read is complete when there is no `next_url`."""

    events: tuple[CalendarEvent, ...]
    next_url: str | None
    as_of: datetime | None
    """By the calendar's own clock: when this page was answered."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What became of looking for an event. `goes_on`: where, if there was not enough time to look everywhere."""

    event: CalendarEvent | None
    goes_on: str | None = None


@dataclass(frozen=True, slots=True)
class PutEventWrite:
    """Make the event, or change it as a whole."""

    event: EventKey
    start: datetime | date
    end: datetime | date
    summary: str
    description: str
    location: str
    private: bool
    busy: bool
    time_zone: str | None
    """IANA zone for display only; the times are fixed instants."""


@dataclass(frozen=True, slots=True)
class RemoveEventWrite:
    """Delete the event."""

    event: EventKey


CalendarWrite = PutEventWrite | RemoveEventWrite


@dataclass(frozen=True, slots=True)
class Accepted:
    """Queued by the calendar. Not applied: only a read-back tells."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """This write will not be carried out, now or when repeated. `detail` is for the user: no secrets."""

    reason: Reason
    detail: str
    call: str = ""
    """The request: method, route without ids, status."""


@dataclass(frozen=True, slots=True)
class NotThere:
    """The calendar (or the user's event) is not there."""


@dataclass(frozen=True, slots=True)
class Stumbled:
    """A passing failure of this one write."""

    reason: Reason
    detail: str


WriteResult = Accepted | Rejected | NotThere | Stumbled


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A notification channel of the account. `as_of`: by the calendar's own clock, when it was answered."""

    channel_id: str
    callback_url: str
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Who an account belongs to, and what is linked to it."""

    sub: str
    time_zone: str | None
    profiles: tuple[ProfileInfo, ...]
    calendars: tuple[CalendarInfo, ...]


@dataclass(frozen=True, slots=True)
class ProfileInfo:
    """One linked profile of the account, as the calendar service sees it now."""

    profile_id: str
    profile_name: str
    provider_name: str
    provider_service: str
    connected: bool
    initial_sync_required: bool
    relink_url: str | None
