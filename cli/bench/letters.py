"""A hundred thousand dead letters: how long keeping, every list and every grouping take, and how steady a replay is."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import orjson

from adapters.process.system import SystemClock, new_id
from cli.bench.measuring import used_by
from events.addresses import COMMANDS, COMMANDS_QUEUE, WAKE_KEY
from events.letters import Cursor, Failure, Kind, Letter, Occurrence, Original, Place, Status, Subject, Which
from events.replays import ReplayJob
from events.traces import Trace
from worker.dead_letters.publishing import Republisher
from worker.dead_letters.replaying import Replayer

if TYPE_CHECKING:
    from adapters.mongodb.dead_letters import DeadLetters
    from adapters.mongodb.replay_jobs import ReplayJobs
    from adapters.rabbitmq.publisher import Publisher

_BATCH: Final = 500
_TENANTS: Final = 20
_INTEGRATIONS: Final = 2000
_REASONS: Final = ("breaks_schema", "calendar_refused", "missing_scope", "bug", "never_applied")
_FINGERPRINTS: Final = 40
_PADDING: Final = "x" * 1500
"""As large as an item event is."""
_BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)


def letter(number: int) -> Letter:
    """Make one. Replayed, it wakes an integration that does not exist."""
    at = _BEGAN + timedelta(seconds=number)
    body = orjson.dumps({
        "type": "calsync.wake.v1", "integration_id": f"int-{number % _INTEGRATIONS}", "cause": "due", "more": _PADDING,
    })  # fmt: skip
    trace = Trace("KeyError", "worker/reconcile.py:61 in reconcile", "")
    item = f"todo/{number // 3}"
    return Letter(
        id=f"{number:024x}",
        kind=Kind.MESSAGE,
        fingerprint=f"{number % _FINGERPRINTS:016x}",
        failure=Failure(_REASONS[number % len(_REASONS)], "made up", 1, at, trace),
        subject=Subject(number % _TENANTS, f"int-{number % _INTEGRATIONS}", item, "", f"c-{number}"),
        original=Original(COMMANDS, WAKE_KEY, COMMANDS_QUEUE, f"m-{number}", body, len(body)),
        first_at=at,
        last_at=at,
    )


async def fill(letters: DeadLetters, count: int) -> float:
    """Keep so many letters, as the keeper does. Returns how many in a second."""
    began = time.perf_counter()
    for first in range(0, count, _BATCH):
        numbers = range(first, min(first + _BATCH, count))
        await letters.keep([Occurrence(f"o-{number}", letter(number)) for number in numbers], _BEGAN)
    return count / (time.perf_counter() - began)


async def looks(letters: DeadLetters, count: int) -> dict[str, float]:
    """Return how long each way of looking takes, in milliseconds: the slowest of three."""
    middle = letter(count // 2)
    now = _BEGAN + timedelta(seconds=count)
    deep = Cursor(middle.last_at, middle.id)
    pages = {
        "list": Which(),
        "list of a tenant": Which(tenant_id=7),
        "list of an integration": Which(integration_id="int-77"),
        "list about an item": Which(item="todo/777"),
        "list with a reason": Which(reason="bug"),
        "list of a group": Which(fingerprint=letter(7).fingerprint),
        "list of a group of a tenant": Which(fingerprint=letter(7).fingerprint, tenant_id=7),
        "list by age": Which(since=now - timedelta(hours=1)),
        "list of what is over": Which(statuses=frozenset({Status.RESOLVED})),
    }
    ways: dict[str, Callable[[], Awaitable[object]]] = {}
    for name, which in pages.items():
        ways[name] = partial(letters.page, which, None, 100)
        ways[f"{name}, in the middle"] = partial(letters.page, which, deep, 100)
    ways |= {
        "groups": lambda: letters.groups(Which(), now, 50),
        "groups of a tenant": lambda: letters.groups(Which(tenant_id=7), now, 50),
        "groups by age": lambda: letters.groups(Which(since=now - timedelta(hours=1)), now, 50),
        "groups of all statuses": lambda: letters.groups(Which(statuses=frozenset(Status)), now, 50),
        "groups of a reason": lambda: letters.groups(Which(reason="bug"), now, 50),
        "in order of replay, in the middle": lambda: letters.in_order(Which(), Place.of(middle), 200),
        "one letter": lambda: letters.get(middle.id),
    }
    return {name: max([await _timed(way) for _ in range(3)]) for name, way in ways.items()}


async def _timed(way: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await way()
    return (time.perf_counter() - began) * 1000


@dataclass(slots=True)
class Steadiness:
    """How a replay went. `seconds`: when each letter was published; `memory`: bytes, now and then."""

    job: ReplayJob | None = None
    published: list[float] = field(default_factory=list[float])
    memory: list[int] = field(default_factory=list[int])

    def each_second(self) -> list[int]:
        """Return how many were published in each whole second."""
        began = self.published[0]
        seconds = [int(at - began) for at in self.published]
        return [seconds.count(second) for second in range(max(seconds))]

    def spread(self) -> float:
        """Return the standard deviation of that, as a part of its mean."""
        counts = self.each_second()
        return statistics.pstdev(counts) / statistics.mean(counts) if counts else 0.0


async def replay(
    letters: DeadLetters, jobs: ReplayJobs, publisher: Publisher, rate: float, seconds: float
) -> Steadiness:
    """Replay everything at a rate, for some seconds."""
    seen, clock, stopping = Steadiness(), SystemClock(), asyncio.Event()

    async def send(message: object) -> None:
        await publisher.send(message)  # type: ignore[arg-type]  # counted on its way
        seen.published.append(time.perf_counter())

    def look(job: ReplayJob, waiting: object) -> None:
        del waiting
        seen.job = job
        seen.memory.append(used_by(os.getpid()).memory)

    job = ReplayJob(new_id(), "bench", "", Which(), clock.now(), rate)
    await jobs.add(job)
    replayer = Replayer(letters, jobs, Republisher(letters, send, new_id, clock), clock, "bench")
    asyncio.get_running_loop().call_later(seconds, stopping.set)
    seen.job = await replayer.run(job.id, stopping, look)
    return seen
