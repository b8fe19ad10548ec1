"""Intake of item-changed events, in batches.

One event concerns every assignee with an integration, and everybody who has a link to the item and is no longer
assigned. Most events concern nobody: they cost their share of two queries and are only counted.

Events come in any order, to several replicas at once. An observation is guarded by its revision where there is a link;
where one is made, the store is looked at once more afterwards, so that of two replicas at least one sees both events.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from events.integration import Assignee
from events.link import (
    ItemKey,
    Link,
    LinkState,
    ManagedEvent,
    Observed,
    Origin,
    PsaSeen,
    Standing,
    bare_reference,
    link_id,
    managed_event_id,
)
from events.psa import AppointmentChanged, ItemChange, ItemChanged
from events.reasons import Reason
from events.values import replace

if TYPE_CHECKING:
    from datetime import datetime

    from worker.ports import Observations, Together, Wishes

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

Wakes = dict[str, str]
"""Integrations to wake, each with the id of the event that made us."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch. `nobody`: events that concern no integration; `old`: nothing new in them."""

    wakes: Wakes
    nobody: int
    old: int


@dataclass(slots=True)
class _Plan:
    """What to store, and whom to wake for which item."""

    now: datetime
    changes: dict[ItemKey, ItemChange]
    traces: dict[ItemKey, str]
    observed: list[Observed] = field(default_factory=list[Observed])
    wake: dict[str, ItemKey] = field(default_factory=dict[str, ItemKey])
    look_again: set[ItemKey] = field(default_factory=set[ItemKey])
    """Items for which a link is made, or was by a former delivery of the same event that may have ended right then."""
    unknown_deleted: dict[ItemKey, int] = field(default_factory=dict[ItemKey, int])
    """Items that were deleted before anybody here had heard of them, with the revision."""
    nobody: int = 0
    old: int = 0


async def take_items(
    batch: Sequence[ItemChanged], wishes: Wishes, observations: Observations, together: Together, now: datetime
) -> Taken:
    """Store what a batch of events says, and return whom to wake. Raises `TryLater` if the store is away.

    The batch must not be acked before the wake-ups are sent, or their integrations marked due.
    """
    newest = _newest(batch)
    changes = {key: event.data for key, event in newest.items()}
    plan = _Plan(now, changes, {key: event.traceparent or "" for key, event in newest.items()})
    users = {(change.tenant_id, user) for change in plan.changes.values() for user in change.assignees or ()}
    found, standing = await together(wishes.assignees(sorted(users)), _standing(plan, observations))
    assignees = _grouped(found, lambda one: (one.tenant_id, one.user_id))
    for key, links in standing.items():
        change = plan.changes[key]
        mine = [one for user in set(change.assignees or ()) for one in assignees.get((key.tenant_id, user), ())]
        _plan_item(plan, key, links, mine)
    await _remember_deleted(plan, wishes, observations)
    await observations.observe(plan.observed, now)
    await _look_once_more(plan, observations)
    ids = {_key(event.data): event.id for event in batch}
    old = plan.old + len(batch) - len(plan.changes)
    return Taken({integration: ids[key] for integration, key in plan.wake.items()}, plan.nobody, old)


def _key(change: ItemChange) -> ItemKey:
    return ItemKey(change.tenant_id, change.item_type, change.item_id, change.part_id)


def _newest(batch: Iterable[ItemChanged]) -> dict[ItemKey, ItemChanged]:
    newest: dict[ItemKey, ItemChanged] = {}
    for event in batch:
        key = _key(event.data)
        known = newest.get(key)
        if known is None or _news(event) > _news(known):
            newest[key] = event
    return newest


def _news(event: ItemChanged) -> tuple[int, bool]:
    return event.data.revision, event.data.item is not None


def _reference(change: ItemChange) -> str | None:
    """Return the reference under which we may have made this appointment from an event."""
    own = change.item.external_reference if isinstance(change, AppointmentChanged) and change.item else None
    return own or change.origin.external_reference


