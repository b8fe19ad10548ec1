"""What the platform will not do, by number and in words."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from pydantic import ValidationError

if TYPE_CHECKING:
    from sandbox.psa.model.records import Record


def problems(error: ValidationError) -> str:
    """Say what breaks a contract, and where; never the content."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'/'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in found)


class Code(IntEnum):
    """The numbers of the calendar API's envelope."""

    MALFORMED = 40000
    NOT_FOUND = 40400
    MOVED_ON = 40900
    REFUSED = 42200


class Refusal(Exception):
    """Not done, and nothing changed. `message` is for a user to read; `current`: the item, where it has moved on."""

    def __init__(self, code: Code, message: str, current: Record | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.current = current
