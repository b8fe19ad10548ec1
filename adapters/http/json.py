"""Looking into parsed JSON that may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

Object = Mapping[str, object]


def mapping(value: object) -> Object:
    """Return a JSON object; an empty one if it is something else."""
    return cast("Object", value) if isinstance(value, Mapping) else {}


def objects(value: object) -> list[Object] | None:
    """Return the objects of a JSON array; None if it is no array, so that nobody takes nonsense for an empty list."""
    rows = array(value)
    if not isinstance(value, list):
        return None
    return [found for row in rows if (found := mapping(row)) is row]


def array(value: object) -> list[object]:
    """Return a JSON array; an empty one if it is something else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def text(value: object) -> str:
    """Return a string; an empty one if it is something else."""
    return value if isinstance(value, str) else ""


def number(value: object, otherwise: float) -> float:
    """Return a number."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def integer(value: object) -> int | None:
    """Return an integer that the store can keep; None if it is something else."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -(2**63) <= value < 2**63 else None
