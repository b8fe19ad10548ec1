"""Awaiting in memory: at every await a scheduler may let others run, crash the task, or move the clock."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class Step:
    """One await. The scheduler sees its label; whoever does not schedule (plain asyncio) passes over it."""

    label: str

    def __await__(self) -> Generator[Step | None, None, None]:
        yield self


@dataclass(frozen=True, slots=True)
class NoStep:
    """An await that comes back at once: for running the same fakes under plain asyncio."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


class Stepper:
    """Makes the awaits of the fakes. `by_hand`: whether somebody schedules."""

    def __init__(self, *, by_hand: bool) -> None:
        self._by_hand = by_hand

    async def __call__(self, label: str) -> None:
        if self._by_hand:
            await Step(label)
        else:
            await NoStep()


A = TypeVar("A")
B = TypeVar("B")


async def one_by_one(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """Await what may be awaited at the same time, the second first: nobody may rely on an order."""
    try:
        late = await second
    except BaseException:
        first.close()
        raise
    return await first, late


async def nobody_comes() -> None:
    """Wait for nothing: nothing is just coming in."""


class MemoryClock:
    """A clock that only moves when it is moved."""

    def __init__(self, step: Stepper, start: datetime = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)) -> None:
        self._step = step
        self._now = start
        self._began = start

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._began).total_seconds()

    async def sleep(self, seconds: float) -> None:
        await self._step("sleep")
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        moved = self._now + timedelta(seconds=seconds)
        self._now = moved.replace(microsecond=moved.microsecond // 1000 * 1000)
