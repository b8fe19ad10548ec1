"""What all message contracts share: frozen, strict, unknown fields ignored; and the one way from bytes to a value."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from events.failures import Malformed
from events.reasons import Reason

MAX_BYTES: Final = 256 * 1024
"""Larger messages are refused before parsing. The largest legal item (8,000 characters of text) needs about 50 KiB."""
MAX_DEPTH: Final = 32
"""Deeper nesting is refused before parsing. The deepest contract needs 6."""

T = TypeVar("T")

Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]


class Contract(BaseModel):
    """A frozen value that comes from or goes to the wire. Types are strict; fields it does not know are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class CloudEvent(Contract):
    """The CloudEvents 1.0 envelope in structured JSON mode. `(source, id)` names one occurrence."""

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=256)
    source: str = Field(min_length=1, max_length=256)
    time: AwareDatetime | None = None
    subject: str | None = Field(default=None, max_length=512)
    datacontenttype: str = Field(default="application/json", max_length=128, pattern=r"^application/json\b")
    traceparent: str | None = Field(default=None, max_length=64)


def parse(contract: TypeAdapter[T], body: bytes) -> T:
    """Turn one message body into its value.

    Raises `Malformed` with the reason `too_large`, `too_deep`, `undecodable`, `unknown_type`, `unknown_version` or
    `breaks_schema`. Its detail names the places that are wrong and never their content.
    """
    if len(body) > MAX_BYTES:
        raise Malformed(Reason.TOO_LARGE, f"{len(body)} bytes, allowed are {MAX_BYTES}")
    if _depth_may_exceed(body, MAX_DEPTH):
        raise Malformed(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH}")
    try:
        return contract.validate_json(body, strict=True)
    except ValidationError as error:
        raise _malformed(error) from error


_OPENING: Final = frozenset({b"[", b"{"})
_CLOSING: Final = frozenset({b"]", b"}"})
_STRING_OR_BRACKET: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def _depth_may_exceed(body: bytes, limit: int) -> bool:
    if body.count(b"{") + body.count(b"[") <= limit:
        return False  # nearly every message: too few brackets to be too deep
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(body):
        token = match.group()
        if token in _OPENING:
            depth += 1
            if depth > limit:
                return True
        else:  # a string changes nothing; it is matched so that brackets in it do not count
            depth -= token in _CLOSING
    return False


_VERSIONED: Final = re.compile(r"^(?P<name>.+)\.v\d+$")


def _malformed(error: ValidationError) -> Malformed:
    problems = error.errors(include_url=False, include_context=True, include_input=False)
    first = problems[0]
    if first["type"] == "json_invalid":
        return Malformed(Reason.UNDECODABLE, first["msg"])
    if first["type"] in {"union_tag_invalid", "union_tag_not_found"} and not first["loc"]:
        return _unknown_tag(first.get("ctx", {}))
    places = "; ".join(f"{_place(problem['loc'])}: {_what(problem)}" for problem in problems[:5])
    return Malformed(Reason.BREAKS_SCHEMA, places + ("; …" if len(problems) > 5 else ""))


def _unknown_tag(context: dict[str, Any]) -> Malformed:
    tag = str(context.get("tag", ""))[:120]
    known = re.findall(r"'([^']+)'", str(context.get("expected_tags", "")))
    versioned = _VERSIONED.match(tag)
    if versioned and any(other.startswith(versioned["name"] + ".v") for other in known):
        return Malformed(Reason.UNKNOWN_VERSION, f"{tag}; known: {', '.join(known)}")
    return Malformed(Reason.UNKNOWN_TYPE, f"{tag or 'no type given'}; known: {', '.join(known)}")


def _place(location: tuple[int | str, ...]) -> str:
    return "/".join(str(part) for part in location) or "(whole message)"


def _what(problem: ErrorDetails) -> str:
    if problem["type"] == "union_tag_invalid":
        return "not one of the known values"  # pydantic's own words would quote the input
    return str(problem["msg"]).removeprefix("Value error, ")[:200]
