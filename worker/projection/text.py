"""Text in comparable form: NFC, LF, no markup, no invisible characters, within a limit, cut between graphemes."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

import inscriptis
import regex
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.model.config import ParserConfig

SUMMARY_LIMIT: Final = 1024
DESCRIPTION_LIMIT: Final = 4096
"""What Cronofy takes, in characters. Source: cronofy.md, upsert."""
SUBJECT_LIMIT: Final = 256
PSA_DESCRIPTION_LIMIT: Final = 8000
"""What the PSA takes. Source: psa.md, item fields."""

_MARKUP: Final = re.compile(
    r"<(?:/?(?:p|div|span|br|ul|ol|li|table|tr|td|th|tbody|b|i|u|strong|em|font|h[1-6]|html|head|body|hr|pre|img|style"
    r"|blockquote|o:p)\b[^<>]*|a\s[^<>]*|/a)>",
    re.IGNORECASE,
)
_BLOCK: Final = re.compile(r"<(?:p|div|br|ul|ol|table|html|body|h[1-6]|hr|pre)\b", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:nbsp|amp|lt|gt|quot|apos|#\d{1,6}|#x[0-9a-f]{1,5});", re.IGNORECASE)
_INVISIBLE: Final = re.compile(r"[\u200b\u2060\ufeff\u00ad]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SPACE: Final = re.compile(r"[\t\u00a0\u2007\u202f]")
_TRAILING: Final = re.compile(r" +(?=\n|$)")
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_LONE_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_HTML: Final = ParserConfig(css=STRICT_CSS_PROFILE)
_ROUNDS: Final = 4


def plain(text: str | None) -> str:
    """Return text of several lines in comparable form. Idempotent.

    Markup is taken for markup only where it can hardly be anything else; escaped markup that appears once it is removed
    is taken for markup as well, or the result would change when it comes back from a provider.
    """
    if not text:
        return ""
    if text.isascii() and text.isalnum():
        return text  # nothing that any of the rules below could touch
    for _ in range(_ROUNDS):
        before = text
        text = _tidy(_without_markup(text))
        if text == before:
            break
    return text


def line(text: str | None) -> str:
    """Return text of one line in comparable form. Idempotent."""
    return " ".join(plain(text).split())


def cut(text: str, limit: int) -> str:
    """Return `text` if it fits, else as many whole graphemes as fit before an ellipsis. Idempotent."""
    if len(text) <= limit:
        return text
    length = 0
    for grapheme in regex.finditer(r"\X", text):
        if length + len(grapheme.group()) > limit - 1:
            break
        length += len(grapheme.group())
    return text[:length].rstrip() + "…"


def _without_markup(text: str) -> str:
    if "<" in text and _MARKUP.search(text):
        # In a page, line feeds are mere white space; in text with a few tags in it, they are lines.
        page = text if _BLOCK.search(text) else text.replace("\n", "<br>")
        lines = inscriptis.get_text(page, _HTML).split("\n")
        return "\n".join(part.strip() for part in lines)
    return html.unescape(text) if "&" in text and _ENTITY.search(text) else text


def _tidy(text: str) -> str:
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n"))
    text = _SPACE.sub(" ", _CONTROL.sub("", _INVISIBLE.sub("", _LONE_SURROGATE.sub("", text))))
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text)).strip()
