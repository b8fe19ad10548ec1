"""Who does something, and why: it is kept with what is done."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

As = Annotated[str, typer.Option("--as", help="Who is acting; you, unless it says otherwise.")]
Why = Annotated[str, typer.Option(help="Why: it is kept with what is done.")]


def who(given: str) -> str:
    """Return who is acting."""
    return given or getpass.getuser()
