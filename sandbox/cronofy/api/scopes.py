"""What a granted scope lets an application do."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_READING: Final = frozenset({"read_account", "list_calendars", "read_events", "read_free_busy"})
_WRITING: Final = frozenset({"create_event", "delete_event", "create_calendar", "event_reminders"})
_BUSY: Final = frozenset({"read_account", "list_calendars", "read_free_busy"})

_COMBINED: Final = {
    "read_write": _READING | _WRITING | {"change_participation_status"},
    "read_only": _READING,
    "write_only": _WRITING | {"list_calendars"},
    "free_busy": _BUSY,
    "free_busy_write": _BUSY | _WRITING,
    "read_events": {"read_events", "read_free_busy"},
}

ALL: Final = (
    "read_account list_calendars read_events create_event delete_event create_calendar event_reminders "
    "change_participation_status"
)
"""What is granted if nothing in particular was asked for."""


@lru_cache(maxsize=256)
def allows(scope: str, needed: frozenset[str]) -> bool:
    """Tell whether a scope includes one of those needed. Nothing needed: always."""
    granted = {part for word in scope.split() for part in _COMBINED.get(word, {word})}
    return not needed or not needed.isdisjoint(granted)
