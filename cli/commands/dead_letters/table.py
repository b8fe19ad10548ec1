"""The table of the commands of `calsync dead-letters`."""

from __future__ import annotations

from typing import Final

import typer

from cli.commands.dead_letters import deciding, editing, looking, replaying

app: Final = typer.Typer(no_args_is_help=True, help="What failed for good: look, replay, mend, discard.")
app.command("list")(looking.list_)
app.command()(looking.groups)
app.command()(looking.show)
app.command()(replaying.replay)
app.command()(replaying.jobs)
app.command()(editing.edit)
app.command()(deciding.discard)
app.command()(deciding.restore)
app.command()(looking.export)
