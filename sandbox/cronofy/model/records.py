"""What the sandbox remembers for whoever wants to know what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(slots=True)
class Tally:
    """How often the application's writes did something to one event."""

    calendar_id: str
    event_uid: str
    event_id: str | None
    creates: int = 0
    updates: int = 0
    deletes: int = 0


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that the provider sent to somebody because of a write."""

    at: datetime
    calendar_id: str
    event_id: str | None
    to: str
    about: Literal["invitation", "cancellation"]


@dataclass(frozen=True, slots=True)
class Posted:
    """One attempt to deliver a notification, and what came of it."""

    at: datetime
    number: int
    channel_id: str
    type: str
    changes_since: datetime | None
    attempt: int
    outcome: Literal["accepted", "failed", "lost"]
