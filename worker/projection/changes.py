"""From a calendar event to what is asked of the PSA. Source: psa.md, inbound rules per type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.content import AllDay, Content, Field, Timed
from events.items import Appointment, CrmActivity, Item, ServiceCall, Task, Todo
from events.link import Link
from events.platform import (
    AppointmentDraft,
    AppointmentTimes,
    DueTimes,
    ItemChanges,
    PeriodTimes,
    ServiceCallTimes,
    TodoDate,
)
from worker.projection.text import PSA_DESCRIPTION_LIMIT, SUBJECT_LIMIT, cut
from worker.projection.times import midnight, zone, zone_name

if TYPE_CHECKING:
    from datetime import datetime

    from events.content import When

Times = AppointmentTimes | ServiceCallTimes | DueTimes | TodoDate | PeriodTimes


def draft(link: Link, content: Content, time_zone: str | None) -> AppointmentDraft:
    """Return the appointment to create for an event."""
    return AppointmentDraft(
        reference=link.reference,
        tenant_id=link.tenant_id,
        user_id=link.user_id,
        subject=cut(content.summary, SUBJECT_LIMIT),
        description=cut(content.description, PSA_DESCRIPTION_LIMIT),
        location=content.location,
        start=content.when.start,
        end=content.when.end,
        private=content.private,
        time_zone=zone_name(time_zone),
    )


def changes(item: Item, content: Content, fields: frozenset[Field], time_zone: str | None) -> ItemChanges:
    """Return what to change of an item so that it shows `content` in `fields`."""
    times = _times(item, content.when, time_zone) if Field.WHEN in fields else None
    if not isinstance(item, Appointment):
        return ItemChanges(times=times)
    return ItemChanges(
        subject=cut(content.summary, SUBJECT_LIMIT) if Field.SUMMARY in fields else None,
        description=cut(content.description, PSA_DESCRIPTION_LIMIT) if Field.DESCRIPTION in fields else None,
        location=content.location if Field.LOCATION in fields else None,
        private=content.private if Field.PRIVATE in fields else None,
        times=times,
    )


def _times(item: Item, when: When, time_zone: str | None) -> Times | None:
    match item:
        case Appointment():
            return AppointmentTimes(when.start, when.end)
        case ServiceCall():
            return ServiceCallTimes(when.start, when.end) if isinstance(when, Timed) else None
        case Task():
            return PeriodTimes(when.start, when.end) if isinstance(when, Timed) else None
        case Todo():
            return TodoDate(_due(item, when, time_zone))
        case CrmActivity():
            end = when.end if isinstance(when, Timed) and item.end is not None else None
            return DueTimes(_due(item, when, time_zone), end)


def _due(item: Item, when: When, time_zone: str | None) -> datetime:
    if isinstance(when, AllDay):
        return midnight(when.start, zone(item.time_zone, time_zone))
    return when.start
