"""Ticks, toggles and rights: what of a plan may be carried out, and what a person is told about the rest.

Filtering comes after deciding, so that a tick that is set later finds the same differences and acts on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from events.items import ItemType
from events.link import ExternalEvent, Link
from events.reasons import Reason
from events.tenant import PrivateInbound, TenantSettings
from worker.core.ownership import Ownership
from worker.core.plan import (
    ChangeItem,
    CreateItem,
    Decision,
    DeleteItem,
    Detach,
    Ignore,
    PutEvent,
    ReadItem,
    RemoveEvent,
    Rest,
)

if TYPE_CHECKING:
    from datetime import datetime

    from events.link import CalendarSeen
    from worker.core.decide import Plan


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user ticked, and what the calendar allows."""

    calendar_id: str
    inbound_create: bool
    inbound_update: bool
    inbound_delete: bool
    outbound: frozenset[ItemType]
    remove_unticked: bool = False
    """Whether copies of items whose type is not ticked are removed."""
    unrestricted: bool = False
    """Whether this application may change events that the user made."""
    linked_since: datetime | None = None
    """By the calendar's clock: an event created before is not new."""
    ownership: Ownership = field(default_factory=Ownership)
    """The tenant's, like all that follows."""
    tenant: TenantSettings = field(default_factory=TenantSettings)


_ORDERED: Final = frozenset({Reason.WANTED_BACK, Reason.UNDONE})
"""A person asked for just this, whatever is ticked."""


def permit(plan: Plan, link: Link, policy: Policy) -> Decision:
    """Return the first step that may be taken, or what comes of not taking the first one."""
    withheld: Decision | None = None
    for decision in plan:
        instead = _instead(decision, link, policy)
        if instead is None:
            return decision
        withheld = withheld or instead
    assert withheld is not None
    return withheld


def _instead(decision: Decision, link: Link, policy: Policy) -> Decision | None:
    """Return None if the step may be taken, otherwise what comes of not taking it."""
    match decision.action:
        case CreateItem():
            return _instead_of_creating(decision.reason, link, policy)
        case ChangeItem() if not policy.inbound_update and decision.reason not in _ORDERED:
            return Decision(Rest(), Reason.UPDATE_NOT_TICKED)
        case DeleteItem() if not policy.inbound_delete and decision.reason not in _ORDERED:
            return Decision(Detach(), Reason.DELETE_NOT_TICKED)
        case PutEvent():
            return _instead_of_putting(decision.reason, link, policy)
        case RemoveEvent():
            return _instead_of_removing(decision.reason, link, policy)
        case _:
            return None


def _instead_of_creating(reason: Reason, link: Link, policy: Policy) -> Decision | None:
    if link.psa_asks:
        return None  # begun already: how it ended must be found out
    if reason is Reason.RESTORED:
        ticked = policy.inbound_create or policy.inbound_update
        return None if ticked else Decision(Detach(), Reason.CREATE_NOT_TICKED)
    if reason is Reason.EDIT_BEATS_DELETE:
        return None if policy.inbound_update else Decision(Rest(), Reason.UPDATE_NOT_TICKED)
    older = _is_older(link, policy)
    if not policy.inbound_create and not older:
        return Decision(Ignore(), Reason.CREATE_NOT_TICKED)
    seen = link.calendar_seen
    if seen is not None and seen.kept_out is not None and seen.kept_out is not Reason.SERIES_TOO_LONG:
        return Decision(Ignore(), seen.kept_out)
    if _is_private(seen) and policy.tenant.private_inbound is PrivateInbound.NOT_IMPORTED:
        return Decision(Ignore(), Reason.PRIVATE_NOT_IMPORTED)
    if older:
        # A former integration may have made an appointment of it: the PSA is asked, once, whatever is ticked.
        asked = link.reason is Reason.BEFORE_LINKING or link.item is not None
        return Decision(Ignore() if asked else ReadItem(), Reason.BEFORE_LINKING)
    return None


def _is_older(link: Link, policy: Policy) -> bool:
    """Whether the event was there before the calendar was linked, and no run retrieves it."""
    created = link.calendar_seen.created if link.calendar_seen else None
    retrieved = link.run is not None and link.run.retrieve
    return policy.linked_since is not None and not retrieved and (created is None or created < policy.linked_since)


def _is_private(seen: CalendarSeen | None) -> bool:
    return seen is not None and seen.content is not None and seen.content.private


def _instead_of_putting(reason: Reason, link: Link, policy: Policy) -> Decision | None:
    if not _ticked(link, policy) and reason not in _ORDERED:
        return Decision(Rest(), Reason.TYPE_NOT_TICKED)
    if isinstance(link.event, ExternalEvent) and not _may_change(link, policy):
        return Decision(Rest(blocked=True), Reason.PSA_REFUSED if link.psa_refused else _obstacle(link, policy))
    return None


def _obstacle(link: Link, policy: Policy) -> Reason:
    """Why the user's own event is not changed."""
    series = link.calendar_seen is not None and link.calendar_seen.recurring
    return Reason.ONE_OF_A_SERIES if series and policy.unrestricted else Reason.NOT_PERMITTED


def _instead_of_removing(reason: Reason, link: Link, policy: Policy) -> Decision | None:
    if isinstance(link.event, ExternalEvent):
        # Never the user's own event, unless its appointment was deleted and the user allowed as much.
        seen = link.calendar_seen
        allowed = policy.unrestricted and seen is not None and seen.may_delete and not seen.recurring
        if reason is Reason.PSA_DELETED and allowed and _ticked(link, policy):
            return None
        return Decision(Detach(), reason if reason is not Reason.PSA_DELETED else Reason.NOT_PERMITTED)
    allowed = _ticked(link, policy) or policy.remove_unticked or reason in _ORDERED
    return None if allowed else Decision(Rest(), Reason.TYPE_NOT_TICKED)


def _ticked(link: Link, policy: Policy) -> bool:
    item_type = link.item.item_type if link.item else ItemType.APPOINTMENT
    return item_type in policy.outbound


def _may_change(link: Link, policy: Policy) -> bool:
    seen = link.calendar_seen
    return policy.unrestricted and seen is not None and seen.may_update and not seen.recurring
