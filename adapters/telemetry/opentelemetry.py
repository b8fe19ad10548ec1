"""Traces by OpenTelemetry. Imported only if somebody wants them."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from adapters.telemetry.tracing import Attributes, Kind

_W3C: Final = TraceContextTextMapPropagator()
_HEADER: Final = "traceparent"


class _Span:
    __slots__ = ("_span", "context")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.context = _written(trace.set_span_in_context(span))

    def note(self, name: str, value: str | int) -> None:
        """See `adapters.telemetry.tracing.Span`."""
        self._span.set_attribute(name, value)


class OpenTelemetry:
    """See `adapters.telemetry.tracing.Tracer`. `ratio`: which part of the traces that begin here is kept."""

    def __init__(self, processor: SpanProcessor, ratio: float) -> None:
        resource = Resource.create({"service.name": "calsync-worker", "service.version": version("psa-calendar-sync")})
        sampler = ParentBased(TraceIdRatioBased(ratio))
        self._provider = TracerProvider(resource=resource, sampler=sampler, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("calsync")

    @contextlib.contextmanager
    def span(
        self, name: str, kind: Kind, parent: str | None, links: Iterable[str], attributes: Attributes
    ) -> Generator[_Span]:
        """See `adapters.telemetry.tracing.span`."""
        with self._tracer.start_as_current_span(
            name,
            context=None if parent is None else _W3C.extract({_HEADER: parent}, Context()),
            kind=SpanKind[kind.name],
            attributes=dict(attributes),
            links=[Link(_span_context(one)) for one in links],
            record_exception=False,  # an exception's words may quote anything
            set_status_on_exception=False,
        ) as span:
            try:
                yield _Span(span)
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise

    def current(self) -> str:
        """See `adapters.telemetry.tracing.current`."""
        return _written(None)

    def close(self) -> None:
        """Send what was not sent yet, and end."""
        self._provider.shutdown()


@contextlib.contextmanager
def exporting(endpoint: str) -> Generator[SpanProcessor]:
    """Return what sends spans to a collector, in batches, in the background."""
    yield BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))


def _written(context: Context | None) -> str:
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, context)
    return carrier.get(_HEADER, "")


def _span_context(traceparent: str) -> SpanContext:
    return trace.get_current_span(_W3C.extract({_HEADER: traceparent}, Context())).get_span_context()
