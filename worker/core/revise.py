"""What new settings mean for links: which have to be judged anew, and how one follows to another calendar.

A link of an event in a calendar that is not linked any more is moved when it is judged, whenever that is; so nothing is
ever written to a former calendar. What the user made there stays the user's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from events.link import ExternalEvent, Link, LinkState, ManagedEvent
from events.reasons import Reason
from events.values import replace

if TYPE_CHECKING:
    from datetime import datetime

    from worker.core.permit import Policy
    from worker.core.record import Timing

_AT_REST_FOR_GOOD: Final = frozenset({LinkState.BURIED, LinkState.DETACHED, LinkState.IGNORED})
_BY_TICKS: Final = frozenset({Reason.CREATE_NOT_TICKED, Reason.UPDATE_NOT_TICKED, Reason.TYPE_NOT_TICKED})


def here(link: Link, calendar_id: str) -> Link:
    """Return a link of an event of ours as it is in the linked calendar, where it may not be known yet."""
    if not isinstance(link.event, ManagedEvent) or link.event.calendar_id == calendar_id:
        return link
    moved = replace(link, event=ManagedEvent(calendar_id, link.event.event_id))
    if not link.event.calendar_id:
        return moved  # made by intake, which does not know which calendar is linked
    return replace(
        moved,
        calendar_seen=None,
        calendar_base=None,
        calendar_asks=(),
        calendar_gone=None,
        rewritten={},
        psa_base=link.psa_base if link.state is LinkState.DETACHED else None,
        attempts=0,
        failing_since=None,
        images=(),
        undoing=None,
    )


def is_elsewhere(link: Link, calendar_id: str) -> bool:
    """Whether the event is in another calendar than the linked one."""
    return link.event.calendar_id not in {"", calendar_id}


def is_concerned(link: Link, policy: Policy) -> bool:
    """Whether a link has to be judged anew under new settings: a tick that is set finds what it withheld."""
    if is_elsewhere(link, policy.calendar_id):
        return link.state not in _AT_REST_FOR_GOOD
    if link.reason in _BY_TICKS:
        return True
    return policy.remove_unticked and _has_copy(link) and is_unticked(link, policy)


def is_unticked(link: Link, policy: Policy) -> bool:
    """Whether the link's item is of a type that is not ticked."""
    return link.item is not None and link.item.item_type not in policy.outbound


def _has_copy(link: Link) -> bool:
    there = link.calendar_seen is not None and link.calendar_seen.content is not None
    return isinstance(link.event, ManagedEvent) and (there or bool(link.calendar_base or link.calendar_asks))


def tombstone(link: Link) -> Link:
    """Return what is kept of a link when its integration is deleted: who stood for what, and no content."""
    return replace(
        link,
        psa_seen=None,
        psa_base=None,
        psa_asks=(),
        psa_refused={},
        calendar_seen=None,
        calendar_base=None,
        calendar_asks=(),
        rewritten={},
        state=LinkState.BURIED,
        reason=Reason.DELETED,
        message="",
        due_at=None,
        attempts=0,
        failing_since=None,
        images=(),
        undoing=None,
    )


def arrives_until(link: Link, timing: Timing) -> datetime | None:
    """Until when something that was asked of the calendar may still arrive there."""
    return max((ask.at + timing.patience for ask in link.calendar_asks), default=None)


def is_users_own_elsewhere(link: Link, calendar_id: str) -> bool:
    """Whether the event is the user's own, in a calendar that is not linked any more."""
    return isinstance(link.event, ExternalEvent) and is_elsewhere(link, calendar_id)
