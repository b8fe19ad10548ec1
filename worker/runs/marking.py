"""Which links a run has looked at, and what lies in its span. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.content import AllDay, When
from events.link import Link, RunMark
from events.runs import Span
from events.values import replace
from worker.projection.times import midnight

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from events.runs import Run


def marked(link: Link, run: Run, *, retrieve: bool = False) -> Link:
    """Return a link that is looked at by a run; the same one if nothing is new about that."""
    mark = link.run
    if mark is None or mark.run_id != run.id:
        return replace(link, run=RunMark(run.id, retrieve))
    if retrieve and not mark.retrieve:
        return replace(link, run=replace(mark, retrieve=True))
    return link


def is_open(link: Link) -> bool:
    """Whether a run waits for the link to come to rest."""
    return link.run is not None and link.run.result is None


def span_of(when: When, where: ZoneInfo) -> Span:
    """Return from when to when an event takes place, for somebody in a zone."""
    if isinstance(when, AllDay):
        return Span(midnight(when.start, where), midnight(when.end, where))
    return Span(when.start, when.end)


def lies_in(when: When, span: Span, where: ZoneInfo) -> bool:
    """Whether any of an event lies in a span. One without length lies where it begins."""
    own = span_of(when, where)
    return own.start < span.end and (own.end > span.start or own.start >= span.start)
