"""What the whole installation did, minute by minute: what pages draw charts of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

DELAYS: Final = (0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 300, 900, 3600, 6 * 3600, 24 * 3600)
"""Seconds from a change on one side to its being confirmed on the other are told apart by these bounds."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What was done in some time. `delays`: how many changes took no longer than each of `DELAYS`, and longer."""

    done: int = 0
    failed: int = 0
    retried: int = 0
    delays: tuple[int, ...] = (0,) * (len(DELAYS) + 1)

    def beyond(self, former: Counts) -> Counts:
        """Return what was counted since then."""
        delays = tuple(now - before for now, before in zip(self.delays, former.delays, strict=True))
        return Counts(self.done - former.done, self.failed - former.failed, self.retried - former.retried, delays)

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to tell."""
        return self == Counts()

    def delay(self, share: float) -> float | None:
        """Return in how many seconds this share of changes was confirmed, about; None if there were none."""
        wanted, counted = share * sum(self.delays), 0
        if not wanted:
            return None
        for lower, upper, count in zip((0.0, *DELAYS), (*DELAYS, DELAYS[-1]), self.delays, strict=True):
            if count and counted + count >= wanted:
                return lower + (upper - lower) * (wanted - counted) / count
            counted += count
        return float(DELAYS[-1])


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waited at a moment: items to be done or confirmed, and open dead letters; both counted up to a limit."""

    waiting: int
    letters: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """What happened from a moment on. `backlog`: the largest that was seen; None if nobody looked."""

    at: datetime
    counts: Counts
    backlog: Backlog | None
