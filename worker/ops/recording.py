"""Writing down, once a minute, what this worker did, so that charts can be drawn of what all of them did."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from events.failures import TryLater
from events.history import Backlog, Counts

if TYPE_CHECKING:
    from adapters.mongodb.figures import Figures
    from adapters.mongodb.history import History
    from worker.ports import Clock

EVERY: Final = 60.0
_PATIENCE: Final = 5.0
"""Seconds that writing it down may take. Whoever stops a worker does not wait for charts."""


@dataclass(slots=True)
class Recorder:
    """See the module. `figures`: where the backlog is looked up; None to leave that to others."""

    history: History
    clock: Clock
    counted: Callable[[], Counts]
    figures: Figures | None = None
    every: float = EVERY
    told: Counts = field(default_factory=Counts)
    """What has been written down already."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Write down every minute, and at the end. While the store is away, it is kept for the next time."""
        self.told = self.counted()
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.every):
                    await stopping.wait()
            with contextlib.suppress(TryLater, TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self.record()

    async def record(self) -> None:
        """Write down what was counted since the last time."""
        now, counts = self.clock.now(), self.counted()
        backlog = await self._backlog() if self.figures else None
        news = counts.beyond(self.told)
        if news.nothing and backlog is None:
            return
        await self.history.add(now, news, backlog)
        self.told = counts

    async def _backlog(self) -> Backlog | None:
        assert self.figures is not None
        waiting = await self.figures.waiting(self.clock.now())
        letters = await self.figures.dead_letters()
        return Backlog(
            sum(amount.count for amount in waiting.links.values()), sum(amount.count for amount in letters.values())
        )
