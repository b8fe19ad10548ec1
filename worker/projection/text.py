"""Text in comparable form: NFC, LF, no markup, no invisible characters, within a limit, cut between graphemes."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import regex

from worker.projection.markup import escaped, is_markup, text_of

SUMMARY_LIMIT: Final = 1024
DESCRIPTION_LIMIT: Final = 4096
"""What Cronofy takes, in characters. Source: cronofy.md, upsert."""
SUBJECT_LIMIT: Final = 256
PSA_DESCRIPTION_LIMIT: Final = 8000
"""What the PSA takes. Source: psa.md, item fields."""

_CONTROLS: Final = (*range(0x09), *range(0x0E, 0x20), *range(0x7F, 0xA0))
_INVISIBLE: Final = (0xAD, 0x200B, 0x2060, 0xFEFF)
_SURROGATES: Final = range(0xD800, 0xE000)
"""Halves of a character, which cannot be sent."""
_CLEAN: Final[dict[int, str | None]] = {
    **dict.fromkeys((*_CONTROLS, *_INVISIBLE, *_SURROGATES)),
    **dict.fromkeys((0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), "\n"),
    **dict.fromkeys((0x09, 0xA0, 0x2007, 0x202F), " "),
}
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_UNSEEN: Final = frozenset({"Cf", "Mn", "Zs"})
"""What shows nothing by itself: marks of direction, joiners, accents without a letter, blanks."""
_ESCAPES: Final = 4
_STEP: Final = 16


def plain(text: str | None) -> str:
    """Return text of several lines, which may be HTML, in comparable form. Idempotent.

    Where the text that HTML stands for would itself pass for HTML, it stays escaped: otherwise it would lose its tags
    as soon as it comes back from a provider.
    """
    if not text:
        return ""
    if _is_plain(text):
        return text
    text = _clean(text)
    if not is_markup(text):
        text = _composed(text)  # not before: an accent behind a tag would become a part of it
        if not is_markup(text):
            return text
    text = _tidy(text_of(text))
    return escaped(_innermost(text)) if is_markup(text) else text


def _is_plain(text: str) -> bool:
    """Whether a text is in comparable form at first glance, as most are: no rule could touch it."""
    if not text.isascii() or "<" in text or "&" in text or "\n\n\n" in text or text != text.strip():
        return False
    return all(line.isprintable() and not line.endswith(" ") for line in text.split("\n"))


def _innermost(text: str) -> str:
    """Undo escapes as long as markup remains: every side may have added one, and the text must not grow by that."""
    inner = text
    for _ in range(_ESCAPES):
        if "<" in inner:
            return inner
        further = _tidy(text_of(inner))
        if not is_markup(further):
            return inner
        inner = further
    return text  # escaped on purpose


def unescaped(text: str) -> str:
    """Return what a text in comparable form says to a person who reads it."""
    return text_of(text) if is_markup(text) else text


def literal(text: str) -> str:
    """Return text that is never HTML in the form in which it comes back as itself."""
    return plain(escaped(text)) if is_markup(text) else text


def line(text: str | None) -> str:
    """Return text of one line, which is never HTML, in comparable form; none if nothing can be seen. Idempotent."""
    if not text or (text.isascii() and text.isprintable() and "  " not in text and text == text.strip()):
        return text or ""
    text = " ".join(_tidy(text).split())
    return text if any(unicodedata.category(char) not in _UNSEEN for char in text) else ""


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


def fitted(text: str, limit: int) -> str:
    """Return text in comparable form, cut so that what is left still comes back as itself. Idempotent.

    What is left may mean something else: without the one sign that kept it from being HTML it is read as HTML.
    """
    room = limit
    while len(text) > max(limit, 1):
        text = plain(cut(text, room))
        room -= _STEP  # in its new form it may be longer than what was cut
    return text


def _tidy(text: str) -> str:
    return _composed(_clean(text))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").translate(_CLEAN)
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip(" ") for line in text.split("\n"))).strip()
