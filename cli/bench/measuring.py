"""What a process has used, and what numbers say."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds (user and system) and resident bytes of a process."""

    cpu: float
    memory: int


def used_by(pid: int) -> Used:
    """Look at a running process."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    resident = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * _PAGE
    return Used((int(stat[11]) + int(stat[12])) / _TICKS, resident)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one case cost. Latencies in seconds, from the event to its application in the calendar.

    `cpu`: until everything was applied. `whole_cpu`, `requests`: until all that was written had been read back, too.
    """

    events: int
    seconds: float
    cpu: float
    whole_cpu: float
    requests: int
    latencies: Sequence[float]
    memory: Sequence[int] = ()

    @property
    def per_second(self) -> float:
        """Events in a second."""
        return self.events / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds for an event until it was applied."""
        return self.cpu / self.events * 1000

    @property
    def whole_cpu_ms(self) -> float:
        """CPU milliseconds for an event until it was read back."""
        return self.whole_cpu / self.events * 1000

    @property
    def requests_per_event(self) -> float:
        """Requests to Cronofy for an event."""
        return self.requests / self.events

    def percentile(self, percent: int) -> float:
        """Return a percentile of the latencies, in milliseconds."""
        if len(self.latencies) < 2:
            return sum(self.latencies) * 1000
        return statistics.quantiles(self.latencies, n=100, method="inclusive")[percent - 1] * 1000
