"""`calsync config check`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from adapters.mongodb.vault import Vault
from adapters.process.environment import plain
from cli.settings import READERS
from worker.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The settings.")


@app.callback()
def _group() -> None:
    """The settings."""


class Part(StrEnum):
    """Who would run with the settings."""

    WORKER = "worker"
    RELAY = "relay"
    SANDBOX = "sandbox"


@app.command()
def check(part: Annotated[Part, typer.Argument(help="Whose settings.")] = Part.WORKER) -> None:
    """Show the settings that a part would run with, secrets hidden; or say what is wrong with them."""
    settings = READERS[part].load()
    if isinstance(settings, Settings):
        Vault(plain(settings.encryption_keys))
    for name, value in settings.shown().items():
        typer.echo(f"{name}={value}")
