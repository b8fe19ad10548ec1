"""Putting things before people: one console, one way to write times."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import orjson
from rich.console import Console


def console() -> Console:
    """Return a console on standard output, 120 wide if that is no terminal. Users' text is never taken for markup."""
    width = None if sys.stdout.isatty() else 120
    return Console(markup=False, highlight=False, emoji=False, width=width)


def instant(moment: datetime | None) -> str:
    """Write a moment, in UTC; nothing for none."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if moment else ""


def plain(words: str) -> str:
    """Return words that came from elsewhere as they may be shown at a terminal: they cannot move its cursor."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in words
    )


def json_line(value: object) -> str:
    """Write a value as one line of JSON."""
    return orjson.dumps(value, default=str).decode()
