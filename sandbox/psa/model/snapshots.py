"""Snapshots are changed in their JSON form, by merge patch (RFC 7396), and validated again by their contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import orjson
from pydantic import JsonValue, ValidationError

from events.contract import Contract
from events.items import Appointment, CrmActivity, Item, ItemType, ServiceCall, Task, Todo
from sandbox.psa.model.refusal import Code, Refusal, problems

C = TypeVar("C", bound=Contract)
Document = Mapping[str, JsonValue]


def kind_of(item_type: ItemType) -> type[Item]:
    """Return the snapshot's contract."""
    match item_type:
        case ItemType.APPOINTMENT:
            return Appointment
        case ItemType.CRM_ACTIVITY:
            return CrmActivity
        case ItemType.SERVICE_CALL:
            return ServiceCall
        case ItemType.TASK:
            return Task
        case ItemType.TODO:
            return Todo


def made(kind: type[C], document: Document) -> C:
    """Make a snapshot of its JSON form. Raises `Refusal` if it breaks the contract, or has fields it does not know."""
    known = {field.alias or name for name, field in kind.model_fields.items()}
    if unknown := sorted(document.keys() - known):
        raise Refusal(Code.MALFORMED, f"{kind.__name__} has no {', '.join(unknown)}")
    try:
        return kind.model_validate_json(orjson.dumps(document))
    except ValidationError as error:
        raise _refusal(error) from error


def patched(value: C, patch: Document) -> C:
    """Apply a merge patch to a snapshot."""
    return made(type(value), overlaid(value.model_dump(mode="json", by_alias=True), patch))


def overlaid(document: Document, patch: Document) -> Document:
    """Apply a merge patch to the JSON form of a snapshot."""
    result = merged({**document}, {**patch})
    assert isinstance(result, dict)
    return result


def merged(target: JsonValue, patch: JsonValue) -> JsonValue:
    """Apply a merge patch to any JSON value."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _refusal(error: ValidationError) -> Refusal:
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":  # well-formed, but the parts do not fit together
        return Refusal(Code.REFUSED, first["msg"].removeprefix("Value error, "))
    return Refusal(Code.MALFORMED, problems(error))
