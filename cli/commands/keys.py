"""`calsync keys new|rotate`."""

from __future__ import annotations

import typer

from adapters.mongodb.resealing import Resealed, Resealing
from adapters.mongodb.vault import Vault, new_key
from adapters.process.environment import plain
from cli.database import opened_database
from cli.failing import Failed
from cli.running import run
from worker.settings import Sealed

app = typer.Typer(no_args_is_help=True, help="Keys that encrypt tokens at rest.")


@app.command()
def new() -> None:
    """Make a key for CALSYNC_ENCRYPTION_KEYS. To rotate, put it in front of the keys that are in use."""
    typer.echo(new_key())


@app.command()
def rotate() -> None:
    """Seal all secrets under the key in front, so that those behind it can be taken away. Workers may go on.

    All workers must know the new key first. Broken off, it is simply begun anew.
    """
    done = run(_rotate(Sealed.load()))
    typer.echo(f"{done.renewed} secrets were sealed under the key in front; now {_left(done)} are not.")
    if done.unopened:
        raise Failed(f"No key opens what these integrations have: {', '.join(done.unopened)}. Keep all keys.")
    if done.left:
        raise Failed("Some secrets changed all the time. Begin anew.")


def _left(done: Resealed) -> str:
    count = len(done.unopened) + done.left
    return f"those of {count} integrations" if count else "none"


async def _rotate(settings: Sealed) -> Resealed:
    vault = Vault(plain(settings.encryption_keys))
    async with opened_database(settings) as database:
        return await Resealing(database, vault).run()
