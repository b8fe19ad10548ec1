"""`calsync bench`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from itertools import count
from typing import Annotated, Final

import typer
from aio_pika import ExchangeType
from pymongo import MongoClient
from rich.table import Table

from adapters.cronofy.client import Application, Cronofy
from adapters.http.pool import open_pool
from adapters.process.environment import PREFIX
from adapters.process.logs import Format, Level, configure
from adapters.process.system import SystemClock
from adapters.rabbitmq.connection import connect, connect_once
from adapters.rabbitmq.publisher import open_publisher
from cli.bench import yardstick
from cli.bench.cases import Bench, Size, Subject
from cli.bench.measuring import Measured
from cli.bench.traffic import TENANT, Traffic
from cli.commands import bench_backfill, bench_console, bench_letters
from cli.local.opening import Local, local
from cli.local.workers import running_workers
from cli.running import run
from cli.showing import console
from events.addresses import PSA_EVENTS, PSA_ITEMS_QUEUE
from events.failures import System
from events.outcomes import Configured
from sandbox.cronofy.client.control import CronofyControl
from sandbox.cronofy.model.settings import PROMPT
from sandbox.cronofy.model.settings import Settings as CronofyHabits
from sandbox.psa.client import psa_control
from sandbox.run import Ways
from stack.native.places import PROJECT

_FIRST_USER: Final = 7001
_NO_LIMIT: Final = {"requests_per_second": 100_000, "requests_per_minute": 1_000_000}
_SETTINGS: Final = {
    "CALSYNC_CRONOFY_REQUESTS_PER_SECOND": "100000",
    "CALSYNC_CRONOFY_REQUESTS_PER_MINUTE": "1000000",
    "CALSYNC_LOG_LEVEL": "INFO",
}
_REST: Final = 65.0
"""Seconds after which everything rests: writes have been read back, and reads no longer overlap with them."""
_SINGLE: Final = 30
"""Edits at rest. With their pauses they take longer than reads overlap, so that the burst's reads show nothing else."""
_PAUSE: Final = 2.5
"""Seconds between edits at rest: enough for the one before to be read back."""
_AT_REST, _BURST = "single edits at rest", "burst"
_CASES: Final = {
    _AT_REST: Bench.at_rest,
    _BURST: Bench.burst,
    "nine of ten concern nobody": Bench.mostly_strangers,
}
Results = dict[str, tuple[Measured, Measured]]
"""Of each case: calendar sync's and the yardstick's."""


def command(
    context: typer.Context,
    events: Annotated[int, typer.Option(help="How many edits the burst has.", min=100, max=1_000_000)] = 5000,
    users: Annotated[int, typer.Option(help="Over how many users.", min=2, max=1_000_000)] = 50,
) -> None:
    """Measure throughput, delay and cost, beside a hand-written loop in the same run. Takes some four minutes."""
    if context.invoked_subcommand is not None:
        return
    configure(Format.CONSOLE, Level.ERROR)
    run(_bench(Size(users=users, burst=events, single=_SINGLE, strange=events)))


app: Final = typer.Typer(invoke_without_command=True)
app.callback()(command)
app.command("dead-letters")(bench_letters.command)
app.command("backfill")(bench_backfill.command)
app.command("console")(bench_console.command)


async def _bench(size: Size) -> None:
    habits = CronofyHabits.model_validate({**PROMPT, **_NO_LIMIT, "rewriting": "off"})
    async with local(Ways(cronofy=habits), _SETTINGS) as here:
        url = here.services.rabbitmq_url
        await _declare_yardstick(url)
        async with (
            connect(url, "calsync bench") as connections,
            open_publisher(connections.publishing, (PSA_EVENTS, yardstick.EXCHANGE)) as publisher,
            CronofyControl(here.sandboxes.cronofy_url) as cronofy,
        ):
            traffic = Traffic(publisher, cronofy)
            people = list(range(_FIRST_USER, _FIRST_USER + size.users + size.single))
            users, others = people[: size.users], people[size.users :]
            async with (
                running_workers(here.environment, here.folder, 1) as (worker,),
                _yardstick(here, people) as other,
            ):
                await _link(here, people)
                numbers, waiting = count(1), _backlog(here, PSA_ITEMS_QUEUE)
                ours = Subject("calsync", PSA_EVENTS, worker.pid, worker.log, waiting, pause=_PAUSE)
                both = [Bench(subject, traffic, users, others, size, numbers) for subject in (ours, other)]
                results = await _run(*both)
    _show(results)


async def _prepare(ours: Bench, theirs: Bench) -> None:
    """Fill the calendars, and wait until everything rests."""
    typer.echo("the calendars are filled, and rest for a minute …")
    await ours.make()
    resting_since = ours.traffic.clock.monotonic()
    await theirs.make()
    await ours.traffic.clock.sleep(max(0.0, resting_since + _REST - ours.traffic.clock.monotonic()))
    for bench in (ours, theirs):
        await bench.touch()


