"""Which systems are away, as far as this process knows: one line when one goes away, and one when it is back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from events.failures import RateLimited, System, TryLater
from events.reasons import Reason
from worker.said import Said

if TYPE_CHECKING:
    from adapters.process.logs import Logger

_LOOK_SECONDS: Final = 1.0


class Outages:
    """Told of every failure and every success after one, by whoever notices. However many notice, it is said once."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._away: set[System] = set()

    def away(self, error: TryLater) -> None:
        """A system did not answer, or not as it should. Having to wait for one's turn is no outage."""
        if isinstance(error, RateLimited) or error.system in self._away:
            return
        self._away.add(error.system)
        self._log.warning(Said.AWAY, system=error.system, reason=error.reason, detail=error.detail)

    def back(self, *systems: System) -> None:
        """Systems have done what was asked of them."""
        for system in self._away.intersection(systems):
            self._away.discard(system)
            self._log.info(Said.BACK, system=system)


async def watch_broker(there: Callable[[], bool], outages: Outages, stopping: asyncio.Event) -> None:
    """Look at the connections until the process is about to end: whoever only waits for messages notices nothing."""
    while not stopping.is_set():
        if there():
            outages.back(System.BROKER)
        else:
            outages.away(TryLater(System.BROKER, Reason.UNREACHABLE, "the connection broke"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await stopping.wait()
