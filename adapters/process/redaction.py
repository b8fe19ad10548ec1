"""What must not be in a log is hidden: by the name it is logged under, by how it looks, and if it is a secret of ours.

A net below code that should not log such things at all. Nothing is logged that is not plain data: whatever else turns
up is named by its class, because the way in which it would show itself may tell everything that it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import quote

HIDDEN: Final = "[hidden]"
_SHORTEST_SECRET: Final = 6
"""Whatever is shorter would be found in innocent words."""
_LONGEST: Final = 2_000
_SHORT: Final = 40
"""So long is an id, which many lines in a row have in common."""
_DEEPEST: Final = 6
_MOST: Final = 100

_SECRET_NAME: Final = re.compile(
    r"""
    token | secret | passw | passphrase | credential | authori[sz]ation | cookie | signature | hmac | sealed
    | api[_-]?key | private[_-]?key | encryption[_-]?key
    | ^(auth(orization)?[_-]?)?code$ | (^|[_.-])(pwd|sig)$
    # What people wrote, or what may quote it.
    | summary | description | title | location | attendee | organi[sz]er
    | (^|[_.-])(subject|notes?|text|contents?|body|snapshot|payload|raw|e?mails?)$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_PLAIN: Final = re.compile(r"[\w./ +-]*")
"""Most values by far: nothing in them could part a secret from its name."""
_WORDS: Final = ("token", "secret", "password", "passwd", "signature", "hmac", "apikey", "api_key", "code", "sig")
_NAMED: Final = re.compile(
    r"""(?P<stays>
        (?: [\w.-]{0,40}? (?:token|secret|password|passwd|signature|hmac[\w-]{0,20}|api_?key) | \b (?:code|sig) )
        ["']? \s{0,3} (?:=|:\s?|%3D) \s{0,3} ) (?: "[^"]*" | '[^']*' | [^\s&,;"'<>)\]}]+ )""",
    re.IGNORECASE | re.VERBOSE,
)
_SCHEME: Final = re.compile(r"""(?P<stays> \b (?:bearer|basic) [\s:]+ ) [^\s,;"'<>]+""", re.IGNORECASE | re.VERBOSE)
_USERINFO: Final = re.compile(r"""(?P<stays> :// ) [^/?\#\s@"'<>]{0,512} (?= @ )""", re.VERBOSE)
_SEALED: Final = re.compile(r"\b(?P<stays>)(?:eyJ[\w-]{8,}(?:\.[\w-]*){0,4}|gAAAAA[\w-]{8,}=*)")
"""A JSON web token, or what our vault has sealed."""
_EMAIL: Final = re.compile(r"""(?P<stays>)[^\s@<>"'(,;:=/]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+""")


class Redactor:
    """Hides secrets in what is about to be logged. `secrets`: those of this process, hidden wherever they turn up."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in (secret, quote(secret, ""))}
        self._known = sorted(known, key=len, reverse=True)
        self._remembered = lru_cache(maxsize=2_000)(self.text)  # the same few again and again

    def __call__(self, _logger: object, _name: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Return a line that may be seen. The line's own constant name stays."""
        return {
            self._remembered(name): value if name == "event" and isinstance(value, Enum) else self._named(name, value)
            for name, value in line.items()
        }

    def _named(self, name: str, value: object, depth: int = 0) -> object:
        return HIDDEN if value is not None and _is_secret(name) else self._value(value, depth)

    def _value(self, value: object, depth: int) -> object:
        if type(value) is str:  # most of them
            return self._remembered(value) if len(value) <= _SHORT else self.text(value)
        match value:
            case Enum(value=str() as said):
                return self._remembered(said)
            case Enum():
                return self._value(value.value, depth)
            case str():
                return self.text(value)
            case None | bool() | int() | float() | datetime() | date():
                return value
            case timedelta():
                return value.total_seconds()
            case dict() if depth < _DEEPEST:
                pairs = list(cast("dict[object, object]", value).items())[:_MOST]
                return {self.text(str(key)): self._named(str(key), inner, depth + 1) for key, inner in pairs}
            case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
                return [self._value(inner, depth + 1) for inner in list(cast("Iterable[object]", value))[:_MOST]]
            case _:
                return f"<{type(value).__name__}>"

    def text(self, said: str) -> str:
        """Return a text with everything hidden that looks like a secret or is one of ours, and not too long."""
        for secret in self._known:
            if secret in said:
                said = said.replace(secret, HIDDEN)
        said = _without_secrets(said[: 2 * _LONGEST])
        return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"


@lru_cache(maxsize=2_000)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _without_secrets(said: str) -> str:
    if "eyJ" in said or "gAAAAA" in said:
        said = _SEALED.sub(_what_stays, said)
    lower = said.lower()
    if "bearer" in lower or "basic" in lower:
        said = _SCHEME.sub(_what_stays, said)
    if _PLAIN.fullmatch(said):
        return said
    if "@" in said:
        said = _EMAIL.sub(_what_stays, _USERINFO.sub(_what_stays, said))
    if any(word in lower for word in _WORDS):
        said = _NAMED.sub(_what_stays, said)
    return said


def _what_stays(match: re.Match[str]) -> str:
    return f"{match['stays']}{HIDDEN}"
