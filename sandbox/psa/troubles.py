"""Things that are meant to go wrong: each a number of times, or with a probability, by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from pydantic import Field

from events.contract import Contract
from sandbox.clock import Chance


class Often(Contract):
    """How often: `times` at most (null: for ever), and each time with this probability."""

    times: int | None = Field(default=1, ge=1)
    probability: float = Field(default=1.0, ge=0, le=1)


W = TypeVar("W", bound=Often)


@dataclass(slots=True)
class Armed(Generic[W]):
    """One of them, with the number of times that it has struck."""

    number: int
    what: W
    struck: int = 0


class Troubles(Generic[W]):
    """See the module. Those that have struck as often as they were meant to are forgotten."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._armed: dict[int, Armed[W]] = {}

    def arm(self, what: W) -> int:
        """Add one, and return its number."""
        number = next(self._numbers)
        self._armed[number] = Armed(number, what)
        return number

    def disarm(self, number: int | None = None) -> None:
        """Remove one, or all."""
        for each in list(self._armed) if number is None else [number]:
            self._armed.pop(each, None)

    def listed(self) -> tuple[Armed[W], ...]:
        """Return all that can still strike."""
        return tuple(self._armed.values())

    def striking(self, concerns: Callable[[W], bool], chance: Chance) -> Iterator[W]:
        """Yield those that strike now, oldest first. What is not taken has not struck."""
        for armed in self.listed():
            if not concerns(armed.what) or not chance.happens(armed.what.probability):
                continue
            armed.struck += 1
            if armed.struck == armed.what.times:
                self.disarm(armed.number)
            yield armed.what
