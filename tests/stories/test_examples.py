"""The programs that docs/integrating.md shows, run as a platform's and a relay's developers would run them."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from adapters.http.serve import serve
from adapters.rabbitmq.connection import connect_once
from events.addresses import OUTCOMES
from stack.native.places import PROJECT
from tests.stories.stage import DANA, SECRET, NotYet, Services, stage

EVENT = PROJECT / "examples/psa.events/appointment.json"
TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251


def program(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, PROJECT / f"examples/python/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_what_the_examples_publish_goes_out_what_comes_back_is_heard_and_the_relay_relays(
    services: Services, tmp_path: Path
) -> None:
    platform, relay = program("platform"), program("relay")
    url = services.rabbitmq_url
    board = platform.Board()
    async with stage(services, tmp_path) as world, relayed(relay.relay(url, ["former", SECRET])) as relay_url:
        await bound(url, platform.QUEUE)
        hearing = asyncio.create_task(platform.outcomes(url, board.take))  # noqa: TID251 - ended below
        async with world.working(cronofy_callback_url=f"{relay_url}/notifications"):
            dana = await world.link(DANA)
            # The event goes out, and twice is once.
            await platform.publish(url, [EVENT.read_bytes()] * 2)

            async def is_heard_of() -> None:
                if (dana.integration_id, "calsync.item.synced.v1", "appointment/61007") not in board.newest:
                    raise NotYet(f"{list(board.newest)}")

            await world.until(is_heard_of)
            assert [event.summary for event in await dana.events()] == ["Quarterly review - Contoso"]
            # What the user does reaches the PSA through the relay.
            event = await world.cronofy.create_event(
                dana.calendar_id, summary="Dentist", start=TOMORROW, end=TOMORROW + timedelta(hours=1)
            )
            await dana.appointment(event)
        hearing.cancel()
        await asyncio.wait([hearing])
        assert await refused(relay_url) == [403, 413]


@asynccontextmanager
async def relayed(app: Starlette) -> AsyncGenerator[str, None]:
    async with app.router.lifespan_context(app), serve(app) as url:
        yield url


async def bound(url: str, queue: str) -> None:
    """Have the queue of outcomes from the beginning: the program makes it as well, but maybe later than the first."""
    async with connect_once(url, "somebody") as connection, connection.channel() as channel:
        made = await channel.declare_queue(queue, durable=True, arguments={"x-queue-type": "quorum"})
        await made.bind(OUTCOMES, "#")


async def refused(relay_url: str) -> list[int]:
    async with httpx.AsyncClient(base_url=relay_url, trust_env=False) as http:
        bodies = [b"{}", b"x" * 100_000]
        headers = {"Cronofy-HMAC-SHA256": "forged,also forged"}
        answers = [await http.post("/notifications/int-1", content=body, headers=headers) for body in bodies]
    return [answer.status_code for answer in answers]


def test_of_news_the_newest_counts_whatever_notation_its_time_has() -> None:
    board = program("platform").Board()
    told = {"type": "t", "subject": "s", "data": {"integration_id": "int-1"}}
    assert board.take({**told, "time": "2026-03-06T17:02:19.100Z"})
    assert not board.take({**told, "time": "2026-03-06T17:02:19Z"})
    assert board.take({**told, "time": "2026-03-06T17:02:20Z"})
