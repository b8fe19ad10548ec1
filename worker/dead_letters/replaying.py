"""Replaying many letters: at a steady rate, one at a time for each item, and listening to what becomes of them.

A job can be interrupted at any moment, by a person or by a crash, and resumed: its place is written down, and what was
published beyond it is published once more, which is harmless. It can run beside live traffic.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from events.failures import Malformed, TryLater
from events.letters import Letter, Place, Replay, Status
from events.reasons import Reason
from events.replays import JobState, ReplayJob
from worker.dead_letters.publishing import Republisher, replay_id

if TYPE_CHECKING:
    from worker.dead_letters.ports import Jobs, Queue
    from worker.ports import Clock

T = TypeVar("T")

PATIENCE: Final = 120.0
"""Seconds to wait for what becomes of a replay, before its item's next letter is published all the same."""
_PAGE: Final = 200
_AT_ONCE: Final = 25
_IN_FLIGHT: Final = 500
_LISTEN_EVERY: Final = 0.2
_SAVE_EVERY: Final = 1.0
_CLAIM: Final = timedelta(seconds=20)
_LONGEST_PAUSE: Final = 10.0

Progress = Callable[[ReplayJob, "TryLater | None"], None]
"""Is told how far a job has come, and what it waits for."""


@dataclass(frozen=True, slots=True)
class Replayer:
    """Runs jobs. `runner`: who is running this one; nobody else may meanwhile."""

    letters: Queue
    jobs: Jobs
    republisher: Republisher
    clock: Clock
    runner: str
    patience: float = PATIENCE

    async def run(self, job_id: str, stopping: asyncio.Event, progress: Progress) -> ReplayJob:
        """Run a job until it is done, or `stopping` is set, or too many letters failed again.

        Store and broker may be away meanwhile. Raises `Malformed` if there is no such job to be run by us.
        """
        now = self.clock.now()
        job = await self.jobs.claim(job_id, self.runner, now, _CLAIM)
        if job is None:
            raise Malformed(Reason.BAD_SETTINGS, f"there is no job {job_id}, or it is done, or somebody else runs it")
        return await _Run(self, stopping, progress, job).run()


def wanted(letter: Letter, job: ReplayJob) -> bool:
    """Whether a job is to publish a letter: each once, and again after a crash if nothing was heard of it."""
    mine = [replay for replay in letter.replays if replay.id == replay_id(job.id, letter.id)]
    if mine:
        return mine[-1].verdict is None and letter.status is Status.REPLAYED
    return letter.status is Status.OPEN or letter.id in job.which.ids


