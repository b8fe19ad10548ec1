"""Traces, if anybody wants them: what happened on behalf of one event, across queues, due times, workers and systems.

A context is a W3C `traceparent`, a short text that travels in messages and is stored where work waits. OpenTelemetry
itself is behind `tracing_to`; where it is not asked for, it is not even imported, and nothing here does anything.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Iterable, Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from events.failures import Misconfigured
from events.reasons import Reason

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

HEADER: Final = "traceparent"
_FORM: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
Attributes = Mapping[str, str | int | float | bool]


class Kind(StrEnum):
    """Which side of a conversation a span is."""

    INTERNAL = "INTERNAL"
    CLIENT = "CLIENT"
    CONSUMER = "CONSUMER"


class Span(Protocol):
    """Something that takes time. `context`: its traceparent; empty if nobody traces."""

    context: str

    def note(self, name: str, value: str | int) -> None:
        """Note something about it."""
        ...


class Tracer(Protocol):
    """See `adapters.telemetry.opentelemetry`."""

    def span(
        self, name: str, kind: Kind, parent: str | None, links: Iterable[str], attributes: Attributes
    ) -> AbstractContextManager[Span]:
        """Open a span."""
        ...

    def current(self) -> str:
        """Return the context of the span that is open here; empty if none is."""
        ...


class _NoSpan:
    context = ""

    def note(self, name: str, value: str | int) -> None:
        """Nobody listens."""


NO_SPAN: Final[Span] = _NoSpan()
NOTHING: Final[AbstractContextManager[Span]] = contextlib.nullcontext(NO_SPAN)
_tracers: list[Tracer] = []
"""Empty if nobody traces; the last one counts."""


def on() -> bool:
    """Whether anybody traces. For what would cost something even if nobody does."""
    return bool(_tracers)


def current() -> str:
    """Return the context of the span that is open here; empty if none is."""
    return _tracers[-1].current() if _tracers else ""


def span(
    name: str,
    kind: Kind = Kind.INTERNAL,
    *,
    parent: str | None = None,
    links: Iterable[str] = (),
    attributes: Attributes | None = None,
) -> AbstractContextManager[Span]:
    """Trace what a block does. A failure in it is noted by its class.

    `parent`: a context from elsewhere; without one, the span that is open here; an empty one begins a new trace.
    `links`: contexts that this has to do with.
    """
    if not _tracers:
        return NOTHING
    return _tracers[-1].span(name, kind, parent, links, attributes or {})


@contextlib.contextmanager
def together(name: str, parents: Iterable[str], attributes: Attributes | None = None) -> Generator[None]:
    """Trace one thing that is done on behalf of several. What it leads to is part of the first one's trace.

    `parents`: contexts; empty ones do not count. Without any, it is part of the span that is open here.
    """
    if not _tracers:
        yield
        return
    contexts = list(dict.fromkeys(filter(None, parents)))
    first, others = contexts[0] if contexts else None, contexts[1:]
    with span(name, parent=first, links=others, attributes=attributes) as main:
        try:
            yield
        finally:
            for other in others:
                with span(name, parent=other, links=[main.context], attributes=attributes):
                    pass


def context_of(*given: object) -> str:
    """Return the first of these that is a context."""
    return next((one for one in given if isinstance(one, str) and _FORM.fullmatch(one)), "")


@contextlib.contextmanager
def tracing_to(endpoint: str | None, ratio: float = 1.0) -> Generator[None]:
    """Trace while the block runs, and send it to a collector (OTLP over HTTP); do nothing without one.

    `ratio`: which part of the traces that begin here is kept. Raises `Misconfigured` if OpenTelemetry is not installed.
    """
    if endpoint is None:
        yield
        return
    try:
        from adapters.telemetry import opentelemetry  # noqa: PLC0415 - only who wants it pays for it
    except ImportError as error:
        detail = "traces need OpenTelemetry: install the extra `otel`, or leave CALSYNC_TRACES_ENDPOINT away"
        raise Misconfigured(Reason.BAD_SETTINGS, detail) from error
    with opentelemetry.exporting(endpoint) as processor, tracing_by(processor, ratio):
        yield


@contextlib.contextmanager
def tracing_by(processor: SpanProcessor, ratio: float = 1.0) -> Generator[None]:
    """Trace while the block runs, with OpenTelemetry's own means."""
    from adapters.telemetry.opentelemetry import OpenTelemetry  # noqa: PLC0415 - as above

    tracer: Any = OpenTelemetry(processor, ratio)
    _tracers.append(tracer)
    try:
        yield
    finally:
        _tracers.remove(tracer)
        tracer.close()
