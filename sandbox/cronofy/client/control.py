"""The whole client."""

from __future__ import annotations

from sandbox.cronofy.client.events import Events
from sandbox.cronofy.client.operation import Operation
from sandbox.cronofy.client.people import People
from sandbox.cronofy.client.witness import Witness


class CronofyControl(People, Events, Operation, Witness):
    """Acts as people and as the operator of one sandbox."""

    async def run_until_quiet(self) -> None:
        """Move the clock from one thing that is due to the next, until nothing is under way."""
        while not (pending := await self.pending()).quiet:
            if pending.next_due is not None:
                await self.set_clock(pending.next_due)
            else:
                await self.wait_until_quiet(timeout=10)  # deliveries take real time
