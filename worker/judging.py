"""From a stored link to its next step: picture the item, settle what was asked, decide, permit. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from events.link import ManagedEvent
from events.traces import NO_TRACE, Trace
from worker.core.decide import Asked, decide
from worker.core.permit import Policy, permit
from worker.core.plan import Agree, Decision
from worker.core.record import Timing, concluded, given_up, lapsed, overdue, waited
from worker.core.sides import PsaView, settle_calendar, settle_psa
from worker.projection.items import picture

if TYPE_CHECKING:
    from datetime import datetime

    from events.items import Item
    from events.link import Link


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is the same for all links that are judged together."""

    policy: Policy
    time_zone: str | None
    timing: Timing
    now: datetime
    read_at: datetime | None
    """When the last complete read of the calendar in this slice began; None before one."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A link and its next step. `stored` is the link as it was read from the store."""

    stored: Link
    link: Link
    psa: PsaView
    item: Item | None
    decision: Decision
    begun: bool = False
    """Whether the write was under way before, with an unknown end."""
    trace: Trace = NO_TRACE
    """Of the failure, if judging it failed."""


def _in_calendar(link: Link, calendar_id: str) -> Link:
    """Return the link with its event in the linked calendar, which intake does not know."""
    if isinstance(link.event, ManagedEvent) and not link.event.calendar_id:
        return replace(link, event=ManagedEvent(calendar_id, link.event.event_id))
    return link


def judge(stored: Link, link: Link, circumstances: Circumstances, *, answered: bool = False) -> Judged:
    """Return the next step of a link. `answered`: the PSA has just answered our write."""
    link = _in_calendar(link, circumstances.policy.calendar_id)
    pictured = picture(link.item, link.psa_seen, circumstances.time_zone)
    link = settle_psa(link, pictured.view, answered=answered)
    timing, read_at = circumstances.timing, circumstances.read_at
    link = settle_calendar(link, waited=waited(link, read_at, timing))
    policy = circumstances.policy
    while True:
        asked = Asked(
            overdue=overdue(link, read_at, timing),
            lapsed=lapsed(link, read_at, timing),
            hopeless=given_up(link, circumstances.now, timing),
        )
        plan = decide(link, pictured.view, policy.ownership, asked)
        decision = permit(plan, link, policy)
        if not isinstance(decision.action, Agree):
            return Judged(stored, link, pictured.view, pictured.item, decision)
        link = concluded(link, decision, pictured.view)
