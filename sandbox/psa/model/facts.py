"""What the platform tells of an item, in one form for its events, its calendar API and its control API."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pydantic import JsonValue, TypeAdapter
from pydantic.alias_generators import to_camel

from events.psa import ItemChange
from sandbox.psa.model.records import Record

_FACTS: Final[TypeAdapter[ItemChange]] = TypeAdapter(ItemChange)
_camel: Final = lru_cache(maxsize=512)(to_camel)


def facts(record: Record, *, bare: bool = False) -> ItemChange:
    """Return what there is to say about an item; `bare`: without its snapshot, which a deleted one never has."""
    key, author = record.key, record.author
    return _FACTS.validate_python({
        "tenant_id": key.tenant_id,
        "item_type": key.item_type,
        "item_id": key.item_id,
        "part_id": key.part_id,
        "revision": record.revision,
        "deleted": record.deleted,
        "assignees": record.assignees,
        "modified_on": author.at,
        "modified_by": author.user_id,
        "origin": author.origin,
        "item": None if record.deleted or bare else record.item,
    })


def state(record: Record) -> dict[str, JsonValue]:
    """Write an item's state for the calendar API."""
    item = None if record.deleted else record.item.model_dump(mode="json", by_alias=True)
    return {
        "itemType": record.key.item_type.value,
        "itemId": record.key.item_id,
        "partId": record.key.part_id,
        "revision": record.revision,
        "deleted": record.deleted,
        "assignees": list(record.assignees),
        "modifiedOn": record.author.at.isoformat(),
        "item": _in_camel_case(item),
    }


def _in_camel_case(value: JsonValue) -> JsonValue:
    match value:
        case dict():
            return {_camel(name): _in_camel_case(field) for name, field in value.items()}
        case list():
            return [_in_camel_case(one) for one in value]
        case _:
            return value
