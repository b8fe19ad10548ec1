"""How events, calendars and profiles look in answers."""

from __future__ import annotations

import zlib
from typing import Final

from sandbox.cronofy.model.event import Event, Location, Person
from sandbox.cronofy.model.moments import show_localized, show_moment, show_time
from sandbox.cronofy.model.provider import provider_of
from sandbox.cronofy.model.reading import Query
from sandbox.cronofy.model.settings import Hazard, Probability, Settings
from sandbox.cronofy.model.state import Calendar, Profile

Shown = dict[str, object]


def show_event(event: Event, calendar: Calendar, query: Query, settings: Settings) -> Shown:
    """Show an event as a read does."""
    shown = _ids(event)
    if not event.deleted or settings.tombstones == "full":
        shown |= _content(event, query) | _optional(event, query, calendar)
        shown["options"] = _options(event, calendar)
    if settings.hazards:
        _endanger(shown, event, settings.hazards)
    return shown


def _ids(event: Event) -> Shown:
    shown: Shown = {
        "calendar_id": event.calendar_id,
        "event_uid": event.uid,
        "deleted": event.deleted,
        "created": show_time(event.created),
        "updated": show_time(event.updated),
    }
    if event.event_id is not None:
        shown["event_id"] = event.event_id
    return shown


def _content(event: Event, query: Query) -> Shown:
    show = show_localized if "localized_times" in query.flags else show_moment
    return {
        "summary": event.summary,
        "description": event.description,
        "start": show(event.start),
        "end": show(event.end),
        "participation_status": event.participation_status,
        "attendees": [show_person(person) for person in event.attendees],
        "transparency": event.transparency,
        "status": event.status,
        "categories": list(event.categories),
        "recurring": event.recurring,
        "event_private": event.private,
    }


def _optional(event: Event, query: Query, calendar: Calendar) -> Shown:
    optional: Shown = {
        "location": event.location and _show_location(event.location, query),
        "organizer": event.organizer and _show_organizer(event.organizer),
        "series_identifier": event.series_identifier,
        "extended_transparency": event.extended_transparency,
        "meeting_url": event.meeting_url,
        "url": event.url,
        "color": event.color,
    }
    if "google_event_ids" in query.flags and provider_of(calendar.profile.service).name == "google":
        optional["google_event_id"] = event.uid.rpartition("_")[2]
    return {name: value for name, value in optional.items() if value is not None}


def _show_location(location: Location, query: Query) -> Shown:
    shown: Shown = {"description": location.description}
    if "include_geo" in query.flags and location.lat is not None and location.long is not None:
        shown |= {"lat": location.lat, "long": location.long}
    return shown


def show_person(person: Person) -> Shown:
    """Show somebody invited."""
    return {"email": person.email, "display_name": person.display_name, "status": person.status}


def _show_organizer(person: Person) -> Shown:
    return {"email": person.email, "display_name": person.display_name}


def _options(event: Event, calendar: Calendar) -> Shown:
    writable = not calendar.readonly and (event.managed or may_edit_external(event, calendar))
    return {
        "delete": writable and event.may_delete,
        "update": writable and event.may_update,
        "change_participation_status": event.may_answer,
    }


def may_edit_external(event: Event, calendar: Calendar) -> bool:
    """Tell whether the application may touch this event of the person's own. Occurrences of a series never."""
    return calendar.unrestricted and not event.recurring


# Oddities

_YEAR_ZERO: Final = "0000-12-29T00:00:00Z"


def _endanger(shown: Shown, event: Event, hazards: dict[Hazard, Probability]) -> None:
    for hazard, probability in hazards.items():
        # a property of the event: it looks as odd the next time
        if zlib.crc32(f"{hazard}/{event.uid}".encode()) < probability * 2**32:
            _apply(hazard, shown)


def _apply(hazard: Hazard, shown: Shown) -> None:
    match hazard:
        case Hazard.YEAR_ZERO:
            shown |= {"created": _YEAR_ZERO, "updated": _YEAR_ZERO}
        case Hazard.NO_LOCATION:
            shown.pop("location", None)
        case Hazard.NO_OPTIONS:
            shown.pop("options", None)
        case Hazard.NO_ORGANIZER:
            shown.pop("organizer", None)
        case Hazard.UNKNOWN_VALUES:
            for name in ("status", "transparency", "participation_status"):
                shown[name] = "unheard_of"
        case Hazard.EXTRA_FIELDS:
            shown["x_unheard_of"] = {"nested": [1, None, "text"]}
        case Hazard.EVENT_STATUS:
            shown["event_status"] = shown.pop("status", "confirmed")


# Profiles and calendars


def show_profile(profile: Profile, base_url: str) -> Shown:
    """Show a profile; one that is not connected comes with the address of a page to link it again."""
    shown: Shown = {
        "provider_name": provider_of(profile.service).name,
        "provider_service": profile.service.value,
        "profile_id": profile.id,
        "profile_name": profile.name,
        "profile_connected": profile.connected,
        "profile_initial_sync_required": profile.initial_sync_required,
    }
    if not profile.connected:
        shown["profile_relink_url"] = f"{base_url}/relink/{profile.id}"
    return shown


def show_calendar(calendar: Calendar) -> Shown:
    """Show a calendar without its profile."""
    return {
        "calendar_id": calendar.id,
        "calendar_name": calendar.name,
        "calendar_readonly": calendar.readonly,
        "calendar_deleted": calendar.deleted,
        "calendar_primary": calendar.primary,
        "calendar_integrated_conferencing_available": False,
        "calendar_attachments_available": False,
        "permission_level": "unrestricted" if calendar.unrestricted else "sandbox",
    }


def show_listed_calendar(calendar: Calendar) -> Shown:
    """Show a calendar with its profile, as in the list of calendars."""
    profile = calendar.profile
    return {
        "provider_name": provider_of(profile.service).name,
        "profile_id": profile.id,
        "profile_name": profile.name,
        **show_calendar(calendar),
    }
