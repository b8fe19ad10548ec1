"""What the store of runs promises, real or in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from adapters.mongodb.driver import Driver, open_database
from adapters.mongodb.runs import Runs as RealRuns
from events.link import LinkState, RunMark, RunResult
from events.runs import FAILING, Phase, Position, RunState, Totals
from tests.adapters.mongodb.examples import NOW, after, item, lease, link, stored
from tests.adapters.mongodb.subjects import MEMORY, SUBJECTS, LinkStore
from tests.core.test_runs import RUN
from tests.memory.steps import Stepper
from tests.memory.store import MemoryRuns
from worker.ports import Runs


@pytest.fixture(params=SUBJECTS)
async def runs(request: pytest.FixtureRequest) -> AsyncGenerator[Runs]:
    if request.param == MEMORY:
        yield MemoryRuns(Stepper(by_hand=False))
        return
    url, name = request.getfixturevalue("mongodb_url"), request.getfixturevalue("database")
    async with open_database(Driver(request.param), url, name) as opened:
        yield RealRuns(opened)


async def test_a_run_begins_once_and_comes_back_as_it_was_saved(runs: Runs) -> None:
    assert await runs.begin(lease(1), RUN) == RUN
    moved = replace(RUN, phase=Phase.READ, position=Position(2, "page", 7, 1), totals=Totals(created=3), told_at=NOW)
    saved = await runs.save(lease(1), RUN, moved)
    assert saved == replace(moved, version=1)
    assert await runs.begin(lease(1), RUN) == saved == await runs.get(RUN.id)
    assert await runs.get("int-1/5") is None


async def test_whoever_lost_the_lease_or_did_not_see_the_last_save_saves_nothing(runs: Runs) -> None:
    await runs.begin(lease(1), RUN)
    saved = await runs.save(lease(2), RUN, replace(RUN, phase=Phase.READ))
    assert saved is not None
    assert await runs.save(lease(2), RUN, replace(RUN, phase=Phase.SETTLE)) is None
    assert await runs.save(lease(1), saved, replace(saved, phase=Phase.SETTLE)) is None
    assert await runs.get(RUN.id) == saved


async def test_only_a_run_that_has_not_ended_is_gone_on_with(runs: Runs) -> None:
    later = replace(RUN, id="int-1/9", started_at=after(60 * 24))
    for run in (RUN, later):
        await runs.begin(lease(1), run)
    assert await runs.under_way("int-1") == RUN
    await runs.save(lease(1), RUN, replace(RUN, state=RunState.FINISHED))
    assert (await runs.under_way("int-1"), await runs.latest("int-1")) == (later, later)
    assert await runs.under_way("int-2") is None


async def test_totals_are_counted_from_what_came_of_the_links(links: LinkStore) -> None:
    results = [RunResult.CREATED, RunResult.CREATED, RunResult.FAILED, None, None]
    many = [
        link(item(number), run=RunMark("run", result=result), attempts=FAILING if number == 5 else 0, due_at=after(10))
        for number, result in enumerate(results, start=1)
    ]
    await links.add(lease(1), [*many, link(item(9), run=RunMark("other")), link(item(10))])
    assert await links.run_totals(many[0].integration_id, "run") == Totals(created=2, failed=1, pending=1, failing=1)


async def test_what_a_run_left_under_way_is_hastened_and_nothing_else(links: LinkStore) -> None:
    waiting = link(item(1), run=RunMark("run"), due_at=after(10))
    rested = link(item(2), run=RunMark("run", result=RunResult.CREATED), due_at=after(10))
    resting = link(item(3), run=RunMark("run"), state=LinkState.SETTLED, due_at=None)
    await links.add(lease(1), [waiting, rested, resting])
    await links.hasten(waiting.integration_id, "run", NOW)
    assert [(await stored(links, one)).due_at for one in (waiting, rested, resting)] == [NOW, after(10), None]
