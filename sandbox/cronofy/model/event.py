"""An event in a person's calendar, as the person sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sandbox.cronofy.model.moments import Moment


@dataclass(frozen=True, slots=True)
class Location:
    """Where; coordinates are texts on the wire."""

    description: str = ""
    lat: str | None = None
    long: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody invited, or the organizer."""

    email: str
    display_name: str = ""
    status: str = "needs_action"


class Deletion(StrEnum):
    """Who deleted an event."""

    PERSON = "person"
    APPLICATION = "application"


Position = tuple[Moment, Moment]
"""Start and end of an event, now or once."""

EXTERNAL_PREFIX: Final = "evt_external_"


@dataclass(frozen=True, slots=True)
class Event:
    """One event, or one occurrence of a series, in one version."""

    uid: str
    calendar_id: str
    event_id: str | None
    """The application's own id. Absent: the person made this event."""
    summary: str
    description: str
    start: Moment
    end: Moment
    created: datetime
    updated: datetime
    version: int
    """Grows with every change of anything; never shown."""
    deletion: Deletion | None = None

    location: Location | None = None
    transparency: str = "opaque"
    extended_transparency: str | None = None
    private: bool = False
    status: str = "confirmed"
    participation_status: str = "accepted"
    attendees: tuple[Person, ...] = ()
    organizer: Person | None = None
    recurring: bool = False
    series_identifier: str | None = None
    reminders: tuple[int, ...] = ()
    url: str | None = None
    color: str | None = None
    meeting_url: str | None = None
    categories: tuple[str, ...] = ()
    may_update: bool = True
    may_delete: bool = True
    may_answer: bool = True
    """What the provider would let an application do; the person can do everything."""
    moved_from: tuple[Position, ...] = ()
    """Where it was before, oldest first."""

    @property
    def managed(self) -> bool:
        """Whether the application made it."""
        return self.event_id is not None

    @property
    def deleted(self) -> bool:
        """Whether it is gone from the person's calendar."""
        return self.deletion is not None

    @property
    def position(self) -> Position:
        """When it is now."""
        return (self.start, self.end)
