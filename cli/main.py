"""The table of commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.process.environment import name_settings_file
from adapters.process.strays import strays
from cli.commands import (
    access,
    bench,
    bench_backfill,
    bench_letters,
    brakes,
    configuration,
    conflicts,
    demo,
    demo_night,
    explain,
    integrations,
    keys,
    log,
    publish,
    record,
    relay,
    runs,
    sandbox,
    tenants,
    topology,
    up,
    users,
    worker,
)
from cli.commands.dead_letters import table as dead_letters
from cli.failing import exit_code
from cli.settings import NAMES


def opening(
    settings: Annotated[
        Path | None, typer.Option(help="Settings that the environment does not say, in TOML. See docs/settings.md.")
    ] = None,
) -> None:
    """Keeps a PSA platform's My Calendar and its users' own calendars in step, both ways, in real time."""
    if settings is not None:
        name_settings_file(settings)
    for sentence in strays(NAMES):
        typer.echo(sentence, err=True)


app: Final = typer.Typer(
    name="calsync",
    callback=opening,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_RUN, _TRY, _SEE, _SET = "Run it", "Try it", "See what it does", "Set it up"

app.command("worker", rich_help_panel=_RUN)(worker.command)
app.command("relay", rich_help_panel=_RUN)(relay.command)
app.command("sandbox", rich_help_panel=_TRY)(sandbox.command)
playing: Final = typer.Typer(invoke_without_command=True)
playing.callback()(demo.command)
playing.command("night")(demo_night.command)
app.add_typer(playing, name="demo", rich_help_panel=_TRY)
app.command("up", rich_help_panel=_TRY)(up.command)
measuring: Final = typer.Typer(invoke_without_command=True)
measuring.callback()(bench.command)
measuring.command("dead-letters")(bench_letters.command)
measuring.command("backfill")(bench_backfill.command)
app.add_typer(measuring, name="bench", rich_help_panel=_TRY)
app.command("publish", rich_help_panel=_TRY)(publish.command)
app.add_typer(integrations.app, name="integrations", rich_help_panel=_SEE)
app.add_typer(brakes.app, name="brakes", rich_help_panel=_SEE)
app.add_typer(conflicts.app, name="conflicts", rich_help_panel=_SEE)
app.command("explain", rich_help_panel=_SEE)(explain.command)
app.add_typer(runs.app, name="runs", rich_help_panel=_SEE)
app.command("log", rich_help_panel=_SEE)(log.command)
app.add_typer(dead_letters.app, name="dead-letters", rich_help_panel=_SEE)
app.command("record", rich_help_panel=_SEE)(record.command)
app.add_typer(tenants.app, name="tenants", rich_help_panel=_SET)
app.add_typer(users.app, name="users", rich_help_panel=_SET)
app.add_typer(topology.app, name="topology", rich_help_panel=_SET)
app.add_typer(access.app, name="access", rich_help_panel=_SET)
app.add_typer(configuration.app, name="config", rich_help_panel=_SET)
app.add_typer(keys.app, name="keys", rich_help_panel=_SET)


def run() -> None:
    """Run the command that was typed, and end the process."""
    sys.exit(exit_code(lambda: app(standalone_mode=False)))
