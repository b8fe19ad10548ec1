"""From writes to what Cronofy is sent, and from its answers to what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from adapters.http.json import mapping, objects, text
from adapters.http.pool import is_success, words
from events.calendar import (
    Accepted,
    CalendarWrite,
    NotThere,
    PutEventWrite,
    Rejected,
    RemoveEventWrite,
    Stumbled,
    WriteResult,
)
from events.link import EventKey, ManagedEvent
from events.reasons import Reason

BATCH_LIMIT: Final = 50
Body = dict[str, Any]


def entry(write: CalendarWrite) -> Body:
    """Return a write as an entry of a batch."""
    path = f"/v1/calendars/{quote(write.event.calendar_id, safe='')}/events"
    match write:
        case PutEventWrite():
            return {"method": "POST", "relative_url": path, "data": event_body(write)}
        case RemoveEventWrite(event=event):
            return {"method": "DELETE", "relative_url": path, "data": _name(event)}


def event_body(write: PutEventWrite) -> Body:
    """Return the body that makes or changes an event. All there is in it is here; there are no people in it."""
    body: Body = {
        **_name(write.event),
        "summary": write.summary,
        "description": write.description,
        "start": _boundary(write.start),
        "end": _boundary(write.end),
        "location": {"description": write.location},
        "transparency": "opaque" if write.busy else "transparent",
        "event_private": write.private,
    }
    if write.time_zone:
        body["tzid"] = write.time_zone
    return body


def _name(event: EventKey) -> Body:
    if isinstance(event, ManagedEvent):
        return {"event_id": event.event_id}
    return {"event_uid": event.event_uid}


def _boundary(moment: datetime | date) -> str:
    if isinstance(moment, datetime):
        # Cronofy refuses fractions of a second.
        return timestamp(moment)
    return moment.isoformat()


def timestamp(moment: datetime) -> str:
    """Return an instant the way Cronofy takes it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def result(status: int, data: object) -> WriteResult:
    """Say what became of one write."""
    match status:
        case _ if is_success(status):
            return Accepted()
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return NotThere()
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Stumbled(Reason.RATE_LIMITED, str(status))
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.LOCKED:
            return Stumbled(Reason.PROVIDER_ERROR, str(status))
        case _ if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Rejected(REFUSALS.get(status, Reason.CALENDAR_REFUSED), refusal(status, data), _CALL.format(status))
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Stumbled(Reason.SERVER_ERROR, str(status))
        case _:  # nobody has said what became of it
            return Stumbled(Reason.UNREADABLE_ANSWER, str(status))


_CALL: Final = "POST /v1/batch {}"
REFUSALS: Final[Mapping[int, Reason]] = {
    HTTPStatus.PAYMENT_REQUIRED: Reason.PLAN_LACKS_FEATURE,
    HTTPStatus.FORBIDDEN: Reason.MISSING_SCOPE,
    HTTPStatus.UNPROCESSABLE_ENTITY: Reason.CALENDAR_REFUSED,
}


def refusal(status: int, body: object) -> str:
    """Return Cronofy's words for a refusal: which field, which rule. The body may be anything."""
    errors = mapping(mapping(body).get("errors"))
    parts = [f"{field}: {_rule(problems)}" for field, problems in errors.items()]
    return words(f"{status} {'; '.join(parts)}")


def _rule(problems: object) -> str:
    said = [text(problem.get("description")) or text(problem.get("key")) for problem in objects(problems) or ()]
    return ", ".join(part for part in said if part) or words(problems)
