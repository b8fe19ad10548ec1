"""From an event of the calendar to comparable content, and from content to what is sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from events.calendar import CalendarEvent, PutEventWrite
from events.content import Content, Timed, When
from events.link import (
    MANAGED_PREFIX,
    CalendarSeen,
    EventKey,
    ExternalEvent,
    ItemKey,
    ManagedEvent,
    managed_item,
)
from events.tenant import PrivateInbound
from worker.projection.footer import with_footer, without_footer
from worker.projection.kinds import has_place, is_busy, kept_out
from worker.projection.text import DESCRIPTION_LIMIT, PSA_DESCRIPTION_LIMIT, SUMMARY_LIMIT, cut, fitted, line, plain
from worker.projection.times import span, zone_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

PRIVATE_SUMMARY: Final = "Private"
"""What the PSA shows of an event that its user marked private: that the time is taken, and nothing else."""


def key_of(event: CalendarEvent) -> EventKey:
    """Return how the event is named: ours by our id, anybody else's by Cronofy's."""
    if event.event_id is not None:
        return ManagedEvent(event.calendar_id, event.event_id)
    return ExternalEvent(event.calendar_id, event.event_uid)


def observe(event: CalendarEvent, private: PrivateInbound) -> CalendarSeen | None:
    """Return what is remembered of an event that was read. A private event of the user's loses its text right here.

    Unless its text is wanted: `private` says what the tenant has decided.

    None for one that cannot be used: it is there, but shows no time. That is no evidence of anything.
    """
    when = span(event.start, event.end)
    there = has_place(event)
    if when is None and there:
        return None
    content = _content(event, when) if when is not None and there else None
    hidden = event.private and private is not PrivateInbound.FULL
    if content is not None and hidden and event.event_id is None:
        content = without_text(content)
    # A text that is longer than what we may send would be cut by any write.
    fits = content is None or len(content.description) <= DESCRIPTION_LIMIT
    return CalendarSeen(
        content=content,
        deleted=not there,
        updated=event.updated,
        created=event.created,
        may_update=event.may_update and not hidden and fits,
        may_delete=event.may_delete,
        recurring=event.recurring,
        series=event.series,
        kept_out=kept_out(event),
        event_uid=event.event_uid,
        digest=digest_of(event, private),
    )


def digest_of(event: CalendarEvent, private: PrivateInbound) -> str:
    """Return what tells a read from another one that shows, or showed then, something else."""
    shown_in_full = event.private and event.event_id is None and private is PrivateInbound.FULL
    return f"{event.digest}+" if shown_in_full and event.digest else event.digest


def without_text(content: Content) -> Content:
    """Return what the PSA may know of an event that is private: that the time is taken."""
    return Content(when=content.when, summary=PRIVATE_SUMMARY, private=True, busy=content.busy)


def _content(event: CalendarEvent, when: When) -> Content:
    return Content(
        when=when,
        summary=cut(line(event.summary), SUMMARY_LIMIT) or "(no subject)",
        description=fitted(_text(event), PSA_DESCRIPTION_LIMIT),
        location=line(event.location),
        private=event.private,
        busy=is_busy(event),
    )


_OURS: Final = re.compile(rf"{MANAGED_PREFIX}(-?\d{{1,10}})-(-?\d{{1,10}})-")


def _text(event: CalendarEvent) -> str:
    """Return the description without our footer, which only events of ours have."""
    text = plain(event.description)
    ours = _OURS.match(event.event_id) if event.event_id else None
    item = managed_item(ours.string, int(ours[1]), int(ours[2])) if ours else None
    return plain(without_footer(text, item)) if item else text


def write_of(
    key: EventKey, content: Content, item: ItemKey | None, *, url: str | None, time_zones: Sequence[str | None]
) -> PutEventWrite:
    """Return the write that makes the event show `content`. Only events of ours carry the footer.

    `time_zones`: the first that is known is the one to display it in. Without any the calendar takes UTC.
    """
    description = fitted(content.description, DESCRIPTION_LIMIT)
    if isinstance(key, ManagedEvent) and item is not None:
        description = with_footer(content.description, item, url)
    start: datetime | date = content.when.start
    end: datetime | date = content.when.end
    return PutEventWrite(
        event=key,
        start=start,
        end=end,
        summary=content.summary,
        description=description,
        location=content.location,
        private=content.private,
        busy=content.busy,
        time_zone=zone_name(*time_zones) if isinstance(content.when, Timed) else None,
    )
