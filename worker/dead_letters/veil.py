"""Showing a message without what is private in it. Pure."""

from __future__ import annotations

from typing import Any, Final, cast

import orjson

from worker.dead_letters.reading import as_json

HIDDEN: Final = "[hidden]"
_SECRETS: Final = frozenset({"code"})
"""An authorization code opens an account."""
_PLAIN: Final = frozenset({"start", "end", "from", "to", "time_zone", "revision", "item_type", "url"})


def veiled(body: bytes) -> bytes:
    """Return a message as JSON without secrets, and without the texts of a private item.

    What is no JSON object may be anything, and is left out; so is what is nested deeper than any message.
    """
    message = as_json(body)
    if not isinstance(message, dict):
        return orjson.dumps(f"{HIDDEN}: {len(body)} bytes that are no JSON object")
    return orjson.dumps(_veiled(cast("dict[str, Any]", message), private=False))


def _veiled(value: object, *, private: bool) -> object:
    match value:
        case dict():
            fields = cast("dict[str, object]", value)
            private = private or bool(fields.get("is_private"))
            return {name: _field(name, inner, private=private) for name, inner in fields.items()}
        case list():
            return [_veiled(one, private=private) for one in cast("list[object]", value)]
        case str() if private:
            return HIDDEN
        case _:
            return value


def _field(name: str, value: object, *, private: bool) -> object:
    if name in _SECRETS:
        return HIDDEN
    return value if name in _PLAIN else _veiled(value, private=private)
