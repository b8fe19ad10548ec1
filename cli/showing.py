"""Putting things before people: one console, one way to write times."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import orjson
from rich.console import Console


def console() -> Console:
    """Return a console on standard output. Text of users is never taken for markup. A file has no width: 120 is good."""
    width = None if sys.stdout.isatty() else 120
    return Console(markup=False, highlight=False, emoji=False, width=width)


def instant(moment: datetime | None) -> str:
    """Write a moment, in UTC; nothing for none."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if moment else ""


def json_line(value: object) -> str:
    """Write a value as one line of JSON."""
    return orjson.dumps(value, default=str).decode()
