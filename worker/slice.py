"""What one slice of work on one integration carries along, and how it tells and saves."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from adapters.telemetry import metrics, tracing
from events.failures import System
from events.lanes import Lane
from events.reasons import Reason
from events.traces import Trace, trace_of
from events.values import replace
from worker import telling
from worker.core import brakes, record
from worker.core.plan import Decision, Rest
from worker.core.retry import backoff
from worker.core.sides import PsaUnread
from worker.judging import Circumstances, Judged, judge
from worker.telling import Occasion, Report, is_private

if TYPE_CHECKING:
    from events.commands import Cause
    from events.failures import TryLater
    from events.journal import Entry
    from events.link import Link
    from worker.core.permit import Policy
    from worker.core.record import Timing
    from worker.holding import Holding
    from worker.outages import Outages
    from worker.ports import (
        Calendar,
        Chance,
        Clock,
        FailedItems,
        Journal,
        Leavers,
        Links,
        Orders,
        Outcomes,
        Platform,
        Portal,
        Runs,
        Together,
    )


_TICK: Final = timedelta(milliseconds=1)
"""As fine as the store keeps time."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything a slice works with, the same for all integrations."""

    links: Links
    journal: Journal
    outcomes: Outcomes
    failed_items: FailedItems
    platform: Platform
    clock: Clock
    chance: Chance
    orders: Orders
    portal: Portal
    leavers: Leavers
    runs: Runs
    timing: Timing
    outages: Outages
    together: Together
    turn: Callable[[], Awaitable[None]]
    """Lets more come in first, if it is just coming in: what comes in together is worked on together."""
    stopping: Callable[[], bool]
    """Whether this process is about to end: what can be done later is."""


_MOST_DOUBTS: Final = 3
"""How often in one slice writes wait for one more look."""


