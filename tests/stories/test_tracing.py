"""One trace from the PSA's event to its confirmation, through queues, an outage, due times, requests and a replay."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aio_pika
import orjson
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.telemetry.tracing import tracing_by
from events.addresses import OUTCOMES, PSA_EVENTS
from events.dead_letters import Replayed
from events.letters import Which
from events.outcomes import ItemSynced
from sandbox.cronofy.api.faults import Instead, Match
from sandbox.psa.api.faults import Fault, Status
from stack.native.places import PROJECT
from tests.stories.office import operator
from tests.stories.stage import Linked, NotYet, Services, Stage, stage

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
CONTEXT: Final = f"00-{TRACE}-b7ad6b7169203331-01"
SOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
EXAMPLE: Final = PROJECT / "examples" / "psa.events" / "service_call.json"


class Spans(InMemorySpanExporter):
    """What was traced."""

    def of(self, trace: str = TRACE) -> list[ReadableSpan]:
        return [one for one in self.get_finished_spans() if one.context and f"{one.context.trace_id:032x}" == trace]

    def names(self, trace: str = TRACE) -> set[str]:
        return {one.name for one in self.of(trace)}


@pytest.fixture
def spans() -> Generator[Spans]:
    spans = Spans()
    with tracing_by(SimpleSpanProcessor(spans)):
        yield spans


def event(**changes: Any) -> bytes:
    body = orjson.loads(EXAMPLE.read_bytes())
    body["data"]["item"] |= {"start": SOON.isoformat(), "end": (SOON + timedelta(hours=1)).isoformat()}
    return orjson.dumps(body | changes)


async def publish(world: Stage, body: bytes, message_id: str = "m-1", **headers: Any) -> None:
    async with await aio_pika.connect(world.services.rabbitmq_url) as connection:
        exchange = await (await connection.channel()).get_exchange(PSA_EVENTS)
        message = aio_pika.Message(body, message_id=message_id, headers=headers)
        await exchange.publish(message, "psa.calendar_item.changed.v1")


async def confirmed(spans: Spans, trace: str = TRACE) -> None:
    if "confirmed to_calendar" not in spans.names(trace):
        raise NotYet(str(spans.names(trace)))


async def outcomes(world: Stage) -> list[dict[str, Any]]:
    """Return what is published as outcomes from now on."""
    heard: list[dict[str, Any]] = []
    connection = await aio_pika.connect(world.services.rabbitmq_url)
    channel = await connection.channel()
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(OUTCOMES, "#")

    async def hear(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        heard.append({**orjson.loads(message.body), "header": message.headers.get("traceparent")})

    await queue.consume(hear, no_ack=True)
    return heard


async def stumbles(world: Stage, dana: Linked) -> None:
    """Let the next two writes meet an outage."""
    match = Match(path="/v1/batch", sub=dana.account.sub)
    await world.cronofy.set_fault(Instead(status=503), match, count=2)


async def test_one_trace_leads_from_the_event_through_an_outage_to_its_confirmation(
    services: Services, tmp_path: Path, spans: Spans
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        await stumbles(world, dana)
        heard = await outcomes(world)
        await publish(world, event(traceparent=CONTEXT))
        await world.until(lambda: confirmed(spans))
        await world.psa.outcome(ItemSynced, item_id="33041", within=30)
        await world.rest()
        stored = world.store["links"].find_one({"item.id": "33041"})
    shown = spans.of()
    intake = next(one for one in shown if one.name == "process calsync.psa-items.v1")
    assert intake.parent is not None
    assert f"{intake.parent.span_id:016x}" == CONTEXT.split("-")[2]
    assert {
        "process calsync.psa-items.v1",
        "process calsync.commands.v1",
        "write to calendar",
        "look at calendar",
        "GET /v1/events",
        "confirmed to_calendar",
    } <= spans.names()
    writes = [one for one in shown if one.name == "POST /v1/batch"]
    answers = [(one.attributes or {}).get("http.response.status_code") for one in writes]
    assert answers.count(503) == 2, "the outage is part of the story"
    assert answers[-1] == 202 or answers[-1] == 207
    (told,) = [one for one in heard if one["type"] == "calsync.item.synced.v1"]
    assert told["traceparent"].split("-")[1] == told["header"].split("-")[1] == TRACE
    assert (stored["traceparent"], stored["psa_seen"]["traceparent"]) == ("", ""), "forgotten when it is at rest"


async def test_a_replay_is_a_new_trace_that_names_the_one_that_failed(
    services: Services, tmp_path: Path, spans: Spans
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        await world.link()
        replayed = Replayed("letter-1", "replay-1").headers()
        await publish(world, event(traceparent=CONTEXT), traceparent=CONTEXT, **replayed)

        async def begun() -> ReadableSpan:
            for one in spans.get_finished_spans():
                if follows(one, TRACE):
                    return one
            raise NotYet

        replay = await world.until(begun)
        assert replay.context is not None
        trace = f"{replay.context.trace_id:032x}"
        await world.until(lambda: confirmed(spans, trace))
    assert spans.of() == [], "nothing more happens in the old one"


async def test_a_replayed_item_is_followed_in_a_new_trace_from_the_replay_to_the_confirmation(
    services: Services, tmp_path: Path, spans: Spans
) -> None:
    async with stage(services, tmp_path) as world, world.working(), operator(world) as ann:
        await world.link()
        await world.cronofy.set_fault(Instead(status=422), Match(operation="write_event"), count=1)
        await publish(world, event(traceparent=CONTEXT), traceparent=CONTEXT)
        letter = await ann.the_letter()
        assert str(letter.original.headers["traceparent"]).split("-")[1] == TRACE
        assert (await ann.replay(Which(ids=frozenset({letter.id})))).tally.resolved == 1
        (replay,) = [one for one in spans.get_finished_spans() if follows(one, TRACE)]
        assert replay.context is not None
        names = spans.names(f"{replay.context.trace_id:032x}")
    assert {"process calsync.commands.v1", "write to calendar", "POST /v1/batch", "confirmed to_calendar"} <= names
    assert replay.start_time is not None
    late = [one.name for one in spans.of() if one.start_time is None or one.start_time > replay.start_time]
    assert not late, "nothing more begins in the old one"


def follows(span: ReadableSpan, trace: str) -> bool:
    return [f"{link.context.trace_id:032x}" for link in span.links] == [trace]


async def test_what_comes_in_from_the_calendar_is_one_trace_even_if_the_psa_is_away_for_a_while(
    services: Services, tmp_path: Path, spans: Spans
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        await world.rest()
        away = Fault(effect=Status(status=503), method="POST", path="/v2/calendar/appointments", times=1)
        await world.psa.add_fault(away)
        typed = await world.cronofy.create_event(
            dana.calendar_id, summary="Dentist", start=SOON, end=SOON + timedelta(hours=1)
        )
        await dana.appointment(typed)
        await world.rest()
    created = [one for one in spans.get_finished_spans() if one.name == "POST /v2/calendar/appointments"]
    assert len(created) == 2
    traces = {f"{one.context.trace_id:032x}" for one in created if one.context}
    (trace,) = traces
    assert "process calsync.notifications.v1" in spans.names(trace)
    assert "confirmed from_calendar" in spans.names(trace)
    assert "Dentist" not in "".join(one.to_json() for one in spans.get_finished_spans())
