"""Waiting for the allowance: what was right before it may not be right after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from events.calendar import Accepted, CalendarWrite, Page, RemoveEventWrite, WriteResult
from events.failures import Stale
from events.lanes import Lane
from events.link import ManagedEvent
from events.reasons import Reason
from tests.memory.calendar import CALENDAR_ID
from tests.memory.store import MemoryIntegrations
from tests.simulation.world import INTEGRATION
from tests.worker.accessing import access_to
from worker.access import CronofyAccess

WRITES = [RemoveEventWrite(ManagedEvent(CALENDAR_ID, "ours"))]


@dataclass
class Scarce:
    """An allowance for which one waits a second; meanwhile the user changes the settings."""

    integrations: MemoryIntegrations
    waits: list[float] = field(default_factory=lambda: [1.0])

    async def spend(self, requests: int, lane: Lane) -> float:
        del requests, lane
        row = self.integrations.rows[INTEGRATION]
        row.integration = replace(row.integration, epoch=row.integration.epoch + 1)
        return self.waits.pop() if self.waits else 0.0

    async def refused(self, retry_after: float | None) -> None:
        raise AssertionError(retry_after)


@dataclass
class Counting:
    """A calendar service that counts what is asked of it."""

    asked: int = 0

    async def batch(self, token: str, writes: Sequence[CalendarWrite]) -> list[WriteResult]:
        del token
        self.asked += 1
        return [Accepted() for _ in writes]

    async def first_page(self, token: str, query: Any) -> Page:
        del token, query
        self.asked += 1
        return Page((), None, None)


async def opened(cronofy: Counting, waits: list[float]) -> CronofyAccess:
    return await access_to(cronofy, lambda integrations: Scarce(integrations, waits))


async def test_a_write_that_had_to_wait_is_not_sent_if_the_settings_changed_meanwhile() -> None:
    cronofy = Counting()
    access = await opened(cronofy, [1.0])
    with pytest.raises(Stale) as dropped:
        await access.write(WRITES)
    assert (dropped.value.reason, cronofy.asked) == (Reason.STALE_EPOCH, 0)


async def test_a_write_that_did_not_wait_relies_on_the_look_right_before_it() -> None:
    cronofy = Counting()
    assert await (await opened(cronofy, [])).write(WRITES) == [Accepted()]


async def test_a_read_does_no_harm_and_is_made_all_the_same() -> None:
    cronofy = Counting()
    await (await opened(cronofy, [1.0])).first_page(CALENDAR_ID, None)
    assert cronofy.asked == 1
