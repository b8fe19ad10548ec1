"""Replaying many letters: in order, at a rate, to be interrupted and resumed at any moment."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from adapters.rabbitmq.publisher import Outgoing
from events.dead_letters import Replayed
from events.failures import Malformed, Refused, System, TryLater
from events.letters import Letter, Place, Replay, Status, Subject, Verdict, Which
from events.reasons import Reason
from events.replays import JobState, ReplayJob
from tests.dead_letters.examples import NOW, letter
from worker.dead_letters.publishing import Republisher, replay_id
from worker.dead_letters.replaying import Replayer, wanted


@dataclass
class Clock:
    """A clock that is moved by sleeping."""

    seconds: float = 100.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


class Crash(Exception):
    """The process ends right there."""


def unseen(job: ReplayJob, waiting: TryLater | None) -> None:
    """Nobody looks how far a job has come."""


def soon(_: Letter) -> tuple[float, Verdict | None]:
    return 0.1, Verdict.RESOLVED


@dataclass
class World:
    """Letters in memory, a broker, and consumers that answer after a while. `fate`: seconds, and what comes of it."""

    letters: dict[str, Letter]
    fate: Callable[[Letter], tuple[float, Verdict | None]] = soon
    clock: Clock = field(default_factory=Clock)
    sent: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    answers: dict[str, tuple[float, Verdict | None]] = field(default_factory=dict[str, tuple[float, Verdict | None]])
    jobs: dict[str, ReplayJob] = field(default_factory=dict[str, ReplayJob])
    runner: str | None = None
    away: int = 0
    crash_after: int | None = None

    async def in_order(self, which: Which, after: Place | None, limit: int) -> list[Letter]:
        def place(one: Letter) -> tuple[str, datetime, str]:
            return one.lane, one.first_at, one.id

        behind = (after.lane, after.at, after.id) if after else ("", NOW - timedelta(days=999), "")
        found = sorted((one for one in self.letters.values() if one.status in which.statuses), key=place)
        return [one for one in found if place(one) > behind][:limit]

    async def verdicts(self, replays: Sequence[tuple[str, str]]) -> dict[str, tuple[Verdict, str]]:
        known: dict[str, tuple[Verdict, str]] = {}
        for letter_id, replay in replays:
            at, verdict = self.answers[replay]
            if verdict and at <= self.clock.seconds:
                known[replay] = (verdict, "")
                await self.ended(letter_id, replay, verdict, "", NOW)
        return known

    async def begin(self, letter_id: str, replay: Replay, why: str) -> Letter | None:
        del why
        one = self.letters[letter_id]
        if self.away:
            self.away -= 1
            raise TryLater(System.STORE, Reason.UNREACHABLE)
        if one.status in {Status.DISCARDED, Status.RESOLVED}:
            return None
        if replay.id not in {known.id for known in one.replays}:
            one = self.letters[letter_id] = replace(one, status=Status.REPLAYED, replays=(*one.replays, replay))
        return one

    async def ended(self, letter_id: str, replay: str, verdict: Verdict, detail: str, now: datetime) -> None:
        del detail, now
        one = self.letters[letter_id]
        replays = tuple(replace(each, verdict=verdict) if each.id == replay else each for each in one.replays)
        status = Status.OPEN if verdict is Verdict.FAILED_AGAIN else Status.RESOLVED
        self.letters[letter_id] = replace(one, replays=replays, status=status)

    async def add(self, job: ReplayJob) -> None:
        self.jobs[job.id] = job

    async def claim(self, job_id: str, runner: str, now: datetime, length: timedelta) -> ReplayJob | None:
        del now, length
        job = self.jobs.get(job_id)
        if job is None or job.state is JobState.DONE or self.runner not in {None, runner}:
            return None
        self.runner = runner
        return replace(job, state=JobState.RUNNING)

    async def save(self, job: ReplayJob, runner: str, until: datetime | None) -> bool:
        if self.runner != runner:
            return False
        self.jobs[job.id], self.runner = job, (runner if until else None)
        return True

    async def send(self, message: Outgoing) -> None:
        replayed = Replayed.of(message.headers)
        assert replayed is not None
        assert self.letters[replayed.letter].status is Status.REPLAYED, "written down before it is sent"
        if self.crash_after is not None and len(self.sent) >= self.crash_after:
            raise Crash
        self.sent.append((self.clock.seconds, replayed.letter))
        after, verdict = self.fate(self.letters[replayed.letter])
        self.answers[replayed.replay] = (self.clock.seconds + after, verdict)

    @property
    def order(self) -> list[int]:
        return [int(id_, 16) for _, id_ in self.sent]

    async def run(self, job: ReplayJob | None = None, stopping: asyncio.Event | None = None) -> ReplayJob:
        if job is not None:
            self.jobs[job.id] = job
        republisher = Republisher(self, self.send, lambda: "m", self.clock)
        replayer = Replayer(self, self, republisher, self.clock, "me")
        return await replayer.run("job", stopping or asyncio.Event(), unseen)


def job(**changes: object) -> ReplayJob:
    return replace(ReplayJob("job", "ann", "fixed", Which(), NOW, rate=50), **changes)  # type: ignore[arg-type]


def many(count: int, items: int | None = None) -> World:
    """Letters, over so many items; the oldest last."""
    return World({
        one.id: one
        for n in range(count)
        for one in [letter(n, minutes=-n, subject=Subject(1, "int-1", f"todo/{n % items if items else n:04}"))]
    })


async def test_every_letter_is_replayed_once_and_what_became_of_it_is_counted() -> None:
    world = many(450)
    done = await world.run(job())
    assert sorted(world.order) == list(range(450))
    assert (done.state, done.tally.published, done.tally.resolved) == (JobState.DONE, 450, 450)
    assert all(one.status is Status.RESOLVED for one in world.letters.values())


async def test_letters_of_an_item_go_out_oldest_first_each_after_the_former_was_heard_of() -> None:
    world = many(12, items=3)
    await world.run(job())
    assert world.order == [9, 6, 3, 0, 10, 7, 4, 1, 11, 8, 5, 2]
    lanes: dict[str, list[float]] = {}
    for at, id_ in world.sent:
        lanes.setdefault(world.letters[id_].lane, []).append(at)
    assert all(later - earlier >= 0.1 for times in lanes.values() for earlier, later in itertools.pairwise(times))


async def test_an_item_whose_replay_is_not_heard_of_does_not_stop_the_job_for_ever() -> None:
    world = many(3, items=1)
    world.fate = lambda one: (0.1, None if one.id == letter(2).id else Verdict.STALE)
    done = await world.run(job())
    assert world.order == [2, 1, 0]
    assert (done.tally.stale, done.tally.unheard) == (2, 1)


@pytest.mark.parametrize("rate", [5.0, 50.0, 200.0])
async def test_the_rate_is_kept(rate: float) -> None:
    world = many(60)
    began = world.clock.seconds
    await world.run(job(rate=rate))
    took = world.sent[-1][0] - began
    assert abs(60 / rate - took) <= max(0.3, 0.1 * took)


async def test_it_stops_when_too_many_failed_again_and_not_far_beyond() -> None:
    world = many(100)
    world.fate = lambda _: (0.1, Verdict.FAILED_AGAIN)
    done = await world.run(job(stop_after=3))
    assert done.state is JobState.STOPPED
    assert 3 <= done.tally.failed_again <= 6
    assert len(world.sent) <= 6
    again = await world.run()
    assert again.tally.failed_again > done.tally.failed_again, "resumed, it may fail as often again"


async def test_what_failed_again_is_not_tried_twice_by_one_job() -> None:
    world = many(5)
    world.fate = lambda _: (0.1, Verdict.FAILED_AGAIN)
    await world.run(job(state=JobState.PAUSED))
    world.jobs["job"] = replace(world.jobs["job"], state=JobState.PAUSED, place=None)
    await world.run()
    assert len(world.sent) == 5


@pytest.mark.parametrize("crash_after", [0, 1, 7, 24, 25, 26, 99])
async def test_after_a_crash_anywhere_it_goes_on_and_no_letter_is_left_out(crash_after: int) -> None:
    world = many(100)
    world.crash_after = crash_after
    crashed = False
    try:
        await world.run(job())
    except* Crash:
        crashed = True
    assert crashed
    world.crash_after, world.runner = None, None
    done = await world.run()
    assert done.state is JobState.DONE
    assert set(world.order) == set(range(100))
    assert all(one.status is Status.RESOLVED for one in world.letters.values())


async def test_interrupted_it_says_so_and_resumed_it_goes_on_where_it_was() -> None:
    world = many(300)
    stopping = asyncio.Event()

    def fate(_: Letter) -> tuple[float, Verdict | None]:
        if len(world.sent) == 100:
            stopping.set()
        return soon(letter())

    world.fate = fate
    paused = await world.run(job(), stopping)
    assert paused.state is JobState.PAUSED
    assert 100 <= len(world.sent) < 150
    done = await world.run()
    assert (done.state, len(set(world.order))) == (JobState.DONE, 300)
    assert len(world.sent) <= 350


async def test_an_outage_is_waited_for() -> None:
    world = many(5)
    world.away = 4
    assert (await world.run(job())).tally.resolved == 5


async def test_what_others_dealt_with_meanwhile_is_skipped() -> None:
    world = many(3)
    one = letter(1)
    in_order = world.in_order

    async def and_then(which: Which, after: Place | None, limit: int) -> list[Letter]:
        found = await in_order(which, after, limit)
        world.letters[one.id] = replace(world.letters[one.id], status=Status.DISCARDED)
        return found

    world.in_order = and_then  # type: ignore[method-assign]  # somebody is quicker
    done = await world.run(job())
    assert (done.tally.published, done.tally.skipped) == (2, 1)


async def test_what_no_queue_takes_has_failed_again() -> None:
    world = many(2)

    async def unroutable(message: Outgoing) -> None:
        del message
        raise Refused(Reason.UNROUTABLE, "psa.events")

    world.send = unroutable  # type: ignore[method-assign]  # the broker refuses
    world.answers = {replay_id("job", id_): (0.0, Verdict.FAILED_AGAIN) for id_ in world.letters}
    assert (await world.run(job())).tally.failed_again == 2


async def test_a_job_is_run_by_one_at_a_time_and_only_until_it_is_done() -> None:
    world = many(1)
    world.runner = "somebody else"
    with pytest.raises(Malformed):
        await world.run(job())
    world.runner = None
    await world.run(job())
    with pytest.raises(Malformed):
        await world.run()


MINE = Replay(replay_id("job", letter().id), NOW, "ann", "job")
WANTED = {
    "open": (letter(), True),
    "replayed by somebody else": (letter(status=Status.REPLAYED, replays=(Replay("r", NOW, "bob"),)), False),
    "replayed by this job, not heard of": (letter(status=Status.REPLAYED, replays=(MINE,)), True),
    "failed again in this job": (letter(replays=(replace(MINE, verdict=Verdict.FAILED_AGAIN),)), False),
    "failed anew since": (letter(replays=(MINE,)), False),
}


@pytest.mark.parametrize(("one", "answer"), WANTED.values(), ids=WANTED)
def test_a_job_publishes_each_letter_once_and_after_a_crash_again(one: Letter, answer: object) -> None:
    assert wanted(one, job()) is answer


def test_a_letter_that_is_named_is_replayed_though_another_replay_is_not_heard_of() -> None:
    one = letter(status=Status.REPLAYED, replays=(Replay("r", NOW, "bob"),))
    assert wanted(one, job(which=Which(ids=frozenset({one.id}))))
