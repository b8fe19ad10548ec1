"""Awaiting two things at the same time."""

from __future__ import annotations

import asyncio

import pytest

from adapters.process.together import together
from events.failures import System, TryLater
from events.reasons import Reason


async def test_both_run_at_the_same_time_and_both_results_come_back_in_order() -> None:
    met = asyncio.Barrier(2)

    async def meet(name: str) -> str:
        async with asyncio.timeout(5), met:
            return name

    assert await together(meet("one"), meet("other")) == ("one", "other")


@pytest.mark.parametrize("first_fails", [True, False])
async def test_the_error_of_one_comes_out_as_it_is_when_the_other_has_come_to_its_end(*, first_fails: bool) -> None:
    ended = asyncio.Event()

    async def fail() -> None:
        raise TryLater(System.STORE, Reason.UNREACHABLE, "away")

    async def work() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        ended.set()

    with pytest.raises(TryLater) as raised:
        await (together(fail(), work()) if first_fails else together(work(), fail()))
    assert raised.value.reason is Reason.UNREACHABLE
    assert ended.is_set()


async def test_who_is_cancelled_cancels_both() -> None:
    cancelled: list[str] = []

    async def wait(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(name)

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(together(wait("one"), wait("other")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
    assert sorted(cancelled) == ["one", "other"]