@dataclass(slots=True)
class _Run:
    """One run of a job."""

    means: Replayer
    stopping: asyncio.Event
    progress: Progress
    job: ReplayJob
    in_flight: dict[str, tuple[Letter, float]] = field(default_factory=dict[str, "tuple[Letter, float]"])
    """By the replay: what was published and not heard of yet, and since when."""
    failed_before: int = 0
    """When it is resumed after too many failures, it may have as many again."""
    next_at: float = 0.0
    listened_at: float = 0.0
    saved_at: float = 0.0

    async def run(self) -> ReplayJob:
        self.next_at = self.saved_at = self.means.clock.monotonic()
        self.failed_before = self.job.tally.failed_again
        while not self.over:
            page = await self._insist(lambda: self.means.letters.in_order(self.job.which, self.job.place, _PAGE))
            if not page:
                break
            await self._publish_all(page)
        while self.in_flight and not self.stopping.is_set():
            await self._listen()
        state = self._state()
        self.job = replace(self.job, state=state, updated_at=self.means.clock.now())
        await self._insist(lambda: self.means.jobs.save(self.job, self.means.runner, None))
        self.progress(self.job, None)
        return self.job

    @property
    def over(self) -> bool:
        return self.stopping.is_set() or self._too_many_failed

    @property
    def _too_many_failed(self) -> bool:
        limit = self.job.stop_after
        return limit is not None and self.job.tally.failed_again - self.failed_before >= limit

    def _state(self) -> JobState:
        if self.stopping.is_set():
            return JobState.PAUSED
        return JobState.STOPPED if self._too_many_failed else JobState.DONE

    @property
    def _most_in_flight(self) -> int:
        """With a limit of failures, no more at once than can all fail without going far beyond it."""
        return _IN_FLIGHT if self.job.stop_after is None else min(_IN_FLIGHT, 2 * self.job.stop_after)

    # Publishing

    async def _publish_all(self, page: Sequence[Letter]) -> None:
        """Publish a page, in order. What is about one item goes out after the former was heard of."""
        chunk: list[Letter] = []
        largest = max(1, min(_AT_ONCE, int(self.job.rate / 10), self._most_in_flight))
        for letter in page:
            if not wanted(letter, self.job):
                continue
            if len(chunk) >= largest or letter.lane in {one.lane for one in chunk}:
                await self._publish(chunk)
                chunk = []
            while self._must_wait(letter, len(chunk)) and not self.over:
                await self._publish(chunk)
                chunk = []
                await self._listen()
            if self.over:
                return
            chunk.append(letter)
        await self._publish(chunk)
        if not self.over:
            self.job = replace(self.job, place=Place.of(page[-1]))

    def _must_wait(self, letter: Letter, about_to: int) -> bool:
        lanes = {one.lane for one, _ in self.in_flight.values()}
        return letter.lane in lanes or len(self.in_flight) + about_to >= self._most_in_flight

    async def _publish(self, chunk: Sequence[Letter]) -> None:
        if not chunk or self.over:
            return
        await self._pace(len(chunk))
        async with asyncio.TaskGroup() as tasks:
            for letter in chunk:
                tasks.create_task(self._publish_one(letter))
        self.job = replace(self.job, place=Place.of(chunk[-1]))
        await self._listen_now_and_then()

    async def _publish_one(self, letter: Letter) -> None:
        job, republisher = self.job, self.means.republisher
        replay: Replay | None = await self._insist(lambda: republisher.publish(letter.id, job.who, job.why, job.id))
        tally = self.job.tally
        if replay is None:
            self.job = replace(self.job, tally=replace(tally, skipped=tally.skipped + 1))
        else:
            self.in_flight[replay.id] = (letter, self.means.clock.monotonic())
            self.job = replace(self.job, tally=replace(tally, published=tally.published + 1))

    async def _pace(self, letters: int) -> None:
        """Keep to the rate. Time that was lost is not made up for."""
        now = self.means.clock.monotonic()
        if now < self.next_at:
            await self.means.clock.sleep(self.next_at - now)
        self.next_at = max(self.next_at, now - 1.0) + letters / self.job.rate

    # Listening

    async def _listen(self) -> None:
        await self.means.clock.sleep(_LISTEN_EVERY)
        await self._hear()

    async def _listen_now_and_then(self) -> None:
        if self.means.clock.monotonic() - self.listened_at >= _LISTEN_EVERY:
            await self._hear()

    async def _hear(self) -> None:
        asked = [(letter.id, replay) for replay, (letter, _) in self.in_flight.items()]
        verdicts = await self._insist(lambda: self.means.letters.verdicts(asked)) if asked else {}
        tally = self.job.tally
        for replay, (verdict, _) in verdicts.items():
            del self.in_flight[replay]
            tally = tally.plus(verdict)
        now = self.listened_at = self.means.clock.monotonic()
        lost = [replay for replay, (_, since) in self.in_flight.items() if now - since > self.means.patience]
        for replay in lost:
            del self.in_flight[replay]
        self.job = replace(self.job, tally=replace(tally, unheard=tally.unheard + len(lost)))
        self.progress(self.job, None)
        await self._save_now_and_then(now)

    async def _save_now_and_then(self, now: float) -> None:
        if now - self.saved_at < _SAVE_EVERY:
            return
        self.saved_at = now
        at = self.means.clock.now()
        self.job = replace(self.job, updated_at=at)
        if not await self._insist(lambda: self.means.jobs.save(self.job, self.means.runner, at + _CLAIM)):
            raise Malformed(Reason.BAD_SETTINGS, f"somebody else has taken over the job {self.job.id}")

    async def _insist(self, action: Callable[[], Awaitable[T]]) -> T:
        """Do something for as long as store or broker are away; a person who has enough of it interrupts."""
        failures = 0
        while True:
            try:
                return await action()
            except TryLater as error:
                if self.stopping.is_set():
                    raise
                self.progress(self.job, error)
                failures += 1
                await self.means.clock.sleep(min(2.0**failures / 4, _LONGEST_PAUSE))
