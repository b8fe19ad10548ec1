"""From values to pages: the templates, and how moments, numbers and words are written in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"


def instant(moment: datetime | None) -> str:
    """Write a moment, in UTC; a dash for none."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if moment and moment.year > 1 else "-"


def since(moment: datetime | None, now: datetime) -> str:
    """Write how long ago a moment is, roughly; a dash for none."""
    if moment is None:
        return "-"
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def visible(words: str | None) -> str:
    """Return words that came from elsewhere as they may be shown: what turns or hides text is made visible."""
    return "".join(c if c.isprintable() or c in "\n\t" else _REPLACED for c in words or "")


_WRITTEN: Final[dict[str, Callable[..., str]]] = {"instant": instant, "since": since, "visible": visible}


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name, written in _WRITTEN.items():
        made.filters[name] = written
    return made


_PAGES: Final = _environment()


def page(name: str, status: int, /, **values: object) -> HTMLResponse:
    """Return a page made of a template."""
    return HTMLResponse(_PAGES.get_template(f"{name}.html").render(**values), status)
