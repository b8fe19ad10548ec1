"""The platform's house style: what it makes of a snapshot that it is given."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar, cast

from events.contract import Contract
from sandbox.psa.model.settings import Style

C = TypeVar("C", bound=Contract)

LONGEST: Final[Mapping[str, int]] = MappingProxyType({"subject": 256, "description": 8000})
_RICH: Final = frozenset({"description", "notes"})


def in_house_style(value: C, style: Style) -> C:
    """Return the snapshot as the platform keeps it."""
    styled = {name: _styled(name, field, style) for name, field in value}
    changed = {name: field for name, field in styled.items() if field != getattr(value, name)}
    return value.model_copy(update=changed) if changed else value


def _styled(name: str, value: object, style: Style) -> object:
    match value:
        case str():
            return _text(name, value, style)
        case datetime() if style.whole_minutes:
            return value.replace(second=0, microsecond=0)
        case Contract():
            return in_house_style(value, style)
        case tuple():
            return tuple(_styled(name, one, style) for one in cast("tuple[object, ...]", value))
        case _:
            return value


def _text(name: str, text: str, style: Style) -> str:
    if style.cut_long_text and name in LONGEST and not _is_markup(text):
        text = text[: LONGEST[name]]
    if style.trim_text:
        text = text.strip()
    if style.html_descriptions and name in _RICH and not _is_markup(text):
        text = "<p>" + "<br>".join(html.escape(line, quote=False) for line in text.splitlines()) + "</p>"
    if style.crlf_line_ends:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return text


def _is_markup(text: str) -> bool:
    """Whether it has been styled before; what was kept once stays as it is."""
    return text.startswith("<p>")
