"""Figures about the whole installation, taken when somebody looks and kept for a while.

Every worker shows the same ones: take their maximum over workers, not their sum.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from events.failures import SyncError

if TYPE_CHECKING:
    from adapters.mongodb.budget import Budget, Left
    from adapters.mongodb.figures import Amount, Figures, Standings, Waiting
    from worker.ports import Clock

T = TypeVar("T")
L = TypeVar("L", bound=tuple[str, ...])

_SLOW: Final = 4
"""So many times as long is kept what takes long to find."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric whose values are looked up."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def of(self, values: Mapping[L, float]) -> GaugeMetricFamily:
        """Return it with values."""
        family = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in values.items():
            family.add_metric(labels, value)
        return family


OVERDUE: Final = Family(
    "calsync_overdue_integrations", "Integrations that are due while nobody works on them (at most 1000)."
)
OVERDUE_AGE: Final = Family(
    "calsync_overdue_integrations_oldest_seconds", "For how long the first of them has been due; 0 if none is."
)
WAITING: Final = Family(
    "calsync_waiting_links",
    "Items that wait, by reason: to be confirmed, for a retry, for a system to come back (at most 20000).",
    ("reason",),
)
WAITING_AGE: Final = Family(
    "calsync_waiting_links_oldest_seconds",
    "For how long the oldest of them has waited since it was first asked or began to fail, by reason.",
    ("reason",),
)
WAITING_COMPLETE: Final = Family(
    "calsync_waiting_complete", "1 if all that waits was counted; 0 if there is more than is looked at."
)
INTEGRATIONS: Final = Family(
    "calsync_integrations", "Integrations by status and reason, and whether they are active.",
    ("status", "reason", "active"),
)  # fmt: skip
ON_HOLD: Final = Family(
    "calsync_integrations_on_hold",
    "Integrations that leave a system alone for a while, after an outage or a rate limit, by system.",
    ("system",),
)
STALEST: Final = Family(
    "calsync_oldest_verified_read_seconds",
    "Age of the oldest last complete read of a calendar among connected and active integrations; 0 without any.",
)
OPEN: Final = Family(
    "calsync_open_dead_letters", "Dead letters that nobody has dealt with yet, by reason (at most 10000).", ("reason",)
)
OPEN_AGE: Final = Family(
    "calsync_open_dead_letters_oldest_seconds", "Age of the oldest of them, by reason.", ("reason",)
)
HELD_BACK: Final = Family(
    "calsync_held_back_deletions",
    "Deletions that a brake holds back, until somebody releases or discards them (at most 20000).",
)
HELD_BACK_AGE: Final = Family("calsync_held_back_deletions_oldest_seconds", "Age of the oldest of them; 0 without any.")
BUDGET_LEFT: Final = Family(
    "calsync_budget_left_requests", "Requests to Cronofy that each lane could send at this moment.", ("lane",)
)
BUDGET_RATE: Final = Family(
    "calsync_budget_rate_ratio", "At which part of the full rate requests are allowed; below 1 after a 429."
)
BUDGET_PAUSED: Final = Family(
    "calsync_budget_paused_seconds", "For how much longer nothing is sent to Cronofy, because it asked for that."
)
SAMPLE_AGE: Final = Family(
    "calsync_sample_age_seconds", "How old the figures of a kind are; they are taken anew when somebody looks.",
    ("sample",),
)  # fmt: skip
SAMPLE_FAILED: Final = Family(
    "calsync_sample_failed", "1 if the last attempt to take these figures failed; older ones are shown.", ("sample",)
)
SAMPLED: Final = (
    OVERDUE, OVERDUE_AGE, WAITING, WAITING_AGE, WAITING_COMPLETE, INTEGRATIONS, ON_HOLD, STALEST, OPEN, OPEN_AGE,
    HELD_BACK, HELD_BACK_AGE,
    BUDGET_LEFT, BUDGET_RATE, BUDGET_PAUSED, SAMPLE_AGE, SAMPLE_FAILED,
)  # fmt: skip
"""All of them, for the documents."""


