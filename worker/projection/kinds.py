"""Events that are no meetings: what they are told by, and what comes of them. The only such table.

=========================================  =======================================================  =================
what it is                                 what it is told by                                       what comes of it
=========================================  =======================================================  =================
a working location                         all day, shown as "working elsewhere"                    kept out
a mark on the day: a birthday, a holiday   all day, free, and it repeats, or its category says so   kept out
an invitation that was turned down         the user's own answer                                    like a deleted one
a cancelled event                          its status                                               like a deleted one
out of office                              shown as such, whatever its length                       an appointment
all day and free, but only once            providers show as free what people enter for a day       an appointment
free, with a time                          the PSA knows no free time                               an appointment
tentative, or an invitation not answered   it may take the time                                     an appointment
anything else                                                                                       an appointment
=========================================  =======================================================  =================

Cronofy tells no kind of event, so this goes by what it does tell (cronofy.md, 5.2). Kept out means that no appointment
is made of it; one that is there already stays. Events of our own are what they are, whatever is said of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from events.reasons import Reason

if TYPE_CHECKING:
    from events.calendar import CalendarEvent

_WORKING_ELSEWHERE: Final = "working_elsewhere"
_OUT_OF_OFFICE: Final = "out_of_office"
_MARKS: Final = frozenset({"birthday", "birthdays", "holiday", "holidays", "anniversary"})


def has_place(event: CalendarEvent) -> bool:
    """Whether the event takes place, as far as its user is concerned. Source: psa.md, inbound rules."""
    turned_down = event.declined and event.event_id is None
    return not (event.deleted or event.cancelled or turned_down)


def kept_out(event: CalendarEvent) -> Reason | None:
    """Why no appointment is made of an event; None if one is."""
    if event.event_id is not None or isinstance(event.start, datetime):
        return None
    if event.extended_transparency == _WORKING_ELSEWHERE:
        return Reason.WORKING_LOCATION
    marked = bool(_MARKS & {category.strip().lower() for category in event.categories})
    return Reason.MARKS_A_DAY if event.transparent and (event.recurring or marked) else None


def is_busy(event: CalendarEvent) -> bool:
    """Whether the event takes its user's time."""
    return not event.transparent or event.extended_transparency == _OUT_OF_OFFICE
