"""Series without end: how much of them is brought over, and when the rest is.

Both sides tell a series as its occurrences, each with a link of its own. What is withheld has its reason and a time at
which it is looked at again; it is never taken for deleted.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from events.content import Timed
from events.items import ItemType
from events.link import ExternalEvent, ManagedEvent
from events.reasons import Reason
from worker.core.plan import CreateItem, Decision, Pause, PutEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from events.content import When
    from events.link import Link

BUDGET: Final = 250
"""So many occurrences of one of the user's series are in the PSA at once, as far as they are still ahead."""
NEAR: Final = timedelta(days=7)
"""What begins within this is brought over, however long its series is."""
HORIZON: Final = timedelta(days=201)
"""How far ahead occurrences of the PSA's series are brought over: as far as Cronofy reads. Source: cronofy.md, 5.1."""


def series_of(link: Link) -> str:
    """Return the name of the user's series that the event is one of; empty if it is none."""
    seen = link.calendar_seen
    there = isinstance(link.event, ExternalEvent) and seen is not None and seen.content is not None
    return seen.series if seen is not None and there else ""


def beyond_budget(newcomers: Sequence[Link], ahead: Mapping[str, int]) -> frozenset[str]:
    """Return the ids of newcomers that are too many; the earliest are let in. `ahead`: how many each series has."""
    left = {name: BUDGET - count for name, count in ahead.items()}
    over: set[str] = set()
    for link in sorted(newcomers, key=_begins):
        name = series_of(link)
        if not name:
            continue
        left[name] = left.get(name, BUDGET) - 1
        if left[name] < 0:
            over.add(link.id)
    return frozenset(over)


def _begins(link: Link) -> tuple[datetime, str]:
    content = link.calendar_seen.content if link.calendar_seen else None
    return (_start(content.when) if content else datetime.min.replace(tzinfo=UTC), link.id)


def in_good_time(decision: Decision, link: Link, now: datetime) -> Decision:
    """Return the step, or a pause if it would bring over an occurrence that has to wait."""
    match decision.action:
        case CreateItem(content=content) if _is_withheld(link):
            return _from(_start(content.when) - NEAR, decision, Reason.SERIES_TOO_LONG, now)
        case PutEvent(content=content) if _is_new_occurrence(link):
            return _from(_start(content.when) - HORIZON, decision, Reason.TOO_FAR_AHEAD, now)
        case _:
            return decision


def _from(moment: datetime, decision: Decision, reason: Reason, now: datetime) -> Decision:
    return decision if moment <= now else Decision(Pause(moment), reason)


def _is_withheld(link: Link) -> bool:
    seen = link.calendar_seen
    return seen is not None and seen.kept_out is Reason.SERIES_TOO_LONG and not link.psa_asks


def _is_new_occurrence(link: Link) -> bool:
    occurrence = link.item is not None and link.item.item_type is ItemType.APPOINTMENT and link.item.part_id is not None
    there = link.calendar_base is not None or link.calendar_asks or link.calendar_seen is not None
    return occurrence and not there and isinstance(link.event, ManagedEvent)


def _start(when: When) -> datetime:
    return when.start if isinstance(when, Timed) else datetime.combine(when.start, time(), tzinfo=UTC)
