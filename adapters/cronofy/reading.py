"""From Cronofy's answers to values. Tolerant: unknown values and fields, absent optional fields, senseless times."""

from __future__ import annotations

from datetime import UTC, date, datetime

from adapters.http.json import Object, mapping, objects, text
from events.calendar import CalendarEvent, ChannelInfo, ProfileInfo
from events.integration import CalendarInfo


def event(raw: Object) -> CalendarEvent | None:
    """Return one event; None if it lacks what names it."""
    calendar_id, event_uid = raw.get("calendar_id"), raw.get("event_uid")
    if not isinstance(calendar_id, str) or not isinstance(event_uid, str):
        return None
    options, location, event_id = mapping(raw.get("options")), mapping(raw.get("location")), raw.get("event_id")
    return CalendarEvent(
        calendar_id=calendar_id,
        event_uid=event_uid,
        event_id=event_id if isinstance(event_id, str) and event_id else None,
        deleted=raw.get("deleted") is True,
        start=_boundary(raw.get("start")),
        end=_boundary(raw.get("end")),
        summary=text(raw.get("summary")),
        description=text(raw.get("description")),
        location=text(location.get("description")),
        transparent=raw.get("transparency") == "transparent",
        private=raw.get("event_private") is True,
        # `event_status` is what old answers called it.
        cancelled=raw.get("status", raw.get("event_status")) == "cancelled",
        declined=raw.get("participation_status") == "declined",
        created=instant(raw.get("created")),
        updated=instant(raw.get("updated")),
        recurring=raw.get("recurring") is True,
        may_update=options.get("update") is not False,
        may_delete=options.get("delete") is not False,
    )


def calendar(raw: Object) -> CalendarInfo | None:
    """Return one calendar of a list."""
    calendar_id = raw.get("calendar_id")
    if not isinstance(calendar_id, str):
        return None
    return CalendarInfo(
        calendar_id=calendar_id,
        name=text(raw.get("calendar_name")),
        profile_id=text(raw.get("profile_id")),
        profile_name=text(raw.get("profile_name")),
        provider_name=text(raw.get("provider_name")),
        provider_service=text(raw.get("provider_service")),
        read_only=raw.get("calendar_readonly") is True,
        deleted=raw.get("calendar_deleted") is True,
        primary=raw.get("calendar_primary") is True,
        unrestricted=raw.get("permission_level") == "unrestricted",
    )


def profile(raw: Object) -> ProfileInfo | None:
    """Return one profile of an account."""
    profile_id = raw.get("profile_id")
    if not isinstance(profile_id, str):
        return None
    relink = raw.get("profile_relink_url")
    return ProfileInfo(
        profile_id=profile_id,
        profile_name=text(raw.get("profile_name")),
        provider_name=text(raw.get("provider_name")),
        provider_service=text(raw.get("provider_service")),
        connected=raw.get("profile_connected") is not False,
        initial_sync_required=raw.get("profile_initial_sync_required") is True,
        relink_url=relink if isinstance(relink, str) else None,
    )


def channel(raw: Object) -> ChannelInfo | None:
    """Return one channel."""
    channel_id = raw.get("channel_id")
    return ChannelInfo(channel_id, text(raw.get("callback_url"))) if isinstance(channel_id, str) else None


def instant(value: object) -> datetime | None:
    """Return a UTC time; None if it is absent or no time that exists, such as one of the year zero."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.removesuffix("UTC").strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _boundary(value: object) -> datetime | date | None:
    if not isinstance(value, str):
        value = mapping(value).get("time")  # a localized time
        if not isinstance(value, str):
            return None
    if len(value) == len("2014-08-05"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return instant(value)


def rows(body: object, name: str) -> list[Object] | None:
    """Return the list under `name`; None if there is none, so that nobody takes a broken page for an empty one."""
    return objects(mapping(body).get(name))
