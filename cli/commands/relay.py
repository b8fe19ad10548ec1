"""`calsync relay`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import typer

from adapters.process.ending import run_until_asked
from adapters.process.logs import configure, logger
from cli.running import run
from relay.run import running_relay
from relay.settings import RelaySettings

GRACE_SECONDS: Final = 10.0
"""How long requests may take to their end after SIGTERM."""


def command(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes a free port.", min=0, max=65535)] = 8030,
) -> None:
    """Take Cronofy's notifications by HTTP and put them on the queue, until SIGTERM."""
    settings = RelaySettings.load()
    configure(settings.log_format, settings.log_level, settings.secrets())

    async def relay(stopping: asyncio.Event) -> None:
        async with running_relay(settings, host, port) as url:
            logger().info("relay_started", url=url, prefix=settings.relay_prefix)
            await stopping.wait()

    run(run_until_asked(relay, GRACE_SECONDS))
