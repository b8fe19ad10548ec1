"""Small legal messages to start from, and what becomes of a message at the door."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, TypeVar

import orjson
import pytest
from pydantic import JsonValue, TypeAdapter

from events.contract import parse
from events.failures import Malformed

T = TypeVar("T")
Json = dict[str, Any]
Path = tuple[str | int, ...]

CHANGED = "psa.calendar_item.changed.v1"


def todo(**data: object) -> Json:
    """Return an item-changed event; `data` replaces or adds fields of its data."""
    snapshot = {"id": 88120, "description": "Call back about VPN quote", "date": "2026-03-09T14:30:00Z"}
    return envelope(
        CHANGED,
        {
            "tenant_id": 1204,
            "item_type": "todo",
            "item_id": "88120",
            "revision": 41,
            "deleted": False,
            "assignees": [5571],
            "item": snapshot,
            **data,
        },
    )


def wish(do: str, **data: object) -> Json:
    """Return an integration event."""
    whose = {"tenant_id": 1204, "user_id": 5571, "integration_id": "int-7", "revision": 3}
    return envelope(f"psa.integration.{do}.v1", {**whose, **data})


def notification(**change: object) -> Json:
    """Return a notification."""
    channel = {"channel_id": "chn_1", "callback_url": "https://relay.example.com/notifications/int-7"}
    return {"notification": {"type": "change", **change}, "channel": channel}


def wake(**fields: object) -> Json:
    """Return a wake-up."""
    return {"type": "calsync.wake.v1", "integration_id": "int-7", "cause": "due", **fields}


def envelope(type_: str, data: object, **fields: object) -> Json:
    """Return a CloudEvent."""
    return {"specversion": "1.0", "id": "1", "source": "/tenants/1204", "type": type_, "data": data, **fields}


def refused(contract: TypeAdapter[T], message: bytes | Json) -> Malformed:
    """Return how a message was refused; fail if it was not."""
    with pytest.raises(Malformed) as caught:
        parse(contract, message if isinstance(message, bytes) else orjson.dumps(message))
    return caught.value


def places(value: JsonValue, path: Path = ()) -> Iterator[Path]:
    """Yield the way to every value of a message, the containers included."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number))


def at(message: Json, path: Path) -> Any:
    """Return one value of a message."""
    value: Any = message
    for step in path:
        value = value[step]
    return value


def replaced(message: Json, path: Path, value: object) -> Json:
    """Return the message with one value replaced."""
    changed: Any = copy.deepcopy(message)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return dict(changed)


def without(message: Json, path: Path) -> Json:
    """Return the message with one field left out."""
    changed: Any = copy.deepcopy(message)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return dict(changed)
