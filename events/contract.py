"""What all message contracts share: frozen, strict, unknown fields ignored; and the one way from bytes to a value."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from events.failures import Malformed
from events.reasons import Reason

MAX_BYTES: Final = 256 * 1024
"""Larger messages are refused before parsing. 8,000 characters of text need less than 100 KiB in the longest form."""
MAX_DEPTH: Final = 32
"""Deeper nesting is refused before parsing. The deepest contract needs 5."""

T = TypeVar("T")

Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
ItemId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:]*$")]
"""Without a hyphen: in the id of an item's event, the first hyphen after the type ends the item's id."""
PartId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+-]*$")]
"""With plus and hyphen: it may be an instant with an offset."""

# What lies beyond is a program's "no date", and overflows as soon as it is seen from another zone.
_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_END: Final = datetime(2200, 1, 1, tzinfo=UTC)
Instant = Annotated[AwareDatetime, Field(ge=_FIRST, lt=_END)]
Day = Annotated[date, Field(ge=date(1900, 1, 1), lt=date(2200, 1, 1))]


def sensible(moment: datetime | None) -> datetime | None:
    """Return an instant; None if it is a program's "no date"."""
    return moment if moment is not None and _FIRST <= moment < _END else None


Noted = Annotated[AwareDatetime | None, AfterValidator(sensible)]
"""An instant by which nothing is decided: a senseless one costs nothing but itself, and is as good as absent."""


class Contract(BaseModel):
    """A frozen value that comes from or goes to the wire. Types are strict; fields it does not know are ignored."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class CloudEvent(Contract):
    """The CloudEvents 1.0 envelope in structured JSON mode. `(source, id)` names one occurrence."""

    specversion: Literal["1.0"]
    """Version of CloudEvents."""
    id: str = Field(min_length=1, max_length=256)
    """Names this occurrence among all of the same `source`. The same when a message is sent again."""
    source: str = Field(min_length=1, max_length=256)
    """Who says so, as a URI reference: the sending system and, if it likes, the tenant."""
    time: Noted = None
    """When it happened. For people and logs: order is never taken from it."""
    subject: str | None = Field(default=None, max_length=512)
    """What it is about, such as `task/5120/77`. For people and logs: what counts is in `data`."""
    datacontenttype: str = Field(default="application/json", max_length=128, pattern=r"^application/json\b")
    """`data` is always JSON."""
    traceparent: str | None = Field(default=None, max_length=64)
    """W3C trace context, if the sender is traced."""


def parse(contract: TypeAdapter[T], body: bytes) -> T:
    """Turn one message body into its value.

    Raises `Malformed` with the reason `too_large`, `too_deep`, `undecodable`, `unknown_type`, `unknown_version` or
    `breaks_schema`. Its detail names the places that are wrong and never their content.
    """
    if len(body) > MAX_BYTES:
        raise Malformed(Reason.TOO_LARGE, f"{len(body)} bytes, allowed are {MAX_BYTES}")
    if may_be_deeper(body, MAX_DEPTH):
        raise Malformed(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH}")
    try:
        return contract.validate_json(body, strict=True)
    except ValidationError as error:
        raise _malformed(error) from None  # the cause may quote what was given as type


_NO_BRACKET: Final = bytes(set(range(256)) - set(b'"[]{}'))
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def may_be_deeper(body: bytes, limit: int) -> bool:
    """Whether JSON is nested deeper than a limit. Of anything else the answer means nothing."""
    if body.count(b"{") + body.count(b"[") <= limit:
        return False  # nearly every message: too few brackets to be too deep
    # Without escapes each quote begins or ends a string, and only brackets outside of strings count.
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_BRACKET)
    outside = b"".join(bare.split(b'"')[::2])
    return max(itertools.accumulate(map(_STEPS.__getitem__, outside)), default=0) > limit


_TYPE_NAME: Final = re.compile(r"(?P<name>[a-z0-9_]+(?:\.[a-z0-9_]+)+)\.v\d{1,6}")
_TAG_ERRORS: Final = frozenset({"union_tag_invalid", "union_tag_not_found"})


def _malformed(error: ValidationError) -> Malformed:
    problems = error.errors(include_url=False, include_context=True, include_input=False)
    first = problems[0]
    if first["type"] == "json_invalid":
        return Malformed(Reason.UNDECODABLE, first["msg"])
    if first["type"] in _TAG_ERRORS and not first["loc"]:
        context = first.get("ctx", {})
        return _unknown_type(context.get("tag"), context.get("expected_tags"))
    if first["type"] == "literal_error" and first["loc"] == ("type",):
        return _unknown_type(error.errors()[0]["input"], first.get("ctx", {}).get("expected"))
    places = "; ".join(f"{_place(problem['loc'])}: {_what(problem)}" for problem in problems[:5])
    return Malformed(Reason.BREAKS_SCHEMA, places + ("; …" if len(problems) > 5 else ""))


def _unknown_type(given: object, expected: object) -> Malformed:
    """Only what looks like the name of a type is repeated: anything else may be somebody's private text."""
    known = re.findall(r"'([^']+)'", str(expected))
    looks = ", ".join(known)
    named = _TYPE_NAME.fullmatch(given) if isinstance(given, str) and len(given) <= 120 else None
    if named is None:
        return Malformed(Reason.UNKNOWN_TYPE, f"no type's name given; known: {looks}")
    is_other_version = any(other.startswith(named["name"] + ".v") for other in known)
    reason = Reason.UNKNOWN_VERSION if is_other_version else Reason.UNKNOWN_TYPE
    return Malformed(reason, f"{given}; known: {looks}")


def _place(location: tuple[int | str, ...]) -> str:
    return "/".join(str(part) for part in location) or "(whole message)"


def _what(problem: ErrorDetails) -> str:
    if problem["type"] == "union_tag_invalid":
        return "not one of the known values"  # pydantic's own words would quote the input
    return str(problem["msg"]).removeprefix("Value error, ")[:200]
