"""`calsync up`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import typer

from adapters.process.ending import run_until_asked
from adapters.process.logs import Format, Level, configure
from cli.local.opening import Local, local
from cli.local.workers import running_workers
from cli.running import run
from sandbox.run import Ways

_GRACE_SECONDS: Final = 90.0


def command(
    workers: Annotated[int, typer.Option(help="How many workers to run.", min=0, max=16)] = 1,
    cronofy_port: Annotated[
        int, typer.Option(help="Where Cronofy listens; 0 takes a free port.", min=0, max=65535)
    ] = 8010,
    psa_port: Annotated[int, typer.Option(help="Where the PSA listens; 0 takes a free port.", min=0, max=65535)] = 8020,
    seed: Annotated[int, typer.Option(help="What happens by chance is drawn from this.")] = 1,
) -> None:
    """Run everything on this machine until Ctrl-C: RabbitMQ, MongoDB, both sandboxes, the relay and workers."""
    configure(Format.CONSOLE, Level.WARNING)
    ways = Ways(cronofy_port=cronofy_port, psa_port=psa_port, seed=seed)

    async def up(stopping: asyncio.Event) -> None:
        async with local(ways, {}) as here, running_workers(here.environment, here.folder, workers):
            typer.echo(_addresses(here))
            await stopping.wait()
            typer.echo("Stopping.")

    run(run_until_asked(up, _GRACE_SECONDS))


def _addresses(here: Local) -> str:
    settings = "\n".join(f"    export {name}='{value}'" for name, value in _for_the_shell(here).items())
    return f"""
Everything runs. Ctrl-C ends it, and all data with it.

    Cronofy            {here.sandboxes.cronofy_url}    act as a calendar's user below /_control/
    PSA                {here.sandboxes.psa_url}    act as the platform's users below /_control/
    relay              {here.relay_url}
    RabbitMQ pages     {here.services.rabbitmq_management_url}
    workers' logs      {here.folder}

For `calsync` in another terminal:

{settings}
"""


def _for_the_shell(here: Local) -> dict[str, str]:
    return {name: value for name, value in here.environment.items() if name.startswith("CALSYNC_")}
