"""A request as the endpoints see it, and what they answer."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson

from sandbox.cronofy.model.form import Problems
from sandbox.cronofy.model.reading import Parameters

_JSON: Final = "application/json; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"
_HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, or one entry of a batch."""

    method: str
    path: str
    now: datetime
    payload: Mapping[str, object] = field(default_factory=dict[str, object])
    """The body, from JSON or a form; empty if there is none."""
    readable: bool = True
    """Whether the body could be read."""
    parameters: Parameters = field(default_factory=dict[str, list[str]])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cookies: Mapping[str, str] = field(default_factory=dict[str, str])
    base_url: str = ""
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the path names."""
    scope: str = ""
    """What the token allows."""
    never_applied: bool = False
    """A write is accepted, and then nothing happens."""
    kept_events: float = 1
    """Which part of the events a read answers; less than all only when something is wrong."""

    @property
    def token(self) -> str | None:
        """The bearer token."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() or None if kind.lower() == "bearer" else None

    def text(self, name: str) -> str:
        """Return a field of the body if it is a text."""
        value = self.payload.get(name)
        return value if isinstance(value, str) else ""

    def parameter(self, name: str) -> str:
        """Return a parameter of the query."""
        values = self.parameters.get(name, ())
        return values[-1] if values else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `value` is shown as JSON, or as it is if the media type says so; None: no body."""

    status: int
    value: object = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    media_type: str = _JSON

    def content(self) -> bytes:
        """Return the body's bytes."""
        if self.value is None:
            return b""
        return orjson.dumps(self.value) if self.media_type == _JSON else str(self.value).encode()


def done(value: object) -> Reply:
    """Answer with a result."""
    return Reply(200, value)


def accepted() -> Reply:
    """Answer that something will be done."""
    return Reply(202)


def invalid(problems: Problems) -> Reply:
    """Answer that the request is wrong, and where."""
    return Reply(422, {"errors": problems.errors})


def plain(status: int, text: str) -> Reply:
    """Answer in words, as Cronofy does where programs need only the status."""
    return Reply(status, text, media_type=_TEXT)


def not_found() -> Reply:
    """Answer that there is no such thing, or no longer for this caller."""
    return plain(404, "Not Found")


def page(status: int, title: str, body: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with a page for people. `body` is HTML already, `title` is not."""
    title = html.escape(title)
    markup = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}</html>"
    return Reply(status, markup, headers or {}, _HTML)
