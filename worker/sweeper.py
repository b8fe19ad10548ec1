"""The sweeper: wakes what is due while nobody works on it. The one mechanism for everything that happens later."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from events.commands import Cause, Wake
from worker.consumers.shop import GivenBack
from worker.parts import Part
from worker.said import Said

if TYPE_CHECKING:
    from worker.consumers.shop import Shop
    from worker.ports import Leases

_AGAIN: Final = timedelta(seconds=30)
"""If nothing has come of a wake-up by then, another one is sent."""
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Looks every `interval` seconds."""

    shop: Shop
    leases: Leases
    interval: float

    async def run(self) -> None:
        """Run until the process is about to end."""
        with contextlib.suppress(GivenBack):
            await self.shop.insist(self.rouse)
        while not self.shop.stopping.is_set():
            with self.shop.pulse.handling(Part.SWEEPER), contextlib.suppress(GivenBack):
                if woken := await self.shop.insist(self.sweep):
                    self.shop.log.info(Said.SWEPT, integrations=woken)
            try:
                async with asyncio.timeout(self.interval):
                    await self.shop.stopping.wait()
            except TimeoutError:
                continue

    async def rouse(self) -> None:
        """Have integrations looked at that a former version left without saying when."""
        if roused := await self.leases.rouse(self.shop.clock.now()):
            self.shop.log.info(Said.ROUSED, integrations=roused)

    async def sweep(self) -> int:
        """Wake what is due. Returns how many integrations that was."""
        now = self.shop.clock.now()
        due = await self.leases.claim_due(now, now + _AGAIN, _AT_ONCE)
        if due:
            await self.shop.commands.wake([Wake(integration_id=id_, cause=Cause.DUE) for id_ in due])
        return len(due)
