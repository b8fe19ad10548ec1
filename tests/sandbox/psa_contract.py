"""The OpenAPI document of the calendar API, as a judge of answers."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator.readers import read_from_filename

DOCUMENT = Path(__file__).parents[2] / "docs" / "contracts" / "psa-calendar-api.openapi.yaml"


@lru_cache
def document() -> dict[str, Any]:
    """Return the document."""
    content, _ = read_from_filename(str(DOCUMENT))
    return dict(content)


def must_conform(method: str, path: str, response: httpx.Response) -> None:
    """Fail unless the document allows this answer. An answer that it gives no schema for must be an envelope."""
    declared = _operation(method, path)["responses"][str(response.status_code)]
    declared = _resolved(declared)
    schema = {"$ref": "#/components/schemas/Envelope"}
    if "content" in declared:
        media_type = response.headers["content-type"].partition(";")[0]
        schema = declared["content"][media_type]["schema"]
    validator = OAS31Validator({**schema, "components": document()["components"]}, format_checker=oas31_format_checker)
    assert not [error.message for error in validator.iter_errors(response.json())]


def operations() -> set[tuple[str, str]]:
    """Return the method and path of every operation."""
    methods = {"get", "post", "put", "patch", "delete"}
    return {(name.upper(), path) for path, item in document()["paths"].items() for name in item.keys() & methods}


def _operation(method: str, path: str) -> dict[str, Any]:
    for template, item in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return dict(item[method.lower()])
    msg = f"the document has no {path}"
    raise AssertionError(msg)


def _resolved(value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    found = document()
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found
