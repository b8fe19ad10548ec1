"""Jobs that replay many letters: run by one at a time, and resumed where they were. And what people did."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.mongodb.driver import Database
from adapters.mongodb.replay_jobs import OperatorActions, ReplayJobs
from events.letters import Deed, Place, Status, Which
from events.replays import JobState, OperatorAction, ReplayJob, Tally
from tests.dead_letters.examples import NOW

MINUTE = timedelta(minutes=1)
WHICH = Which(statuses=frozenset({Status.OPEN}), ids=frozenset({"a", "b"}), tenant_id=7, since=NOW, item="todo/1")
JOB = ReplayJob("job", "ann", "fixed", WHICH, NOW, rate=2.5, stop_after=3)


@pytest.fixture
def jobs(opened: Database) -> ReplayJobs:
    return ReplayJobs(opened)


async def test_a_job_comes_back_as_it_was_and_is_added_once(jobs: ReplayJobs) -> None:
    await jobs.add(JOB)
    await jobs.add(replace(JOB, who="bob"))
    assert await jobs.get("job") == JOB
    assert await jobs.get("another") is None


async def test_a_job_is_run_by_one_at_a_time_until_they_give_it_back_or_fall_silent(jobs: ReplayJobs) -> None:
    await jobs.add(JOB)
    assert await jobs.claim("job", "one", NOW, MINUTE) == JOB
    assert await jobs.claim("job", "two", NOW, MINUTE) is None
    assert await jobs.claim("job", "one", NOW, MINUTE) == JOB
    paused = replace(
        JOB, state=JobState.PAUSED, place=Place("7/todo/1", NOW, "a"), tally=Tally(published=9), updated_at=NOW
    )
    assert await jobs.save(paused, "one", None)
    assert await jobs.claim("job", "two", NOW, MINUTE) == replace(paused, state=JobState.RUNNING)
    assert not await jobs.save(JOB, "one", NOW + MINUTE), "it is another's now"
    assert await jobs.claim("job", "three", NOW + 2 * MINUTE, MINUTE) is not None, "the other has fallen silent"


async def test_what_is_done_is_not_run_again(jobs: ReplayJobs) -> None:
    await jobs.add(JOB)
    await jobs.claim("job", "one", NOW, MINUTE)
    await jobs.save(replace(JOB, state=JobState.DONE), "one", None)
    assert await jobs.claim("job", "one", NOW, MINUTE) is None


async def test_jobs_are_listed_newest_first(jobs: ReplayJobs) -> None:
    for number in (2, 3, 1):
        await jobs.add(replace(JOB, id=str(number), created_at=NOW + number * MINUTE))
    assert [job.id for job in await jobs.newest(2)] == ["3", "2"]


async def test_an_action_is_written_down_before_and_completed_after(opened: Database) -> None:
    actions = OperatorActions(opened)
    one = OperatorAction("a", NOW, "ann", Deed.DISCARDED, "test data", WHICH)
    await actions.write(one)
    await actions.write(replace(one, letters=12))
    await actions.write(replace(one, id="b", at=NOW + MINUTE, deed=Deed.REPLAYED, job="job"))
    assert [action.id for action in await actions.newest(5)] == ["b", "a"]
    assert (await actions.newest(5))[1] == replace(one, letters=12)
