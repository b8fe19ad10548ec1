"""From minutes to lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from events.history import DELAYS, Backlog, Counts, Stretch
from worker.console.charts import SCOPES, Chart, Scope, charts, starts

NOW = datetime(2026, 3, 10, 12, 7, 30, tzinfo=UTC)
HOUR = SCOPES[0]
MINUTE = timedelta(minutes=1)


def minute(ago: int, counts: Counts = Counts(), backlog: Backlog | None = None) -> Stretch:  # noqa: B008 - frozen
    return Stretch(NOW.replace(second=0) - ago * MINUTE, counts, backlog)


def drawn(*stretches: Stretch) -> dict[str, Chart]:
    return {chart.title: chart for chart in charts(stretches, HOUR, NOW)}


@pytest.mark.parametrize("scope", SCOPES)
def test_stretches_are_whole_and_end_with_the_one_that_is_now(scope: Scope) -> None:
    at = starts(scope, NOW)
    assert len(at) == scope.length // scope.stretch
    assert at[-1] <= NOW < at[-1] + scope.stretch
    assert at[-1] - at[0] == scope.length - scope.stretch


def test_a_line_is_interrupted_where_nothing_is_known() -> None:
    throughput = drawn(minute(0, Counts(done=5)), minute(1, Counts(done=3)), minute(9, Counts(done=1)))["Throughput"]
    (curve,) = throughput.curves
    assert (curve.latest, throughput.top, len(curve.paths)) == (5, 5, 2)
    assert curve.paths[0].endswith("h2")
    assert curve.paths[1].endswith("720.0 10.0")


def test_delays_backlog_and_failures_are_drawn_each_by_its_own_measure() -> None:
    delays = (0, 0, 0, 4) + (0,) * (len(DELAYS) - 3)
    shown = drawn(minute(0, Counts(1, 2, 3, delays), Backlog(120, 7)))
    assert [curve.latest for curve in shown["Delay"].curves] == [3.75, 4.875]
    assert [curve.latest for curve in shown["Backlog"].curves] == [120, 7]
    assert shown["Backlog"].top == 200
    assert [curve.latest for curve in shown["Failures"].curves] == [3, 2]


def test_without_anything_there_are_empty_charts() -> None:
    assert {(chart.top, curve.latest, curve.paths) for chart in drawn().values() for curve in chart.curves} == {
        (1.0, None, ())
    }
