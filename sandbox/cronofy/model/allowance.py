"""How many requests an application may make: two token buckets, one for bursts and one for minutes."""

from __future__ import annotations

from datetime import datetime

from sandbox.cronofy.model.settings import Settings


class Allowance:
    """What is left of both limits. A request is let through only if both have room for it."""

    def __init__(self) -> None:
        self._second = _Bucket(1)
        self._minute = _Bucket(60)

    def take(self, cost: int, now: datetime, settings: Settings) -> float:
        """Use up `cost` requests and return 0; or use up nothing and return the seconds until there is room."""
        waits = (
            self._second.wait(cost, now, settings.requests_per_second),
            self._minute.wait(cost, now, settings.requests_per_minute),
        )
        if max(waits) > 0:
            return max(waits)
        self._second.left -= cost
        self._minute.left -= cost
        return 0


class _Bucket:
    """Fills up to its size within `period` seconds."""

    def __init__(self, period: float) -> None:
        self._period = period
        self._size = 0
        self._filled_at: datetime | None = None
        self.left: float = 0

    def wait(self, cost: int, now: datetime, size: int) -> float:
        """Fill up, and return the seconds until `cost` is there. More than the size is never there; full must do."""
        if self._filled_at is None or size != self._size:
            self.left, self._size = size, size  # a new limit starts out unused
        else:
            elapsed = max(0.0, (now - self._filled_at).total_seconds())
            self.left = min(size, self.left + elapsed * size / self._period)
        self._filled_at = now
        missing = min(cost, size) - self.left
        return missing * self._period / size if missing > 0 else 0
