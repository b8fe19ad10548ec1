"""A night in which Cronofy refuses a field: the script of docs/a-night.md, played with a few people and items."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from structlog.testing import capture_logs

from adapters.process.system import SystemClock
from cli.demo.night import Night, Said, play
from tests.cli.conftest import Calsync
from tests.stories.stage import DANA, Services, at_work, environment

USERS = (DANA, DANA + 1)
ITEMS = 6
Line = dict[str, Any]


def test_a_refused_field_is_found_left_out_replayed_and_recorded_with_nothing_but_commands(
    services: Services, tmp_path: Path, calsync: Calsync
) -> None:
    desk = Desk()
    # What workers log would stand among what commands say.
    with capture_logs(), ThreadPoolExecutor(1) as backstage:
        playing = backstage.submit(asyncio.run, played(services, tmp_path, desk))
        playing.add_done_callback(desk.leave)
        desk.sit(calsync)
    night, log = playing.result()
    assert "422 location: is not supported here" in " ".join(night.page.text().split())
    assert sum(line["act"] == "create" and line["trigger"] == "replay" for line in log) == ITEMS / len(USERS)
    assert sum(line["act"] == "create" and line["trigger"] != "replay" for line in log) == 1, (
        "the to-do was not held up"
    )


async def played(services: Services, folder: Path, desk: Desk) -> tuple[Night, list[Line]]:
    """Play the night. Returns it with the log of one of the users."""
    async with at_work(services, folder) as world:
        typing = partial(desk.type, variables=environment(world.settings))
        night = Night(world.psa, world.cronofy, SystemClock(), typing, USERS, ITEMS, rate=20)
        await play(night)
        return night, await world.log(f"int-{DANA}")


class Desk:
    """Where the operator sits: in the main thread, because a replay listens for Ctrl-C."""

    def __init__(self) -> None:
        self._to_type = SimpleQueue[tuple[Sequence[str], Mapping[str, str], Future[Said]] | None]()

    async def type(self, words: Sequence[str], variables: Mapping[str, str]) -> Said:
        """Have a command typed."""
        said = Future[Said]()
        self._to_type.put((words, variables, said))
        return await asyncio.wrap_future(said)

    def sit(self, calsync: Calsync) -> None:
        """Type what is to be typed, until the night is over."""
        while (task := self._to_type.get()) is not None:
            words, variables, said = task
            ran = calsync(*words, **variables)
            said.set_result(Said(ran.code, ran.out, ran.err))

    def leave(self, _: object) -> None:
        """End the night."""
        self._to_type.put(None)