class Slice:
    """A stretch of work under one lease, of at most `Slice.LENGTH` seconds."""

    LENGTH = 50.0

    def __init__(
        self,
        tools: Tools,
        holding: Holding,
        calendars: Callable[[Lane], Calendar],
        policy: Policy,
        occasion: Occasion,
        calendar_trouble: Callable[[], Awaitable[Reason | None]],
    ) -> None:
        self.tools = tools
        self.holding = holding
        self.calendar = calendars(Lane.REAL_TIME)
        self._calendars = calendars
        self.policy = policy
        self.calendar_trouble = calendar_trouble
        """Asks the calendar service whether the connection or the calendar is at fault."""
        self._occasion = occasion
        self.report = Report()
        self.parked: list[tuple[Link, Entry, Trace]] = []
        self.read_at: datetime | None = None
        hold = holding.held.psa_hold
        self.newest_seen = datetime.min.replace(tzinfo=UTC)
        """The latest change that a read has shown, by the calendar's clock."""
        self.look_again_at: datetime | None = None
        self.adopted = 0
        """How many events of a former integration were found."""
        self.psa_away: datetime | None = hold if hold and hold > self.now() else None
        """Set while the PSA is away: what needs it waits until then."""
        self.read_back_at: datetime | None = None
        """Set while a run reads back by itself what comes of it: not before this is it looked for in another way."""
        self.run_id = ""
        """The run under way, if there is one."""
        self._doubts = 0
        self._ends = tools.clock.monotonic() + self.LENGTH

    @property
    def over(self) -> bool:
        """Whether it is time to let others work."""
        return self.tools.stopping() or self.tools.clock.monotonic() >= self._ends

    def now(self) -> datetime:
        """Return the time of day."""
        return self.tools.clock.now()

    def must_look_again(self) -> bool:
        """Whether the calendar was said to have changed since it was looked at, so that a write could hit an edit.

        Nobody keeps a write waiting for ever by that. A run has other looks.
        """
        if self.read_back_at is not None or self._doubts >= _MOST_DOUBTS or not self.holding.hear():
            return False
        self._doubts += 1
        self.read_at = None
        return True

    def calendar_in(self, lane: Lane) -> Calendar:
        """Return the calendar, to be read with the allowance of another lane."""
        return self._calendars(lane)

    @contextlib.contextmanager
    def because_of(self, trigger: Cause) -> Generator[None, None, None]:
        """Do something for a reason of its own."""
        former = self._occasion
        self._occasion = replace(former, trigger=trigger)
        try:
            yield
        finally:
            self._occasion = replace(former, at=self._occasion.at)

    @contextlib.contextmanager
    def in_run(self, lane: Lane, read_back_within: timedelta) -> Generator[None, None, None]:
        """Work for a run: with the allowance of its lane, and without looks for what it reads back by itself."""
        former, self.calendar = self.calendar, self._calendars(lane)
        self.read_back_at = self.now() + read_back_within
        try:
            yield
        finally:
            self.calendar, self.read_back_at = former, None

    def under_way(self, link: Link) -> Link:
        """Return a link about which something is under way, due when that has to be looked for."""
        return link if self.read_back_at is None else replace(link, due_at=self.read_back_at)

    @property
    def occasion(self) -> Occasion:
        """On what occasion something is done right now; later than whatever was told before, for the log's order."""
        at = max(self.now(), self._occasion.at + _TICK)
        self._occasion = replace(self._occasion, at=at)
        return self._occasion

    def judge(self, stored: Link, link: Link, *, answered: bool = False) -> Judged:
        """Return the next step of a link."""
        circumstances = Circumstances(
            policy=self.policy,
            time_zone=self.holding.held.time_zone,
            timing=self.tools.timing,
            now=self.now(),
            read_at=self.read_at,
        )
        return judge(stored, link, circumstances, answered=answered)

    def judge_all(self, pairs: Sequence[tuple[Link, Link]]) -> list[Judged]:
        """Judge links. One that cannot be judged, because of a bug of ours, must not stop the others."""
        judged: list[Judged] = []
        for stored, link in pairs:
            try:
                judged.append(self.judge(stored, link))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this link's trouble alone
                broken = replace(link, message=type(error).__name__)
                decision = Decision(Rest(blocked=True), Reason.BUG)
                judged.append(Judged(stored, broken, PsaUnread(), None, decision, trace=trace_of(error)))
        return judged

    def intend(self, one: Judged) -> Link:
        """Return a link as it is before its write goes out."""
        now = self.now()
        link = brakes.counted(one.link, one.decision, one.psa, self.policy.tenant.brakes, now)
        return record.intend(link, one.decision, one.psa, now, self.tools.timing)

    def tell(self, what: Callable[[Report, Link, Decision, Occasion], None], link: Link, decision: Decision) -> None:
        """Note something about a decision, to be told with the next save."""
        what(self.report, link, decision, self.occasion)

    def park(self, link: Link, entry: Entry, trace: Trace) -> None:
        """Note that a person must look at a link, to be set aside with the next save."""
        self.parked.append((link, entry, trace))

    async def psa_is_away(self, error: TryLater) -> None:
        """Leave the PSA alone for a while, and remember it beyond this slice."""
        metrics.retried(error)
        self.tools.outages.away(error)
        failures = self.holding.held.psa_failures
        self.psa_away = self.now() + backoff(failures, self.tools.chance(), error.retry_after)
        await self.holding.save(psa_hold=self.psa_away, psa_failures=failures + 1)

    def psa_works(self) -> None:
        """Forget former outages of the PSA."""
        if self.holding.held.psa_failures:
            self.tools.outages.back(System.PSA)
            self.holding.note(psa_hold=None, psa_failures=0)

    async def save(self, changes: list[tuple[Link, Link]]) -> list[Link]:
        """Tell what is to be told, then save. Returns the links as they are now stored; refused ones are left out.

        A refused link was saved by somebody else: whoever did that goes on with it.
        """
        for before, after in changes:
            telling.frozen(self.report, before, after, self.occasion)
        await self.tell_now()
        # Before it is saved: after a crash in between it is known no better, and redacted once more.
        turned = [after.id for before, after in changes if is_private(after) and not is_private(before)]
        if turned:
            await self.tools.journal.redact(self.holding.id, turned)
        changes = [(before, _traced(_discreet(_over(after)))) for before, after in changes]
        refused = await self.tools.links.save(self.holding.lease, changes)
        return [replace(after, version=before.version + 1) for before, after in changes if before.id not in refused]

    async def tell_now(self) -> int:
        """Tell what is to be told, which comes before it is saved: after a crash in between it is told twice.

        Returns how many lines of the log are new. What is told twice has the same id.
        """
        report, self.report = self.report, Report(synced=self.report.synced)
        parked, self.parked = self.parked, []
        new = await self.tools.journal.write(report.entries)
        if report.outcomes:
            await self.tools.outcomes.publish(report.outcomes)
        for link, entry, trace in parked:
            await self.tools.failed_items.park(link, entry, trace)
        _count(report)
        return new


def _discreet(link: Link) -> Link:
    return record.redacted(link) if link.images and is_private(link) else link


def _count(report: Report) -> None:
    for entry in report.entries:
        metrics.ACTIONS.labels(entry.direction, entry.act, entry.result, entry.reason).inc()
    for one in report.confirmed:
        if one.seconds is not None:
            metrics.SYNC_DELAY.labels(one.direction).observe(one.seconds)
        with tracing.span(f"confirmed {one.direction}", parent=one.trace or None):
            pass


def _over(link: Link) -> Link:
    """Return a link that does not count as replayed any more, once it rests."""
    return replace(link, replayed=False) if link.replayed and link.due_at is None else link


def _traced(link: Link) -> Link:
    """Return a link that remembers, until it rests, by which trace it is followed."""
    if link.due_at is not None:
        return link if link.trace or not tracing.on() else replace(link, traceparent=tracing.current())
    seen = link.psa_seen and replace(link.psa_seen, traceparent="")
    return replace(link, traceparent="", psa_seen=seen) if link.trace else link
