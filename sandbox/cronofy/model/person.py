"""What a person does in their own calendar. Nothing can be refused to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sandbox.cronofy.model import ids
from sandbox.cronofy.model.event import Deletion, Event, Person, Position
from sandbox.cronofy.model.moments import Day, whole_second
from sandbox.cronofy.model.state import Calendar, Invitation, World
from sandbox.cronofy.model.visibility import changed_by_person, show
from sandbox.cronofy.model.writes import create

Revise = Callable[[Event], Event]
"""Returns the event as its person wants it."""


def create_event(world: World, calendar: Calendar, position: Position, revise: Revise, now: datetime) -> Event:
    """Create an event."""
    return changed_by_person(world, new_event(world, calendar, position, revise, now), now)


def add_known_event(world: World, event: Event) -> None:
    """Put an event into its calendar as if it had been there for long: Cronofy knows it and tells nobody."""
    world.calendars[event.calendar_id].events.put(event)
    show(world, event)


def new_event(world: World, calendar: Calendar, position: Position, revise: Revise, now: datetime) -> Event:
    """Make an event of the person's own that is in no calendar yet."""
    owner = Person(calendar.profile.name, world.accounts[calendar.profile.sub].name, "accepted")
    event = Event(
        uid=ids.external_uid(world.ids),
        calendar_id=calendar.id,
        event_id=None,
        summary="",
        description="",
        start=position[0],
        end=position[1],
        created=whole_second(now),
        updated=whole_second(now),
        version=world.next_number(),
        transparency="transparent" if isinstance(position[0], Day) else "opaque",
        organizer=owner,
    )
    return revise(event)


def edit_event(world: World, event: Event, revise: Revise, now: datetime) -> Event:
    """Change an event."""
    edited = revise(event)
    if edited.position != event.position:
        edited = replace(edited, moved_from=(*event.moved_from, event.position))
    return changed_by_person(world, _newer(world, edited, now), now)


def delete_event(world: World, event: Event, now: datetime) -> Event:
    """Delete an event."""
    return changed_by_person(world, _newer(world, replace(event, deletion=Deletion.PERSON), now), now)


def restore_event(world: World, event: Event, now: datetime) -> Event:
    """Take an event back out of the bin."""
    return changed_by_person(world, _newer(world, replace(event, deletion=None), now), now)


def copy_event(world: World, event: Event, calendar: Calendar, now: datetime) -> Event:
    """Copy an event. The copy is the person's own, whoever made the original."""
    copy = replace(
        event,
        uid=ids.external_uid(world.ids),
        calendar_id=calendar.id,
        event_id=None,
        created=whole_second(now),
        deletion=None,
        moved_from=(),
    )
    return changed_by_person(world, _newer(world, copy, now), now)


def move_event(world: World, event: Event, calendar: Calendar, now: datetime) -> Event:
    """Move an event to another calendar: it disappears from one and another one appears in the other."""
    moved = copy_event(world, event, calendar, now)
    delete_event(world, event, now)
    return moved


def _newer(world: World, event: Event, now: datetime) -> Event:
    return replace(event, updated=whole_second(now), version=world.next_number())


def accept_invitation(world: World, invitation: Invitation, now: datetime) -> None:
    """Accept what the application wrote to a calendar with Free/Busy access: only now is it in the calendar."""
    del world.invitations[invitation.id]
    create(world, world.calendars[invitation.calendar_id], invitation.write, now)
