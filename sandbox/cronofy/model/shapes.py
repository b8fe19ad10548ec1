"""Telling the shapes of parsed JSON apart."""

from __future__ import annotations

from typing import TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Tell a JSON object from the rest of JSON; its keys are always texts."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Tell a JSON array from the rest of JSON."""
    return isinstance(value, list)
