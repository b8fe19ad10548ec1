"""`calsync bench backfill`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from adapters.process.logs import Format, Level, configure
from cli.bench.backfill import MINUTE, SECOND, TENANT, Allowed, Backfill, Figures, allowance
from cli.database import opened_database
from cli.failing import Failed
from cli.local.opening import local
from cli.running import run
from sandbox.cronofy.client.control import CronofyControl
from sandbox.psa.client import psa_control
from sandbox.run import Ways

_SETTINGS: Final = {"CALSYNC_LOG_LEVEL": "ERROR"}


def command(
    size: Annotated[int, typer.Option(help="How many events, and as many items.", min=100, max=1_000_000)] = 10_000,
    kills: Annotated[int, typer.Option(help="How often the worker is killed on the way.", min=0, max=1_000_000)] = 3,
) -> None:
    """Bring many events and many items of one user together, and say what it cost. Takes some minutes.

    The sandbox keeps Cronofy's limits and delays. Ends with code 1 if a promise is not kept.
    """
    configure(Format.CONSOLE, Level.ERROR)
    figures = run(_bench(size, kills))
    _show(figures, size)
    broken = figures.broken(Allowed(allowance(size)), size, kills)
    if broken:
        raise Failed("Not as promised: " + "; ".join(broken) + ".")
    typer.echo("both sides are equal, nothing is there twice, all within the limits")


async def _bench(size: int, kills: int) -> Figures:
    async with (
        local(Ways(), _SETTINGS) as here,
        opened_database(here.infrastructure) as database,
        CronofyControl(here.sandboxes.cronofy_url) as cronofy,
        psa_control(here.sandboxes.psa_url, TENANT) as psa,
    ):
        return await Backfill(cronofy, psa, database, here.environment, here.folder, size, kills).measure()


def _show(figures: Figures, size: int) -> None:
    megabytes = [bytes_ / 2**20 for bytes_ in figures.memory] or [0.0]
    reads = sum(request.method == "GET" for request in figures.requests)
    rows = {
        "size": f"{size:,} events and {size:,} items",
        "took": f"{figures.seconds:,.0f} s, killed {figures.kills} times",
        "totals": f"{figures.run.totals.created:,} created, {figures.run.totals.failed} failed",
        "Cronofy": f"{len(figures.requests)} requests, {reads} of them reads",
        "at most": f"{figures.most_within(SECOND)} in a second, {figures.most_within(MINUTE)} in a minute",
        "PSA": f"{figures.psa_calls} calls",
        "memory": f"{megabytes[0]:.0f} MB at first, {max(megabytes):.0f} MB at most, {megabytes[-1]:.0f} MB at last; "
        f"{figures.growth:.2f} of what it was",
    }
    for name, what in rows.items():
        typer.echo(f"{name:8} {what}")