class Sample(Generic[T]):
    """Something looked up at most every so many seconds, by one of those who ask at the same time."""

    def __init__(self, name: str, take: Callable[[datetime], Awaitable[T]], seconds: float, clock: Clock) -> None:
        self.name = name
        self.value: T | None = None
        self.failed = False
        self.taken_at: datetime | None = None
        self._take = take
        self._seconds = seconds
        self._clock = clock
        self._next = float("-inf")
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Look again if it is time. A failure keeps what was found before."""
        async with self._turn:
            if self._clock.monotonic() < self._next:
                return
            now = self._clock.now()
            try:
                self.value, self.taken_at, self.failed = await self._take(now), now, False
            except SyncError:
                self.failed = True
            self._next = self._clock.monotonic() + self._seconds


class Sampler:
    """What is sampled for one worker, while it works. `seconds`: for how long a sample is kept."""

    def __init__(self, figures: Figures, budget: Budget, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._waiting: Sample[Waiting] = Sample("waiting", figures.waiting, seconds, clock)
        self._standings: Sample[Standings] = Sample("integrations", figures.standings, _SLOW * seconds, clock)
        self._letters: Sample[dict[str, Amount]] = Sample(
            "dead_letters", lambda _: figures.dead_letters(), seconds, clock
        )
        self._held_back: Sample[Amount] = Sample("held_back", lambda _: figures.held_back(), _SLOW * seconds, clock)
        self._budget: Sample[Left] = Sample("budget", lambda _: budget.left(), seconds, clock)

    async def exposition(self) -> bytes:
        """Return the figures as Prometheus reads them."""
        samples = (self._waiting, self._standings, self._letters, self._held_back, self._budget)
        await asyncio.gather(*(sample.refresh() for sample in samples))
        now = self._clock.now()
        families = [
            *self._of_waiting(now),
            *self._of_standings(now),
            *self._of_letters(now),
            *self._of_held_back(now),
            *self._of_budget(),
        ]
        families += [
            SAMPLE_AGE.of({(one.name,): (now - one.taken_at).total_seconds() for one in samples if one.taken_at}),
            SAMPLE_FAILED.of({(one.name,): float(one.failed) for one in samples}),
        ]
        return exposed(families)

    def _of_waiting(self, now: datetime) -> list[GaugeMetricFamily]:
        waiting = self._waiting.value
        if waiting is None:
            return []
        return [
            OVERDUE.of({(): waiting.integrations.count}),
            OVERDUE_AGE.of({(): _age(waiting.integrations, now)}),
            *_amounts(WAITING, WAITING_AGE, waiting.links, now),
            WAITING_COMPLETE.of({(): float(waiting.complete)}),
        ]

    def _of_standings(self, now: datetime) -> list[GaugeMetricFamily]:
        standings = self._standings.value
        if standings is None:
            return []
        counts = {(status, reason, _word(active)): n for (status, reason, active), n in standings.counts.items()}
        return [
            INTEGRATIONS.of(counts),
            ON_HOLD.of({(system,): count for system, count in standings.on_hold.items()}),
            STALEST.of({(): max(0.0, (now - standings.stalest).total_seconds()) if standings.stalest else 0.0}),
        ]

    def _of_letters(self, now: datetime) -> list[GaugeMetricFamily]:
        letters = self._letters.value
        return [] if letters is None else _amounts(OPEN, OPEN_AGE, letters, now)

    def _of_held_back(self, now: datetime) -> list[GaugeMetricFamily]:
        held = self._held_back.value
        return [] if held is None else [HELD_BACK.of({(): held.count}), HELD_BACK_AGE.of({(): _age(held, now)})]

    def _of_budget(self) -> list[GaugeMetricFamily]:
        left = self._budget.value
        if left is None:
            return []
        return [
            BUDGET_LEFT.of({(lane.value,): requests for lane, requests in left.requests.items()}),
            BUDGET_RATE.of({(): left.rate}),
            BUDGET_PAUSED.of({(): left.paused}),
        ]


def _amounts(count: Family, age: Family, amounts: Mapping[str, Amount], now: datetime) -> list[GaugeMetricFamily]:
    return [
        count.of({(reason,): amount.count for reason, amount in amounts.items()}),
        age.of({(reason,): _age(amount, now) for reason, amount in amounts.items()}),
    ]


def _word(value: bool) -> str:
    return str(value).lower()


def _age(amount: Amount, now: datetime) -> float:
    return max(0.0, (now - amount.since).total_seconds()) if amount.since else 0.0


class _Once(Collector):
    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = families

    @override
    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families


def exposed(families: Iterable[GaugeMetricFamily]) -> bytes:
    """Return families as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_Once(families))
    return generate_latest(registry)
