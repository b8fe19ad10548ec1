"""Recognising by names what nobody remembers: another integration made it, or an older store was restored.

Of an appointment that we made of its user's own event the reference names user, calendar and event. It is given back to
that event, whichever of the two is heard of first, and never gets an event of ours beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from events.items import Appointment
from events.link import (
    CalendarSeen,
    ExternalEvent,
    Link,
    LinkState,
    bare_reference,
    external_reference,
    may_name,
)
from events.reasons import Reason
from events.values import replace
from worker.core import audits, record
from worker.core.plan import Decision, PutEvent, Rest
from worker.projection.events import observe
from worker.verifying import all_shown

if TYPE_CHECKING:
    from datetime import datetime

    from events.platform import ItemNow
    from worker.judging import Judged
    from worker.slice import Slice
    from worker.verifying import Shown


_GENERATIONS: Final = 20
"""So often an appointment may have been made anew; a platform that knows still more of them makes them up."""


def is_made_of_an_event(work: Slice, one: Judged) -> bool:
    """Whether the item is an appointment that we may have made of an event of its user's, in the linked calendar."""
    reference = reference_of(one)
    return reference is not None and may_name(reference, one.link.user_id, work.policy.calendar_id)


def reference_of(one: Judged) -> str | None:
    """Return the reference under which we made this appointment of an event, whichever generation it is."""
    reference = one.item.external_reference if isinstance(one.item, Appointment) else None
    return bare_reference(reference) if reference is not None else None


async def reunited(work: Slice, strays: Sequence[Judged]) -> list[tuple[Link, Link]]:
    """Give appointments back to the user's own events of which they were made, where these are in the calendar.

    Returns what becomes of the links of those appointments; one that is left out is to get an event of ours, because
    its own is gone.
    """
    if not strays:
        return []
    if work.over:
        return [(one.stored, replace(one.link, due_at=work.now())) for one in strays]
    found = of_their_events(work, strays, await all_shown(work))
    made = await _made(work, [link for _, link in found.values()])
    returned = [(one.stored, twin_buried(one.link)) for id_, (one, _) in found.items() if id_ in made]
    known = {one.link.id for one, _ in found.values()}
    # Of what is not shown because of its time nobody can tell whether it is there.
    unseen = [one for one in strays if one.link.id not in known and not _is_in_sight(work, one)]
    return returned + [(one.stored, _out_of_sight(one)) for one in unseen]


def of_their_events(work: Slice, strays: Sequence[Judged], shown: Shown) -> dict[str, tuple[Judged, Link]]:
    """Return for those appointments whose own events are shown the link of the two, by its id."""
    by_reference = {reference_of(one): one for one in strays}
    found: dict[str, tuple[Judged, Link]] = {}
    for key, event in shown.items():
        if not isinstance(key, ExternalEvent) or key.calendar_id != work.policy.calendar_id:
            continue
        one = by_reference.get(external_reference(strays[0].link.user_id, key))
        seen = observe(event, work.policy.tenant.private_inbound)
        if one is not None and seen is not None and not seen.deleted:
            link = _of_its_own_event(one.link, key, seen, work.now())
            found[link.id] = one, link
    return found


def _of_its_own_event(link: Link, event: ExternalEvent, seen: CalendarSeen, now: datetime) -> Link:
    return replace(record.at_event(link, event, now), calendar_seen=seen, reason=Reason.ADOPTED, run=link.run)


async def _made(work: Slice, fresh: Sequence[Link]) -> set[str]:
    """Store links; one takes the place of another that stands for nothing. Returns the ids of those that are stored."""
    links, lease = work.tools.links, work.holding.lease
    there = await links.by_ids(list(await links.add(lease, fresh)))
    pairs = [(known, replace(link, version=known.version)) for link in fresh if (known := there.get(link.id))]
    free = [(known, link) for known, link in pairs if known.item is None]
    refused = await links.save(lease, free)
    return ({link.id for link in fresh} - there.keys()) | ({link.id for _, link in free} - refused)


def _is_in_sight(work: Slice, one: Judged) -> bool:
    """Whether the calendar service shows events of that time, so that one that is not shown is not there."""
    assert isinstance(one.decision.action, PutEvent)
    now = work.now()
    return audits.is_within(one.decision.action.content.when, now - audits.PAST, now + audits.FUTURE)


def _out_of_sight(one: Judged) -> Link:
    return record.concluded(one.link, Decision(Rest(), Reason.OUT_OF_WINDOW), one.psa)


def twin_buried(link: Link) -> Link:
    """Return how a link ends whose item belongs to another one."""
    return replace(link, item=None, psa_seen=None, state=LinkState.BURIED, reason=Reason.ECHO, due_at=None, run=None)


async def appointment_of(work: Slice, link: Link) -> tuple[Link, ItemNow] | None:
    """Return the appointment that was made of an event, if its user has one that is not deleted.

    It is the first of the link's generations that is there still.
    """
    for _ in range(_GENERATIONS):
        found = await work.tools.platform.find(link.tenant_id, link.reference)
        if found is None:
            return None
        if not found.deleted and link.user_id in found.assignees:
            return link, found
        link = replace(link, generation=link.generation + 1)
    return None
