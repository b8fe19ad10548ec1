"""What an application asks for when it writes, parsed and validated as Cronofy does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.cronofy.model.event import EXTERNAL_PREFIX, Location, Person
from sandbox.cronofy.model.form import Form, Problems, problem
from sandbox.cronofy.model.moments import Day, Instant, Moment

SUMMARY_LIMIT: Final = 1024
DESCRIPTION_LIMIT: Final = 4096
EVENT_ID_LIMIT: Final = 512
REMINDERS_LIMIT: Final = 5

_TRANSPARENCIES: Final = frozenset({"opaque", "transparent"})
_ANSWERS: Final = frozenset({"accepted", "tentative", "declined"})


@dataclass(frozen=True, slots=True)
class Draft:
    """What an event shall be. `given` names the fields that were sent; the others are at their defaults here."""

    given: frozenset[str]
    start: Moment | None
    end: Moment | None
    summary: str = ""
    description: str = ""
    location: Location | None = None
    transparency: str | None = None
    private: bool = False
    reminders: tuple[int, ...] = ()
    reminders_create_only: bool = False
    url: str | None = None
    color: str | None = None
    invite: tuple[Person, ...] = ()
    remove: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create the application's event of this id, or change it."""

    event_id: str
    draft: Draft


@dataclass(frozen=True, slots=True)
class EditExternal:
    """Change an event of the person's own."""

    uid: str
    draft: Draft


@dataclass(frozen=True, slots=True)
class DeleteManaged:
    """Delete the application's event of this id."""

    event_id: str


@dataclass(frozen=True, slots=True)
class DeleteExternal:
    """Delete an event of the person's own."""

    uid: str


@dataclass(frozen=True, slots=True)
class DeleteAllManaged:
    """Delete all of the application's events in a calendar."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer an invitation in the person's name."""

    uid: str
    status: str


Write = Upsert | EditExternal | DeleteManaged | DeleteExternal | DeleteAllManaged | Answer


def parse_event(payload: Mapping[str, object], *, can_invite: bool) -> Upsert | EditExternal | Problems:
    """Read the body of an upsert or an edit. With both ids it is an upsert, and of a managed event."""
    form = Form(payload)
    if payload.get("event_id") is None and payload.get("event_uid") is not None:
        uid = _external_uid(form)
        draft = _draft(form, required=False)
        return form.problems or EditExternal(uid, draft)
    event_id = form.text("event_id", required=True, limit=EVENT_ID_LIMIT)
    draft = _draft(form, required=True)
    if not can_invite and "attendees" in draft.given:
        form.problems.add("attendees", "errors.event.cannot_set_attendees", "cannot set attendees on this calendar")
    return form.problems or Upsert(event_id or "", draft)


def parse_deletion(payload: Mapping[str, object]) -> DeleteManaged | DeleteExternal | Problems:
    """Read the body of a deletion."""
    form = Form(payload)
    if payload.get("event_id") is None and payload.get("event_uid") is not None:
        uid = _external_uid(form)
        return form.problems or DeleteExternal(uid)
    event_id = form.text("event_id", required=True, limit=EVENT_ID_LIMIT)
    return form.problems or DeleteManaged(event_id or "")


def parse_answer(uid: str, payload: Mapping[str, object]) -> Answer | Problems:
    """Read the body of a participation status."""
    status = payload.get("status")
    if isinstance(status, str) and status in _ANSWERS:
        return Answer(uid, status)
    return problem("status", "errors.not_recognized", "must be accepted, tentative or declined")


def _external_uid(form: Form) -> str:
    uid = form.text("event_uid") or ""
    if not uid.startswith(EXTERNAL_PREFIX):
        form.problems.add(
            "event_uid", "errors.must_be_external_event_uid", "event uid must be a valid external event uid"
        )
    return uid


def _draft(form: Form, *, required: bool) -> Draft:
    start, end = _times(form, required=required)
    invite, remove = _attendees(form)
    return Draft(
        given=form.given(),
        start=start,
        end=end,
        summary=form.text("summary", required=required, limit=SUMMARY_LIMIT) or "",
        description=form.text("description", limit=DESCRIPTION_LIMIT) or "",
        location=_location(form),
        transparency=form.choice("transparency", _TRANSPARENCIES),
        private=form.flag("event_private") or False,
        reminders=_reminders(form),
        reminders_create_only=form.flag("reminders_create_only") or False,
        url=form.text("url"),
        color=form.text("color"),
        invite=invite,
        remove=remove,
    )


def _times(form: Form, *, required: bool) -> tuple[Moment | None, Moment | None]:
    tzid = form.zone("tzid")
    start = form.moment("start", tzid, required=required)
    end = form.moment("end", tzid, required=required)
    if start is not None and end is not None and (wrong := _wrong_pair(start, end)):
        form.problems.add("end", "errors.invalid_time_pair", wrong)
    return start, end


def _wrong_pair(start: Moment, end: Moment) -> str:
    match start, end:
        case Day(), Day():
            return "end must be after start" if end.date < start.date else ""
        case Instant(), Instant():
            return "end must be after start" if end.time < start.time else ""
        case _:
            return "start and end must both be dates or both be times"


def is_pair(start: Moment, end: Moment) -> bool:
    """Tell whether something can start and end then."""
    return not _wrong_pair(start, end)


def _location(form: Form) -> Location | None:
    place = form.object("location")
    if place is None:
        return None
    location = Location(place.text("description") or "", place.text("lat"), place.text("long"))
    form.adopt("location", place)
    return location if location != Location() else None


def _reminders(form: Form) -> tuple[int, ...]:
    entries = form.objects("reminders")
    minutes = tuple(value for entry in entries if isinstance(value := entry.raw("minutes"), int) and value >= 0)
    if len(minutes) != len(entries):
        form.problems.add("reminders", "errors.must_be_integer", "minutes must be an integer of zero or more")
    if len(entries) > REMINDERS_LIMIT:
        form.problems.add("reminders", "errors.too_many", f"must not be more than {REMINDERS_LIMIT}")
    return minutes


def _attendees(form: Form) -> tuple[tuple[Person, ...], frozenset[str]]:
    """Attendees are a change, not a list: whom to invite, whom to take off."""
    change = form.object("attendees")
    if change is None:
        return (), frozenset()
    invite = tuple(
        Person(entry.text("email", required=True) or "", entry.text("display_name") or "")
        for entry in change.objects("invite")
    )
    remove = frozenset(entry.text("email") or "" for entry in change.objects("remove"))
    if any("@" not in person.email for person in invite):
        change.problems.add("invite", "errors.invalid_email", "must be valid email addresses")
    form.adopt("attendees", change)
    return invite, remove