def _grouped(values: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return groups


async def _standing(plan: _Plan, observations: Observations) -> dict[ItemKey, list[Standing]]:
    """Return for each item the links that stand for it, or are just creating it.

    An appointment is being created if this is its news, which outran the PSA's answer to the creation.
    """
    references = {key: reference for key, change in plan.changes.items() if (reference := _reference(change))}
    named = sorted({(key.tenant_id, bare_reference(reference)) for key, reference in references.items()})
    links = await observations.of_items(list(plan.changes), named)
    standing = _grouped(links, lambda link: link.item)
    creating = _grouped(standing.get(None, ()), lambda link: (link.tenant_id, link.reference))
    return {
        key: [*standing.get(key, ()), *creating.get((key.tenant_id, references.get(key, "")), ())]
        for key in plan.changes
    }


def _plan_item(plan: _Plan, key: ItemKey, links: Sequence[Standing], assignees: Sequence[Assignee]) -> None:
    change = plan.changes[key]
    users = frozenset(change.assignees or ())
    linked = {link.integration_id for link in links}
    newcomers = [one for one in assignees if one.integration_id not in linked]
    newest = max((link.revision for link in links if link.revision is not None), default=-1)
    if newest > change.revision:
        newcomers = []  # whoever heard of a newer revision knew better who is assigned
    if not links and not newcomers:
        if change.deleted and change.assignees is None:
            plan.unknown_deleted[key] = change.revision
        else:
            plan.nobody += 1
        return
    if any(link.revision == change.revision for link in links):
        plan.look_again.add(key)
    news = [link for link in links if _is_news(link, change)]
    plan.old += not news and not newcomers
    if not news and not newcomers:
        return
    seen = _seen(plan, key)
    for link in news:
        plan.wake[link.integration_id] = key
        made_in = link.generation if link.item is None else None
        plan.observed.append(Observed(link.id, key, replace(seen, assigned=link.user_id in users), made_in=made_in))
    for assignee in newcomers:
        plan.wake[assignee.integration_id] = key
        plan.look_again.add(key)
        fresh = fresh_link(assignee, key, seen, plan.now)
        plan.observed.append(Observed(fresh.id, key, seen, fresh=fresh))


def _is_news(link: Standing, change: ItemChange) -> bool:
    """Whether the link does not know this yet, or knows it and still waits for a worker to hear of it."""
    if link.revision is None or change.revision > link.revision or link.due:
        return True
    return change.revision == link.revision and link.lacks_content and change.item is not None


def _seen(plan: _Plan, key: ItemKey) -> PsaSeen:
    change = plan.changes[key]
    item = change.item.model_dump_json(by_alias=True, exclude_none=True) if change.item else None
    return PsaSeen(
        change.revision,
        change.deleted,
        assigned=True,
        item=item,
        at=plan.now,
        changed_at=change.modified_on,
        traceparent=plan.traces[key],
    )


def fresh_link(assignee: Assignee, key: ItemKey, seen: PsaSeen, now: datetime) -> Link:
    """Return the link to make of an item that a user has and that nobody has heard of."""
    # Which calendar is known to the holder of the lease only, and may change; the event's id does not.
    event = ManagedEvent("", managed_event_id(key, assignee.user_id))
    return Link(
        id=link_id(assignee.integration_id, event),
        integration_id=assignee.integration_id,
        tenant_id=assignee.tenant_id,
        user_id=assignee.user_id,
        event=event,
        origin=Origin.PSA,
        item=key,
        psa_seen=seen,
        state=LinkState.PENDING,
        reason=Reason.PSA_CREATED,
        due_at=now,
    )


# What came out of order


async def _remember_deleted(plan: _Plan, wishes: Wishes, observations: Observations) -> None:
    """Remember deletions that overtook everything else, so that an older event does not bring the item to life."""
    if not plan.unknown_deleted:
        return
    ours = await wishes.tenants(sorted({key.tenant_id for key in plan.unknown_deleted}))
    remembered = {key: revision for key, revision in plan.unknown_deleted.items() if key.tenant_id in ours}
    plan.nobody += len(plan.unknown_deleted) - len(remembered)
    plan.unknown_deleted = remembered
    await observations.remember_deleted(remembered, plan.now)


async def _look_once_more(plan: _Plan, observations: Observations) -> None:
    """Look for events about the same items that another replica took at the same moment."""
    keys = sorted(plan.look_again | plan.unknown_deleted.keys(), key=str)
    if not keys:
        return
    links = await observations.of_items(keys, [])
    deleted = await observations.deleted(keys)
    late: list[Observed] = []
    for key, standing in _grouped(links, lambda link: link.item).items():
        if key is None:
            continue
        newest = max((link.revision for link in standing if link.revision is not None), default=-1)
        for link in standing:
            newer = _newest_known(link, key, newest, deleted.get(key, -1), plan)
            if newer is not None:
                plan.wake[link.integration_id] = key
                late.append(Observed(link.id, key, newer))
    await observations.observe(late, plan.now)


def _newest_known(link: Standing, key: ItemKey, newest: int, deleted: int, plan: _Plan) -> PsaSeen | None:
    """Return what is known of an item beyond what its link knows; None if that is nothing.

    `newest`: the newest revision that any link of the item knows. `deleted`: at which it is remembered as deleted.
    """
    if link.revision is None:
        return None
    if deleted > link.revision:
        return PsaSeen(deleted, deleted=True, assigned=False, item=None, at=plan.now)
    change = plan.changes[key]
    if change.revision > link.revision and not change.deleted:
        return replace(_seen(plan, key), assigned=link.user_id in (change.assignees or ()))
    if newest <= link.revision:
        return None
    # Another user's link knows a newer revision, but not whether this user is still assigned: read it.
    return PsaSeen(newest, deleted=False, assigned=True, item=None, at=plan.now)
