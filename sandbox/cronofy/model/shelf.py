"""The events of one calendar, found by either id and by when they were last changed."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from datetime import datetime

from sandbox.cronofy.model.event import Event


class Shelf:
    """One version of each event, deleted ones included. Every operation but a full walk takes logarithmic time."""

    def __init__(self) -> None:
        self._by_uid: dict[str, Event] = {}
        self._uid_by_event_id: dict[str, str] = {}
        self._changes: list[tuple[datetime, int, str]] = []  # sorted; exactly one entry for each event

    def put(self, event: Event) -> None:
        """Keep this version of the event in place of any other."""
        old = self._by_uid.get(event.uid)
        if old is not None:
            del self._changes[bisect_left(self._changes, _place(old))]
        insort(self._changes, _place(event))
        self._by_uid[event.uid] = event
        if event.event_id is not None:
            self._uid_by_event_id[event.event_id] = event.uid

    def get(self, uid: str) -> Event | None:
        """Find by Cronofy's id."""
        return self._by_uid.get(uid)

    def managed(self, event_id: str) -> Event | None:
        """Find by the application's id; of several, the one made last."""
        uid = self._uid_by_event_id.get(event_id)
        return None if uid is None else self._by_uid[uid]

    def changed_since(self, instant: datetime | None) -> Iterator[Event]:
        """Walk the events changed at `instant` or later, earliest change first. Without it: all."""
        first = 0 if instant is None else bisect_left(self._changes, (instant, 0, ""))
        return (self._by_uid[uid] for *_, uid in self._changes[first:])

    def all_managed(self) -> list[Event]:
        """List the application's events that are not deleted."""
        events = (self._by_uid[uid] for uid in self._uid_by_event_id.values())
        return [event for event in events if not event.deleted]


def _place(event: Event) -> tuple[datetime, int, str]:
    """Changes of the same second are told apart by their version."""
    return (event.updated, event.version, event.uid)
