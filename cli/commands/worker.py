"""`calsync worker`."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.process.ending import run_until_asked
from adapters.process.logs import configure
from adapters.process.memory import set_for_long
from adapters.telemetry.tracing import tracing_to
from cli.running import run
from worker.parts import ALL_PARTS, Part
from worker.run import run_worker
from worker.settings import Settings


def command(
    only: Annotated[
        str, typer.Option(help=f"Run only these parts, comma-separated: {', '.join(ALL_PARTS)}.", metavar="PARTS")
    ] = "",
) -> None:
    """Run a worker until SIGTERM. Any number of them may run at once."""
    parts = _parts(only)
    settings = Settings.load()
    configure(settings.log_format, settings.log_level, settings.secrets())
    set_for_long()
    with tracing_to(settings.traces_endpoint, settings.traces_ratio):
        run(run_until_asked(lambda stopping: run_worker(settings, parts, stopping), settings.stop_seconds))


def _parts(only: str) -> tuple[Part, ...]:
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(ALL_PARTS)]
    if unknown:
        raise typer.BadParameter(f"no such part: {', '.join(unknown)}; there are {', '.join(ALL_PARTS)}")
    return tuple(Part(name) for name in names) or ALL_PARTS
