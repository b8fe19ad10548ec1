"""`calsync sandbox`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from adapters.process.ending import run_until_asked
from adapters.process.logs import configure, logger
from cli.running import run
from sandbox.run import Ways, running_sandboxes
from sandbox.settings import SandboxSettings

_GRACE_SECONDS = 10.0


def command(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    cronofy_port: Annotated[
        int, typer.Option(help="Where Cronofy listens; 0 takes a free port.", min=0, max=65535)
    ] = 8010,
    psa_port: Annotated[int, typer.Option(help="Where the PSA listens; 0 takes a free port.", min=0, max=65535)] = 8020,
    seed: Annotated[int, typer.Option(help="What happens by chance is drawn from this.")] = 1,
) -> None:
    """Run a Cronofy and a PSA to try things with, until SIGTERM. Act as their users below /_control/."""
    settings = SandboxSettings.load()
    configure(settings.log_format, settings.log_level, settings.secrets())

    async def sandbox(stopping: asyncio.Event) -> None:
        ways = Ways(host=host, cronofy_port=cronofy_port, psa_port=psa_port, seed=seed)
        async with running_sandboxes(settings, ways) as there:
            logger().info("sandboxes_started", cronofy=there.cronofy_url, psa=there.psa_url)
            await stopping.wait()

    run(run_until_asked(sandbox, _GRACE_SECONDS))
