"""Whether the words of a command line mean something to the command."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import typer

from cli.main import app_for


@cache
def _all() -> Any:
    return typer.main.get_command(app_for())


def check_command(words: Sequence[str]) -> None:
    """Parse a command line without carrying it out. Fails if there is no such command or option."""
    command, rest, context = _all(), list(words), None
    while hasattr(command, "resolve_command"):
        context = command.make_context(command.name, rest, parent=context)
        given = [*context._protected_args, *context.args]
        if not given and command.invoke_without_command:
            return  # it is a command and a group of them
        name, found, rest = command.resolve_command(context, given)
        assert found is not None, f"there is no command {name}"
        command = found
    command.make_context(command.name, rest, parent=context)
