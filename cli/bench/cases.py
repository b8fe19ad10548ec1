"""The three cases, each for calendar sync and for the yardstick."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cli.bench.measuring import Measured, Used, used_by
from cli.bench.traffic import Edit, Traffic
from cli.failing import Failed

_PATIENCE: Final = 60.0
"""Seconds without any progress after which nothing more is waited for."""
_GLANCE: Final = 0.01
_LONG_GLANCE: Final = 0.5
_QUIET: Final = 3.0
"""Seconds without a request after which everything has been read back that was written."""
_LAST_LINES: Final = 15
_STRANGERS: Final = range(900_000, 900_500)
"""Users without an integration."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    users: int
    burst: int
    single: int
    strange: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A process that writes to the calendars what is published to its exchange. `pause`: after each edit at rest."""

    name: str
    exchange: str
    pid: int
    log: Path
    backlog: Callable[[], Awaitable[int]]
    pause: float

    def last_lines(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:])


@dataclass
class Bench:
    """Runs cases against one subject. A case is over when what was written has been read back, too."""

    subject: Subject
    traffic: Traffic
    users: Sequence[int]
    """Those of the burst."""
    others: Sequence[int]
    """Those of single edits, whose calendars hold nothing else."""
    size: Size
    numbers: Iterator[int]
    """Ids of items. No two cases share one."""
    _single: list[Edit] = field(default_factory=list[Edit])
    _many: list[Edit] = field(default_factory=list[Edit])

    async def make(self) -> None:
        """Bring into the calendars what is edited later. It should rest before that."""
        each = self.size.burst // len(self.users)
        self._single = [Edit(user, next(self.numbers), 1) for user in self.others]
        self._many = [Edit(user, next(self.numbers), 1) for _ in range(each) for user in self.users]
        made = [*self._single, *self._many]
        await self._apply(made, made)

    async def touch(self) -> None:
        """Make one thing more in each calendar: from then on no read shows what it was filled with."""
        made = [Edit(user, next(self.numbers), 1) for user in self.users]
        await self._apply(made, made)
        await self.quiet()

    async def at_rest(self) -> Measured:
        """Edit one thing in one user's calendar, wait until it is applied, pause, and so on."""
        edits = [edit.again() for edit in self._single]
        begun = await self._begin()
        for edit in edits:
            await self._apply([edit], [edit])
            await self.traffic.clock.sleep(self.subject.pause)
        return await self._measured(edits, begun)

    async def burst(self) -> Measured:
        """Publish many edits of what is in the calendars already, over all users, at once."""
        edits = [edit.again() for edit in self._many]
        begun = await self._begin()
        memory = [begun.used.memory]
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch(memory))
            await self._apply(edits, edits)
            measured = await self._measured(edits, begun, memory)
            watching.cancel()
        return measured

    async def mostly_strangers(self) -> Measured:
        """Publish events of which nine in ten concern nobody with an integration."""
        ours = [Edit(self.users[n % len(self.users)], next(self.numbers), 1) for n in range(self.size.strange // 10)]
        others = [Edit(_STRANGERS[n % len(_STRANGERS)], next(self.numbers), 1) for n in range(len(ours) * 9)]
        mixed = [edit for n, own in enumerate(ours) for edit in (*others[n * 9 : n * 9 + 9], own)]
        begun = await self._begin()
        await self._apply(mixed, ours)
        return await self._measured(mixed, begun)

    async def quiet(self) -> None:
        """Wait until everything has been read back that was written, by whomever."""
        last, since = -1, 0.0
        while last < 0 or self.traffic.clock.monotonic() - since < _QUIET:
            count = await self.traffic.cronofy.request_count()
            if count != last:
                last, since = count, self.traffic.clock.monotonic()
            await self.traffic.clock.sleep(_LONG_GLANCE)

    async def _begin(self) -> _Begun:
        return _Begun(
            self.traffic.clock.monotonic(), used_by(self.subject.pid), await self.traffic.cronofy.request_count()
        )

    async def _apply(self, edits: Sequence[Edit], wanted: Sequence[Edit]) -> None:
        """Publish, and return when all that is wanted was applied and nothing waits in the queue."""
        await self.traffic.publish(edits, self.subject.exchange)
        alone = len(edits) == 1
        known, deadline = -1, 0.0
        while left := self.traffic.lacking(wanted) + (0 if alone else await self.subject.backlog()):
            if left != known:
                known, deadline = left, self.traffic.clock.monotonic() + _PATIENCE
            if self.traffic.clock.monotonic() > deadline:
                raise Failed(
                    f"{self.subject.name}: {left} events are left, and for {_PATIENCE:.0f} s none was applied. "
                    f"The end of {self.subject.log}:\n{self.subject.last_lines()}"
                )
            await self.traffic.clock.sleep(_GLANCE if alone else _LONG_GLANCE)
            await self.traffic.look()

    async def _measured(self, edits: Sequence[Edit], begun: _Begun, memory: Sequence[int] = ()) -> Measured:
        seconds = self.traffic.clock.monotonic() - begun.at
        cpu = used_by(self.subject.pid).cpu
        await self.quiet()
        return Measured(
            events=len(edits),
            seconds=seconds,
            cpu=cpu - begun.used.cpu,
            whole_cpu=used_by(self.subject.pid).cpu - begun.used.cpu,
            requests=await self.traffic.cronofy.request_count() - begun.requests,
            latencies=self.traffic.latencies(edits),
            memory=memory,
        )

    async def _watch(self, memory: list[int]) -> None:
        while True:
            await self.traffic.clock.sleep(_LONG_GLANCE)
            memory.append(used_by(self.subject.pid).memory)


@dataclass(frozen=True, slots=True)
class _Begun:
    at: float
    used: Used
    requests: int
