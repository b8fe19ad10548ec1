"""The three cases, each for calendar sync and for the yardstick."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cli.bench.measuring import Measured, Used, used_by
from cli.bench.traffic import Edit, Traffic
from cli.failing import Failed

_PATIENCE: Final = 600.0
_GLANCE: Final = 0.01
_LONG_GLANCE: Final = 0.5
_PAUSE: Final = 2.5
"""Seconds between edits at rest: enough for the one before to be read back."""
_REST: Final = 65.0
"""Seconds after which everything rests: writes have been read back, and reads no longer overlap with them."""
_STRANGERS: Final = range(900_000, 900_500)
"""Users without an integration."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    users: int
    burst: int
    single: int
    strange: int


@dataclass
class Bench:
    """Runs cases against one subject: a process that writes to the calendars what is published."""

    traffic: Traffic
    users: Sequence[int]
    size: Size
    pid: int
    backlog: Callable[[], Awaitable[int]]
    numbers: Iterator[int]
    """Ids of items. No two cases share one."""

    async def at_rest(self) -> Measured:
        """Edit one thing in one user's calendar, wait until it is applied, pause, and so on."""
        made = [Edit(self.users[n % len(self.users)], next(self.numbers), 1) for n in range(self.size.single)]
        await self._apply(made, made)
        await self.traffic.clock.sleep(_REST)
        edits = [edit.again() for edit in made]
        begun = await self._begin()
        for edit in edits:
            await self._apply([edit], [edit])
            await self.traffic.clock.sleep(_PAUSE)
        return await self._measured(edits, begun)

    async def burst(self) -> Measured:
        """Publish many edits of what is in the calendars already, over all users, at once."""
        each = self.size.burst // len(self.users)
        made = [Edit(user, next(self.numbers), 1) for _ in range(each) for user in self.users]
        await self._apply(made, made)
        await self.traffic.clock.sleep(_REST)
        edits = [edit.again() for edit in made]
        begun = await self._begin()
        memory = [begun.used.memory]
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch(memory))
            await self._apply(edits, edits)
            watching.cancel()
        return await self._measured(edits, begun, memory)

    async def mostly_strangers(self) -> Measured:
        """Publish events of which nine in ten concern nobody with an integration."""
        ours = [Edit(self.users[n % len(self.users)], next(self.numbers), 1) for n in range(self.size.strange // 10)]
        others = [Edit(_STRANGERS[n % len(_STRANGERS)], next(self.numbers), 1) for n in range(len(ours) * 9)]
        mixed = [edit for n, own in enumerate(ours) for edit in (*others[n * 9 : n * 9 + 9], own)]
        begun = await self._begin()
        await self._apply(mixed, ours)
        return await self._measured(mixed, begun)

    async def _begin(self) -> _Begun:
        return _Begun(self.traffic.clock.monotonic(), used_by(self.pid), await self.traffic.cronofy.request_count())

    async def _apply(self, edits: Sequence[Edit], wanted: Sequence[Edit]) -> None:
        """Publish, and return when all that is wanted was applied and nothing waits in the queue."""
        deadline = self.traffic.clock.monotonic() + _PATIENCE
        await self.traffic.publish(edits)
        while self.traffic.lacking(wanted) or (len(edits) > 1 and await self.backlog()):
            if self.traffic.clock.monotonic() > deadline:
                raise Failed(f"{self.traffic.lacking(wanted)} events were not applied within {_PATIENCE:.0f} s")
            await self.traffic.clock.sleep(_GLANCE if len(edits) == 1 else _LONG_GLANCE)
            await self.traffic.look()

    async def _measured(self, edits: Sequence[Edit], begun: _Begun, memory: Sequence[int] = ()) -> Measured:
        return Measured(
            events=len(edits),
            seconds=self.traffic.clock.monotonic() - begun.at,
            cpu=used_by(self.pid).cpu - begun.used.cpu,
            requests=await self.traffic.cronofy.request_count() - begun.requests,
            latencies=self.traffic.latencies(edits),
            memory=memory,
        )

    async def _watch(self, memory: list[int]) -> None:
        while True:
            await self.traffic.clock.sleep(_LONG_GLANCE)
            memory.append(used_by(self.pid).memory)


@dataclass(frozen=True, slots=True)
class _Begun:
    at: float
    used: Used
    requests: int
