"""How many calls of one endpoint a tenant may make within an hour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_HOUR: Final = timedelta(hours=1)


@dataclass(slots=True)
class _Window:
    until: datetime
    calls: int = 0


class Limits:
    """Counts calls in windows of an hour, each beginning with the first call after the last window."""

    def __init__(self) -> None:
        self._windows: dict[tuple[int, str], _Window] = {}

    def seconds_to_wait(self, tenant_id: int, endpoint: str, allowed: int, now: datetime) -> int | None:
        """Count a call. Return None if it is allowed, otherwise when to come back; then it does not count."""
        window = self._windows.get((tenant_id, endpoint))
        if window is None or now >= window.until:
            window = self._windows[tenant_id, endpoint] = _Window(now + _HOUR)
        if window.calls >= allowed:
            return max(1, math.ceil((window.until - now).total_seconds()))
        window.calls += 1
        return None
