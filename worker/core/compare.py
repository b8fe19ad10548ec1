"""When are two contents the same? Exactly, or as the same thing rewritten by a provider."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from events.content import ALL_FIELDS, Content, Field, Timed, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def differing(one: Content, other: Content) -> frozenset[Field]:
    """Return the fields whose values are not equal."""
    if one == other:
        return frozenset()
    return frozenset(field for field in Field if one.value(field) != other.value(field))


def overlay(content: Content, values: Mapping[Field, Value]) -> Content:
    """Return `content` with some values replaced."""
    if not values:
        return content
    changes: dict[str, Any] = {field.value: value for field, value in values.items()}
    return replace(content, **changes)


def take(content: Content, source: Content, fields: Iterable[Field]) -> Content:
    """Return `content` with `fields` as they are in `source`."""
    return overlay(content, {field: source.value(field) for field in fields})


def same(field: Field, wanted: Value, shown: Value) -> bool:
    """Whether `shown` is what a side may make of `wanted`: equal, or rewritten without a change of meaning.

    Times compare at the coarsest resolution of the two: a provider without seconds shows the minute. Texts compare
    without white space and punctuation of markup, links that were expanded, a conference block that was appended, and
    a tail that was cut.
    """
    if wanted == shown:
        return True
    if isinstance(wanted, str) and isinstance(shown, str):
        return _rewritten(wanted, shown)
    if field is Field.WHEN and isinstance(wanted, Timed) and isinstance(shown, Timed):
        return _minutes(wanted) == shown
    return False


def shows(wanted: Content, shown: Content) -> bool:
    """Whether all of `shown` is what a side may make of `wanted`."""
    return wanted == shown or all(same(field, wanted.value(field), shown.value(field)) for field in ALL_FIELDS)


def _minutes(when: Timed) -> Timed:
    return Timed(when.start.replace(second=0), when.end.replace(second=0))


_CONFERENCE_BLOCK: Final = re.compile(
    r"(?:_{20,}|-{2}:{1,2}~|Microsoft Teams|Join (?:with|the meeting)|meet\.google\.com|teams\.microsoft\.com)",
)
_EXPANDED_LINK: Final = re.compile(r"<(?:https?://|mailto:)[^\s<>]*>")
_NOT_A_WORD: Final = re.compile(r"[\W_]+")
_SHORTEST_CUT: Final = 200


def _rewritten(wanted: str, shown: str) -> bool:
    block = _CONFERENCE_BLOCK.search(shown)
    if block and not _CONFERENCE_BLOCK.search(wanted):
        shown = shown[: block.start()]
    bare_wanted, bare_shown = _words(wanted), _words(shown)
    if bare_wanted == bare_shown:
        return bool(bare_wanted) or "".join(wanted.split()) == "".join(shown.split())
    # A provider with a lower limit keeps the beginning. A short text is never cut by one, but by a person.
    return len(bare_shown) >= _SHORTEST_CUT and bare_wanted.startswith(bare_shown)


def _words(text: str) -> str:
    return _NOT_A_WORD.sub("", _EXPANDED_LINK.sub("", text))
