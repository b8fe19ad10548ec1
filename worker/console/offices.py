"""What the pages work with: the store and the broker of the worker that serves them, while it works."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from adapters.mongodb.dead_letters import DeadLetters
from adapters.mongodb.history import History
from adapters.mongodb.journal import Journal, kept_for
from adapters.mongodb.links import Links
from adapters.mongodb.listing import Listing
from adapters.mongodb.overview import Overview
from adapters.mongodb.records import Records
from adapters.mongodb.replay_jobs import OperatorActions, ReplayJobs
from adapters.mongodb.runs import Runs
from adapters.rabbitmq.connection import connect
from adapters.rabbitmq.publisher import open_publisher
from events.failures import Malformed, TryLater
from worker.dead_letters.desk import Desk
from worker.dead_letters.foreseeing import Foresight
from worker.dead_letters.publishing import EXCHANGES, Republisher
from worker.dead_letters.replaying import Replayer
from worker.explaining.looking import Explainer
from worker.said import Said

if TYPE_CHECKING:
    from adapters.mongodb.driver import Database
    from adapters.process.logs import Logger
    from events.replays import ReplayJob
    from worker.explaining.ports import BothSides
    from worker.ports import Clock

_WAITING_JOBS: Final = 100


@dataclass(frozen=True, slots=True)
class Means:
    """What the worker lends. `live`: how both sides are asked; `keep`: how long dead letters are kept that are over."""

    database: Database
    rabbitmq_url: str
    live: BothSides
    clock: Clock
    new_id: Callable[[], str]
    keep: timedelta
    log: Logger


@dataclass(slots=True)
class Office:
    """Everything that a page may ask for, and the jobs that it has ordered."""

    means: Means
    jobs_to_run: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(_WAITING_JOBS))

    @property
    def clock(self) -> Clock:
        """The worker's clock."""
        return self.means.clock

    @property
    def listing(self) -> Listing:
        """Lists of integrations."""
        return Listing(self.means.database)

    @property
    def overview(self) -> Overview:
        """Single integrations."""
        return Overview(self.means.database)

    @property
    def journal(self) -> Journal:
        """The sync log."""
        return Journal(self.means.database, kept_for(timedelta(days=1)))

    @property
    def runs(self) -> Runs:
        """Runs."""
        return Runs(self.means.database)

    @property
    def history(self) -> History:
        """What was done, minute by minute."""
        return History(self.means.database)

    @property
    def letters(self) -> DeadLetters:
        """Dead letters."""
        return DeadLetters(self.means.database, self.means.keep)

    @property
    def jobs(self) -> ReplayJobs:
        """Replay jobs."""
        return ReplayJobs(self.means.database)

    @property
    def actions(self) -> OperatorActions:
        """What operators did."""
        return OperatorActions(self.means.database)

    @property
    def foresight(self) -> Foresight:
        """What a replay would come to."""
        return Foresight(Links(self.means.database), self.overview, None)

    def desk(self, who: str) -> Desk:
        """Where somebody decides about dead letters; all that is done there is recorded."""
        return Desk(who, self.letters, self.jobs, self.actions, self.means.clock, self.means.new_id)

    def explainer(self, *, live: bool) -> Explainer:
        """Answers why; `live`: by asking both sides as well."""
        return Explainer(Records(self.means.database), self.means.clock, self.means.live if live else None)

    async def run_jobs(self, stopping: asyncio.Event) -> None:
        """Run what pages have ordered, one job after the other, until the worker stops. The rest can be resumed."""
        while not stopping.is_set():
            job_id = await self._next(stopping)
            if job_id is not None:
                await self._run(job_id, stopping)

    async def _next(self, stopping: asyncio.Event) -> str | None:
        async with asyncio.TaskGroup() as tasks:
            ordered = tasks.create_task(self.jobs_to_run.get())
            stopped = tasks.create_task(stopping.wait())
            await asyncio.wait({ordered, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not ordered.done():
                ordered.cancel()
        return None if ordered.cancelled() else ordered.result()

    async def _run(self, job_id: str, stopping: asyncio.Event) -> None:
        means = self.means
        try:
            async with (
                connect(means.rabbitmq_url, "calsync console") as connections,
                open_publisher(connections.publishing, EXCHANGES) as publisher,
            ):
                republisher = Republisher(self.letters, publisher.send, means.new_id, means.clock)
                replayer = Replayer(self.letters, self.jobs, republisher, means.clock, runner=means.new_id())
                job = await replayer.run(job_id, stopping, _unseen)
                means.log.info(Said.REPLAYED, job=job.id, state=job.state, who=job.who)
        except (Malformed, TryLater) as error:  # it can be resumed on its page
            means.log.warning(Said.REPLAY_STOPPED, job=job_id, reason=error.reason, detail=error.detail)


def _unseen(_job: ReplayJob, _waiting: TryLater | None) -> None:
    """Pages look at the job itself."""


class Offices:
    """The office that is open now, if any: there is none before the worker has opened everything, and after."""

    def __init__(self) -> None:
        self._open: Office | None = None

    @property
    def here(self) -> Office | None:
        """The one that is open."""
        return self._open

    @contextlib.contextmanager
    def opened(self, means: Means) -> Generator[Office]:
        """Open one for as long as a block runs."""
        self._open = Office(means)
        try:
            yield self._open
        finally:
            self._open = None
