"""What is going to happen and when. Things due at the same time happen in the order in which they were noted."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox.cronofy.model.event import Event


@dataclass(frozen=True, slots=True)
class ApplyNext:
    """Apply the first of the writes that wait at a calendar."""

    calendar_id: str


@dataclass(frozen=True, slots=True)
class Learn:
    """Cronofy learns of a change that a person made."""

    event: Event


@dataclass(frozen=True, slots=True)
class Show:
    """Reads show this version of an event, unless they show a newer one."""

    event: Event


@dataclass(frozen=True, slots=True)
class Send:
    """A notification is sent, for the first time or again."""

    number: int
    first: bool


@dataclass(frozen=True, slots=True)
class TryProvider:
    """Cronofy tries once more to use a profile whose credentials fail."""

    profile_id: str
    failures: int


Task = ApplyNext | Learn | Show | Send | TryProvider


class Agenda:
    """A queue by due time."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Task]] = []
        self._noted = 0

    def note(self, due: datetime, task: Task) -> None:
        """Put something on the agenda."""
        self._noted += 1
        heapq.heappush(self._heap, (due, self._noted, task))

    def next_due(self) -> datetime | None:
        """When the next thing happens."""
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: datetime) -> Iterator[tuple[datetime, Task]]:
        """Take what is due, in order. What is noted meanwhile and is due already is taken as well."""
        while self._heap and self._heap[0][0] <= now:
            due, _, task = heapq.heappop(self._heap)
            yield due, task

    def __iter__(self) -> Iterator[tuple[datetime, Task]]:
        """Walk what is to come, in no order."""
        return ((due, task) for due, _, task in self._heap)
