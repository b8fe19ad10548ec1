"""`calsync keys new`."""

from __future__ import annotations

import typer

from adapters.mongodb.vault import new_key

app = typer.Typer(no_args_is_help=True, help="Keys that encrypt tokens at rest.")


@app.callback()
def _group() -> None:
    """Keys that encrypt tokens at rest."""


@app.command()
def new() -> None:
    """Make a key for CALSYNC_ENCRYPTION_KEYS. To rotate, put it in front of the keys that are in use."""
    typer.echo(new_key())
