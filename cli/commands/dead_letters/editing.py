"""`calsync dead-letters edit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import click
import typer

from cli.acting import As, Why
from cli.commands.dead_letters.options import office
from cli.commands.dead_letters.replaying import run_job
from cli.failing import Failed
from cli.running import run
from cli.showing import plain
from events.letters import Letter, Which
from events.replays import JobState, ReplayJob
from worker.dead_letters.editing import difference, edited, text_of
from worker.settings import Infrastructure, Store


def edit(
    letter_id: Annotated[str, typer.Argument(help="Which one.")],
    file: Annotated[Path | None, typer.Option("--file", help="The mended message, instead of an editor.")] = None,
    why: Why = "",
    as_: As = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is replayed.")] = False,
) -> None:
    """Mend a message in $EDITOR, check it against its contract, and replay it in place of the dead one."""
    settings = Infrastructure.load()
    letter = run(_letter(settings, letter_id))
    body = file.read_bytes() if file else _in_editor(letter)
    if body is None or text_of(body) == text_of(letter.original.body):
        raise Failed("Nothing was changed.")
    # Said before anything is asked: whether it keeps its contract now.
    edited(letter, body, "-", "-", why, letter.last_at)
    typer.echo(plain(difference(letter.original.body, body)))
    if not yes:
        typer.confirm("Replay it like this?", abort=True)
    job = run(_replace(settings, letter, body, why, as_))
    if job.state is not JobState.DONE or job.tally.failed_again:
        raise Failed("It failed again; see calsync dead-letters list.")


def _in_editor(letter: Letter) -> bytes | None:
    text = click.edit(text_of(letter.original.body), extension=".json")
    return None if text is None else text.encode()


async def _letter(settings: Store, letter_id: str) -> Letter:
    async with office(settings, "") as here:
        found = await here.letters.get(letter_id)
        if found is None:
            raise Failed(f"There is no dead letter {letter_id}.")
        return found


async def _replace(settings: Infrastructure, letter: Letter, body: bytes, why: str, acting: str) -> ReplayJob:
    async with office(settings, acting) as here:
        new = await here.desk.edit(letter, body, why)
        typer.echo(f"{new.id} stands for {letter.id}")
        job = await here.desk.replay(Which(ids=frozenset({new.id})), why, 1.0, None)
        return await run_job(settings, here, job.id)
