"""Contexts, spans and what nobody pays for."""

from __future__ import annotations

import asyncio
import subprocess  # noqa: S404 - ourselves
import sys
from collections.abc import Generator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.http.serve import serve
from adapters.telemetry import tracing
from adapters.telemetry.tracing import Kind, context_of, span, together, tracing_by, tracing_to
from events.failures import Misconfigured
from stack.native.places import PROJECT

FIRST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECOND = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"


@pytest.fixture
def exporter() -> Generator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    with tracing_by(SimpleSpanProcessor(exporter)):
        yield exporter


def trace_of(shown: ReadableSpan) -> str:
    assert shown.context is not None
    return f"{shown.context.trace_id:032x}"


def test_without_a_tracer_nothing_is_traced_and_opentelemetry_is_not_even_imported() -> None:
    with span("anything", parent=FIRST) as nothing, together("anything", [FIRST]):
        nothing.note("a", 1)
        assert (nothing.context, tracing.current(), tracing.on()) == ("", "", False)
    program = (
        "import sys, cli.main; cli.main.app_for(); print([n for n in sys.modules if n.startswith('opentelemetry')])"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, check=True)  # noqa: S603
    assert ran.stdout.strip() == b"[]"


def test_who_wants_traces_without_opentelemetry_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adapters.telemetry.opentelemetry", None)
    monkeypatch.delattr("adapters.telemetry.opentelemetry", raising=False)
    with pytest.raises(Misconfigured, match="install the extra `otel`"), tracing_to("http://localhost:4318"):
        pass


def test_a_span_continues_the_trace_of_its_parent(exporter: InMemorySpanExporter) -> None:
    with span("outer", Kind.CONSUMER, parent=FIRST), span("inner") as inner:
        assert tracing.current() == inner.context
        assert context_of(inner.context) == inner.context
    shown = {one.name: one for one in exporter.get_finished_spans()}
    assert {trace_of(one) for one in shown.values()} == {FIRST.split("-")[1]}
    assert shown["inner"].parent == shown["outer"].context


def test_an_empty_parent_begins_a_new_trace_that_names_the_old(exporter: InMemorySpanExporter) -> None:
    with span("outer", parent=FIRST), span("replay", parent="", links=[SECOND]):
        pass
    replay, _ = exporter.get_finished_spans()
    assert trace_of(replay) != FIRST.split("-")[1]
    assert [f"{link.context.trace_id:032x}" for link in replay.links] == [SECOND.split("-")[1]]


def test_what_is_done_for_several_is_in_each_of_their_traces(exporter: InMemorySpanExporter) -> None:
    with together("write", ["", FIRST, SECOND, FIRST]), span("request"):
        pass
    shown = [(one.name, trace_of(one)) for one in exporter.get_finished_spans()]
    first, second = FIRST.split("-")[1], SECOND.split("-")[1]
    assert sorted(shown) == [("request", first), ("write", first), ("write", second)]


def test_a_failure_is_noted_by_its_class_and_never_by_its_words(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Dentist"), span("it fails"):
        raise ValueError("Dentist")
    (shown,) = exporter.get_finished_spans()
    assert not shown.status.is_ok
    assert (shown.attributes or {})["error.type"] == "ValueError"
    assert "Dentist" not in shown.to_json()


NO_CONTEXT = [None, "", "00-1", 7, b"x", FIRST.upper(), f"{FIRST}-more", FIRST.replace(FIRST[3:35], "0" * 32)]


@pytest.mark.parametrize("given", NO_CONTEXT)
def test_what_is_no_context_is_not_taken_for_one(given: object) -> None:
    assert context_of(given, None, SECOND) == SECOND
    assert not context_of(given)


async def test_spans_reach_a_collector_before_the_process_ends() -> None:
    received: list[bytes] = []

    async def collect(request: Request) -> Response:
        received.append(await request.body())
        return Response(b"", media_type="application/x-protobuf")

    def work(endpoint: str) -> None:
        with tracing_to(endpoint), span("process something", Kind.CONSUMER, parent=FIRST):
            pass

    app = Starlette(routes=[Route("/v1/traces", collect, methods=["POST"])])
    async with serve(app) as url:
        await asyncio.to_thread(work, url)
    sent = ExportTraceServiceRequest.FromString(received[0])
    (spans,) = [scope.spans for resource in sent.resource_spans for scope in resource.scope_spans]
    assert [(one.name, one.trace_id.hex()) for one in spans] == [("process something", FIRST.split("-")[1])]
    names = {one.key: one.value.string_value for one in sent.resource_spans[0].resource.attributes}
    assert names["service.name"] == "calsync-worker"
