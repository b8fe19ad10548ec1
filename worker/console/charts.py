"""Charts: how much was done, how quickly, how much waited, what failed. From stretches of history to lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from worker.console.asking import word

if TYPE_CHECKING:
    from starlette.responses import Response

    from events.history import Stretch
    from worker.console.guarding import Visit

WIDTH: Final = 720
HEIGHT: Final = 160
_LEFT: Final = 48
_BOTTOM: Final = 22
_TOP: Final = 10
_DAY: Final = timedelta(days=1)

Value = Callable[["Stretch"], "float | None"]


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of the past is drawn, in stretches of which length."""

    name: str
    length: timedelta
    stretch: timedelta


SCOPES: Final = (
    Scope("hour", timedelta(hours=1), timedelta(minutes=1)),
    Scope("day", _DAY, timedelta(minutes=15)),
    Scope("week", 7 * _DAY, timedelta(hours=2)),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """One line. `paths`: its pieces, interrupted where nothing is known."""

    name: str
    paths: tuple[str, ...]
    latest: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, ready to be drawn."""

    title: str
    unit: str
    curves: tuple[Curve, ...]
    top: float
    """What the upper edge stands for."""


def starts(scope: Scope, now: datetime) -> list[datetime]:
    """Return where stretches begin, the oldest first; they are whole ones, so that each is drawn from all there is."""
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    last = epoch + scope.stretch * ((now - epoch) // scope.stretch)
    count = scope.length // scope.stretch
    return [last - scope.stretch * (count - 1 - n) for n in range(count)]


def chart(title: str, unit: str, of: Sequence[tuple[str, Value]], at: Sequence[datetime], drawn: Drawn) -> Chart:
    """Return a chart of values of stretches."""
    values = [(name, [_value(drawn.get(moment), value) for moment in at]) for name, value in of]
    largest = max((value for _, line in values for value in line if value is not None), default=0.0)
    top = _rounded(largest)
    curves = tuple(Curve(name, _paths(line, top), _latest(line)) for name, line in values)
    return Chart(title, unit, curves, top)


Drawn = dict[datetime, "Stretch"]


def _value(stretch: Stretch | None, value: Value) -> float | None:
    return None if stretch is None else value(stretch)


def _latest(line: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(line) if value is not None), None)


def _rounded(largest: float) -> float:
    """Return a number that is easy to read and not smaller."""
    unit = 1.0
    while unit * 10 <= largest:
        unit *= 10
    return next(unit * step for step in (1, 2, 5, 10) if unit * step >= largest) if largest > 0 else 1.0


def _paths(line: Sequence[float | None], top: float) -> tuple[str, ...]:
    """Return the pieces of a line; a single point becomes a short dash, so that it is seen."""
    width, height = WIDTH - _LEFT, HEIGHT - _TOP - _BOTTOM
    pieces: list[list[str]] = [[]]
    for number, value in enumerate(line):
        if value is None:
            pieces.append([])
            continue
        x = _LEFT + width * number / max(1, len(line) - 1)
        pieces[-1].append(f"{x:.1f} {_TOP + height * (1 - value / top):.1f}")
    return tuple("M" + " L".join(piece if len(piece) > 1 else [piece[0], "h2"]) for piece in pieces if piece)


def charts(stretches: Sequence[Stretch], scope: Scope, now: datetime) -> list[Chart]:
    """Return all charts."""
    at, drawn = starts(scope, now), {one.at: one for one in stretches}
    minutes = scope.stretch / timedelta(minutes=1)
    filled = {moment: one for moment, one in drawn.items() if one.backlog is not None}
    return [
        chart("Throughput", "changes a minute", [("done", lambda one: one.counts.done / minutes)], at, drawn),
        chart(
            "Delay",
            "seconds from a change to its confirmation",
            [("half within", lambda one: one.counts.delay(0.5)), ("95 % within", lambda one: one.counts.delay(0.95))],
            at,
            drawn,
        ),
        chart(
            "Backlog",
            "largest in each stretch",
            [
                ("items waiting", lambda one: one.backlog.waiting if one.backlog else None),
                ("open dead letters", lambda one: one.backlog.letters if one.backlog else None),
            ],
            at,
            filled,
        ),
        chart(
            "Failures",
            "a minute",
            [
                ("tried again", lambda one: one.counts.retried / minutes),
                ("failed for good", lambda one: one.counts.failed / minutes),
            ],
            at,
            drawn,
        ),
    ]


async def page(visit: Visit) -> Response:
    """Show the charts."""
    scope = next((one for one in SCOPES if one.name == word(visit.request, "of")), SCOPES[0])
    now = visit.office.clock.now()
    begin = starts(scope, now)
    found = await visit.office.history.stretches(begin[0], begin[-1] + scope.stretch, scope.stretch)
    drawn = charts(found, scope, now)
    edges = (begin[0], begin[-1])
    size = {"width": WIDTH, "height": HEIGHT, "left": _LEFT, "top": _TOP, "base": HEIGHT - _BOTTOM}
    return visit.shown("charts", charts=drawn, scope=scope, scopes=SCOPES, edges=edges, size=size)
