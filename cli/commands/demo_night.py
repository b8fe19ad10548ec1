"""`calsync demo night`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.process.logs import Format, Level, configure
from adapters.process.system import SystemClock
from cli.demo.night import Night, play, typing_to
from cli.demo.page import Page
from cli.local.opening import local
from cli.local.workers import running_workers
from cli.running import run
from sandbox.cronofy.client.control import CronofyControl
from sandbox.psa.client import psa_control
from sandbox.run import Ways

_FIRST_USER: Final = 7001
_WORKERS: Final = 2


def command(
    out: Annotated[Path | None, typer.Option(help="Write the page here, instead of on standard output.")] = None,
    users: Annotated[int, typer.Option(help="How many technicians.", min=1, max=500)] = 40,
    items: Annotated[
        int, typer.Option(help="How many of their service calls are refused.", min=10, max=1_000_000)
    ] = 500,
    rate: Annotated[int, typer.Option(help="How many to replay in a second.", min=1, max=1_000_000)] = 20,
) -> None:
    """Play a night in which Cronofy refuses a field, and write a page of what an operator typed and saw."""
    configure(Format.CONSOLE, Level.ERROR)
    text = run(_played(users, items, rate))
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


async def _played(users: int, items: int, rate: int) -> str:
    page = Page()
    page.title("A night")
    page.say(
        f"Written by `calsync demo night --users {users} --items {items} --rate {rate}`: on real RabbitMQ and MongoDB, "
        f"{_WORKERS} worker processes, and the sandboxes of Cronofy and the PSA. Times, ids and answers are as they "
        "came, each command is a process of its own, and the run fails if anything is not as it is told here."
    )
    async with (
        local(Ways(), {"CALSYNC_LOG_LEVEL": "ERROR"}) as here,
        running_workers(here.environment, here.folder, _WORKERS),
        CronofyControl(here.sandboxes.cronofy_url) as cronofy,
        psa_control(here.sandboxes.psa_url) as psa,
    ):
        await psa.change_settings(calls_per_hour=None)
        typing = typing_to((sys.executable, "-m", "cli"), here.environment)
        people = range(_FIRST_USER, _FIRST_USER + users)
        await play(Night(psa, cronofy, SystemClock(), typing, people, items, rate, page))
    return page.text()
