"""What a person does in a calendar, and what truly is in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from sandbox.cronofy.control.accounts import find_calendar
from sandbox.cronofy.control.command import Command, Desk, Ids, Unknown, command
from sandbox.cronofy.control.event_messages import (
    AcceptedInvitation,
    EventFields,
    EventFilter,
    EventView,
    InvitationView,
    KnownEvents,
    PersonFields,
    Place,
    Target,
    When,
)
from sandbox.cronofy.control.shapes import Nothing
from sandbox.cronofy.model.draft import is_pair
from sandbox.cronofy.model.event import Event, Location, Person
from sandbox.cronofy.model.moments import ETC_UTC, Day, Moment, parse_moment, show_moment
from sandbox.cronofy.model.person import (
    accept_invitation,
    add_known_event,
    copy_event,
    create_event,
    delete_event,
    edit_event,
    move_event,
    new_event,
    restore_event,
)

# From fields to events


def _moment(when: When, tzid: str) -> Moment:
    match when:
        case datetime() | date():
            return parse_moment(when.isoformat(), tzid)
        case _:
            return parse_moment(when, tzid)


def _position(fields: EventFields) -> tuple[Moment, Moment]:
    if "start" not in fields or "end" not in fields:
        message = "an event needs start and end"
        raise ValueError(message)
    return _moment(fields["start"], ETC_UTC), _moment(fields["end"], ETC_UTC)


def _revising(fields: EventFields) -> Callable[[Event], Event]:
    def revise(event: Event) -> Event:
        revised = _with_people(_with_traits(_with_content(event, fields), fields), fields)
        if not is_pair(revised.start, revised.end):
            message = "an event cannot end before it starts, nor be half a whole day"
            raise ValueError(message)
        return revised

    return revise


def _with_content(event: Event, fields: EventFields) -> Event:
    return replace(
        event,
        summary=fields.get("summary", event.summary),
        description=fields.get("description", event.description),
        start=_moment(fields["start"], event.start.tzid) if "start" in fields else event.start,
        end=_moment(fields["end"], event.end.tzid) if "end" in fields else event.end,
        location=_location(fields["location"]) if "location" in fields else event.location,
        transparency=fields.get("transparency", event.transparency),
        extended_transparency=fields.get("extended_transparency", event.extended_transparency),
        private=fields.get("private", event.private),
        status=fields.get("status", event.status),
        reminders=tuple(fields.get("reminders", event.reminders)),
        url=fields.get("url", event.url),
        color=fields.get("color", event.color),
        meeting_url=fields.get("meeting_url", event.meeting_url),
        categories=tuple(fields.get("categories", event.categories)),
    )


def _with_traits(event: Event, fields: EventFields) -> Event:
    return replace(
        event,
        recurring=fields.get("recurring", event.recurring),
        series_identifier=fields.get("series_identifier", event.series_identifier),
        may_update=fields.get("may_update", event.may_update),
        may_delete=fields.get("may_delete", event.may_delete),
        may_answer=fields.get("may_answer", event.may_answer),
    )


def _with_people(event: Event, fields: EventFields) -> Event:
    attendees = tuple(_person(given) for given in fields["attendees"]) if "attendees" in fields else event.attendees
    organizer = event.organizer
    if "organizer" in fields:
        organizer = _person(fields["organizer"]) if fields["organizer"] else None
    return replace(
        event,
        attendees=attendees,
        organizer=organizer,
        participation_status=fields.get("participation_status", event.participation_status),
    )


def _person(given: PersonFields) -> Person:
    return Person(given.get("email", ""), given.get("display_name", ""), given.get("status", "needs_action"))


def _location(given: str | Place | None) -> Location | None:
    match given:
        case None | "":
            return None
        case str():
            return Location(given)
        case _:
            return Location(given.get("description", ""), given.get("lat"), given.get("long"))


# From events to views


def view_event(event: Event) -> EventView:
    """Show an event as its person sees it."""
    return EventView(
        calendar_id=event.calendar_id,
        event_uid=event.uid,
        event_id=event.event_id,
        summary=event.summary,
        description=event.description,
        start=show_moment(event.start),
        end=show_moment(event.end),
        tzid=event.start.tzid,
        all_day=isinstance(event.start, Day),
        location=None if event.location is None else event.location.description,
        transparency=event.transparency,
        private=event.private,
        status=event.status,
        participation_status=event.participation_status,
        attendees=tuple(
            PersonFields(email=person.email, display_name=person.display_name, status=person.status)
            for person in event.attendees
        ),
        recurring=event.recurring,
        series_identifier=event.series_identifier,
        reminders=event.reminders,
        url=event.url,
        created=event.created,
        updated=event.updated,
        deleted=event.deleted,
        deleted_by=None if event.deletion is None else event.deletion.value,
    )


def find_event(desk: Desk, ids: Ids) -> Event:
    """Find the event that the path names, by either id."""
    calendar = find_calendar(desk, ids["calendar_id"])
    event = calendar.events.get(ids["event"]) or calendar.events.managed(ids["event"])
    if event is None:
        raise Unknown(ids["event"])
    return event


# Endpoints


def list_events(desk: Desk, ids: Ids, given: EventFilter) -> list[EventView]:
    """List what truly is in a calendar, with `deleted=true` also what is in its bin."""
    calendar = find_calendar(desk, ids["calendar_id"])
    return [view_event(event) for event in calendar.events.changed_since(None) if given.deleted or not event.deleted]


def create(desk: Desk, ids: Ids, given: EventFields) -> EventView:
    """Create an event as the person."""
    calendar = find_calendar(desk, ids["calendar_id"])
    return view_event(create_event(desk.world, calendar, _position(given), _revising(given), desk.now()))


def create_known(desk: Desk, ids: Ids, given: KnownEvents) -> list[EventView]:
    """Create many events at once that Cronofy knows already."""
    calendar = find_calendar(desk, ids["calendar_id"])
    plans = [(_position(fields), _revising(fields)) for fields in given.events]
    events = [new_event(desk.world, calendar, position, revise, desk.now()) for position, revise in plans]
    for event in events:
        add_known_event(desk.world, event)
    return [view_event(event) for event in events]


def edit(desk: Desk, ids: Ids, given: EventFields) -> EventView:
    """Change an event as the person; only the fields given."""
    return view_event(edit_event(desk.world, find_event(desk, ids), _revising(given), desk.now()))


def delete(desk: Desk, ids: Ids, _given: Nothing) -> EventView:
    """Delete an event as the person."""
    return view_event(delete_event(desk.world, find_event(desk, ids), desk.now()))


def restore(desk: Desk, ids: Ids, _given: Nothing) -> EventView:
    """Take a deleted event out of the bin as the person."""
    return view_event(restore_event(desk.world, find_event(desk, ids), desk.now()))


def move(desk: Desk, ids: Ids, given: Target) -> EventView:
    """Move an event to another calendar as the person: deleted in the one, new in the other."""
    target = find_calendar(desk, given.calendar_id)
    return view_event(move_event(desk.world, find_event(desk, ids), target, desk.now()))


def copy(desk: Desk, ids: Ids, given: Target) -> EventView:
    """Copy an event as the person. The copy is theirs, whoever made the original."""
    target = find_calendar(desk, given.calendar_id)
    return view_event(copy_event(desk.world, find_event(desk, ids), target, desk.now()))


def list_invitations(desk: Desk, _ids: Ids, _given: Nothing) -> list[InvitationView]:
    """List writes to calendars with Free/Busy access that were not accepted yet."""
    return [
        InvitationView(invitation_id=one.id, calendar_id=one.calendar_id, event_id=one.write.event_id)
        for one in desk.world.invitations.values()
    ]


def accept(desk: Desk, _ids: Ids, given: AcceptedInvitation) -> list[InvitationView]:
    """Accept such an invitation as the person: now the event is in the calendar."""
    invitation = desk.world.invitations.get(given.invitation_id)
    if invitation is None:
        raise Unknown(given.invitation_id)
    accept_invitation(desk.world, invitation, desk.now())
    return list_invitations(desk, {}, Nothing())


_EVENT: Final = "/calendars/{calendar_id}/events/{event}"

COMMANDS: Final[tuple[Command, ...]] = (
    command("GET", "/calendars/{calendar_id}/events", EventFilter, list_events),
    command("POST", "/calendars/{calendar_id}/events", EventFields, create),
    command("POST", "/calendars/{calendar_id}/known-events", KnownEvents, create_known),
    command("PATCH", _EVENT, EventFields, edit),
    command("DELETE", _EVENT, Nothing, delete),
    command("POST", f"{_EVENT}/restore", Nothing, restore),
    command("POST", f"{_EVENT}/move", Target, move),
    command("POST", f"{_EVENT}/copy", Target, copy),
    command("GET", "/invitations", Nothing, list_invitations),
    command("POST", "/invitations/accept", AcceptedInvitation, accept),
)
