"""Allowance taken ahead, so that a lone edit need not wait for it before each of its requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from events.lanes import KEPT_AHEAD, Lane

if TYPE_CHECKING:
    from worker.ports import Budget, Clock

_AHEAD: Final = 2
"""A lone edit looks, and writes."""


@dataclass(frozen=True, slots=True)
class Purse:
    """A budget, with some of it in hand for a moment. What is in hand and not spent by then is lost."""

    budget: Budget
    clock: Clock
    largest: float
    """How many requests the budget gives at once when it is full. Of few nothing is taken ahead."""
    _until: deque[float] = field(default_factory=deque[float])
    """Of each request that is in hand: until when it may go out."""

    async def fill(self) -> None:
        """Take something in hand, if there is nothing and plenty is left. Raises `TryLater` if the store is away."""
        now = self.clock.monotonic()
        if self.largest < 2 * _AHEAD or self._in_hand(now):
            return
        # As work that nobody waits for would: where little is left, nothing may be lost.
        if not await self.budget.spend(_AHEAD, Lane.BACKFILL):
            self._until.extend([now + KEPT_AHEAD] * _AHEAD)

    async def spend(self, requests: int, lane: Lane) -> float:
        """Spend what is in hand, or else take it. See `worker.ports.Budget`."""
        if lane is Lane.REAL_TIME and self._in_hand(self.clock.monotonic()) >= requests:
            for _ in range(requests):
                self._until.popleft()
            return 0.0
        return await self.budget.spend(requests, lane)

    async def refused(self, retry_after: float | None) -> None:
        """Cronofy said 429: what is in hand is void, too."""
        self._until.clear()
        await self.budget.refused(retry_after)

    def _in_hand(self, now: float) -> int:
        while self._until and self._until[0] <= now:
            self._until.popleft()
        return len(self._until)
