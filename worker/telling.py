"""What is written into the sync log and told to the PSA platform. Pure; the ids are functions of what happened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from events.commands import Cause
from events.content import Field
from events.journal import Act, Entry, Result
from events.link import Link, LinkState, ManagedEvent, RunResult, link_id, managed_item
from events.outcomes import (
    Direction,
    ItemBlocked,
    ItemBlockedData,
    ItemConflict,
    ItemConflictData,
    ItemFrozen,
    ItemFrozenData,
    ItemSynced,
    ItemSyncedData,
    Lost,
    Outcome,
)
from events.reasons import Reason
from events.values import replace
from worker.core.plan import ChangeItem, CreateItem, Decision, DeleteItem, Overruled, PutEvent, RemoveEvent
from worker.core.rivals import rival

if TYPE_CHECKING:
    from datetime import datetime

    from events.integration import Integration

SOURCE: Final = "calsync"
_NO_CONFLICT: Final = frozenset({Reason.PSA_OWNS_FIELD, Reason.AWAITING_CONFIRMATION})
"""Values that are written over and recorded, though nobody edited against anybody."""
_INBOUND: Final = frozenset({Reason.CALENDAR_CHANGED, Reason.CALENDAR_CREATED, Reason.CALENDAR_DELETED})


@dataclass(frozen=True)
class Occasion:
    """On what occasion something is done; the same for everything in one slice."""

    at: datetime
    trigger: Cause
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A change that was shown to have arrived. `seconds`: since it was made on the other side, if that is known."""

    direction: Direction
    seconds: float | None
    trace: str


@dataclass(slots=True)
class Report:
    """What has to be told before it is saved."""

    entries: list[Entry] = field(default_factory=list[Entry])
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    synced: bool = False
    """Whether anything was synced either way."""
    confirmed: list[Confirmed] = field(default_factory=list[Confirmed])


def overruled(report: Report, link: Link, decision: Decision, occasion: Occasion) -> None:
    """Tell whose values are about to be written over. With the intention: after a crash it would look like no news."""
    if not decision.overruled:
        return
    direction, act = _course(link, decision)
    entry = _entry(link, occasion, direction, act, Result.CONFLICT, decision.reason)
    hidden = _hidden(link, decision)
    title = None if hidden else entry.title
    lost = tuple((one.field.value, "" if hidden else str(one.value)) for one in decision.overruled)
    fields = tuple(one.field.value for one in decision.overruled)
    values = _fingerprint(decision.overruled)
    entry = replace(entry, id=f"{entry.id}:{values}", title=title, lost=lost, fields=fields, hidden=hidden)
    report.entries.append(entry)
    conflicts = [one for one in decision.overruled if one.reason not in _NO_CONFLICT]
    if conflicts and link.item:
        report.outcomes.append(_conflict(link, occasion, entry, conflicts))


def _fingerprint(overruled: tuple[Overruled, ...]) -> str:
    """Name values: the same step, begun again after a crash, may find other ones, and that is told as well."""
    values = sorted((one.field.value, str(one.value)) for one in overruled)
    return hashlib.sha256(repr(values).encode(errors="replace")).hexdigest()[:12]


def written(report: Report, link: Link, decision: Decision, occasion: Occasion) -> None:
    """Tell of a write that was carried out (by the PSA) or accepted (by the calendar)."""
    direction, act = _course(link, decision)
    result = Result.ACCEPTED if direction is Direction.TO_CALENDAR else Result.DONE
    entry = _entry(link, occasion, direction, act, result, decision.reason)
    report.entries.append(replace(entry, fields=_fields(decision), title=_title_of(link, decision)))
    report.synced = report.synced or direction is Direction.FROM_CALENDAR


def concluded(report: Report, stored: Link, link: Link, occasion: Occasion) -> Entry | None:
    """Tell of a link that came to rest, if it was not resting just so before.

    Returns the log's line if from now on a person must look at it.
    """
    if (stored.state, stored.reason) == (link.state, link.reason) and not _skipped_by_run(stored, link):
        return None
    if link.state is LinkState.BLOCKED:
        return refused(report, stored, link, occasion, Direction.NONE)
    if link.state in {LinkState.SETTLED, LinkState.BURIED} and stored.state is LinkState.PENDING and _did(stored):
        inbound = bool(stored.psa_asks) or stored.reason in _INBOUND
        direction = Direction.FROM_CALENDAR if inbound else Direction.TO_CALENDAR
        told = _entry(_in_its_run(stored, link), occasion, direction, Act.CONFIRM, Result.DONE, link.reason)
        report.entries.append(told)
        if link.item:
            report.outcomes.append(_synced(link, occasion, direction))
        report.synced = True
        report.confirmed.append(Confirmed(direction, _delay(link, direction, occasion.at), link.trace))
        return None
    skipped = _entry(_in_its_run(stored, link), occasion, Direction.NONE, Act.SKIP, Result.SKIPPED, link.reason)
    report.entries.append(skipped)
    return None


