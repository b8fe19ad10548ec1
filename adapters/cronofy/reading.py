"""From Cronofy's answers to values. Tolerant: unknown values and fields, absent optional fields, senseless times."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Final, cast

import orjson

from adapters.http.json import Object, integer, mapping, objects, text
from events.calendar import CalendarEvent, ChannelInfo, ProfileInfo
from events.integration import CalendarInfo

_SENSIBLE: Final = range(1900, 2200)
"""Years. What lies beyond is a program's "no date", and overflows as soon as it is seen from another zone."""


def event(raw: Object) -> CalendarEvent | None:
    """Return one event; None if it lacks what names it. Where one of its times cannot be read it has none."""
    options, location = mapping(raw.get("options")), mapping(raw.get("location"))
    if not text(raw.get("calendar_id")) or not text(raw.get("event_uid")):
        return None
    start, end = _boundary(raw.get("start")), _boundary(raw.get("end"))
    legible = start is not None and (end is not None or raw.get("end") is None)
    return CalendarEvent(
        calendar_id=text(raw.get("calendar_id")),
        event_uid=text(raw.get("event_uid")),
        event_id=text(raw.get("event_id")) or None,
        deleted=raw.get("deleted") is True,
        start=start if legible else None,
        end=end if legible else None,
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
        series=text(raw.get("series_identifier")),
        extended_transparency=text(raw.get("extended_transparency")),
        categories=_words(raw.get("categories")),
        may_update=options.get("update") is not False,
        may_delete=options.get("delete") is not False,
        digest=_digest(raw),
    )


def _words(value: object) -> tuple[str, ...]:
    return tuple(filter(None, map(text, cast("list[object]", value)))) if isinstance(value, list) else ()


def _digest(raw: Object) -> str:
    """Return nothing for what cannot be written again: a number that is too large, half of a character."""
    try:
        return hashlib.blake2b(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()
    except orjson.JSONEncodeError:
        return ""


def calendar(raw: Object) -> CalendarInfo | None:
    """Return one calendar of a list."""
    calendar_id = text(raw.get("calendar_id"))
    if not calendar_id:
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
    profile_id = text(raw.get("profile_id"))
    if not profile_id:
        return None
    return ProfileInfo(
        profile_id=profile_id,
        profile_name=text(raw.get("profile_name")),
        provider_name=text(raw.get("provider_name")),
        provider_service=text(raw.get("provider_service")),
        connected=raw.get("profile_connected") is not False,
        initial_sync_required=raw.get("profile_initial_sync_required") is True,
        relink_url=text(raw.get("profile_relink_url")) or None,
    )


def channel(raw: Object) -> ChannelInfo | None:
    """Return one channel."""
    channel_id = text(raw.get("channel_id"))
    return ChannelInfo(channel_id, text(raw.get("callback_url"))) if channel_id else None


def next_page(body: object) -> str | None:
    """Return where a read goes on; None if it is complete: no address, an empty one, or all pages seen."""
    pages = mapping(mapping(body).get("pages"))
    current, total = integer(pages.get("current")), integer(pages.get("total"))
    if current is not None and total is not None and current >= total:
        return None
    return text(pages.get("next_page")) or None


def instant(value: object) -> datetime | None:
    """Return a UTC time; None if it is absent or senseless, such as one of the year zero."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.removesuffix("UTC").strip())
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in _SENSIBLE else None


def _boundary(value: object) -> datetime | date | None:
    said = text(value) or text(mapping(value).get("time"))  # a localized time
    if len(said) != len("2014-08-05"):
        return instant(said)
    try:
        day = date.fromisoformat(said)
    except ValueError:
        return None
    return day if day.year in _SENSIBLE else None


def rows(body: object, name: str) -> list[Object] | None:
    """Return the list under `name`; None if there is none, so that nobody takes a broken page for an empty one."""
    return objects(mapping(body).get(name))
