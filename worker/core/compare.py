"""When are two contents the same? Exactly, as what a side made of what it was given, or as what it showed before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from events.content import ALL_FIELDS, FIELDS, Content, Field, Timed, Value
from events.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def differing(one: Content, other: Content) -> frozenset[Field]:
    """Return the fields whose values are not equal."""
    if one == other:
        return frozenset()
    return frozenset(field for field in FIELDS if one.value(field) != other.value(field))


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
    """Whether `shown` is what a side may make of `wanted` when it is given that: equal, or rewritten.

    Times compare at the coarsest resolution of the two: a provider without seconds shows the minute. Texts compare
    without white space, links that were expanded and conference blocks, and may have been cut at a limit.
    """
    if unchanged(field, wanted, shown):
        return True
    if isinstance(wanted, str) and isinstance(shown, str):
        whole, part = letters(wanted), letters(shown)
        return whole == part or (_is_limit(shown) and whole.startswith(part.removesuffix("…")))
    return False


def unchanged(field: Field, before: Value, shown: Value) -> bool:
    """Whether a side that showed `before` still shows the same, as far as people are concerned.

    Stricter than `same`: what a side makes of a text is known once it has shown it, so another line, another sign or a
    missing tail is an edit. But providers lay out anew what nobody touched, expand links, and add conference blocks.
    """
    if before == shown:
        return True
    if isinstance(before, str) and isinstance(shown, str):
        return _lines(before) == _lines(shown)
    if field is Field.WHEN and isinstance(before, Timed) and isinstance(shown, Timed):
        return _minutes(before) == shown
    return False


def shows(wanted: Content, shown: Content) -> bool:
    """Whether all of `shown` is what a side may make of `wanted`."""
    return wanted == shown or all(same(field, wanted.value(field), shown.value(field)) for field in ALL_FIELDS)


def _minutes(when: Timed) -> Timed:
    return Timed(when.start.replace(second=0), when.end.replace(second=0))


_LIMITS: Final = (255, 256, 1000, 1024, 2000, 2048, 4000, 4096, 8000)
"""Where sides are known to cut, in characters, in units of UTF-16 or in bytes of UTF-8."""
_SLACK: Final = 16
"""A side that does not cut through a character or behind a blank stays below its limit by so much."""


def _is_limit(text: str) -> bool:
    """Whether a text is just as long as a cut would leave it. A person's cut ends anywhere."""
    lengths = (len(text), len(text.encode("utf-16-le", "replace")) // 2, len(text.encode("utf-8", "replace")))
    return any(limit - _SLACK <= length <= limit for limit in _LIMITS for length in lengths)


# What of a text counts


def letters(text: str) -> str:
    """Return what of a text stays the same however a side lays it out."""
    return "".join("".join(_lines(text)).split())


def _lines(text: str) -> list[str]:
    """Return the lines that are not empty, each without superfluous blanks."""
    text = _EXPANDED_LINK.sub(_unless_expanded, text) if "<" in text and ":" in text else text
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return list(_without_conferences([line for line in lines if line]))


_EXPANDED_LINK: Final = re.compile(r"(?<![^\s<>])([^\s<>]+) ?<((?:mailto:|https?://)[^\s<>]+)>")
_SCHEME: Final = re.compile(r"[(\[\"']*(?:mailto:|https?://)?")


def _unless_expanded(link: re.Match[str]) -> str:
    """Drop an address in angle brackets that only repeats what stands before it."""
    return link[1] if _bare(link[1]) == _bare(link[2]) else link[0]


def _bare(address: str) -> str:
    return _SCHEME.sub("", address, count=1).removesuffix("/")


_RULE: Final = re.compile(r"_{20,}|-::[~:]{5,}::-")
_CONFERENCE: Final = re.compile(
    r"teams\.(?:microsoft|live)\.|/meetup-join/|aka\.ms/JoinTeamsMeeting|meet\.google\.com/|zoom\.us/j/"
)


def _without_conferences(lines: list[str]) -> Iterator[str]:
    """Leave out what stands between two rules and leads to an online meeting. Whatever is around it counts."""
    at = 0
    for block in _conferences(lines):
        yield from lines[at : block.start]
        at = block.stop
    yield from lines[at:]


def _conferences(lines: list[str]) -> Iterator[slice]:
    """Yield where conference blocks stand. Two can share the rule between them."""
    at = 0
    rules = [number for number, line in enumerate(lines) if _RULE.fullmatch(line)]
    for begin, end in pairwise(rules):
        if any(_CONFERENCE.search(line) for line in lines[begin:end]):
            yield slice(max(at, begin), end + 1)
            at = end + 1


# What of a text belongs to the event alone

_SIGNS_OF_A_RULE: Final = ("_" * 20, "-::")
_MOST: Final = 3_500
"""What is longer together might not fit beside a footer."""


def keeping(text: str, shown: str) -> str:
    """Return a text to write with the conference blocks that are shown, and no others.

    Whoever added one, it belongs to the event, and is no part of what the two sides tell each other: a write that
    brought the text alone would end the meeting.
    """
    (ours, own), (theirs, blocks) = _apart(text), _apart(shown)
    once = list(dict.fromkeys(blocks))  # a side can add the same one with each write
    if own == once:
        return text
    if ours == theirs and blocks == once:
        return shown
    both = "\n\n".join(part for part in (ours, *once) if part)
    return both if len(both) <= _MOST else ours


def _apart(text: str) -> tuple[str, list[str]]:
    """Return a text without its conference blocks, and these as they are."""
    if not any(sign in text for sign in _SIGNS_OF_A_RULE):
        return text, []
    lines = text.split("\n")
    blocks = list(_conferences([" ".join(line.split()) for line in lines]))
    found = ["\n".join(lines[block]) for block in blocks]
    for block in reversed(blocks):
        del lines[block]
    return ("\n".join(lines).strip(), found) if blocks else (text, found)
