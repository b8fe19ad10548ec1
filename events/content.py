"""What is compared and kept equal: the eight properties of an event, reduced to one form.

A `Content` is a *projection* (see `worker.projection`): text in NFC with LF and without markup, instants in UTC with
whole seconds, lengths within what both sides take. Summary, start, end, all-day, location, description, private and
busy; start, end and all-day are one value, `when`, because an event is moved as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Final

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

    __hash__ = str.__hash__
    """An enum's own is written in Python, and fields are looked up more often than anything else."""


TEXT_FIELDS = frozenset({Field.SUMMARY, Field.DESCRIPTION, Field.LOCATION})
FIELDS = tuple(Field)
"""In the order in which they are told."""
ALL_FIELDS = frozenset(FIELDS)

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
        return _VALUES[field](self)


_VALUES: Final[dict[Field, Callable[[Content], Value]]] = {field: attrgetter(field.value) for field in Field}
