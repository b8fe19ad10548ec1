"""Reading what a browser sends: queries and forms, small and in UTF-8, and whether a page of ours sent it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from starlette.requests import Request

LARGEST: Final = 1024 * 1024
_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = 50


class Misused(Exception):
    """What was sent makes no sense, or comes from elsewhere. The message is for the person."""


def word(request: Request, name: str, longest: int = 200) -> str:
    """Return a parameter of the address; empty if it is absent or longer than anything we would have sent."""
    value = request.query_params.get(name, "").strip()
    return value if len(value) <= longest and value.isprintable() else ""


def number(request: Request, name: str) -> int | None:
    """Return a parameter that is a number; None if it is none."""
    digits = word(request, name, 10)
    return int(digits) if digits.isdecimal() else None


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a form. Raises `Misused` if it is too large, or none, or was not sent by a page of ours."""
    if not _from_here(request):
        raise Misused("The form was not sent by a page of this console.")
    if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM:
        raise Misused("That was no form.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise Misused("The form is too large.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict"))
    except ValueError:
        raise Misused("The form cannot be read.") from None


def _from_here(request: Request) -> bool:
    """Whether the browser says that the form is on a page of this server; an old one that says nothing has its key."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
