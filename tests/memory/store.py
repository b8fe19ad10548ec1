"""The store in memory. Operations are atomic, with a step before and after, so that a crash can fall on either side."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from pydantic import JsonValue

from events.commands import Cause
from events.content import Timed, When
from events.failures import Malformed
from events.integration import (
    LEFT,
    Assignee,
    Busy,
    ConnectWish,
    DeletionWish,
    Integration,
    Lease,
    Lost,
    Note,
    Released,
    ReleaseResult,
    SettingsWish,
    Signals,
    Status,
    Taken,
    TakeResult,
    Unknown,
    Wanted,
)
from events.journal import Entry, Mark, Which
from events.link import (
    ALIVE,
    REFUSALS,
    ItemKey,
    Link,
    LinkState,
    ManagedEvent,
    Observed,
    PsaSeen,
    Standing,
    Tally,
    Verdict,
    bare_reference,
    standing_of,
)
from events.orders import Order
from events.reasons import Reason
from events.runs import FAILING, Run, Totals
from tests.memory.steps import MemoryClock, Stepper
from worker.core.brakes import is_inbound


@dataclass
class _Row:
    integration: Integration
    owner: str | None = None
    fence: int = 0
    until: datetime | None = None
    rerun: bool = False


class MemoryIntegrations:
    """See `adapters.mongodb.integrations.Integrations`."""

    def __init__(self, step: Stepper, clock: MemoryClock) -> None:
        self._step = step
        self._clock = clock
        self.rows: dict[str, _Row] = {}
        self.marks: dict[str, int] = {}
        """Of what was erased: the revision of its deletion."""
        self.events: set[str] = set()
        """Events about people that were carried out."""

    # Intake

    async def want_connect(self, whose: Assignee, wish: ConnectWish, due_at: datetime) -> bool:
        def newer(wanted: Wanted) -> Wanted | None:
            known = wanted.connect.revision if wanted.connect else -1
            return replace(wanted, connect=wish) if wish.revision > known else None

        return await self._want(whose, due_at, newer)

    async def want_settings(self, whose: Assignee, wish: SettingsWish, due_at: datetime) -> bool:
        def newer(wanted: Wanted) -> Wanted | None:
            known = wanted.settings.revision if wanted.settings else -1
            return replace(wanted, settings=wish) if wish.revision > known else None

        return await self._want(whose, due_at, newer)

    async def want_active(self, whose: Assignee, revision: int, due_at: datetime, *, active: bool) -> bool:
        def newer(wanted: Wanted) -> Wanted | None:
            later = revision > wanted.active_revision
            return replace(wanted, active=active, active_revision=revision) if later else None

        return await self._want(whose, due_at, newer)

    async def want_calendars(self, whose: Assignee, revision: int, due_at: datetime) -> bool:
        def newer(wanted: Wanted) -> Wanted | None:
            return (
                replace(wanted, list_calendars_revision=revision) if revision > wanted.list_calendars_revision else None
            )

        return await self._want(whose, due_at, newer, epoch=0)

    async def _want(
        self, whose: Assignee, due_at: datetime, newer: Callable[[Wanted], Wanted | None], *, epoch: int = 1
    ) -> bool:
        await self._step("want")
        row = self.rows.get(whose.integration_id)
        if row is None and whose.integration_id in self.marks:
            return False
        if row is None:
            fresh = Integration(whose.integration_id, whose.tenant_id, whose.user_id, epoch=0)
            row = self.rows[whose.integration_id] = _Row(fresh)
        if (row.integration.tenant_id, row.integration.user_id) != (whose.tenant_id, whose.user_id):
            raise Malformed(Reason.BREAKS_SCHEMA, "integration_id belongs to another tenant or user")
        wanted = newer(row.integration.wanted)
        if wanted is not None:
            row.integration = replace(
                row.integration,
                wanted=wanted,
                epoch=row.integration.epoch + epoch,
                due_at=_min(row.integration.due_at, due_at),
            )
            row.rerun = True
        await self._step("wanted")
        return wanted is not None

    async def want_deletion(self, whose: Assignee, wish: DeletionWish, due_at: datetime) -> bool:
        def newer(wanted: Wanted) -> Wanted | None:
            known = wanted.deletion
            if known is None or not known.erase:
                newest = known is None or wish.revision > known.revision
                return replace(wanted, deletion=wish) if newest else None
            removes = known.remove_events or wish.remove_events
            both = replace(known, revision=wish.revision, remove_events=removes)
            return replace(wanted, deletion=both) if wish.revision > known.revision else None

        return await self._want(whose, due_at, newer)

    async def erased(self, integration_id: str) -> int | None:
        await self._step("is erased")
        return self.marks.get(integration_id)

    async def want_leaving(self, tenant_id: int, user_id: int | None, wish: DeletionWish, due_at: datetime) -> int:
        await self._step("want leaving")
        leaving = [
            row
            for row in self.rows.values()
            if row.integration.tenant_id == tenant_id
            and user_id in {None, row.integration.user_id}
            and row.integration.wanted.deletion is None
        ]
        for row in leaving:
            one = row.integration
            due = _min(one.due_at, due_at)
            row.integration = replace(one, wanted=replace(one.wanted, deletion=wish), epoch=one.epoch + 1, due_at=due)
            row.rerun = True
        await self._step("wanted leaving")
        return len(leaving)

    async def want_erasing(self, tenant_id: int, user_id: int, due_at: datetime) -> int:
        await self._step("want erasing")
        concerned = [
            row
            for row in self.rows.values()
            if (row.integration.tenant_id, row.integration.user_id) == (tenant_id, user_id)
            and not (row.integration.wanted.deletion and row.integration.wanted.deletion.erase)
        ]
        for row in concerned:
            one = row.integration
            wanted = replace(one.wanted, deletion=replace(one.wanted.deletion or DeletionWish(LEFT), erase=True))
            row.integration = replace(one, wanted=wanted, epoch=one.epoch + 1, due_at=_min(one.due_at, due_at))
            row.rerun = True
        await self._step("wanted erasing")
        return len(concerned)

    async def heard(self, event: str) -> bool:
        await self._step("heard")
        return event in self.events

    async def remember(self, event: str, until: datetime) -> None:
        del until
        await self._step("remember")
        self.events.add(event)
        await self._step("remembered")

    async def of_user(self, tenant_id: int, user_id: int) -> list[Assignee]:
        await self._step("of user")
        rows = [row.integration for row in self.rows.values()]
        return [
            Assignee(one.id, tenant_id, user_id) for one in rows if (one.tenant_id, one.user_id) == (tenant_id, user_id)
        ]

    async def expect(self, whose: Assignee, due_at: datetime) -> None:
        await self._want(whose, due_at, lambda wanted: wanted, epoch=0)

    async def tenants(self, ids: Sequence[int]) -> frozenset[int]:
        await self._step("tenants")
        return frozenset(row.integration.tenant_id for row in self.rows.values()) & frozenset(ids)

    async def assignees(self, users: Sequence[tuple[int, int]]) -> list[Assignee]:
        await self._step("assignees")
        return [
            Assignee(row.integration.id, row.integration.tenant_id, row.integration.user_id)
            for row in self.rows.values()
            if (row.integration.tenant_id, row.integration.user_id) in set(users)
            and row.integration.wanted.deletion is None
        ]

    async def mark_due(self, integration_ids: Sequence[str], due_at: datetime) -> None:
        await self._step("mark due")
        for id_ in integration_ids:
            if row := self.rows.get(id_):
                row.integration = replace(row.integration, due_at=_min(row.integration.due_at, due_at))
                row.rerun = True
        await self._step("marked due")

    async def note_change(self, integration_id: str, changes_since: datetime | None, due_at: datetime) -> bool:
        await self._step("note change")
        row = self.rows.get(integration_id)
        if row is None:
            return False
        signals = row.integration.signals
        since = _min(signals.changes_since, changes_since) if changes_since else signals.changes_since
        signals = replace(signals, requested=signals.requested + 1, changes_since=since)
        row.integration = replace(row.integration, signals=signals, due_at=_min(row.integration.due_at, due_at))
        row.rerun = True
        await self._step("noted change")
        return True

    async def note_profile(self, integration_id: str, due_at: datetime) -> bool:
        await self._step("note profile")
        row = self.rows.get(integration_id)
        if row is None:
            return False
        signals = replace(row.integration.signals, profile_check=row.integration.signals.profile_check + 1)
        row.integration = replace(row.integration, signals=signals, due_at=_min(row.integration.due_at, due_at))
        row.rerun = True
        await self._step("noted profile")
        return True

    # The lease

    async def take(self, integration_id: str, owner: str, length: timedelta) -> TakeResult:
        await self._step("take")
        row = self.rows.get(integration_id)
        if row is None:
            return Unknown()
        now = self._clock.now()
        if row.until is not None and row.until > now and row.owner != owner:
            row.rerun = True
            row.integration = replace(row.integration, due_at=_min(row.integration.due_at, row.until))
            await self._step("marked busy")
            return Busy()
        row.owner, row.fence, row.until, row.rerun = owner, row.fence + 1, now + length, False
        row.integration = replace(row.integration, due_at=row.until)
        taken = self._taken(row)
        await self._step("taken")
        return taken

    def _taken(self, row: _Row) -> Taken:
        assert row.until is not None
        assert row.owner is not None
        left = (row.until - self._clock.now()).total_seconds()
        deadline = self._clock.monotonic() + left
        return Taken(Lease(row.integration.id, row.owner, row.fence, row.integration.epoch, deadline), _shown(row))

    def _mine(self, lease: Lease) -> _Row | None:
        row = self.rows.get(lease.integration_id)
        return row if row and (row.fence, row.owner) == (lease.fence, lease.owner) else None

    async def extend(self, lease: Lease, length: timedelta) -> Taken | Lost:
        await self._step("extend")
        row = self._mine(lease)
        if row is None:
            return Lost()
        row.until = self._clock.now() + length
        return self._taken(row)

    async def current(self, lease: Lease) -> Signals | None:
        await self._step("current")
        row = self._mine(lease)
        return row.integration.signals if row is not None and row.integration.epoch == lease.epoch else None

    async def save(self, lease: Lease, note: Note) -> bool:
        if note.says_nothing:
            return True
        await self._step("save held")
        row = self._mine(lease)
        if row is None:
            return False
        _write_down(row, note)
        await self._step("saved held")
        return True

    async def release(self, lease: Lease, note: Note, due_at: datetime | None, length: timedelta) -> ReleaseResult:
        await self._step("release")
        row = self._mine(lease)
        if row is None:
            return Lost()
        _write_down(row, note)
        if row.rerun:
            row.rerun = False
            row.until = self._clock.now() + length
            return self._taken(row)
        row.owner = row.until = None
        row.integration = replace(row.integration, due_at=due_at)
        await self._step("released")
        return Released()

    async def give_way(self, lease: Lease, note: Note, due_at: datetime) -> Released | Lost:
        await self._step("give way")
        row = self._mine(lease)
        if row is None:
            return Lost()
        _write_down(row, note)
        row.owner = row.until = None
        row.rerun = False
        row.integration = replace(row.integration, due_at=due_at)
        await self._step("gave way")
        return Released()

    async def abandon(self, integration_id: str, owner: str) -> bool:
        await self._step("abandon")
        row = self.rows.get(integration_id)
        if row is None or row.owner != owner:
            return False
        due_at = self._clock.now() if row.rerun else row.integration.due_at
        row.integration = replace(row.integration, due_at=due_at)
        row.owner = row.until = None
        row.rerun = False
        await self._step("abandoned")
        return True

    async def uses_account(self, sub: str, except_id: str) -> bool:
        await self._step("uses account")
        others = [row.integration for id_, row in self.rows.items() if id_ != except_id]
        accounts = [
            account
            for one in others
            if one.wanted.deletion is None
            for account in (one.held.account, one.held.offered.account if one.held.offered else None)
        ]
        return any(account is not None and account.sub == sub for account in accounts)

    async def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[str]:
        await self._step("claim due")
        free = [row for row in self.rows.values() if row.until is None or row.until <= self._clock.now()]
        waiting = [(row.integration.due_at, row) for row in free if row.integration.due_at is not None]
        due = [row for at, row in sorted(waiting, key=itemgetter(0)) if at <= now][:limit]
        for row in due:
            row.integration = replace(row.integration, due_at=again_at)
        await self._step("claimed due")
        return [row.integration.id for row in due]

    async def rouse(self, now: datetime) -> int:
        await self._step("rouse")
        forgotten = [row for row in self.rows.values() if _is_forgotten(row.integration)]
        for row in forgotten:
            row.integration = replace(row.integration, due_at=now)
        return len(forgotten)

    async def get(self, integration_id: str) -> Integration | None:
        row = self.rows.get(integration_id)
        return _shown(row) if row else None

    # For tests

    def put(self, integration: Integration) -> None:
        """Put an integration that is set up already."""
        self.rows[integration.id] = _Row(integration)

    def erase(self, lease: Lease, revision: int) -> None:
        """Forget an integration, unless a later deletion is wanted; but not that it was erased."""
        row = self._mine(lease)
        deletion = row.integration.wanted.deletion if row else None
        if deletion is not None and deletion.revision == revision:
            del self.rows[lease.integration_id]

    def leased(self, integration_id: str) -> bool:
        """Whether somebody works on it."""
        row = self.rows[integration_id]
        return row.until is not None and row.until > self._clock.now()


def _write_down(row: _Row, note: Note) -> None:
    """Store what differs; hints that came later stay."""
    changed = {
        name: getattr(note.after, name)
        for name in note.after.__dataclass_fields__
        if getattr(note.after, name) != getattr(note.before, name)
    }
    row.integration = replace(row.integration, held=replace(row.integration.held, **changed))
    if note.served is None:
        return
    signals = row.integration.signals
    since = signals.changes_since if signals.requested > note.served.requested else None
    served = {"served": note.served.requested, "profile_checked": note.served.profile_check}
    row.integration = replace(row.integration, signals=replace(signals, changes_since=since, **served))


def _shown(row: _Row) -> Integration:
    """Return an integration as its readers see it: without a code that was used."""
    wanted, held = row.integration.wanted, row.integration.held
    if wanted.connect is None or wanted.connect.revision > held.connected_revision:
        return row.integration
    return replace(row.integration, wanted=replace(wanted, connect=replace(wanted.connect, code="")))


def _min(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


class MemoryLinks:
    """See `adapters.mongodb.links.Links`."""

    def __init__(self, step: Stepper, clock: MemoryClock) -> None:
        self._step = step
        self._clock = clock
        self.links: dict[str, Link] = {}
        self.fences: dict[str, int] = {}
        self._deleted: dict[ItemKey, int] = {}

    async def of_items(self, items: Sequence[ItemKey], references: Sequence[tuple[int, str]]) -> list[Standing]:
        await self._step("links of items")
        named = set(references)
        return [
            standing_of(link)
            for link in self.links.values()
            if link.reason is not Reason.DELETED
            and (link.item in items or (link.tenant_id, bare_reference(link.reference)) in named)
        ]

    async def held_back(self, integration_id: str, inbound: bool | None, limit: int) -> list[Link]:
        await self._step("held back")
        held = [link for link in self._of(integration_id) if link.state is LinkState.QUARANTINED]
        return [link for link in held if inbound in {None, is_inbound(link)}][:limit]

    async def frozen(self, integration_id: str) -> list[Link]:
        await self._step("frozen")
        return [link for link in self._of(integration_id) if link.frozen]

    def _of(self, integration_id: str) -> list[Link]:
        mine = [link for link in self.links.values() if link.integration_id == integration_id]
        return sorted(mine, key=lambda link: link.id)

    async def whereabouts(self, integration_id: str) -> dict[str, When]:
        await self._step("whereabouts")
        seen = [(link.id, link.calendar_seen) for link in self._of(integration_id)]
        return {id_: one.content.when for id_, one in seen if one and one.content}

    async def items_whereabouts(self, integration_id: str) -> dict[str, When]:
        await self._step("items' whereabouts")
        return {
            link.id: link.psa_base.when
            for link in self._of(integration_id)
            if link.state in ALIVE and link.item and link.psa_base
            if link.psa_seen and link.psa_seen.item is not None and link.psa_seen.assigned
        }

    async def tally(self, integration_id: str, since: datetime) -> Tally:
        await self._step("tally")
        mine = self._of(integration_id)
        lately = [link.ending.verdict for link in mine if link.ending and link.ending.at >= since]
        alive = sum(1 for link in mine if link.state in ALIVE)
        return Tally(lately.count(Verdict.PASSED), lately.count(Verdict.HELD), alive)

    async def observe(self, seen: Sequence[Observed], now: datetime) -> None:
        for observed in seen:
            await self._step("observe")
            link = self.links.get(observed.link_id)
            if link is None:
                if observed.fresh is not None:
                    self.links[observed.link_id] = observed.fresh
                    self.fences[observed.link_id] = 0
            elif _stands_for(link, observed) and _newer(link.psa_seen, observed.seen):
                self.links[link.id] = replace(link, psa_seen=observed.seen, due_at=now)
        await self._step("observed")

    async def remember_deleted(self, items: Mapping[ItemKey, int], now: datetime) -> None:
        del now
        await self._step("remember deleted")
        for key, revision in items.items():
            self._deleted[key] = max(revision, self._deleted.get(key, revision))

    async def deleted(self, items: Sequence[ItemKey]) -> dict[ItemKey, int]:
        await self._step("deleted items")
        return {key: self._deleted[key] for key in items if key in self._deleted}

    async def due(self, integration_id: str, now: datetime, limit: int) -> list[Link]:
        await self._step("due links")
        due = [
            link
            for link in self.links.values()
            if link.integration_id == integration_id and link.due_at is not None and link.due_at <= now
        ]
        return sorted(due, key=lambda link: (link.due_at, link.id))[:limit]

    async def series_ahead(self, integration_id: str, names: Sequence[str], now: datetime) -> dict[str, int]:
        await self._step("series ahead")
        seen = [link.calendar_seen for link in self.links.values() if link.integration_id == integration_id]
        ahead = [
            one.series
            for one in seen
            if one and one.series in names and not one.kept_out and one.content and _is_ahead(one.content.when, now)
        ]
        return dict(Counter(ahead))

    async def read_anew(self, integration_id: str, now: datetime) -> int:
        await self._step("read anew")
        concerned = [
            link
            for link in self._of(integration_id)
            if link.item and link.psa_seen and not link.psa_seen.deleted and link.state is not LinkState.BURIED
        ]
        for link in concerned:
            assert link.psa_seen is not None
            self.links[link.id] = replace(link, psa_seen=replace(link.psa_seen, item=None), due_at=now)
        await self._step("read anew")
        return len(concerned)

    async def all_due(self, integration_id: str, now: datetime) -> None:
        await self._step("all due")
        for link in list(self.links.values()):
            turned_down = link.state is LinkState.BLOCKED and link.reason in REFUSALS
            rests = link.due_at is None and link.state is not LinkState.BURIED and not turned_down
            if link.integration_id == integration_id and rests:
                self.links[link.id] = replace(link, due_at=now)
        await self._step("all were due")

    async def look_again(self, integration_id: str, link_id: str, now: datetime) -> int | None:
        await self._step("look again")
        link = self.links.get(link_id)
        if link is None or link.integration_id != integration_id:
            return None
        self.links[link_id] = replace(link, due_at=now, replayed=True)
        return link.version

    async def copies(self, integration_id: str) -> dict[str, int]:
        await self._step("copies")
        return Counter(
            link.item.item_type.value
            for link in self.links.values()
            if link.integration_id == integration_id
            and isinstance(link.event, ManagedEvent)
            and link.calendar_base
            and link.item
        )

    async def page(self, integration_id: str, after: str, limit: int) -> list[Link]:
        await self._step("page of links")
        mine = [link for link in self.links.values() if link.integration_id == integration_id and link.id > after]
        return sorted(mine, key=lambda link: link.id)[:limit]

    async def next_due(self, integration_id: str) -> datetime | None:
        await self._step("next due")
        due = [link.due_at for link in self.links.values() if link.integration_id == integration_id and link.due_at]
        return min(due, default=None)

    async def by_ids(self, ids: Sequence[str]) -> dict[str, Link]:
        await self._step("links by ids")
        return {id_: self.links[id_] for id_ in ids if id_ in self.links}

    async def seen_before(self, digests: Mapping[str, str]) -> frozenset[str]:
        await self._step("seen before")
        return frozenset(
            id_
            for id_, digest in digests.items()
            if digest
            and (link := self.links.get(id_))
            and not link.calendar_asks
            and link.calendar_seen
            and link.calendar_seen.digest == digest
        )

    async def owners(self, integration_id: str, items: Sequence[ItemKey]) -> list[Link]:
        await self._step("owners")
        if not items:
            return []
        return [
            link
            for link in self.links.values()
            if link.integration_id == integration_id
            and (link.item in items or any(ask.revision == -1 for ask in link.psa_asks))
        ]

    async def save(self, lease: Lease, changes: Sequence[tuple[Link, Link]]) -> frozenset[str]:
        refused: set[str] = set()
        for before, after in changes:
            await self._step("save link")
            stored = self.links.get(before.id)
            if stored is None or stored.version != before.version or self.fences[before.id] > lease.fence:
                refused.add(before.id)
                continue
            self.links[before.id] = _merged(stored, before, after)
            self.fences[before.id] = lease.fence
        if changes:
            await self._step("saved links")
        return frozenset(refused)

    async def add(self, lease: Lease, links: Sequence[Link]) -> frozenset[str]:
        there: set[str] = set()
        for link in links:
            await self._step("add link")
            if link.id in self.links:
                there.add(link.id)
            else:
                self.links[link.id] = link
                self.fences[link.id] = lease.fence
        return frozenset(there)

    async def run_totals(self, integration_id: str, run_id: str) -> Totals:
        await self._step("run totals")
        counts: Counter[str] = Counter()
        for link in self.links.values():
            if link.integration_id == integration_id and link.run and link.run.run_id == run_id:
                counts[link.run.result or ("failing" if link.attempts >= FAILING else "pending")] += 1
        return Totals(**counts)

    async def hasten(self, integration_id: str, run_id: str, due_at: datetime) -> None:
        await self._step("hasten")
        for link in list(self.links.values()):
            mine = link.integration_id == integration_id and link.run and link.run.run_id == run_id
            if mine and link.run and link.run.result is None and link.due_at and link.due_at > due_at:
                self.links[link.id] = replace(link, due_at=due_at)
        await self._step("hastened")


class MemoryRuns:
    """See `adapters.mongodb.runs.Runs`."""

    def __init__(self, step: Stepper) -> None:
        self._step = step
        self.runs: dict[str, Run] = {}
        self.fences: dict[str, int] = {}

    async def begin(self, lease: Lease, run: Run) -> Run:
        await self._step("begin run")
        if run.id not in self.runs:
            self.runs[run.id], self.fences[run.id] = run, lease.fence
        await self._step("run begun")
        return self.runs[run.id]

    async def get(self, run_id: str) -> Run | None:
        await self._step("get run")
        return self.runs.get(run_id)

    async def under_way(self, integration_id: str) -> Run | None:
        await self._step("run under way")
        mine = [run for run in self.runs.values() if run.integration_id == integration_id and not run.over]
        return min(mine, key=lambda run: (run.started_at, run.id), default=None)

    async def latest(self, integration_id: str) -> Run | None:
        await self._step("latest run")
        mine = [run for run in self.runs.values() if run.integration_id == integration_id]
        return max(mine, key=lambda run: (run.started_at, run.id), default=None)

    async def save(self, lease: Lease, before: Run, after: Run) -> Run | None:
        await self._step("save run")
        stored = self.runs.get(before.id)
        if stored is None or stored.version != before.version or self.fences[before.id] > lease.fence:
            return None
        self.runs[before.id], self.fences[before.id] = replace(after, version=before.version + 1), lease.fence
        await self._step("saved run")
        return self.runs[before.id]


def _stands_for(link: Link, observed: Observed) -> bool:
    if link.reason is Reason.DELETED:
        return False
    creating = link.item is None and observed.made_in is not None and link.generation == observed.made_in
    return link.item == observed.item or creating


def _newer(known: PsaSeen | None, seen: PsaSeen) -> bool:
    if known is None or seen.revision > known.revision:
        return True
    return seen.revision == known.revision and known.item is None and not known.deleted and seen.item is not None


def _merged(stored: Link, before: Link, after: Link) -> Link:
    replayed = stored.replayed if after.replayed == before.replayed else after.replayed
    saved = replace(after, version=before.version + 1, replayed=replayed)
    if after.item != before.item and before.item is not None:
        return saved
    if _overtakes(stored.psa_seen, before.psa_seen) and _overtakes(stored.psa_seen, after.psa_seen):
        return replace(saved, psa_seen=stored.psa_seen, due_at=stored.due_at)
    return saved


def _overtakes(stored: PsaSeen | None, seen: PsaSeen | None) -> bool:
    """Whether the stored observation is newer, or has the content that the other one lacks."""
    if stored is None or seen is None:
        return stored is not None
    filled = stored.item is not None and seen.item is None and not seen.deleted
    return stored.revision > seen.revision or (stored.revision == seen.revision and filled)


class MemoryOrders:
    """See `adapters.mongodb.orders.Orders`."""

    def __init__(self, step: Stepper) -> None:
        self._step = step
        self.orders: dict[str, Order] = {}
        self.closed: dict[str, int] = {}
        """Those that are closed, with the fence of whoever did it."""

    async def place(self, order: Order) -> bool:
        await self._step("place order")
        new = order.id not in self.orders
        self.orders.setdefault(order.id, order)
        await self._step("placed order")
        return new

    async def open(self, integration_id: str) -> list[Order]:
        await self._step("open orders")
        mine = [order for order in self.orders.values() if order.integration_id == integration_id]
        return sorted((o for o in mine if o.id not in self.closed), key=lambda order: (order.revision, order.id))

    async def close(self, lease: Lease, order: Order) -> bool:
        await self._step("close order")
        if order.id not in self.orders or self.closed.get(order.id, 0) > lease.fence:
            return False
        self.closed[order.id] = lease.fence
        await self._step("closed order")
        return True


@dataclass
class MemoryJournal:
    """See `adapters.mongodb.journal.Journal`."""

    step: Stepper
    entries: dict[str, Entry] = field(default_factory=dict)

    async def write(self, entries: Sequence[Entry]) -> int:
        new = 0
        for entry in entries:
            await self.step("write entry")
            new += entry.id not in self.entries
            self.entries.setdefault(entry.id, entry)
        return new

    async def redact(self, integration_id: str, link_ids: Sequence[str]) -> None:
        await self.step("redact")
        for entry in list(self.entries.values()):
            if entry.integration_id == integration_id and entry.link_id in link_ids:
                blank = tuple((name, "") for name, _ in entry.lost)
                self.entries[entry.id] = replace(entry, title=None, lost=blank, hidden=True)
        await self.step("redacted")

    async def keep_anew(self, integration_id: str, tenant_id: int, now: datetime) -> None:
        del integration_id, tenant_id, now  # time to live is the server's
        await self.step("keep anew")

    async def find(self, entry_id: str) -> Entry | None:
        await self.step("find entry")
        return self.entries.get(entry_id)

    async def mark(self, entry_id: str) -> Mark | None:
        await self.step("find place")
        found = self.entries.get(entry_id)
        return None if found is None else Mark(found.at, found.id)

    async def page(self, which: Which, before: Mark | None, limit: int) -> list[Entry]:
        await self.step("read log")
        newest = sorted(self.entries.values(), key=lambda entry: (entry.at, entry.id), reverse=True)
        behind = [one for one in newest if before is None or (one.at, one.id) < (before.at, before.id)]
        return [one for one in behind if _is_meant(one, which)][:limit]


def _is_meant(entry: Entry, which: Which) -> bool:
    item = entry.item and (entry.item.item_type, entry.item.item_id, entry.item.part_id)
    return (
        which.integration_id in {"", entry.integration_id}
        and which.item in {None, item}
        and which.tenant_id in {None, entry.tenant_id}
        and which.run_id in {"", entry.run_id}
        and which.result in {None, entry.result}
        and which.direction in {None, entry.direction}
        and (not which.manual or entry.trigger is Cause.RUN)
    )


def _is_ahead(when: When, now: datetime) -> bool:
    return when.end > now if isinstance(when, Timed) else when.end.isoformat() > now.date().isoformat()


@dataclass
class MemoryLeavers:
    """See `adapters.mongodb.leavers.Leavers`. What is retired stays: its time to live is the server's."""

    step: Stepper
    integrations: MemoryIntegrations
    links: MemoryLinks
    orders: MemoryOrders
    runs: MemoryRuns
    journal: MemoryJournal

    async def retire(self, lease: Lease, until: datetime) -> None:
        del lease, until
        await self.step("retire")

    async def erase(self, lease: Lease, revision: int, now: datetime, forgotten_at: datetime) -> None:
        del now, forgotten_at
        await self.step("erase")
        self.integrations.marks[lease.integration_id] = revision
        await self._empty(lease.integration_id)
        self.integrations.erase(lease, revision)
        await self.step("erased")

    async def erase_late(self, integration_id: str, now: datetime) -> None:
        del now
        await self.step("erase late")
        if integration_id in self.integrations.marks:
            await self._empty(integration_id)

    async def _empty(self, integration_id: str) -> None:
        for kept in self._kept():
            await self.step("empty")
            for id_ in [id_ for id_, one in kept.items() if one.integration_id == integration_id]:
                del kept[id_]

    def _kept(self) -> list[dict[str, Any]]:
        return [self.links.links, self.journal.entries, self.orders.orders, self.runs.runs]

    async def told(self, integration_id: str) -> AsyncIterator[list[Mapping[str, JsonValue]]]:
        await self.step("tell")
        if row := self.integrations.rows.get(integration_id):
            yield [{"record": "integration", "id": integration_id, "told": repr(_blank(row.integration))}]
        for kind, kept in zip(("link", "log", "order", "run"), self._kept(), strict=True):
            await self.step("tell more")
            mine = [(id_, one) for id_, one in kept.items() if one.integration_id == integration_id]
            if mine:
                yield [{"record": kind, "id": id_, "told": repr(one)} for id_, one in mine]


def _blank(integration: Integration) -> Integration:
    """Return an integration without its secrets."""
    wanted, held = integration.wanted, integration.held
    connect = None if wanted.connect is None else replace(wanted.connect, code="")
    return replace(
        integration,
        wanted=replace(wanted, connect=connect),
        held=replace(held, tokens=None, offered=None, retired=()),
    )


def _is_forgotten(one: Integration) -> bool:
    """Whether an integration works and nothing of it is due."""
    wanted = one.wanted
    works = one.held.status is Status.CONNECTED and wanted.active and wanted.settings and not wanted.deletion
    return bool(works) and one.due_at is None
