"""What makes two failures the same: the same kind of thing failed in the same place for the same reason. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from events.letters import Failure

_FRAMES: Final = 3
_VARYING: Final = (
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"]+"), "{url}"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "{id}"),
    (re.compile(r"\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)?)?"), "{time}"),
    (re.compile(r"\b(?=[\w@.:-]*\d)[\w@.-]*[a-z_][\w@.:-]*\d[\w@.:-]*\b"), "{id}"),
    (re.compile(r"\b[0-9a-f]{16,}\b"), "{id}"),
    (re.compile(r"[-+]?\d+(?:[.,]\d+)*"), "{n}"),
    (re.compile(r"\s+"), " "),
)
_TYPES: Final = re.compile(r"[a-z_]+(?:\.[a-z_]+)+\.v\d+")


def fingerprint(what: str, failure: Failure) -> str:
    """Name a failure. `what`: the queue in which it happened, or `link`."""
    trace = failure.trace
    places = [_place(line) for line in trace.stack.splitlines()]
    ours = [place for place in places if not place.startswith("{lib}")]
    parts = (what, failure.reason, trace.error, normalised(failure.detail), *ours[-_FRAMES:], trace.call)
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:16]


def normalised(words: str) -> str:
    """Return words without what differs from one time to the next: ids, numbers, times, addresses."""
    words = words.lower()
    types = _TYPES.findall(words)
    words = _TYPES.sub("\0", words)  # the version of a contract is no number that varies
    for pattern, name in _VARYING:
        words = pattern.sub(name, words)
    for name in types:
        words = words.replace("\0", name, 1)
    return words.strip()


_LINE: Final = re.compile(r"(?P<file>.+?):\d+ in (?P<function>.+)")
_OURS: Final = ("events/", "adapters/", "worker/")


def _place(line: str) -> str:
    """Return a place without its line, which moves with every release; mark those that are not ours."""
    match = _LINE.fullmatch(line)
    if match is None or not match["file"].startswith(_OURS):
        return "{lib}"
    return f"{match['file']}:{match['function']}"
