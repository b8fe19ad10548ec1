"""Time and chance of the sandboxes, shared by all of them: both can be given, so that a run can be repeated.

A `Clock` shows UTC and can be moved. Frozen, it stands still unless it is moved; otherwise it runs at the real pace
from wherever it was put. A `Chance` is a seeded source of randomness: same seed and same calls, same run.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")


class Clock:
    """What time it is in the sandboxes. Used within one event loop.

    Without `start` it shows the real time.
    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        self._ahead = timedelta() if start is None else start - _real()
        self._still: datetime | None = None
        self._moved = asyncio.Event()
        if frozen:
            self._still = start or _real()

    def now(self) -> datetime:
        """UTC now."""
        return self._still if self._still is not None else _real() + self._ahead

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._still is not None

    def advance(self, seconds: float) -> datetime:
        """Move on by `seconds` and return the new time."""
        return self.set(self.now() + timedelta(seconds=seconds))

    def set(self, instant: datetime) -> datetime:
        """Move to `instant`, which may lie in the past, and return it."""
        instant = instant.astimezone(UTC)
        self._ahead = instant - _real()
        if self.frozen:
            self._still = instant
        self._wake()
        return instant

    def freeze(self) -> None:
        """Let time stand still from now on."""
        self._still = self.now()
        self._wake()

    def unfreeze(self) -> None:
        """Let time run on from where it stands."""
        self._ahead = self.now() - _real()
        self._still = None
        self._wake()

    async def sleep_until(self, instant: datetime) -> None:
        """Return once the clock shows `instant` or later: by waiting, or at once when it is moved past it."""
        while (left := (instant - self.now()).total_seconds()) > 0:
            moved = self._moved
            try:
                async with asyncio.timeout(None if self.frozen else left):
                    await moved.wait()
            except TimeoutError:
                continue

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has gone on by `seconds`."""
        await self.sleep_until(self.now() + timedelta(seconds=seconds))

    def _wake(self) -> None:
        """Let every sleeper look at the time again; later ones wait for the next move."""
        self._moved.set()
        self._moved = asyncio.Event()


def _real() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - this is the clock that everything else is given


class Chance:
    """Seeded randomness."""

    def __init__(self, seed: int | str) -> None:
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - made to be repeated; nothing here is a secret

    def stream(self, name: str) -> Chance:
        """Give a source of its own for one purpose: what others draw does not change what it gives."""
        return Chance(f"{self._seed}/{name}")

    def happens(self, probability: float) -> bool:
        """Tell whether something of this probability happens. Certain outcomes draw nothing."""
        if probability <= 0:
            return False
        return probability >= 1 or self._random.random() < probability

    def between(self, low: float, high: float) -> float:
        """Draw from a span. An empty span draws nothing."""
        return low if low >= high else self._random.uniform(low, high)

    def string(self, alphabet: str, length: int) -> str:
        """Draw `length` characters."""
        return "".join(self._random.choices(alphabet, k=length))

    def hexadecimal(self, digits: int) -> str:
        """Draw a hexadecimal number of exactly `digits` digits."""
        return f"{self._random.getrandbits(digits * 4):0{digits}x}"

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in another order."""
        return self._random.sample(items, len(items))
