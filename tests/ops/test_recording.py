"""What a worker did is written down every minute, once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

from adapters.mongodb.figures import Amount, Figures, Waiting
from adapters.mongodb.history import History
from adapters.telemetry.counting import counted
from adapters.telemetry.metrics import ACTIONS, SYNC_DELAY
from events.failures import System, TryLater
from events.history import Backlog, Counts
from events.reasons import Reason
from tests.ops.test_server import Hands
from worker.ops.recording import Recorder


class Kept:
    """History that can be away."""

    def __init__(self) -> None:
        self.added: list[tuple[Counts, Backlog | None]] = []
        self.away = False
        self.asked = asyncio.Event()

    async def add(self, _at: datetime, counts: Counts, backlog: Backlog | None) -> None:
        self.asked.set()
        if self.away:
            raise TryLater(System.STORE, Reason.UNREACHABLE)
        self.added.append((counts, backlog))


class Looked:
    """Figures that are always the same."""

    async def waiting(self, now: datetime) -> Waiting:
        return Waiting(Amount(1, now), {"unreachable": Amount(2, now), "rate_limited": Amount(3, now)}, complete=True)

    async def dead_letters(self) -> dict[str, Amount]:
        return {"bug": Amount(4, datetime(2026, 3, 10, tzinfo=UTC))}


def recorder(kept: Kept, counts: list[Counts], figures: Any = None) -> Recorder:
    return Recorder(cast("History", kept), Hands(), lambda: counts[-1], cast("Figures", figures), every=0.001)


async def test_only_news_is_written_down_and_nothing_gets_lost_while_the_store_is_away() -> None:
    kept, counts, stopping = Kept(), [Counts(done=5)], asyncio.Event()
    one = recorder(kept, counts)
    one.told = counts[-1]
    await one.record()
    assert kept.added == []
    counts.append(Counts(done=7))
    kept.away = True
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(one.run(stopping))
        await asyncio.sleep(0)
        counts.append(Counts(done=9))
        await kept.asked.wait()
        assert kept.added == []
        kept.away = False
        stopping.set()
        await running
    assert kept.added == [(Counts(done=2), None)]


async def test_the_backlog_is_written_down_with_it() -> None:
    kept = Kept()
    await recorder(kept, [Counts()], Looked()).record()
    assert kept.added == [(Counts(), Backlog(5, 4))]


def test_what_the_process_counts_is_told_apart_by_what_came_of_it() -> None:
    before = counted()
    for result in ("done", "accepted", "conflict", "failed", "retrying", "skipped"):
        ACTIONS.labels("to_calendar", "update", result, "psa_changed").inc()
    SYNC_DELAY.labels("to_calendar").observe(3)
    SYNC_DELAY.labels("from_calendar").observe(10**6)
    news = counted().beyond(before)
    assert (news.done, news.failed, news.retried) == (3, 1, 1)
    assert (news.delays[3], news.delays[-1], sum(news.delays)) == (1, 1, 2)
