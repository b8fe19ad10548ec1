"""`calsync bench dead-letters`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from adapters.mongodb.dead_letters import DeadLetters
from adapters.mongodb.replay_jobs import ReplayJobs
from adapters.process.logs import Format, Level, configure
from adapters.rabbitmq.connection import connect
from adapters.rabbitmq.publisher import open_publisher
from cli.bench import letters as bench
from cli.database import opened_database
from cli.local.opening import local
from cli.local.workers import running_workers
from cli.running import run
from sandbox.run import Ways
from worker.dead_letters.publishing import EXCHANGES


def command(
    letters: Annotated[int, typer.Option(help="How many dead letters.", min=1000, max=1_000_000)] = 100_000,
    rate: Annotated[float, typer.Option(help="How many to replay in a second.", min=1)] = 100.0,
    seconds: Annotated[float, typer.Option(help="For how long.", min=5)] = 30.0,
) -> None:
    """Measure lists, groups and replays over many dead letters. Takes two minutes."""
    configure(Format.CONSOLE, Level.ERROR)
    run(_bench(letters, rate, seconds))


async def _bench(count: int, rate: float, seconds: float) -> None:
    async with local(Ways(), {"CALSYNC_LOG_LEVEL": "ERROR"}) as here, opened_database(here.infrastructure) as database:
        letters = DeadLetters(database, timedelta(days=1))
        typer.echo(f"kept: {await bench.fill(letters, count):,.0f} letters a second")
        for name, milliseconds in (await bench.looks(letters, count)).items():
            typer.echo(f"{name:40} {milliseconds:8.1f} ms")
        async with (
            running_workers(here.environment, here.folder, 1),
            connect(here.services.rabbitmq_url, "calsync bench") as connections,
            open_publisher(connections.publishing, EXCHANGES) as publisher,
        ):
            seen = await bench.replay(letters, ReplayJobs(database), publisher, rate, seconds)
    counts, memory = seen.each_second(), [size / 2**20 for size in seen.memory]
    typer.echo(f"replayed: {len(seen.published)} in {seconds:.0f} s, asked for {rate:.0f} a second: {min(counts)} to ")
    typer.echo(f"  {max(counts)} in each, spread {seen.spread():.3f}; {seen.job.tally if seen.job else ''}")
    typer.echo(
        f"memory while replaying: {memory[0]:.0f} MB at first, {max(memory):.0f} MB at most, {memory[-1]:.0f} last"
    )
