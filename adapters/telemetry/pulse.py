"""Whether a process moves: how late its event loop is, and handlers that have not moved for long.

A handler moves when it begins, when it gets an HTTP answer or none in time, and when it tries again because a system is
away. So whoever waits for a broker or a database is not stuck: it says so again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Final

from adapters.telemetry.metrics import LOOP_LAG

BEAT_SECONDS: Final = 0.5


class _Handler:
    __slots__ = ("consumer", "monotonic", "moved_at")

    def __init__(self, consumer: str, monotonic: Callable[[], float]) -> None:
        self.consumer = consumer
        self.monotonic = monotonic
        self.moved_at = monotonic()


_CURRENT: ContextVar[_Handler | None] = ContextVar("handler", default=None)


def moved() -> None:
    """Note that the handler that is running here, if one is, has got on with its work."""
    handler = _CURRENT.get()
    if handler is not None:
        handler.moved_at = handler.monotonic()


class Pulse:
    """What moves in one worker. `monotonic`: seconds of a clock that is never set."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._busy: set[_Handler] = set()
        self._expected: float | None = None
        self._lag = 0.0

    @contextlib.contextmanager
    def handling(self, consumer: str) -> Generator[None, None, None]:
        """Watch a handler of a part of the worker while the block runs."""
        handler = _Handler(consumer, self._monotonic)
        self._busy.add(handler)
        token = _CURRENT.set(handler)
        try:
            yield
        finally:
            _CURRENT.reset(token)
            self._busy.discard(handler)

    def busy(self) -> dict[str, tuple[int, float]]:
        """Return for each part how many handlers are busy, and for how many seconds the stillest has not moved."""
        now = self._monotonic()
        found: dict[str, tuple[int, float]] = {}
        for handler in self._busy:
            count, still = found.get(handler.consumer, (0, 0.0))
            found[handler.consumer] = (count + 1, max(still, now - handler.moved_at))
        return found

    @property
    def lag(self) -> float:
        """By how many seconds the event loop was late at the last beat, or is by now."""
        late = 0.0 if self._expected is None else self._monotonic() - self._expected
        return max(self._lag, late)

    async def beat(self) -> None:
        """Beat for ever."""
        while True:
            self._expected = self._monotonic() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self._lag = max(0.0, self._monotonic() - self._expected)
            LOOP_LAG.observe(self._lag)