async def _run(ours: Bench, theirs: Bench) -> Results:
    """Run each case for both, one right after the other, so that the machine is the same."""
    await _prepare(ours, theirs)
    results: Results = {}
    for name, case in _CASES.items():
        typer.echo(f"{name}: calsync, then the hand-written loop …")
        results[name] = await case(ours), await case(theirs)
    return results


async def _link(here: Local, people: Sequence[int]) -> None:
    async with CronofyControl(here.sandboxes.cronofy_url) as cronofy, psa_control(here.sandboxes.psa_url) as psa:
        for user in people:
            account = await cronofy.create_account()
            await psa.connect(f"bench-{user}", user, account.code)
            await psa.configure(f"bench-{user}", account.calendar_id)
        for user in people:
            await psa.outcome(Configured, integration_id=f"bench-{user}", within=60)


async def _declare_yardstick(url: str) -> None:
    """Give the yardstick an exchange and a queue of its own."""
    async with connect_once(url, "calsync bench") as connection, connection.channel() as channel:
        exchange = await channel.declare_exchange(yardstick.EXCHANGE, ExchangeType.FANOUT, durable=True)
        queue = await channel.declare_queue(yardstick.QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(exchange)


@contextlib.asynccontextmanager
async def _yardstick(here: Local, people: Sequence[int]) -> AsyncGenerator[Subject, None]:
    """Run the yardstick, with calendars of its own."""
    await _introduce(here, people)
    log = here.folder / "yardstick.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.bench.yardstick",
            cwd=PROJECT, env=dict(here.environment), stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield Subject(
            "yardstick", yardstick.EXCHANGE, process.pid, log, pause=0.0, backlog=_backlog(here, yardstick.QUEUE)
        )
    finally:
        process.kill()
        await process.wait()


async def _introduce(here: Local, people: Sequence[int]) -> None:
    """Tell the yardstick who has which calendar, with an access token for it."""
    rows: list[dict[str, object]] = []
    async with CronofyControl(here.sandboxes.cronofy_url) as cronofy:
        for user in people:
            account = await cronofy.create_account()
            token = await _token(here, account.code)
            rows.append({
                "tenant_id": TENANT, "user_id": user, "calendar_id": account.calendar_id, "token": token,
            })  # fmt: skip
    with MongoClient[dict[str, object]](here.services.mongodb_url) as client:
        collection = client[here.infrastructure.mongodb_database].people
        collection.insert_many(rows)
        collection.create_index([("tenant_id", 1), ("user_id", 1)])


async def _token(here: Local, code: str) -> str:
    settings = here.environment
    application = Application(
        here.sandboxes.cronofy_url,
        settings[f"{PREFIX}CRONOFY_CLIENT_ID"],
        (settings[f"{PREFIX}CRONOFY_CLIENT_SECRETS"],),
    )
    async with open_pool(System.CRONOFY) as pool:
        grant = await Cronofy(pool, application).exchange_code(code, "https://bench.example", SystemClock().now())
    return grant.tokens.access


def _backlog(here: Local, queue: str) -> Callable[[], Awaitable[int]]:
    async def waiting() -> int:
        url = here.services.rabbitmq_url
        async with connect_once(url, "calsync bench") as connection, connection.channel() as channel:
            found = await channel.declare_queue(queue, passive=True)
            return found.declaration_result.message_count or 0

    return waiting


def _show(results: Results) -> None:
    table = Table(
        "case",
        "",
        "events/s",
        "CPU ms/event",
        "read back",
        "requests/event",
        "p50 ms",
        "p95 ms",
        title="One process each",
    )
    for case, both in results.items():
        for name, one in zip(("calsync", "yardstick"), both, strict=True):
            table.add_row(
                case if name == "calsync" else "",
                name,
                f"{one.per_second:,.0f}",
                f"{one.cpu_ms:.3f}",
                f"{one.whole_cpu_ms:.3f}",
                f"{one.requests_per_event:.3f}",
                f"{one.percentile(50):,.0f}",
                f"{one.percentile(95):,.0f}",
            )
    console().print(table)
    burst, yard = results[_BURST]
    rest, still = results[_AT_REST]
    typer.echo(
        f"burst: CPU per event {burst.cpu_ms / yard.cpu_ms:.2f} of the yardstick's (wanted: 0.30 at most); "
        f"{burst.whole_cpu_ms / yard.whole_cpu_ms:.2f} until calsync has read everything back, too"
    )
    typer.echo(f"burst: {burst.requests_per_event:.3f} Cronofy requests per changed event (wanted: 0.050 at most)")
    apart = rest.percentile(50) - still.percentile(50)
    typer.echo(f"at rest: p50 {apart:+.0f} ms beside the yardstick (wanted: within 25 ms)")
    megabytes = [size / 2**20 for size in burst.memory]
    typer.echo(
        f"memory of the worker in the burst: {megabytes[0]:.0f} MB before, {max(megabytes):.0f} MB at most, "
        f"{megabytes[-1]:.0f} MB after"
    )
