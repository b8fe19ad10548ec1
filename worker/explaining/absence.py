"""Why nothing is stored of an item or an event. Pure; there is always an answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from events.content import AllDay, Timed, When
from events.reasons import Reason
from events.tenant import PrivateInbound
from worker.core.audits import FUTURE, PAST
from worker.core.sides import PsaGone, PsaHolds
from worker.explaining.answer import Verdict
from worker.explaining.hindering import hindrance
from worker.explaining.question import AboutItem, AboutOurEvent
from worker.projection.events import observe
from worker.projection.items import Showing, picture

if TYPE_CHECKING:
    from collections.abc import Iterable

    from events.calendar import CalendarEvent
    from events.integration import Integration
    from events.platform import ItemNow
    from events.runs import Span
    from events.tenant import TenantSettings
    from worker.explaining.known import Known
    from worker.explaining.question import Subject


def why_nothing(subject: Subject, known: Known) -> Verdict:
    """Return why there is no link of what is asked about."""
    match subject:
        case AboutItem() | AboutOurEvent():
            return _no_item(known)
        case _:
            return _no_event(known)


def _by_letter(known: Known) -> Verdict | None:
    """A message about it that failed for good is why nobody has heard of it."""
    for letter in known.letters:
        try:
            return Verdict(Reason.of(letter.failure.reason), letter.failure.detail)
        except ValueError:  # of a newer version
            continue
    return None


# Items


def _no_item(known: Known) -> Verdict:
    looked, integration = known.item, known.integration
    item = looked.found if looked else None
    if looked and looked.lacks:
        return Verdict(Reason.ITEM_NOT_FOUND)
    if known.item_deleted or (item and item.deleted):
        return Verdict(Reason.PSA_DELETED)
    if integration is None:
        return _by_letter(known) or Verdict(Reason.NO_INTEGRATION if looked and item else Reason.NEVER_HEARD_OF)
    hindered = hindrance(integration, known.now)
    if hindered is not None:
        return hindered
    return _by_item(item, integration, known) or _by_letter(known) or Verdict(Reason.NEVER_HEARD_OF)


def _by_item(item: ItemNow | None, integration: Integration, known: Known) -> Verdict | None:
    """What the item itself says, as far as the PSA showed it."""
    settings = integration.wanted.settings
    if item is None:
        return None
    if integration.user_id not in item.assignees:
        return Verdict(Reason.NOT_ASSIGNED)
    view = picture(item.key, item.seen_by(integration.user_id, known.now), integration.held.time_zone, Showing()).view
    if isinstance(view, PsaGone):
        return Verdict(view.reason)
    if settings is not None and item.key.item_type not in settings.outbound:
        return Verdict(Reason.TYPE_NOT_TICKED)
    if isinstance(view, PsaHolds) and _outside(view.content.when, (run.send for run in known.runs)):
        return Verdict(Reason.OUT_OF_RANGE)
    return None


# Events


def _no_event(known: Known) -> Verdict:
    integration, looked = known.integration, known.event
    if integration is None:
        return Verdict(Reason.NEVER_HEARD_OF)
    hindered = hindrance(integration, known.now)
    if hindered is not None:
        return hindered
    if looked and looked.lacks:
        return Verdict(Reason.EVENT_NOT_FOUND)
    by_event = _by_event(looked.found, integration, known) if looked and looked.found else None
    return by_event or _by_ticks(integration) or Verdict(Reason.NEVER_HEARD_OF)


def _by_ticks(integration: Integration) -> Verdict | None:
    settings = integration.wanted.settings
    ticked = settings is not None and settings.inbound_create
    return None if ticked else Verdict(Reason.CREATE_NOT_TICKED)


def _by_event(event: CalendarEvent, integration: Integration, known: Known) -> Verdict | None:
    """What the event itself says."""
    seen = observe(event, known.tenant.private_inbound)
    if seen is None:
        return Verdict(Reason.NO_TIME)
    if seen.content is None:
        return Verdict(Reason.CALENDAR_DELETED)
    if seen.kept_out is not None:
        return Verdict(seen.kept_out)
    if (withheld := _withheld(seen.content.private, integration, known.tenant)) is not None:
        return withheld
    if not _in_window(seen.content.when, known.now):
        return Verdict(Reason.OUT_OF_WINDOW)
    since = integration.held.linked_since
    if since is not None and (seen.created is None or seen.created < since):
        outside = _outside(seen.content.when, (run.retrieve for run in known.runs))
        return Verdict(Reason.OUT_OF_RANGE if outside else Reason.BEFORE_LINKING)
    return None


def _withheld(private: bool, integration: Integration, tenant: TenantSettings) -> Verdict | None:
    if (unticked := _by_ticks(integration)) is not None:
        return unticked
    hidden = private and tenant.private_inbound is PrivateInbound.NOT_IMPORTED
    return Verdict(Reason.PRIVATE_NOT_IMPORTED) if hidden else None


def _in_window(when: When, now: datetime) -> bool:
    start, end = _bounds(when)
    return end > now - PAST and start < now + FUTURE


def _outside(when: When, spans: Iterable[Span | None]) -> bool:
    """Whether there were runs, and none of them covered it."""
    start, end = _bounds(when)
    covered = [span.start < end and start < span.end for span in spans if span is not None]
    return bool(covered) and not any(covered)


def _bounds(when: When) -> tuple[datetime, datetime]:
    match when:
        case Timed(start=start, end=end):
            return start, end
        case AllDay(start=first, end=last):
            return _midnight(first), _midnight(last)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
