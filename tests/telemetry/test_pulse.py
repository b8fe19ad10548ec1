"""What moves, and what does not."""

from __future__ import annotations

import asyncio
import time

import pytest

from adapters.telemetry.pulse import Pulse, moved


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_handler_is_still_from_its_last_move_on() -> None:
    clock = Hands()
    pulse = Pulse(clock)
    with pulse.handling("commands"):
        clock.seconds += 50
        assert pulse.busy() == {"commands": (1, 50.0)}
        moved()
        clock.seconds += 7
        assert pulse.busy() == {"commands": (1, 7.0)}
    assert pulse.busy() == {}


async def test_each_handler_moves_for_itself_and_the_stillest_counts() -> None:
    clock = Hands()
    pulse = Pulse(clock)
    may_end = asyncio.Event()

    async def handle(*, moves: bool) -> None:
        with pulse.handling("commands"):
            await asyncio.sleep(0)
            clock.seconds = 130.0
            if moves:
                moved()
            await may_end.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(handle(moves=True))
        tasks.create_task(handle(moves=False))
        for _ in range(3):
            await asyncio.sleep(0)
        assert pulse.busy() == {"commands": (2, 30.0)}
        may_end.set()


def test_a_handler_that_fails_is_no_longer_busy() -> None:
    pulse = Pulse()
    with pytest.raises(BrokenPipeError), pulse.handling("commands"):
        raise BrokenPipeError
    assert pulse.busy() == {}


def test_moving_without_a_handler_is_nothing() -> None:
    moved()


async def test_a_blocked_event_loop_is_late() -> None:
    pulse = Pulse()
    beating = asyncio.create_task(pulse.beat())  # noqa: TID251 - cancelled right here
    await asyncio.sleep(0)
    assert pulse.lag < 0.3
    time.sleep(0.9)  # noqa: ASYNC251 - the trouble that is looked for
    assert pulse.lag > 0.3
    await asyncio.sleep(0.01)
    assert pulse.lag > 0.3, "the last beat was late"
    beating.cancel()