def _delay(link: Link, direction: Direction, at: datetime) -> float | None:
    """For how long a change was under way that has just been confirmed; it began by the other side's clock."""
    if direction is Direction.FROM_CALENDAR:
        began = link.calendar_seen.updated if link.calendar_seen else None
    else:
        began = (link.psa_seen.changed_at or link.psa_seen.at) if link.psa_seen else None
    return max(0.0, (at - began).total_seconds()) if began else None


def _skipped_by_run(stored: Link, link: Link) -> bool:
    """Whether a run has just looked at the link and left it as it was. Its log says so for each."""
    return stored.run != link.run and link.run is not None and link.run.result is RunResult.SKIPPED


def _did(stored: Link) -> bool:
    """Whether something had been written since the link last rested."""
    return bool(stored.calendar_asks or stored.psa_asks)


def frozen(report: Report, stored: Link, link: Link, occasion: Occasion) -> None:
    """Tell of fields that were frozen since the link was stored, and of the tool that writes them too."""
    for name, freeze in link.frozen.items():
        if name in stored.frozen:
            continue
        entry = _entry(link, occasion, Direction.NONE, Act.SKIP, Result.SKIPPED, Reason.FIELD_FLIPS)
        tool = rival(_texts(link))
        words = f"also written by {tool}" if tool else ""
        report.entries.append(replace(entry, id=f"{entry.id}:{name}", fields=(name.value,), message=words))
        if link.item:
            told = {**_about(link), "field": name.value, "until": freeze.until, "tool": tool}
            data = ItemFrozenData.model_validate(told)
            envelope = _envelope(link, occasion, f"frozen:{name}")
            report.outcomes.append(ItemFrozen.model_validate({**envelope, "data": data}))


def _texts(link: Link) -> list[str]:
    contents = [link.calendar_seen.content if link.calendar_seen else None, link.calendar_base, link.psa_base]
    contents += [ask.over for ask in link.calendar_asks]
    return [text for one in contents if one for text in (one.summary, one.location, one.description)]


def _in_its_run(stored: Link, link: Link) -> Link:
    """Return the link as it was before its run was over, if that is what has just happened to it."""
    if link.run is None or link.run == stored.run:
        return link
    return replace(link, run=replace(link.run, result=None))


def refused(report: Report, before: Link, link: Link, occasion: Occasion, direction: Direction) -> Entry:
    """Tell of a refusal. Returns the log's line."""
    entry = _entry(_in_its_run(before, link), occasion, direction, Act.REJECT, Result.FAILED, link.reason)
    entry = replace(entry, message=link.message)  # the words of whoever refused belong to no other line
    report.entries.append(entry)
    if link.item:
        report.outcomes.append(_blocked(link, occasion))
    return entry


def stumbled(report: Report, link: Link, occasion: Occasion, direction: Direction) -> None:
    """Tell of an item that alone failed for a passing reason."""
    entry = _entry(link, occasion, direction, Act.SKIP, Result.RETRYING, link.reason)
    report.entries.append(replace(entry, attempt=link.attempts))


def found(
    integration: Integration,
    link: Link | None,
    occasion: Occasion,
    cause: Reason,
    direction: Direction = Direction.FROM_CALENDAR,
) -> Entry:
    """Tell of what an audit found, by its cause. `direction`: the one in which it will go."""
    if link is not None:
        return _entry(link, occasion, direction, Act.FIND, Result.DONE, cause)
    return Entry(
        id=f"{integration.id}:{cause}:{occasion.at.isoformat()}",
        at=occasion.at,
        tenant_id=integration.tenant_id,
        integration_id=integration.id,
        trigger=occasion.trigger,
        direction=Direction.NONE,
        act=Act.FIND,
        result=Result.DONE,
        reason=cause,
        correlation_id=occasion.correlation_id,
    )


def unusable(report: Report, link: Link, occasion: Occasion) -> None:
    """Tell of an event from which nothing can be learned."""
    report.entries.append(_entry(link, occasion, Direction.FROM_CALENDAR, Act.SKIP, Result.SKIPPED, Reason.NO_TIME))


def removed(report: Report, integration: Integration, event: ManagedEvent, reason: Reason, occasion: Occasion) -> None:
    """Tell of an event that was removed from a calendar which is left behind: once, however long it goes on showing."""
    about = link_id(integration.id, event)
    report.entries.append(
        Entry(
            id=f"{about}:{event.calendar_id}:{reason}:{integration.epoch}",
            at=occasion.at,
            tenant_id=integration.tenant_id,
            integration_id=integration.id,
            trigger=occasion.trigger,
            direction=Direction.TO_CALENDAR,
            act=Act.DELETE,
            result=Result.ACCEPTED,
            reason=reason,
            link_id=about,
            item=managed_item(event.event_id, integration.tenant_id, integration.user_id),
            correlation_id=occasion.correlation_id,
        )
    )


