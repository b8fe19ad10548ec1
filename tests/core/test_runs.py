"""Runs: which spans, in which steps, who may join, and how one ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from events.reasons import Reason
from events.runs import BEGINNING, Phase, Position, Run, RunKind, RunState, RunTrigger, Span, Totals
from worker.core.runs import WINDOW, does, onward, verdict, windows

START = datetime(2026, 3, 9, tzinfo=UTC)


def span(first: int, last: int) -> Span:
    return Span(START + timedelta(days=first), START + timedelta(days=last))


RUN = Run(
    id="int-1/4",
    integration_id="int-1",
    tenant_id=1,
    user_id=7,
    kind=RunKind.SYNC,
    trigger=RunTrigger.ASKED,
    revision=4,
    epoch=1,
    calendar_id="cal_1",
    retrieve=span(0, 20),
    send=span(-7, 31),
    started_at=START,
    phase=Phase.SEND,
)


@pytest.mark.parametrize("days", [1, 13, 14, 15, 215])
def test_windows_cover_a_span_without_gap_or_overlap(days: int) -> None:
    cut = windows(span(0, days))
    assert (cut[0].start, cut[-1].end) == (span(0, days).start, span(0, days).end)
    assert all(one.end == two.start for one, two in pairwise(cut))
    assert all(timedelta() < one.end - one.start <= WINDOW for one in cut)


def test_a_run_goes_from_window_to_window_and_from_sending_to_reading_to_rest() -> None:
    seen: list[tuple[Phase, int]] = []
    run = RUN
    while run.phase is not Phase.SETTLE:
        seen.append((run.phase, run.position.window))
        phase, position = onward(replace(run, position=replace(run.position, page="7")))
        run = replace(run, phase=phase, position=position)
    assert seen == [(phase, number) for phase in (Phase.SEND, Phase.READ) for number in range(3)]
    assert run.position == BEGINNING == Position()


@pytest.mark.parametrize(
    ("retrieve", "send", "joins"),
    [
        (span(0, 20), span(-7, 31), True),
        (span(1, 8), None, True),
        (None, span(0, 7), True),
        (span(-1, 8), None, False),
        (None, span(0, 32), False),
    ],
)
def test_who_asks_for_no_more_than_a_run_does_joins_it(retrieve: Span | None, send: Span | None, joins: bool) -> None:
    assert does(RUN, retrieve, send) is joins
    assert not does(replace(RUN, kind=RunKind.UNDO), retrieve, send)


@pytest.mark.parametrize(
    ("totals", "state", "reason"),
    [
        (Totals(), RunState.FINISHED, None),
        (Totals(created=1, failed=40), RunState.FINISHED, None),
        (Totals(failed=3, failing=1), RunState.FAILED, Reason.EVERYTHING_FAILED),
        (Totals(skipped=3), RunState.FINISHED, None),
    ],
)
def test_only_a_run_in_which_everything_failed_has_failed(
    totals: Totals, state: RunState, reason: Reason | None
) -> None:
    assert verdict(totals) == (state, reason)
