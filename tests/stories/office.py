"""What an operator does in a story: the same desk and jobs that the commands use."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.mongodb.dead_letters import DeadLetters
from adapters.mongodb.driver import open_database
from adapters.mongodb.links import Links
from adapters.mongodb.overview import Overview
from adapters.mongodb.replay_jobs import OperatorActions, ReplayJobs
from adapters.process.system import SystemClock, new_id
from adapters.rabbitmq.connection import connect
from adapters.rabbitmq.publisher import Publisher, open_publisher
from events.failures import TryLater
from events.letters import Letter, Status, Which
from events.replays import ReplayJob
from tests.stories.stage import NotYet
from worker.dead_letters.desk import Desk
from worker.dead_letters.foreseeing import Expected, Foresight
from worker.dead_letters.publishing import EXCHANGES, Republisher
from worker.dead_letters.replaying import Replayer

if TYPE_CHECKING:
    from tests.stories.stage import Stage


def unseen(job: ReplayJob, waiting: TryLater | None) -> None:
    """Nobody looks how far a job has come."""


@dataclass(frozen=True)
class Operator:
    """Ann, with everything she needs."""

    world: Stage
    letters: DeadLetters
    jobs: ReplayJobs
    actions: OperatorActions
    desk: Desk
    foresight: Foresight
    publisher: Publisher

    async def the_letter(self, status: Status = Status.OPEN, count: int = 1) -> Letter:
        """Return the one letter there is, whole, as soon as it is in this status."""
        return (await self.all_letters(1, status, count))[0]

    async def all_letters(self, number: int, status: Status, count: int = 1) -> list[Letter]:
        """Return letters as soon as there are so many in this status."""

        async def look() -> list[Letter]:
            found = await self.letters.page(Which(statuses=frozenset({status})), None, 1000)
            found = [one for one in found if one.count == count]
            if len(found) != number:
                everything = await self.letters.page(Which(statuses=frozenset(Status)), None, 5)
                raise NotYet(f"{len(found)} {status}; {[(one.status, one.count, one.failure) for one in everything]}")
            return [whole for one in found if (whole := await self.letters.get(one.id))]

        return await self.world.until(look)

    async def foresee(self, letter: Letter) -> Expected:
        return (await self.foresight.of(letter)).expected

    async def replay(self, which: Which, why: str = "fixed", rate: float = 200.0) -> ReplayJob:
        job = await self.desk.replay(which, why, rate, None)
        clock = SystemClock()
        republisher = Republisher(self.letters, self.publisher.send, new_id, clock)
        replayer = Replayer(self.letters, self.jobs, republisher, clock, "story")
        return await replayer.run(job.id, asyncio.Event(), unseen)


@contextlib.asynccontextmanager
async def operator(world: Stage) -> AsyncGenerator[Operator]:
    """Let Ann in."""
    services, clock = world.services, SystemClock()
    async with (
        open_database(services.driver, services.mongodb_url, services.database) as database,
        connect(services.rabbitmq_url, "operator") as connections,
        open_publisher(connections.publishing, EXCHANGES) as publisher,
    ):
        letters, jobs, actions = (
            DeadLetters(database, timedelta(days=90)),
            ReplayJobs(database),
            OperatorActions(database),
        )
        desk = Desk("ann", letters, jobs, actions, clock, new_id)
        foresight = Foresight(Links(database), Overview(database), None)
        yield Operator(world, letters, jobs, actions, desk, foresight, publisher)
