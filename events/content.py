"""What is compared and kept equal: the eight properties of an event, reduced to one form.

A `Content` is a *projection* (see `worker.projection`): text in NFC with LF and without markup, instants in UTC with
whole seconds, lengths within what both sides take. Summary, start, end, all-day, location, description, private and
busy; start, end and all-day are one value, `when`, because an event is moved as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Timed:
    """From `start` to `end`, both UTC, whole seconds, end >= start."""

    start: datetime
    end: datetime

    @override
    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%M:%SZ}/{self.end:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def length(self) -> timedelta:
        """How long it takes."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class AllDay:
    """From the beginning of `start` to the beginning of `end` (exclusive), in whatever zone the reader is."""

    start: date
    end: date

    @override
    def __str__(self) -> str:
        return f"{self.start}/{self.end}"


When = Timed | AllDay


class Field(StrEnum):
    """The parts of a `Content` that are compared, merged and owned one by one."""

    WHEN = "when"
    SUMMARY = "summary"
    DESCRIPTION = "description"
    LOCATION = "location"
    PRIVATE = "private"
    BUSY = "busy"


TEXT_FIELDS = frozenset({Field.SUMMARY, Field.DESCRIPTION, Field.LOCATION})
ALL_FIELDS = frozenset(Field)

Value = When | str | bool


def value_of(name: Field, text: str) -> Value:
    """Return the value that `str` made this text of."""
    if name is Field.WHEN:
        start, _, end = text.partition("/")
        if len(start) == len("2026-03-09"):
            return AllDay(date.fromisoformat(start), date.fromisoformat(end))
        return Timed(datetime.fromisoformat(start), datetime.fromisoformat(end))
    return text == str(True) if name in {Field.PRIVATE, Field.BUSY} else text


@dataclass(frozen=True, slots=True)
class Content:
    """One event's worth of content, in comparable form."""

    when: When
    summary: str
    description: str = ""
    location: str = ""
    private: bool = False
    busy: bool = True

    def value(self, field: Field) -> Value:
        """Return the value of one field."""
        match field:
            case Field.WHEN:
                return self.when
            case Field.SUMMARY:
                return self.summary
            case Field.DESCRIPTION:
                return self.description
            case Field.LOCATION:
                return self.location
            case Field.PRIVATE:
                return self.private
            case Field.BUSY:
                return self.busy
