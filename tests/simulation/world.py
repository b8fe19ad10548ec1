"""A small world: one integration, a calendar, a PSA, two queues, and a scheduler that decides who goes next.

Everything that runs is the product's own code; only the ports are memory. Nothing here sleeps: time moves when the
scheduler says so.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import structlog

from events.calendar import Provider
from events.commands import Cause, Wake
from events.failures import TryLater
from events.integration import Audit, Held, Integration, SettingsWish, Status, Tokens, Wanted
from events.items import ItemType
from events.journal import Entry
from events.lanes import Lane
from events.link import Link
from events.outcomes import Outcome
from events.psa import Activate, Configure, Deactivate, Delete, EraseUser, ExportUser, ItemChanged
from events.reasons import Reason
from events.traces import Trace
from tests.memory.access import ACCOUNT, MemoryAccess
from tests.memory.calendar import CALENDAR_ID, MemoryCalendar, Pace
from tests.memory.platform import MemoryPlatform
from tests.memory.steps import MemoryClock, Step, Stepper, nobody_comes, one_by_one
from tests.memory.store import MemoryIntegrations, MemoryJournal, MemoryLeavers, MemoryLinks, MemoryOrders, MemoryRuns
from tests.memory.tenants import MemoryTenants
from worker.core.record import Timing
from worker.executor import Executor
from worker.holding import Holding
from worker.intake.items import take_items
from worker.intake.persons import PersonEvent, take_person
from worker.intake.wishes import WishEvent, take_wish
from worker.outages import Outages
from worker.slice import Tools
from worker.tenants import TenantCache

USER = 7
INTEGRATION = "int-1"
_IDLE = ("", "take", "marked busy")
_SOON = timedelta(minutes=30)
_LONGEST = 8_000
"""Steps after which something goes round in circles; a usual schedule takes 2,000."""


@dataclass(eq=False)
class Task:
    """A coroutine under way, and what brought it about."""

    label: str
    coroutine: Coroutine[Any, Any, object]
    message: Message | None = None
    alive: bool = True
    at: str = ""
    """The await it stands at."""


@dataclass(frozen=True)
class Message:
    """Something on a queue."""

    kind: str
    id: str
    content: object
    redelivered: bool = False


@dataclass
class Faults:
    """Chances per occasion, from 0 to 1."""

    crash: float = 0.0
    cut: float = 0.0
    twice: float = 0.0
    lost: float = 0.0
    unheard: float = 0.0
    """That an event of the PSA is lost, though it promises that none is."""
    away: float = 0.0
    """Of a call to either side: once when it arrives, once when its answer leaves."""


@dataclass
class World:
    """See the module."""

    random: Random
    faults: Faults = field(default_factory=Faults)
    pace: Pace = field(default_factory=Pace)
    timing: Timing = field(default_factory=Timing)
    workers: int = 3
    pressing: bool = False
    """Whether people and news come while somebody works, rather than at any time."""

    def __post_init__(self) -> None:
        self.step = Stepper(by_hand=True)
        self.clock = MemoryClock(self.step)
        self.calendar = MemoryCalendar(self.step, self.clock, self.random, self.pace)
        self.platform = MemoryPlatform(self.step, self.clock)
        self.integrations = MemoryIntegrations(self.step, self.clock)
        self.links = MemoryLinks(self.step, self.clock)
        self.orders = MemoryOrders(self.step)
        self.runs = MemoryRuns(self.step)
        self.journal = MemoryJournal(self.step)
        self.outcomes: list[Outcome] = []
        self.turn: Callable[[], Coroutine[Any, Any, None]] = nobody_comes
        self.on_outcome: Callable[[Outcome], None] = lambda _: None
        self.parked: list[tuple[Link, Entry]] = []
        self.tasks: list[Task] = []
        self.graveyard: list[Task] = []
        self.queue: list[Message] = []
        self.trace: list[tuple[datetime, str, Message | None, str]] = []
        self._ids = 0
        self.platform.on_change = self._item_changed
        self.calendar.on_change = self._notify
        self.platform.mishap = self.calendar.mishap = lambda: self.random.random() < self.faults.away
        self.integrations.put(_integration(self.clock.now()))
        tools = Tools(
            links=self.links,
            journal=self.journal,
            outcomes=self,
            failed_items=self,
            platform=self.platform,
            clock=self.clock,
            chance=self.random.random,
            orders=self.orders,
            portal=self,
            leavers=MemoryLeavers(self.step, self.integrations, self.links, self.orders, self.runs, self.journal),
            runs=self.runs,
            timing=self.timing,
            outages=Outages(structlog.get_logger()),
            together=one_by_one,
            turn=lambda: self.turn(),  # noqa: PLW0108 - it can be another one later
            stopping=lambda: False,
        )
        self.tenants = MemoryTenants(self.step, self.integrations)
        tenants = TenantCache(self.tenants, self.clock, timedelta(days=90))
        self.access = MemoryAccess(self.step, self.clock)
        self.executor = Executor(
            self.integrations, self, tenants, tools, lambda _: self.access, self._open_calendar, nobody_comes
        )

    def _open_calendar(self, holding: Holding, lane: Lane) -> MemoryCalendar:
        del holding, lane
        return self.calendar

    # Ports that need no class of their own

    async def publish(self, outcomes: Sequence[Outcome]) -> None:
        await self.step("publish outcomes")
        self.outcomes += outcomes
        for outcome in outcomes:
            self.on_outcome(outcome)

    async def park(self, link: Link, entry: Entry, trace: Trace) -> None:  # noqa: ARG002 - the port
        await self.step("park")
        self.parked.append((link, entry))

    async def wake(self, wakes: Sequence[Wake]) -> None:
        for wake in wakes:
            await self.step("publish wake-up")
            self.queue.append(Message("wake", self._id("wake"), wake))

    def address(self, redirect_uri: str, state: str, provider: Provider | None) -> str:
        return f"{redirect_uri}?{state}&{provider}"

    # What the two sides send

    def _id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}-{self._ids}"

    def _item_changed(self, event: ItemChanged) -> None:
        if not self.faults.unheard or self.random.random() >= self.faults.unheard:
            self._send(Message("item", self._id("item"), event), losable=False)

    def _notify(self, since: datetime) -> None:
        self._send(Message("notification", self._id("notification"), since), losable=True)

    def wish(self, wish: WishEvent | PersonEvent) -> None:
        """Let the PSA send what the user wants. It may come late, twice, and in any order, but it comes."""
        self._send(Message("wish", self._id("wish"), wish), losable=False)

    def _send(self, message: Message, *, losable: bool) -> None:
        if losable and self.random.random() < self.faults.lost:
            return
        self.queue.append(message)
        if self.random.random() < self.faults.twice:
            self.queue.append(replace(message, id=message.id + "'"))

    # Running

    def deliver(self, message: Message) -> Task:
        """Start handling a message."""
        self.queue.remove(message)
        return self.start(message.kind, self._handle(message), message)

    def start(self, label: str, coroutine: Coroutine[Any, Any, object], message: Message | None = None) -> Task:
        """Start a task; it runs when it is stepped."""
        task = Task(label, coroutine, message)
        self.tasks.append(task)
        return task

    async def _handle(self, message: Message) -> None:
        match message.content:
            case ItemChanged() as event:
                taken = await take_items([event], self.integrations, self.links, one_by_one, self.clock.now())
                await self.wake([Wake(integration_id=id_, cause=Cause.PSA_EVENT) for id_ in taken.wakes])
            case datetime() as since:
                if await self.integrations.note_change(INTEGRATION, since, self.clock.now()):
                    await self.wake([Wake(integration_id=INTEGRATION, cause=Cause.NOTIFICATION)])
            case Wake() as wake:
                await self.executor.execute(wake, message.id)
            case Configure() | Activate() | Deactivate() | Delete() as event:
                await take_wish(event, self.integrations, self.clock.now())
                await self.wake([Wake(integration_id=INTEGRATION, cause=Cause.SETTINGS)])
            case EraseUser() | ExportUser() as event:
                await take_person(event, self.integrations, self.orders, self.clock.now())
            case _:
                raise AssertionError(message)

    def sweep(self) -> None:
        """Let what is due be found."""
        self.start("sweep", self._sweep())

    async def _sweep(self) -> None:
        now = self.clock.now()
        due = await self.integrations.claim_due(now, now + timedelta(seconds=30), 10)
        await self.wake([Wake(integration_id=id_, cause=Cause.DUE) for id_ in due])

    def advance_task(self, task: Task) -> None:
        """Let a task run to its next await."""
        self.calendar.tick()
        try:
            step = task.coroutine.send(None)
        except StopIteration:
            self._ended(task)
        except TryLater:
            self._ended(task)
            self._again(task)
        else:
            assert isinstance(step, Step)
            task.at = step.label
            self.trace.append((self.clock.now(), task.label, task.message, step.label))

    def _ended(self, task: Task) -> None:
        task.alive = False
        self.tasks.remove(task)

    def _again(self, task: Task) -> None:
        if task.message is not None:
            self.queue.append(replace(task.message, redelivered=True))

    def crash(self, task: Task) -> None:
        """End a task between two instructions, as kill -9 does; its message comes back."""
        self.trace.append((self.clock.now(), "CRASH " + task.label, task.message, task.at))
        task.alive = False
        self.tasks.remove(task)
        self.graveyard.append(task)  # kept, or its coroutine would be closed and clean up after itself
        self._again(task)

    def cut(self, task: Task) -> None:
        """Cut a task off from the broker: its message comes back while it still runs."""
        if task.message is not None:
            self.trace.append((self.clock.now(), "CUT " + task.label, task.message, task.at))
            self.queue.append(replace(task.message, redelivered=True))
            task.message = None

    def story(self, lines: int = 40) -> str:
        """Tell what happened last."""
        return "\n".join(
            f"{at:%M:%S.%f} {label} {message.id if message else ''} at {step}"
            for at, label, message, step in self.trace[-lines:]
        )

    def close(self) -> None:
        """Let go of what never ended."""
        for task in self.tasks + self.graveyard:
            task.coroutine.close()

    # A random schedule

    def run(self, plan: list[Callable[[World], object]]) -> None:
        """Let everything happen in a random order: people's actions in theirs, all else as chance has it."""
        plan = list(plan)
        for _ in range(_LONGEST):
            if not plan and not self._busy():
                return
            self._one(plan)
        raise AssertionError("it never comes to rest\n" + self.story(60))

    def _one(self, plan: list[Callable[[World], object]]) -> None:
        choices: list[Callable[[], object]] = []
        if self.tasks:
            choices += [self._burst] * 6
        if self.queue and len(self.tasks) < self.workers:
            choices += [self._deliver] * (6 if self.pressing else 3)
        if plan and (not self.pressing or self._at_work() or not self._busy()):
            choices += [lambda: plan.pop(0)(self)] * (4 if self.pressing else 1)
        if not any(task.label == "sweep" for task in self.tasks):
            choices.append(self.sweep)
        choices.append(self._pass_time)
        self.random.choice(choices)()

    def _at_work(self) -> bool:
        return any(task.label == "wake" and task.at not in _IDLE for task in self.tasks)

    def _busy(self) -> bool:
        row = self.integrations.rows.get(INTEGRATION)
        due = row.integration.due_at if row else None
        return bool(self.tasks or self.queue or not self.calendar.quiet or (due is not None and self._is_soon(due)))

    def _is_soon(self, due: datetime) -> bool:
        """Whether something is still to be waited for: looking unasked goes on for ever, and so does probing."""
        probing = due == self.integrations.rows[INTEGRATION].integration.held.probe_at
        return due - self.clock.now() < _SOON and not probing

    def _burst(self) -> None:
        """Let one task run for a while, so that it can overtake others completely."""
        task = self.random.choice(self.tasks)
        for _ in range(self.random.choice((1, 1, 2, 5, 20, 60))):
            if not task.alive:
                return
            if self.random.random() < self.faults.crash:
                self.crash(task)
                return
            if task.label == "wake" and self.random.random() < self.faults.cut:
                self.cut(task)
            self.advance_task(task)

    def _deliver(self) -> None:
        self.deliver(self.random.choice(self.queue))

    def _pass_time(self) -> None:
        if self.tasks:
            self.clock.advance(self.random.choice((0.01, 0.1, 0.5)))
            return
        self.clock.advance(self.random.choice((0.1, 1.0, 3.0, 10.0)))
        self.calendar.tick()

    # To the end, without faults

    def settle(self) -> None:
        """Let everything under way come to rest, without faults and without any further hint."""
        self.faults = Faults()
        for _ in range(_LONGEST):
            if self.tasks:
                self.advance_task(self.tasks[0])
            elif self.queue:
                self.deliver(self.queue[0])
            elif not self._wait_for_something():
                return
        raise AssertionError("it never comes to rest\n" + self.story(60))

    def pass_a_day(self) -> None:
        """Let so much time pass that everything is looked at unasked."""
        for _ in range(4):
            self.clock.advance(6 * 3600)
            self.settle()

    def look_again(self) -> None:
        """Make the worker look at everything once more, as a replay or an audit does."""
        now = self.clock.now()
        for id_, link in self.links.links.items():
            self.links.links[id_] = replace(link, due_at=now)
        row = self.integrations.rows[INTEGRATION]
        signals = replace(row.integration.signals, requested=row.integration.signals.requested + 1)
        row.integration = replace(row.integration, due_at=now, signals=signals)

    def _wait_for_something(self) -> bool:
        self.calendar.tick()
        if self.queue:
            return True  # what has just become visible was told of
        row = self.integrations.rows.get(INTEGRATION)
        due_at = row.integration.due_at if row else None
        if row is not None and due_at is not None and self.integrations.leased(INTEGRATION):
            due_at = max(due_at, row.until or due_at)  # nobody is woken before the lease of somebody dead has run out
        if due_at is not None and not self._is_soon(due_at):
            due_at = None
        coming = [moment for moment in (due_at, self.calendar.next_at()) if moment is not None]
        if not coming:
            return False
        self.clock.advance(max(0.001, (min(coming) - self.clock.now()).total_seconds()))
        self.calendar.tick()
        if due_at is not None and due_at <= self.clock.now():
            self.sweep()
        return True


def _integration(now: datetime) -> Integration:
    since = now.replace(microsecond=0) - timedelta(hours=1)
    settings = SettingsWish(
        revision=1,
        calendar_id=CALENDAR_ID,
        inbound_create=True,
        inbound_update=True,
        inbound_delete=True,
        outbound=frozenset(ItemType),
    )
    held = Held(
        tenant_version=0,
        connected_revision=0,
        configured_revision=1,
        calendar_id=CALENDAR_ID,
        tokens=Tokens("access", "refresh", now + timedelta(days=365)),
        status=Status.CONNECTED,
        account=ACCOUNT,
        reason=Reason.IN_SYNC,
        cursor=since,
        linked_since=since,
        audit=Audit(light_at=now + timedelta(hours=6), deep_at=now + timedelta(hours=12)),
    )
    return Integration(INTEGRATION, 1, USER, epoch=1, wanted=Wanted(settings=settings), held=held)


NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
