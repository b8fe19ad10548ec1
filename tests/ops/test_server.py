"""What the worker's own server says, and that others can be mounted beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final, cast

import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from adapters.telemetry.pulse import Pulse
from adapters.telemetry.tracing import tracing_by
from events.commands import Cause, Wake
from events.failures import System, TryLater
from events.reasons import Reason
from worker.consumers.commands import CommandsConsumer
from worker.ops.liveness import LONGEST_LAG, LONGEST_STILL
from worker.ops.readiness import Readiness
from worker.ops.sampling import Sample
from worker.ops.server import Ops, ops_app

CONTEXT: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Hands:
    """A clock that is set by hand."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Scene:
    """A worker's server, and a hand in what it shows."""

    clock: Hands = field(default_factory=Hands)
    stopping: bool = False

    def __post_init__(self) -> None:
        self.pulse = Pulse(self.clock.monotonic)
        self.readiness = Readiness(self.clock, lambda: self.stopping)
        self.ops = Ops(self.pulse, self.readiness)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(ops_app(self.ops)), base_url="http://ops")

    async def get(self, path: str) -> tuple[int, Any]:
        answer = await self.http.get(path)
        return answer.status_code, answer.json()


@pytest.fixture
async def scene() -> AsyncGenerator[Scene]:
    scene = Scene()
    async with scene.http:
        yield scene


async def test_who_moves_is_alive(scene: Scene) -> None:
    with scene.pulse.handling("commands"):
        scene.clock.seconds += LONGEST_STILL
        assert await scene.get("/livez") == (200, {"alive": True, "stuck": []})


async def test_a_handler_that_has_not_moved_for_long_ends_the_worker(scene: Scene) -> None:
    with scene.pulse.handling("commands"):
        scene.clock.seconds += LONGEST_STILL + 1
        said = [f"commands: a handler has not moved for {LONGEST_STILL + 1:.0f} s"]
        assert await scene.get("/livez") == (503, {"alive": False, "stuck": said})
    assert (await scene.get("/livez"))[0] == 200


async def test_a_late_event_loop_ends_the_worker(scene: Scene) -> None:
    beating = asyncio.create_task(scene.pulse.beat())  # noqa: TID251 - cancelled right here
    await asyncio.sleep(0)
    scene.clock.seconds += LONGEST_LAG + 2
    status, body = await scene.get("/livez")
    assert (status, body["stuck"]) == (503, ["the event loop is 12 s late"])
    beating.cancel()


async def test_a_wedged_execution_is_seen(scene: Scene) -> None:
    wake = Wake(integration_id="int_1", cause=Cause.DUE)
    delivery = SimpleNamespace(body=wake.model_dump_json().encode(), message_id="m", queue="calsync.commands.v1")
    wedged = asyncio.Event()

    class Wedged:
        async def execute(self, *_: object) -> str:
            wedged.set()
            await asyncio.Event().wait()
            return "never"

    shop = _shop(scene)
    consumer = CommandsConsumer(shop, cast("Any", None), cast("Any", Wedged()), cast("Any", None), cast("Any", None), 1)
    take: Any = getattr(consumer, "_take")  # noqa: B009 - a test may look inside
    taking = asyncio.create_task(take(delivery))  # noqa: TID251 - cancelled right here
    await wedged.wait()
    scene.clock.seconds += LONGEST_STILL + 5
    assert (await scene.get("/livez"))[0] == 503
    taking.cancel()


def _shop(scene: Scene) -> Any:
    from worker.consumers.shop import Shop  # noqa: PLC0415 - only here

    nobody = cast("Any", None)
    return Shop(scene.clock, lambda: 0.5, nobody, nobody, nobody, nobody, asyncio.Event(), nobody, scene.pulse)


async def test_who_starts_is_not_ready_and_says_so(scene: Scene) -> None:
    status, body = await scene.get("/readyz")
    assert (status, body["ready"], body["checks"]["process"]["reason"]) == (503, False, "starting")


@pytest.mark.parametrize(("system", "name"), [(System.BROKER, "rabbitmq"), (System.STORE, "mongodb")])
async def test_who_waits_for_a_system_says_for_which_and_why(scene: Scene, system: System, name: str) -> None:
    scene.readiness.ends(TryLater(system, Reason.NOT_AUTHENTICATED, "code 18"))
    status, body = await scene.get("/readyz")
    assert status == 503
    assert body["checks"] == {
        name: {
            "ok": False,
            "reason": "not_authenticated",
            "explanation": Reason.NOT_AUTHENTICATED.explanation,
            "detail": "code 18",
        }
    }


async def test_who_is_about_to_end_takes_no_more_work(scene: Scene) -> None:
    scene.stopping = True
    status, body = await scene.get("/readyz")
    assert (status, body["checks"]["process"]["reason"]) == (503, "stopping")
    assert (await scene.get("/livez"))[0] == 200


async def test_metrics_are_shown_before_anything_is_there_to_be_looked_up(scene: Scene) -> None:
    answer = await scene.http.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "calsync_broker_connected 0.0" in answer.text


async def test_other_apps_are_mounted_beside_it(scene: Scene) -> None:
    def said(_: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    hello = Starlette(routes=[Route("/hello", said)])
    app = ops_app(scene.ops, [Mount("/console", hello)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ops") as http:
        assert (await http.get("/console/hello")).text == "hello"
        assert (await http.get("/livez")).status_code == 200


# Sampling


async def test_a_sample_is_taken_once_for_all_who_ask_and_then_kept_for_a_while() -> None:
    clock, taken = Hands(), 0

    async def take(_: datetime) -> int:
        nonlocal taken
        await asyncio.sleep(0)
        taken += 1
        return taken

    sample = Sample("some", take, 15.0, clock)
    await asyncio.gather(*(sample.refresh() for _ in range(5)))
    assert (sample.value, sample.failed) == (1, False)
    clock.seconds += 14
    await sample.refresh()
    assert sample.value == 1
    clock.seconds += 1
    await sample.refresh()
    assert sample.value == 2


async def test_a_sample_that_fails_leaves_the_one_before_and_says_so() -> None:
    clock, away = Hands(), False

    async def take(_: datetime) -> str:
        if away:
            raise TryLater(System.STORE, Reason.UNREACHABLE)
        return "found"

    sample = Sample("some", take, 15.0, clock)
    await sample.refresh()
    away = True
    clock.seconds += 15
    await sample.refresh()
    assert (sample.value, sample.failed, sample.taken_at) == ("found", True, datetime.fromtimestamp(0, UTC))


# Traces


@pytest.mark.parametrize(
    ("said", "header"), [(CONTEXT, None), (None, CONTEXT), (CONTEXT, "00-none"), ("00-none", CONTEXT)]
)
def test_a_context_may_stand_in_the_body_or_in_the_header(scene: Scene, said: str | None, header: str | None) -> None:
    exporter = InMemorySpanExporter()
    delivery = SimpleNamespace(queue="calsync.commands.v1", message_id="m", headers={"traceparent": header})
    with tracing_by(SimpleSpanProcessor(exporter)), _shop(scene).span(cast("Any", delivery), said):
        pass
    (span,) = exporter.get_finished_spans()
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == CONTEXT.split("-")[1]
