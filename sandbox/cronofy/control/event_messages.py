"""What is asked and shown of events."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import AwareDatetime, with_config
from typing_extensions import TypedDict

from sandbox.cronofy.control.shapes import STRICT, Given, View


@with_config(STRICT)
class LocalTime(TypedDict):
    """A time with its offset, or a date, and the zone it was chosen in."""

    time: str
    tzid: str


@with_config(STRICT)
class Place(TypedDict, total=False):
    """A location with coordinates."""

    description: str
    lat: str | None
    long: str | None


@with_config(STRICT)
class PersonFields(TypedDict, total=False):
    """Somebody invited, or the organizer."""

    email: str
    display_name: str
    status: str


When = str | LocalTime | datetime | date
"""Dates mean all day."""


@with_config(STRICT)
class EventFields(TypedDict, total=False):
    """An event as its person wants it. What is absent stays, or is as in an empty new event."""

    summary: str
    description: str
    start: When
    end: When
    location: str | Place | None
    transparency: str
    extended_transparency: str | None
    private: bool
    status: str
    participation_status: str
    attendees: list[PersonFields]
    organizer: PersonFields | None
    recurring: bool
    series_identifier: str | None
    reminders: list[int]
    url: str | None
    color: str | None
    meeting_url: str | None
    categories: list[str]
    may_update: bool
    may_delete: bool
    may_answer: bool


class KnownEvents(Given):
    """Events that have been there for long: Cronofy knows them and tells nobody."""

    events: tuple[EventFields, ...]


class EventFilter(Given):
    """Which events of a calendar to list."""

    deleted: bool = False


class Target(Given):
    """Where to move or copy an event."""

    calendar_id: str


class EventView(View):
    """An event as its person sees it, whatever Cronofy knows of it."""

    calendar_id: str
    event_uid: str
    event_id: str | None
    summary: str
    description: str
    start: str
    end: str
    tzid: str
    all_day: bool
    location: str | None
    transparency: str
    private: bool
    status: str
    participation_status: str
    attendees: tuple[PersonFields, ...]
    recurring: bool
    series_identifier: str | None
    reminders: tuple[int, ...]
    url: str | None
    created: AwareDatetime
    updated: AwareDatetime
    deleted: bool
    deleted_by: Literal["person", "application"] | None


class InvitationView(View):
    """A write to a calendar with Free/Busy access that its person has not accepted."""

    invitation_id: str
    calendar_id: str
    event_id: str


class AcceptedInvitation(Given):
    """Which invitation to accept."""

    invitation_id: str
