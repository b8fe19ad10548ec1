"""Time, chance and ids: the one place where they come from. Everybody else is given them."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time of day, UTC, in whole milliseconds, as the store keeps it."""
        now = datetime.now(UTC)  # noqa: TID251 - the clock
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def monotonic(self) -> float:
        """Return seconds of a clock that is never set."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def chance() -> float:
    """Return a number from 0 to 1: for jitter, not for secrets."""
    return random.random()  # noqa: TID251, S311 - the place where chance comes from


def new_id() -> str:
    """Return an id that nobody else has."""
    return uuid.uuid4().hex  # noqa: TID251 - the place where ids are made