def _course(link: Link, decision: Decision) -> tuple[Direction, Act]:
    match decision.action:
        case CreateItem():
            return Direction.FROM_CALENDAR, Act.CREATE
        case ChangeItem():
            return Direction.FROM_CALENDAR, Act.UPDATE
        case DeleteItem():
            return Direction.FROM_CALENDAR, Act.DELETE
        case PutEvent():
            return Direction.TO_CALENDAR, Act.UPDATE if link.calendar_base else Act.CREATE
        case RemoveEvent():
            return Direction.TO_CALENDAR, Act.DELETE
        case _:
            return Direction.NONE, Act.SKIP


def _fields(decision: Decision) -> tuple[str, ...]:
    action = decision.action
    return tuple(sorted(action.fields)) if isinstance(action, ChangeItem | PutEvent) else ()


def _entry(link: Link, occasion: Occasion, direction: Direction, act: Act, result: Result, reason: Reason) -> Entry:
    run_id = link.run.run_id if link.run is not None and link.run.result is None else ""
    return Entry(
        id=f"{link.id}:{link.version}:{act}:{result}:{reason}",
        at=occasion.at,
        tenant_id=link.tenant_id,
        integration_id=link.integration_id,
        trigger=_trigger(link, run_id, occasion),
        direction=direction,
        act=act,
        result=result,
        reason=reason,
        link_id=link.id,
        item=link.item,
        title=_title(link),
        correlation_id=occasion.correlation_id,
        run_id=run_id,
    )


def _trigger(link: Link, run_id: str, occasion: Occasion) -> Cause:
    """Say why something is done, whichever wake-up happened to do it."""
    if run_id:
        return Cause.RUN
    return Cause.REPLAY if link.replayed else occasion.trigger


def is_private(link: Link) -> bool:
    """Whether anything that is known of an item or its event is private."""
    contents = [link.psa_base, link.calendar_base, link.calendar_seen.content if link.calendar_seen else None]
    contents += [ask.content for ask in link.calendar_asks] + [ask.content for ask in link.psa_asks]
    return any(content is not None and content.private for content in contents)


def _title(link: Link) -> str | None:
    if is_private(link):
        return None
    contents = [ask.content for ask in reversed(link.calendar_asks)] + [link.calendar_base, link.psa_base]
    contents.append(link.calendar_seen.content if link.calendar_seen else None)
    return next((content.summary for content in contents if content), None)


def _title_of(link: Link, decision: Decision) -> str | None:
    if _hidden(link, decision):
        return None
    action = decision.action
    return action.content.summary if isinstance(action, PutEvent | CreateItem | ChangeItem) else _title(link)


def _hidden(link: Link, decision: Decision) -> bool:
    """Whether texts stay untold: either side is private now, or was while something of then may still be shown."""
    action = decision.action
    written = isinstance(action, PutEvent | CreateItem | ChangeItem) and action.content.private
    lost = any(one.field is Field.PRIVATE and one.value is True for one in decision.overruled)
    return written or lost or is_private(link)


def _about(link: Link) -> dict[str, object]:
    assert link.item is not None
    return {
        "tenant_id": link.tenant_id,
        "user_id": link.user_id,
        "integration_id": link.integration_id,
        "item_type": link.item.item_type,
        "item_id": link.item.item_id,
        "part_id": link.item.part_id,
        "revision": link.psa_seen.revision if link.psa_seen else None,
    }


def _envelope(link: Link, occasion: Occasion, kind: str) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"{link.id}:{link.version}:{kind}",
        "source": SOURCE,
        "time": occasion.at,
        "subject": str(link.item),
        "traceparent": link.trace or None,
    }


def _synced(link: Link, occasion: Occasion, direction: Direction) -> ItemSynced:
    action = "delete" if link.state is LinkState.BURIED else "update"
    data = ItemSyncedData.model_validate({**_about(link), "direction": direction, "action": action})
    return ItemSynced.model_validate({**_envelope(link, occasion, "synced"), "data": data})


def _blocked(link: Link, occasion: Occasion) -> ItemBlocked:
    told = {"reason": link.reason.value, "explanation": link.reason.explanation, "message": link.message}
    data = ItemBlockedData.model_validate({**_about(link), **told})
    return ItemBlocked.model_validate({**_envelope(link, occasion, "blocked"), "data": data})


def _conflict(link: Link, occasion: Occasion, entry: Entry, conflicts: list[Overruled]) -> ItemConflict:
    kind = f"conflict:{_fingerprint(tuple(conflicts))}"
    lost = tuple(
        Lost(field=one.field.value, winner=one.winner, value=None if entry.hidden else str(one.value))
        for one in conflicts
    )
    data = ItemConflictData.model_validate({**_about(link), "conflict_id": entry.id, "lost": lost})
    return ItemConflict.model_validate({**_envelope(link, occasion, kind), "data": data})
