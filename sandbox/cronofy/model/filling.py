"""Writing a draft into an event. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from sandbox.cronofy.model.draft import Draft, Upsert, is_pair
from sandbox.cronofy.model.event import Event, Person
from sandbox.cronofy.model.moments import Day, Moment, whole_second
from sandbox.cronofy.model.records import Mail


def blank(calendar_id: str, uid: str, owner: Person, write: Upsert, now: datetime) -> Event:
    """Make a managed event that has a time but no content yet, and that nobody has seen."""
    start, end = write.draft.start, write.draft.end
    assert start is not None
    assert end is not None
    return Event(
        uid=uid,
        calendar_id=calendar_id,
        event_id=write.event_id,
        summary="",
        description="",
        start=start,
        end=end,
        created=whole_second(now),
        updated=whole_second(now),
        version=0,
        organizer=owner,
    )


def is_blank(event: Event) -> bool:
    """Tell whether an event was only just made, and has not been anywhere."""
    return not event.version


_KEPT_IF_OMITTED: Final = frozenset({"attendees", "url"})


def written(event: Event, draft: Draft, version: int, now: datetime) -> Event | None:
    """Return the event with the draft written into it. None: it would not be an event any more.

    The application's own events take over everything, other events only what was given.
    """
    start, end = draft.start or event.start, draft.end or event.end
    if not is_pair(start, end):
        return None

    stays = is_blank(event) or (start, end) == event.position

    def says(name: str) -> bool:
        return name in draft.given or (event.managed and name not in _KEPT_IF_OMITTED)

    return replace(
        event,
        summary=draft.summary if says("summary") else event.summary,
        description=draft.description if says("description") else event.description,
        start=start,
        end=end,
        location=draft.location if says("location") else event.location,
        transparency=_transparency(draft, start) if says("transparency") else event.transparency,
        private=draft.private if says("event_private") else event.private,
        reminders=draft.reminders if says("reminders") and _reminds(event, draft) else event.reminders,
        url=draft.url if says("url") else event.url,
        color=draft.color if says("color") else event.color,
        attendees=_attendees(event, draft),
        moved_from=event.moved_from if stays else (*event.moved_from, event.position),
        updated=whole_second(now),
        version=version,
    )


def _transparency(draft: Draft, start: Moment) -> str:
    return draft.transparency or ("transparent" if isinstance(start, Day) else "opaque")


def _reminds(event: Event, draft: Draft) -> bool:
    return is_blank(event) or not draft.reminders_create_only


def _attendees(event: Event, draft: Draft) -> tuple[Person, ...]:
    invited = {person.email: person for person in draft.invite}
    stay = {person.email: person for person in event.attendees if person.email not in draft.remove}
    return tuple((invited | stay).values()) if "attendees" in draft.given else event.attendees


def mails(event: Event, draft: Draft, now: datetime) -> Iterator[Mail]:
    """List the mails that a provider sends when the draft is written into the event."""
    present = {person.email for person in event.attendees}
    for person in draft.invite:
        if person.email not in present:
            yield Mail(now, event.calendar_id, event.event_id, person.email, "invitation")
    for email in sorted(draft.remove & present):
        yield Mail(now, event.calendar_id, event.event_id, email, "cancellation")
