"""What was done, minute by minute."""

from __future__ import annotations

from datetime import timedelta

from adapters.mongodb.driver import Database
from adapters.mongodb.history import History
from events.history import DELAYS, Backlog, Counts
from tests.adapters.mongodb.examples import NOW, after

HOUR = timedelta(hours=1)


async def test_all_workers_count_together_and_minutes_are_added_up(opened: Database) -> None:
    history = History(opened)
    delays = tuple(range(len(DELAYS) + 1))
    await history.add(after(0), Counts(1, 2, 3, delays), Backlog(5, 1))
    await history.add(after(0.5), Counts(10), Backlog(4, 2))
    await history.add(after(1), Counts(100), None)
    await history.add(after(61), Counts(7), None)
    await history.add(after(500), Counts(9), None)
    minutes = await history.stretches(NOW, after(1), timedelta(minutes=1))
    assert [(one.at, one.counts, one.backlog) for one in minutes] == [(NOW, Counts(11, 2, 3, delays), Backlog(5, 2))]
    hours = await history.stretches(NOW, after(120), HOUR)
    assert [(one.at, one.counts.done, one.backlog) for one in hours] == [
        (NOW, 111, Backlog(5, 2)),
        (NOW + HOUR, 7, None),
    ]


async def test_a_look_at_the_backlog_is_kept_though_nothing_was_done(opened: Database) -> None:
    history = History(opened)
    await history.add(NOW, Counts(), Backlog(3, 0))
    (one,) = await history.stretches(NOW, after(1), timedelta(minutes=1))
    assert (one.counts, one.backlog) == (Counts(), Backlog(3, 0))
