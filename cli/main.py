"""The table of commands.

A command's module is imported when the command is typed, because the program of a command that only reads a page of the
log should not first have to load two sandboxes and a web server.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.process.environment import name_settings_file
from adapters.process.strays import strays
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


_RUN, _TRY, _SEE, _SET = "Run it", "Try it", "See what it does", "Set it up"

_TABLE: Final[Mapping[str, tuple[str, str]]] = {
    "worker": ("worker", _RUN),
    "relay": ("relay", _RUN),
    "sandbox": ("sandbox", _TRY),
    "demo": ("demo", _TRY),
    "up": ("up", _TRY),
    "bench": ("bench", _TRY),
    "publish": ("publish", _TRY),
    "integrations": ("integrations", _SEE),
    "brakes": ("brakes", _SEE),
    "conflicts": ("conflicts", _SEE),
    "explain": ("explain", _SEE),
    "runs": ("runs", _SEE),
    "log": ("log", _SEE),
    "dead-letters": ("dead_letters.table", _SEE),
    "record": ("record", _SEE),
    "tenants": ("tenants", _SET),
    "users": ("users", _SET),
    "topology": ("topology", _SET),
    "access": ("access", _SET),
    "config": ("configuration", _SET),
    "keys": ("keys", _SET),
}
"""Each command's module in `cli.commands`, and where it stands in the help. A module has an `app` or a `command`."""


_STRAY_BYTE: Final = re.compile(r"[\ud800-\udfff]")
"""How Python hands on a byte of an argument that is no part of any text."""


def app_for(words: Sequence[str] = ()) -> typer.Typer:
    """Return the program that understands these words: with all commands, unless the first word names one.

    Raises `typer.BadParameter` if one of them is no text.
    """
    if any(_STRAY_BYTE.search(word) for word in words):
        raise typer.BadParameter("an argument is not valid UTF-8")
    app = typer.Typer(name="calsync", callback=opening, no_args_is_help=True, pretty_exceptions_enable=False)
    for name in words[:1] if words[:1] and words[0] in _TABLE else _TABLE:
        where, panel = _TABLE[name]
        module = import_module(f"cli.commands.{where}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(module.command)
    return app


def run() -> None:
    """Run the command that was typed, and end the process."""
    sys.exit(exit_code(lambda: app_for(sys.argv[1:])(standalone_mode=False)))
