"""A large backfill both ways, its worker killed on the way: what it costs, and whether both sides are equal then."""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adapters.mongodb.links import Links
from adapters.mongodb.runs import Runs
from adapters.process.system import SystemClock
from cli.bench.measuring import used_by
from cli.failing import Failed
from cli.local.workers import WorkerProcess
from events.items import ItemType
from events.outcomes import Configured
from events.psa import FutureRange, PastRange, Range
from events.runs import Run, RunState
from sandbox.cronofy.control.event_messages import EventFields
from sandbox.psa.model.commands import Command, CreateItem
from sandbox.psa.publishing.mishaps import Kind, Mishap

if TYPE_CHECKING:
    from adapters.mongodb.driver import Database
    from sandbox.cronofy.client.control import CronofyControl
    from sandbox.cronofy.control.operation_messages import RequestView
    from sandbox.psa.client import PsaControl, PsaItem

TENANT: Final = 1204
USER: Final = 7001
INTEGRATION: Final = f"bench-{USER}"
WHOLE: Final = Range(past=PastRange.ONE_MONTH, future=FutureRange.SIX_MONTHS)
_FIRST_DAY, _DAYS = -30, 210
_AT_ONCE: Final = 1000
_LONG_AGO: Final = 3600.0
"""Seconds between the last of these events and the linking: what changed lately is read anyway."""
_GLANCE: Final = 0.25
_PATIENCE: Final = 3600.0
_SLACK: Final = 30
"""Requests beside those for writing and reading: authorizing, channels, looks after a kill."""
_PER_BATCH, _PER_PAGE = 50, 100
_GROWTH: Final = 1.15
"""What a worker may need more of memory in the last quarter of its work than in the second."""
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What it may cost."""

    requests: int
    per_second: int = 50
    per_minute: int = 500


@dataclass(slots=True)
class Figures:
    """What was seen."""

    run: Run
    seconds: float
    requests: Sequence[RequestView]
    psa_calls: int
    kills: int
    memory: Sequence[int]
    """Of the last worker, from when it was ready to the end of the run, in bytes."""
    wrong: list[str] = field(default_factory=list[str])
    """In what the two sides differ, and what is there twice."""

    @property
    def growth(self) -> float:
        """How much more memory was needed in the last quarter than in the second."""
        quarter = len(self.memory) // 4
        if not quarter:
            return 1.0
        return statistics.median(self.memory[-quarter:]) / statistics.median(self.memory[quarter : 2 * quarter])

    def most_within(self, span: timedelta) -> int:
        """Return how many requests there were at most within a span of time."""
        times, most, first = [request.at for request in self.requests], 0, 0
        for last, at in enumerate(times):
            while at - times[first] >= span:
                first += 1
            most = max(most, last - first + 1)
        return most

    def broken(self, allowed: Allowed, size: int, kills: int) -> list[str]:
        """Return which promises were not kept."""
        totals, refused = self.run.totals, sum(request.status == 429 for request in self.requests)
        checks = {
            f"the run ended as {self.run.state}": self.run.state is RunState.FINISHED,
            f"it counts {totals}": (totals.created, totals.total) == (2 * size, 2 * size),
            f"only {self.kills} workers were killed": self.kills == kills,
            f"{len(self.requests)} requests to Cronofy": len(self.requests) <= allowed.requests,
            f"{refused} requests were refused": not refused,
            "more requests in a second than allowed": self.most_within(SECOND) <= allowed.per_second,
            "more requests in a minute than allowed": self.most_within(MINUTE) <= allowed.per_minute,
            f"memory grew to {self.growth:.2f} of what it was": self.growth <= _GROWTH,
        }
        return [*self.wrong, *(promise for promise, kept in checks.items() if not kept)]


def allowance(size: int) -> int:
    """Return how many requests to Cronofy it may take: 500 for 10,000 of each."""
    windows = 16
    return min(500, size // _PER_BATCH + 2 * size // _PER_PAGE + windows + _SLACK + 54)


@dataclass(slots=True)
class Backfill:
    """One user with as many events as items, of which neither side knows the other's."""

    cronofy: CronofyControl
    psa: PsaControl
    database: Database
    environment: Mapping[str, str]
    folder: Path
    size: int
    kills: int
    calendar_id: str = ""
    memory: list[int] = field(default_factory=list[int])
    killed: int = 0

    async def measure(self) -> Figures:
        """Make all of it, link the calendar, let both be ticked, and watch until the run has ended."""
        clock = SystemClock()
        account = await self.cronofy.create_account()
        self.calendar_id = account.calendar_id
        await self._fill()
        before, calls = await self.cronofy.request_count(), len(await self.psa.requests())
        async with self._worker() as worker:
            code = await self.cronofy.issue_code(account.sub)
            await self.psa.connect(INTEGRATION, USER, code, time_zone="Europe/Berlin")
            began = clock.monotonic()
            await self.psa.configure(INTEGRATION, self.calendar_id, retrieve=WHOLE, send=WHOLE)
            await self.psa.outcome(Configured, integration_id=INTEGRATION, within=60)
            run = await self._watched(worker)
            seconds = clock.monotonic() - began
            await self.psa.wait_until_quiet(still_for=3, within=_PATIENCE)
        return Figures(
            run=run,
            seconds=seconds,
            requests=await self.cronofy.requests(after=before),
            psa_calls=len(await self.psa.requests()) - calls,
            kills=self.killed,
            memory=self.memory,
            wrong=[problem async for problem in self._problems()],
        )

    async def _fill(self) -> None:
        """Make events that nobody is told of, and items whose news gets lost."""
        lost = Mishap(kind=Kind.LOST, type="psa.calendar_item.changed.v1", times=self.size)
        await self.psa.add_mishap(lost)
        for first in range(0, self.size, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, self.size))
            events: list[EventFields] = [_event(number, self.size) for number in numbers]
            await self.cronofy.create_known_events(self.calendar_id, events)
            items: list[Command] = [_item(number, self.size) for number in numbers]
            done = await self.psa.bulk(items)
            if done.refused:
                raise Failed(f"The sandbox took only {len(done.item_ids)} of {len(items)} items.")
        await self.psa.wait_until_quiet(within=_PATIENCE)
        await self.cronofy.advance(_LONG_AGO)

    @asynccontextmanager
    async def _worker(self) -> AsyncGenerator[WorkerProcess, None]:
        worker = WorkerProcess(self.environment, self.folder / "worker.log")
        try:
            await worker.start()
            await worker.ready()
            yield worker
        finally:
            await worker.stop()

    async def _watched(self, worker: WorkerProcess) -> Run:
        """Kill the worker in even distances of the way. Returns the run as it ended."""
        runs, deadline = Runs(self.database), SystemClock().monotonic() + _PATIENCE
        while SystemClock().monotonic() < deadline:
            run = await runs.latest(INTEGRATION)
            if run is not None and run.over:
                return run
            if run is not None and self.killed < self.kills and await self._part(run) >= self._next_kill():
                await worker.kill()
                self.killed += 1
                self.memory.clear()
                await worker.start()
                await worker.ready()
            self.memory.append(used_by(worker.pid).memory)
            await asyncio.sleep(_GLANCE)
        raise Failed(f"It did not end within {_PATIENCE:.0f} seconds.\n{worker.last_lines()}")

    def _next_kill(self) -> float:
        return (self.killed + 1) / (self.kills + 2)

    async def _part(self, run: Run) -> float:
        """Return how much of all has been looked at."""
        return (await Links(self.database).run_totals(INTEGRATION, run.id)).total / (2 * self.size)

    async def _problems(self) -> AsyncGenerator[str, None]:
        """Compare both sides."""
        events = [event for event in await self.cronofy.events(self.calendar_id) if not event.deleted]
        items = [item for item in await self.psa.items(USER) if not item.deleted]
        if (len(events), len(items)) != (2 * self.size, 2 * self.size):
            yield f"{len(events)} events and {len(items)} items instead of {2 * self.size} each"
        shown = Counter((event.summary, event.start, event.end) for event in events)
        kept = Counter((str(item.field("subject")), _stamp(item, "start"), _stamp(item, "end")) for item in items)
        if shown != kept:
            yield f"{(shown - kept).total()} events and {(kept - shown).total()} items have no counterpart"
        names = (Counter(name for name, *_ in side.elements()) for side in (shown, kept))
        if twice := [name for side in names for name, count in side.items() if count > 1]:
            yield f"{len(twice)} are there twice, such as {twice[:3]}"


def _times(number: int, of: int, minutes: int) -> tuple[datetime, datetime]:
    """Spread over all the days that are read, so that none has many."""
    today = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    start = today + timedelta(days=_FIRST_DAY) + number * timedelta(days=_DAYS) / of
    start = start.replace(second=0, microsecond=0)
    return start, start + timedelta(minutes=minutes)


def _event(number: int, of: int) -> EventFields:
    start, end = _times(number, of, 30)
    return {"summary": f"event {number}", "start": start, "end": end}


def _item(number: int, of: int) -> CreateItem:
    start, end = _times(number, of, 45)
    fields = {"subject": f"item {number}", "start": start.isoformat(), "end": end.isoformat()}
    return CreateItem(item_type=ItemType.APPOINTMENT, user_ids=(USER,), fields={**fields})


def _stamp(item: PsaItem, name: str) -> str:
    moment = item.field(name)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if isinstance(moment, datetime) else str(moment)
