"""`calsync config check`."""

from __future__ import annotations

import typer

from adapters.mongodb.vault import Vault
from adapters.process.environment import plain
from worker.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The settings.")


@app.callback()
def _group() -> None:
    """The settings."""


@app.command()
def check() -> None:
    """Show the settings that a worker would run with, secrets hidden; or say what is wrong with them."""
    settings = Settings.load()
    Vault(plain(settings.encryption_keys))
    for name, value in settings.shown().items():
        typer.echo(f"{name}={value}")
