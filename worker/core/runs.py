"""Runs: which span, in which steps, and how one ends. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise, starmap
from typing import Final

from events.psa import FutureRange, PastRange
from events.reasons import Reason
from events.runs import BEGINNING, Phase, Position, Run, RunKind, RunState, Span, Totals

WINDOW: Final = timedelta(days=14)
"""A run reads a span in windows: what expired or moved under way costs one window anew, and no more."""
PAUSE: Final = timedelta(seconds=30)
"""Between the beginnings of two runs that people ask for."""

_DAYS_BACK: Final = {
    PastRange.NONE: 0,
    PastRange.ONE_DAY: 1,
    PastRange.ONE_WEEK: 7,
    PastRange.TWO_WEEKS: 14,
    PastRange.ONE_MONTH: 31,
}
_DAYS_AHEAD: Final = {
    FutureRange.ONE_WEEK: 7,
    FutureRange.TWO_WEEKS: 14,
    FutureRange.ONE_MONTH: 31,
    FutureRange.THREE_MONTHS: 92,
    FutureRange.SIX_MONTHS: 184,
}
"""All within what Cronofy reads, 42 days back and 201 ahead. Source: cronofy.md, 6."""


def days(past: PastRange, future: FutureRange) -> tuple[int, int]:
    """Return how many days a range reaches back from today, and to which day after today (exclusive) ahead."""
    return _DAYS_BACK[past], _DAYS_AHEAD[future] + 1


def windows(span: Span) -> tuple[Span, ...]:
    """Cut a span into windows, the earliest first."""
    cuts: list[datetime] = [span.start]
    while cuts[-1] + WINDOW < span.end:
        cuts.append(cuts[-1] + WINDOW)
    cuts.append(span.end)
    return tuple(starmap(Span, pairwise(cuts)))


def phases(run: Run) -> tuple[Phase, ...]:
    """Return what a run does, in order."""
    if run.kind is RunKind.UNDO:
        return (Phase.TAKE_BACK, Phase.SETTLE)
    return (*((Phase.SEND,) if run.send else ()), Phase.READ, Phase.SETTLE)


def first_phase(send: Span | None) -> Phase:
    """Return with what a run begins."""
    return Phase.SEND if send else Phase.READ


def windows_of(run: Run) -> tuple[Span, ...]:
    """Return the windows of the phase that a run is in."""
    match run.phase:
        case Phase.SEND:
            return windows(run.send) if run.send else ()
        case Phase.READ:
            return windows(_both(run))
        case Phase.TAKE_BACK | Phase.SETTLE:
            return ()


def _both(run: Run) -> Span:
    spans = [span for span in (run.retrieve, run.send) if span]
    return Span(min(span.start for span in spans), max(span.end for span in spans))


def onward(run: Run) -> tuple[Phase, Position]:
    """Return where a run goes on when a window is done: the next window, or the next phase."""
    if run.position.window + 1 < len(windows_of(run)):
        return run.phase, Position(run.position.window + 1)
    order = phases(run)
    return order[order.index(run.phase) + 1], BEGINNING


def does(run: Run, retrieve: Span | None, send: Span | None) -> bool:
    """Whether a run does all that is asked, so that who asks can join it."""
    if run.kind is not RunKind.SYNC:
        return False
    pairs = ((run.retrieve, retrieve), (run.send, send))
    return all(asked is None or (has is not None and has.covers(asked)) for has, asked in pairs)


def verdict(totals: Totals) -> tuple[RunState, Reason | None]:
    """Say how a run ended. One failing item never fails a run; one in which everything failed has failed."""
    failed = totals.failed + totals.failing
    if failed and failed == totals.total:
        return RunState.FAILED, Reason.EVERYTHING_FAILED
    return RunState.FINISHED, None
