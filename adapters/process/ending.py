"""Running until asked to end: the first signal asks, the second insists."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Generator

Program = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set, then finishes what is under way and returns."""


class Overdue(Exception):
    """What was under way did not come to an end in time; it was cut off."""


async def run_until_asked(program: Program, grace_seconds: float) -> None:
    """Run a program until SIGTERM or SIGINT, and for at most `grace_seconds` after that.

    Raises `Overdue` if it took longer, or a second signal came.
    """
    stopping, insisted = asyncio.Event(), asyncio.Event()

    def asked() -> None:
        (insisted if stopping.is_set() else stopping).set()

    with _on_signals(asked):
        running = asyncio.ensure_future(program(stopping))  # noqa: TID251 - awaited right here
        ending = asyncio.ensure_future(_grace(stopping, insisted, grace_seconds))  # noqa: TID251 - as above
        try:
            await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
            in_time = running.done()
        finally:
            for task in (running, ending):
                task.cancel()
            await asyncio.wait({running, ending})
    if in_time:
        running.result()
    else:
        raise Overdue


async def _grace(stopping: asyncio.Event, insisted: asyncio.Event, seconds: float) -> None:
    await stopping.wait()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await insisted.wait()


@contextlib.contextmanager
def _on_signals(asked: Callable[[], None]) -> Generator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, asked)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
