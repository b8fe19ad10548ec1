"""Rings when something has happened, for whoever waits for something to happen."""

from __future__ import annotations

import asyncio


class Bell:
    """See the module. Remembers when it last rang, by the event loop's time."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.rang_at = float("-inf")

    def ring(self) -> None:
        """Wake everybody who is waiting now."""
        self._rung.set()
        self._rung = asyncio.Event()
        self.rang_at = asyncio.get_running_loop().time()

    async def heard(self, within: float | None) -> None:
        """Wait for the next ring, or until this many seconds have passed (None: for ever)."""
        try:
            async with asyncio.timeout(within):
                await self._rung.wait()
        except TimeoutError:
            return
