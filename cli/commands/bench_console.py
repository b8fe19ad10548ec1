"""`calsync bench console`."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Annotated, Final

import httpx
import typer
from rich.table import Table

from adapters.mongodb.figures import Figures
from adapters.process.logs import Format, Level, configure
from adapters.process.system import SystemClock
from cli.bench import console as bench
from cli.database import opened_database
from cli.local.opening import Local, local
from cli.local.workers import running_workers
from cli.running import run
from cli.showing import console
from events.items import ItemType
from events.outcomes import Configured, ItemSynced
from sandbox.cronofy.client.control import CronofyControl
from sandbox.psa.client import psa_control
from sandbox.run import Ways

_TOKEN: Final = "only-for-this-measurement-and-gone-with-it"  # noqa: S105 - as it says
_SETTINGS: Final = {
    "CALSYNC_LOG_LEVEL": "ERROR",
    "CALSYNC_CONSOLE_OPERATOR_TOKEN": _TOKEN,
    "CALSYNC_CONSOLE_READER_TOKEN": "",
}
_USER: Final = 4_000_000


def command(
    integrations: Annotated[int, typer.Option(help="How many integrations.", min=1000, max=1_000_000)] = 100_000,
) -> None:
    """Measure the pages of the console over many integrations. Takes some minutes, most of them to store these."""
    configure(Format.CONSOLE, Level.ERROR)
    run(_bench(integrations))


async def _bench(count: int) -> None:
    async with local(Ways(), _SETTINGS) as here, opened_database(here.infrastructure) as database:
        async with running_workers(here.environment, here.folder, 1) as (worker,):
            await _link(here)
            began = time.perf_counter()
            stored = await bench.fill(database, count)
            typer.echo(f"stored: {stored} documents in {time.perf_counter() - began:.0f} s")
            async with httpx.AsyncClient(base_url=worker.url, trust_env=False, timeout=60) as http:
                entered = await http.post("/console/sign-in", data={"who": "bench", "token": _TOKEN})
                if not entered.has_redirect_location:
                    entered.raise_for_status()
                pages = bench.pages(count)
                _show(count, {name: await bench.look(http, path) for name, path in pages.items()})
                typer.echo(f"all {len(pages)} at once: {await bench.together(http, [*pages.values()]):.0f} ms")
        figures, now = Figures(database), SystemClock().now()
        began = time.perf_counter()
        await figures.waiting(now + timedelta(seconds=1))
        await figures.standings(now)
        typer.echo(f"counted for the metrics: {(time.perf_counter() - began) * 1000:.0f} ms")


async def _link(here: Local) -> None:
    """Let one user connect, with an item in sync."""
    start = SystemClock().now().replace(microsecond=0) + timedelta(days=1)
    async with CronofyControl(here.sandboxes.cronofy_url) as cronofy, psa_control(here.sandboxes.psa_url) as psa:
        account = await cronofy.create_account()
        await psa.connect("first", _USER, account.code)
        await psa.configure("first", account.calendar_id)
        await psa.outcome(Configured, integration_id="first", within=60)
        end = start + timedelta(hours=1)
        await psa.create_item(ItemType.APPOINTMENT, [_USER], subject="Review", start=start, end=end)
        await psa.outcome(ItemSynced, integration_id="first", within=60)


def _show(count: int, found: dict[str, bench.Quickness]) -> None:
    table = Table("page", "median ms", "slowest ms", "kB", title=f"The console with {count:,} integrations")
    for name, one in found.items():
        table.add_row(name, f"{one.median:.0f}", f"{one.slowest:.0f}", f"{one.size / 1000:.0f}")
    console().print(table)
