"""From a stored link to its next step: picture the item, settle what was asked, decide, permit. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.content import TEXT_FIELDS, Field
from events.link import ManagedEvent
from events.reasons import Reason
from events.tenant import PrivateInbound, PrivateOutbound
from events.traces import NO_TRACE, Trace
from events.values import replace
from worker.core.brakes import braked, frozen, thawed, within_budget
from worker.core.decide import Asked, decide, leave_behind
from worker.core.permit import Policy, permit
from worker.core.plan import Agree, Decision
from worker.core.record import Timing, concluded, given_up, lapsed, overdue, waited
from worker.core.restoring import still_wanted
from worker.core.revise import here, is_unticked, is_users_own_elsewhere
from worker.core.series import in_good_time
from worker.core.sides import PsaGone, PsaView, settle_calendar, settle_psa
from worker.core.undoing import still_undoing
from worker.projection.events import without_text
from worker.projection.items import Showing, picture

if TYPE_CHECKING:
    from datetime import datetime

    from events.items import Item
    from events.link import Link
    from events.tenant import TenantSettings


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is the same for all links that are judged together."""

    policy: Policy
    time_zone: str | None
    timing: Timing
    now: datetime
    read_at: datetime | None
    """When the last complete read of the calendar in this slice began; None before one."""


@dataclass(frozen=True)
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


def _as_the_tenant_wants(link: Link, tenant: TenantSettings) -> Link:
    """Return the link without the text of a private event, should the tenant have wanted it when it was read."""
    seen = link.calendar_seen
    if seen is None or seen.content is None or not seen.content.private or isinstance(link.event, ManagedEvent):
        return link
    if tenant.private_inbound is PrivateInbound.FULL:
        return link
    bare = without_text(seen.content)
    # How its text was sent once is part of the text.
    kept = {field: value for field, value in link.rewritten.items() if field not in TEXT_FIELDS}
    if bare == seen.content and kept == link.rewritten:
        return link
    return replace(link, calendar_seen=replace(seen, content=bare, may_update=False), rewritten=kept)


def showing_of(link: Link, tenant: TenantSettings) -> Showing:
    """How much an event shows. One that its user made shows what its user made of it."""
    if not isinstance(link.event, ManagedEvent):
        return Showing(removes_done=tenant.remove_when_done)
    hides = tenant.private_outbound is PrivateOutbound.BUSY
    mapping = tenant.mapping.get(link.item.item_type) if link.item else None
    left_out = mapping.left_out if mapping else frozenset[Field]()
    return Showing(hides_private=hides, removes_done=tenant.remove_when_done, left_out=left_out)


def judge(stored: Link, link: Link, circumstances: Circumstances, *, answered: bool = False) -> Judged:
    """Return the next step of a link. `answered`: the PSA has just answered our write."""
    policy = circumstances.policy
    link = _as_the_tenant_wants(here(link, policy.calendar_id), policy.tenant)
    pictured = picture(link.item, link.psa_seen, circumstances.time_zone, showing_of(link, policy.tenant))
    if policy.remove_unticked and isinstance(link.event, ManagedEvent) and is_unticked(link, policy):
        pictured = replace(pictured, view=PsaGone(Reason.TYPE_NOT_TICKED))
    link = settle_psa(link, pictured.view, answered=answered)
    timing, read_at = circumstances.timing, circumstances.read_at
    link = settle_calendar(link, waited=waited(link, read_at, timing))
    if is_users_own_elsewhere(link, policy.calendar_id) and not link.psa_asks:
        return Judged(stored, link, pictured.view, pictured.item, leave_behind(link, pictured.view))
    link = still_undoing(still_wanted(link, pictured.view))
    now = circumstances.now
    link = thawed(link, pictured.view, now)
    while True:
        asked = Asked(
            overdue=overdue(link, read_at, timing),
            lapsed=lapsed(link, read_at, timing),
            hopeless=given_up(link, now, timing),
        )
        plan = decide(link, pictured.view, policy.ownership, asked)
        decision = permit(plan, link, policy)
        if isinstance(decision.action, Agree):
            link = concluded(link, decision, pictured.view)
        elif (calmer := frozen(link, decision, pictured.view, policy.tenant.brakes, now)) is not link:
            link = calmer
        else:
            decision = in_good_time(decision, link, now)
            decision = within_budget(braked(decision, link), link, policy.tenant.brakes, now)
            return Judged(stored, link, pictured.view, pictured.item, decision)
