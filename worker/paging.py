"""Going on with a read of many pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.failures import Gone, System, TryLater
from events.reasons import Reason

if TYPE_CHECKING:
    from events.calendar import Page
    from worker.ports import Calendar
    from worker.slice import Slice


async def next_page(work: Slice, url: str, walked: set[str], calendar: Calendar | None = None) -> Page:
    """Return the next page. `walked`: where the read has been. Raises `TryLater` if it has to begin anew."""
    # A long read outlives its lease. Were that lost, the next one would begin anew, and never come further.
    await work.holding.assure()
    if url in walked:
        raise TryLater(System.CRONOFY, Reason.UNREADABLE_ANSWER, "the pages of the read lead in a circle")
    walked.add(url)
    try:
        return await (calendar or work.calendar).next_page(url)
    except Gone as error:
        # Pages expire. The cursor has not moved, so the read simply begins anew.
        raise TryLater(System.CRONOFY, Reason.GONE, "a page of the read has expired") from error
