"""Property names: snake case here, whatever case there; and nothing else is touched."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from pydantic import TypeAdapter
from pydantic.alias_generators import to_camel, to_pascal

from adapters.http.json import Object, array, mapping
from adapters.psa import wire
from events.items import Appointment, CrmActivity, ServiceCall, Task, Todo

SCHEMAS = [TypeAdapter[Any](kind).json_schema() for kind in (Appointment, CrmActivity, ServiceCall, Task, Todo)]


def objects(schema: object) -> Generator[Object]:
    """Yield every part of a schema that is an object."""
    if part := mapping(schema):
        yield part
    for inner in [*part.values(), *array(schema)]:
        yield from objects(inner)


def names() -> set[str]:
    return {name for schema in SCHEMAS for part in objects(schema) for name in mapping(part.get("properties"))}


def test_every_field_of_every_snapshot_comes_back_from_either_case() -> None:
    assert {"is_private", "task_member_hour_id", "from", "url"} <= names()
    for name in names():
        for spelt in (name, to_camel(name), to_pascal(name), name.upper()):
            assert wire.snake({spelt: 1}) == {name: 1}


def test_no_snapshot_holds_a_map_whose_names_are_the_users() -> None:
    for schema in SCHEMAS:
        for part in objects(schema):
            assert "additionalProperties" not in part, "names in it would be changed as if they were the platform's"


@pytest.mark.parametrize(
    ("spelt", "name"),
    [
        ("URL", "url"),
        ("pictureURL", "picture_url"),
        ("PictureURLs", "picture_ur_ls"),
        ("OAuth2Token", "o_auth2_token"),
        ("a", "a"),
        ("", ""),
        ("naïveName", "naïve_name"),
    ],
)
def test_a_name_is_split_at_its_humps(spelt: str, name: str) -> None:
    assert wire.snake({spelt: 1}) == {name: 1}


def test_values_stay_as_they_are_however_deep_they_lie() -> None:
    body = {"someList": [{"innerName": "camelCase stays", "N": None}, ["PascalCase"], 1.5, True]}
    assert wire.snake(body) == {"some_list": [{"inner_name": "camelCase stays", "n": None}, ["PascalCase"], 1.5, True]}
