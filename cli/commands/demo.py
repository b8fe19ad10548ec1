"""`calsync demo`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

import typer

from adapters.mongodb.journal import Journal, kept_for
from adapters.process.logs import Format, Level, configure
from adapters.process.system import SystemClock, new_id
from cli.commands import demo_night
from cli.database import opened_database
from cli.demo import story
from cli.demo.screens import Screens
from cli.demo.stage import Stage
from cli.demo.story import Trouble
from cli.local.opening import local
from cli.local.workers import WorkerProcess, running_workers
from cli.running import run
from cli.showing import console
from events.items import ItemType
from sandbox.cronofy.client.control import CronofyControl
from sandbox.psa.client import psa_control
from sandbox.run import Sandboxes, Ways
from worker.settings import Settings, Store

_USER: Final = 5571
_WORKERS: Final = 2


class Against(StrEnum):
    """Where the demonstration takes place."""

    HERE = "here"
    ENVIRONMENT = "environment"


def command(
    context: typer.Context,
    against: Annotated[
        Against,
        typer.Option(help="`here`: start everything for it. `environment`: use what the settings name and is running."),
    ] = Against.HERE,
) -> None:
    """Play the story of two calendars kept in step, on real parts. Ends with 0 only if all of it was verified."""
    if context.invoked_subcommand is not None:
        return
    configure(Format.CONSOLE, Level.ERROR)
    run(_here() if against is Against.HERE else _in_environment())


app: Final = typer.Typer(invoke_without_command=True)
app.callback()(command)
app.command("night")(demo_night.command)


async def _here() -> None:
    screens = Screens(console())
    async with local(Ways(), {}) as here, running_workers(here.environment, here.folder, _WORKERS) as workers:
        screens.title(
            "psa-calendar-sync",
            "Real: RabbitMQ, MongoDB, HTTP over sockets, two worker processes, the webhook relay.",
            "Sandboxes that speak their protocols: Cronofy (an Office 365 calendar) and the PSA.",
            f"RabbitMQ {here.services.rabbitmq_url.rpartition('@')[2]}   MongoDB {here.services.mongodb_url}",
            f"Cronofy  {here.sandboxes.cronofy_url}   PSA {here.sandboxes.psa_url}   relay {here.relay_url}",
        )
        async with _stage(here.sandboxes, here.infrastructure) as stage:
            await _play(stage, screens, lambda: _kill_one(workers))


async def _in_environment() -> None:
    settings = Settings.load()
    screens = Screens(console())
    there = Sandboxes(settings.cronofy_api_url, settings.psa_api_url)
    screens.title("psa-calendar-sync", f"Against Cronofy {there.cronofy_url} and PSA {there.psa_url}, as they run.")
    async with _stage(there, settings) as stage:
        await _play(stage, screens, None)


@contextlib.asynccontextmanager
async def _stage(there: Sandboxes, store: Store) -> AsyncGenerator[Stage, None]:
    async with (
        CronofyControl(there.cronofy_url) as cronofy,
        psa_control(there.psa_url) as psa,
        opened_database(store) as database,
    ):
        journal = Journal(database, kept_for(timedelta(days=1)))
        name = f"demo-{new_id()[:8]}"
        yield Stage(psa=psa, cronofy=cronofy, journal=journal, clock=SystemClock(), user_id=_USER, integration_id=name)


async def _kill_one(workers: list[WorkerProcess]) -> str:
    await workers[0].kill()
    return "One of the two workers was ended by kill -9."


async def _play(stage: Stage, screens: Screens, trouble: Trouble | None) -> None:
    began = stage.clock.monotonic()
    stage = await story.link_a_calendar(stage, screens)
    made = await story.five_kinds_go_out(stage, screens)
    await story.she_drags_the_service_call(stage, screens, made[ItemType.SERVICE_CALL])
    event = await story.she_types_an_event(stage, screens)
    await story.she_deletes_it(stage, screens, event)
    await story.the_dispatcher_edits_and_deletes(stage, screens, made)
    await story.an_outage_passes(stage, screens, made, trouble)
    await story.the_log_tells(stage, screens, made[ItemType.SERVICE_CALL])
    verdict = await story.everything_rests(stage, screens)
    screens.say(f"\nEverything rests: {verdict}. ({stage.clock.monotonic() - began:.0f} s)")
