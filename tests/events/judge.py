"""A judge of JSON that knows nothing of our code: JSON Schema, draft 2020-12, formats included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from pydantic import JsonValue

_Validator: Any = import_module("jsonschema").Draft202012Validator  # the package ships no types

must_be_a_schema: Callable[[Mapping[str, Any]], None] = _Validator.check_schema


def problems(schema: Mapping[str, Any]) -> Callable[[JsonValue], list[str]]:
    """Return what tells what is wrong with a value."""
    validator = _Validator(schema, format_checker=_Validator.FORMAT_CHECKER)
    return lambda value: [str(error.message) for error in validator.iter_errors(value)]
