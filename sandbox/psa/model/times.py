"""Which fields hold an item's times, kind by kind, and moving them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import assert_never

from events.items import Appointment, CrmActivity, Item, Period, ServiceCall, Task, Todo
from sandbox.psa.model.commands import Moment, Shift
from sandbox.psa.model.refusal import Code, Refusal
from sandbox.psa.model.snapshots import Document


def moved(timed: Item | Period, to: Shift) -> Document:
    """Return the patch that moves it."""
    first, last = _names(timed)
    start, end = _times(timed)
    begin = to.start if to.start is not None else _later(start, to.by_minutes)
    if start is not None and isinstance(begin, datetime) != isinstance(start, datetime):
        raise Refusal(Code.REFUSED, "Moving keeps an item timed or all-day; edit it to change that.")
    until = to.end
    if until is None and start is not None and end is not None:
        until = begin + _length(start, end)
    return {first: begin.isoformat()} | ({last: until.isoformat()} if until is not None else {})


def switched(fields: Document) -> Document:
    """Complete a patch that makes an appointment all-day or timed: the one has no instants, the other no dates."""
    match fields.get("all_day"):
        case True:
            return {**fields, "start": None, "end": None}
        case False:
            return {**fields, "start_date": None, "end_date": None}
        case _:
            return fields


def _later(start: Moment | None, minutes: int | None) -> Moment:
    if start is None or minutes is None:
        raise Refusal(Code.MALFORMED, "An item without a start cannot be moved by some minutes; say where to.")
    return start + timedelta(minutes=minutes)


def _length(start: Moment, end: Moment) -> timedelta:
    match start, end:
        case datetime(), datetime():
            return end - start
        case _:
            return date(end.year, end.month, end.day) - date(start.year, start.month, start.day)


def _names(timed: Item | Period) -> tuple[str, str]:
    match timed:
        case Appointment(all_day=True) | Task():
            return "start_date", "end_date"
        case Appointment() | ServiceCall():
            return "start", "end"
        case CrmActivity():
            return "due", "end"
        case Todo():
            return "date", "end"
        case Period():
            return "from", "to"
        case _:
            assert_never(timed)


def _times(timed: Item | Period) -> tuple[Moment | None, Moment | None]:
    match timed:
        case Appointment(all_day=True) | Task():
            return timed.start_date, timed.end_date
        case Appointment() | ServiceCall() | Period():
            return timed.start, timed.end
        case CrmActivity():
            return timed.due, timed.end
        case Todo():
            return timed.date, timed.end
        case _:
            assert_never(timed)
