"""The contracts as documents: up to date, legal by their own rules, and saying the same as the code."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue, TypeAdapter, ValidationError

from adapters.rabbitmq.topology import EXCHANGES, QUEUES
from events import addresses
from events.contract import MAX_DEPTH, may_be_deeper
from events.dead_letters import DeadLetter
from events.documents.__main__ import CONTRACTS, main, stale, write
from events.documents.catalogue import EXAMPLES, HEADERS, MESSAGES, NOTIFICATION, Message
from events.items import ItemType
from events.outcomes import OUTCOME
from events.psa import PSA_EVENT, ItemChanged
from tests.events.judge import must_be_a_schema, problems
from tests.events.messages import Json, at, places, replaced, without

BY_NAME = {message.name: message for message in MESSAGES}
CASES = [(message, name) for message in MESSAGES for name in message.examples]
CASE_IDS = [f"{message.exchange}/{name}" for message, name in CASES]
DOCUMENT: Json = orjson.loads((CONTRACTS / "asyncapi.json").read_bytes())
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAMES = {value for value in vars(addresses).values() if isinstance(value, str)}


@cache
def schema(name: str) -> Json:
    return dict(orjson.loads((CONTRACTS / "schemas" / f"{name}.schema.json").read_bytes()))


@cache
def wrong_by_schema(name: str) -> Callable[[JsonValue], list[str]]:
    return problems(schema(name))


@cache
def contract(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(BY_NAME[name].contract)


def example(message: Message, name: str) -> Json:
    body = message.examples[name]
    assert isinstance(body, dict)
    return body


def is_valid(message: Message, body: JsonValue) -> bool:
    return not wrong_by_schema(message.name)(body)


def is_accepted(message: Message, body: JsonValue) -> bool:
    try:
        contract(message.name).validate_json(orjson.dumps(body), strict=True)
    except ValidationError:
        return False
    return True


# Up to date


def test_the_documents_are_as_the_models_are() -> None:
    assert main(["--check"]) is None, "run `python -m events.documents`"


def test_a_check_names_what_is_missing_differs_or_is_left_over(tmp_path: Path) -> None:
    wanted = {"asyncapi.json": b"1", "schemas/a.schema.json": b"2", "schemas/b.schema.json": b"3"}
    assert stale(tmp_path, wanted) == sorted(wanted)
    write(tmp_path, wanted)
    assert stale(tmp_path, wanted) == []
    (tmp_path / "schemas/a.schema.json").write_bytes(b"edited")
    (tmp_path / "schemas/gone.schema.json").write_bytes(b"of a type that is no more")
    assert stale(tmp_path, wanted) == ["schemas/a.schema.json", "schemas/gone.schema.json"]
    write(tmp_path, wanted)
    assert stale(tmp_path, wanted) == []


def test_the_readme_names_every_message_exchange_and_queue() -> None:
    readme = (CONTRACTS / "README.md").read_text(encoding="utf-8")
    names = {*BY_NAME, *EXCHANGES, *(queue.name for queue in QUEUES), addresses.SIGNATURE_HEADER}
    assert not {name for name in names if f"`{name}`" not in readme}


# Schemas


@pytest.mark.parametrize("name", BY_NAME)
def test_a_schema_is_legal_and_says_what_it_is_for(name: str) -> None:
    must_be_a_schema(schema(name))
    assert schema(name)["title"] == name
    assert len(schema(name)["description"]) > 20


def test_what_is_said_under_a_field_is_said_in_the_schema() -> None:
    data = schema("psa.calendar_item.changed.v1")["$defs"]["TodoChanged"]
    assert data["properties"]["assignees"]["description"].startswith("User ids of everybody whose My Calendar shows")
    assert "\n" not in data["properties"]["assignees"]["description"]


@pytest.mark.parametrize("name", BY_NAME)
def test_every_object_of_a_schema_says_what_it_is(name: str) -> None:
    nameless = [title for title, inner in schema(name).get("$defs", {}).items() if not inner.get("description")]
    assert not nameless


# Examples


def test_every_message_has_an_example_and_every_example_belongs_to_a_message() -> None:
    assert {message.name for message, _ in CASES} == set(BY_NAME)
    files = {path.relative_to(EXAMPLES).with_suffix("").as_posix() for path in EXAMPLES.rglob("*.json")}
    assert files == set(CASE_IDS)


def test_there_is_an_example_of_every_kind_of_item_and_of_every_special_case() -> None:
    changes = [example(message, name)["data"] for message, name in CASES if message.contract is ItemChanged]
    assert {change["item_type"] for change in changes} == set(ItemType)
    assert {change["item_type"] for change in changes if "part_id" in change} == {"appointment", "task"}
    assert {(change["deleted"], "item" in change) for change in changes} == {
        (False, True),
        (False, False),
        (True, False),
    }


@pytest.mark.parametrize(("message", "name"), CASES, ids=CASE_IDS)
def test_an_example_keeps_to_its_schema_and_to_its_contract(message: Message, name: str) -> None:
    body = example(message, name)
    assert wrong_by_schema(message.name)(body) == []
    if message.name != HEADERS:
        contract(message.name).validate_json(orjson.dumps(body), strict=True)


@pytest.mark.parametrize(("message", "name"), CASES, ids=CASE_IDS)
def test_an_example_comes_back_from_its_contract_as_it_went_in(message: Message, name: str) -> None:
    body = example(message, name)
    if message.name == HEADERS:
        assert DeadLetter.of(body, EPOCH).headers() == body
        return
    value = contract(message.name).validate_json(orjson.dumps(body), strict=True)
    again = value.model_dump_json(by_alias=True, exclude_none=True)
    assert contract(message.name).validate_json(again, strict=True) == value
    # A field whose name is mistyped would be ignored. Cronofy says more than the worker reads.
    assert message.name == NOTIFICATION or not leaves(body) - leaves(orjson.loads(again))


def leaves(body: Json) -> set[tuple[tuple[str | int, ...], str]]:
    return {(way, repr(inner)) for way in places(body) if not isinstance(inner := at(body, way), dict | list)}


@pytest.mark.parametrize(("message", "name"), CASES, ids=CASE_IDS)
def test_an_example_is_no_deeper_than_the_deepest_contract(message: Message, name: str) -> None:
    assert not may_be_deeper(orjson.dumps(message.examples[name]), 5)
    assert MAX_DEPTH > 5


def test_the_examples_of_a_union_are_told_apart_by_their_type() -> None:
    for message, name in CASES:
        body = orjson.dumps(message.examples[name])
        if message.exchange == addresses.PSA_EVENTS:
            assert isinstance(PSA_EVENT.validate_json(body), message.contract)
        elif message.exchange == addresses.OUTCOMES:
            assert isinstance(OUTCOME.validate_json(body), message.contract)


# What a schema admits, the code accepts


# A date between the days of all examples: that an end comes after its start, no schema can say.
VALUES: list[JsonValue] = [None, "", " ", 7, -1, 2.5, 2**63, True, [], {}, [None], "2026-03-09T14:00:00", "2026-03-13"]
SPOILED = st.sampled_from(VALUES)
BODIES = st.sampled_from([(message, example(message, name)) for message, name in CASES if message.name != HEADERS])


@settings(max_examples=300)
@given(BODIES, st.integers(0, 10**6), SPOILED)
def test_schema_and_code_agree_about_any_value_in_any_place(
    subject: tuple[Message, Json], where: int, value: JsonValue
) -> None:
    message, body = subject
    ways = list(places(body))
    spoiled = replaced(body, ways[where % len(ways)], value)
    assert is_valid(message, spoiled) is is_accepted(message, spoiled)


@settings(max_examples=100)
@given(BODIES, st.integers(0, 10**6))
def test_schema_and_code_agree_about_what_may_be_left_out(subject: tuple[Message, Json], where: int) -> None:
    message, body = subject
    ways = [way for way in places(body) if isinstance(way[-1], str)]
    lacking = without(body, ways[where % len(ways)])
    promised = message.ours and is_accepted(message, lacking)  # what the worker always sends, its schema requires
    assert promised or is_valid(message, lacking) is is_accepted(message, lacking)


# AsyncAPI


def resolved(reference: str, base: Path = CONTRACTS / "asyncapi.json") -> tuple[Any, Path]:
    """Return what a reference leads to, and the file in which it lies."""
    file, _, pointer = reference.partition("#")
    base = base.parent / file if file else base
    value: Any = orjson.loads(base.read_bytes())
    for step in pointer.split("/")[1:]:
        value = value[step]
    return value, base


def references(value: JsonValue) -> list[str]:
    found = [value["$ref"]] if isinstance(value, dict) and "$ref" in value else []
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [str(one) for one in found] + [reference for one in inner for reference in references(one)]


def test_every_reference_leads_somewhere_in_the_document_and_in_the_schemas() -> None:
    assert len(references(DOCUMENT)) > 50
    for reference in references(DOCUMENT):
        resolved(reference)
    for name in BY_NAME:
        path = CONTRACTS / "schemas" / f"{name}.schema.json"
        for reference in references(schema(name)):
            resolved(reference, path)


def test_it_is_an_asyncapi_3_document_with_a_server_that_nobody_has() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert set(DOCUMENT) == {
        "asyncapi",
        "info",
        "defaultContentType",
        "servers",
        "channels",
        "operations",
        "components",
    }
    assert {server["host"] for server in DOCUMENT["servers"].values()} == {"rabbitmq.example.com:5671"}


def test_its_channels_are_the_exchanges_and_queues_that_there_are() -> None:
    channels = DOCUMENT["channels"]
    assert set(channels) == {*EXCHANGES, *(queue.name for queue in QUEUES)}
    assert set(channels) <= NAMES
    for name, channel in channels.items():
        binding = channel["bindings"]["amqp"]
        kind = "exchange" if name in EXCHANGES else "queue"
        assert binding["is"] == {"exchange": "routingKey", "queue": "queue"}[kind]
        assert binding[kind]["name"] == name
        assert binding[kind]["durable"] is True


def test_a_queue_is_said_to_hold_what_its_bindings_bring() -> None:
    for queue in QUEUES:
        channel = DOCUMENT["channels"][queue.name]
        assert channel["address"] == queue.name
        keys = ", ".join(f"`{key}`" for key in queue.keys)
        assert f"bound to `{queue.exchange}` with {keys}." in channel["description"]
        brought = {
            message.name
            for message in MESSAGES
            if message.exchange == queue.exchange and any(_matches(key, message.routing_key) for key in queue.keys)
        }
        assert channel["messages"].keys() == brought


def _matches(key: str, routing_key: str) -> bool:
    return key == "#" or routing_key.startswith(key.removesuffix("#"))


def test_the_address_of_an_exchange_is_its_routing_key() -> None:
    for name in EXCHANGES:
        channel = DOCUMENT["channels"][name]
        keys = {message.routing_key for message in MESSAGES if message.exchange == name}
        named = re.findall(r"\{(\w+)\}", channel["address"])
        assert list(channel.get("parameters", {})) == named
        listed = channel["parameters"][named[0]]["enum"] if named else [channel["address"]]
        if name == addresses.DEAD_LETTERS:
            failing = [queue.name for queue in QUEUES if queue.dead_letters]
            assert sorted(listed) == sorted([*failing, addresses.LINK_KEY])
        else:
            assert set(listed) == keys


def test_an_operation_is_of_a_channel_and_of_messages_that_the_channel_has() -> None:
    told = set[str]()
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel, _ = resolved(operation["channel"]["$ref"])
        for message in operation["messages"]:
            prefix, _, name = message["$ref"].rpartition("/")
            assert prefix == f"{operation['channel']['$ref']}/messages"
            assert name in channel["messages"]
            told.add(name)
    assert told == set(BY_NAME)


def test_what_the_worker_sends_and_receives_is_as_the_catalogue_says() -> None:
    sent = {
        reference["$ref"].rpartition("/")[2]
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == "send"
        for reference in operation["messages"]
    }
    assert sent == {message.name for message in MESSAGES if message.ours}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_message_has_examples_that_keep_to_what_it_refers_to(name: str) -> None:
    message = DOCUMENT["components"]["messages"][name]
    assert message["name"] == name
    assert message["examples"]
    for one in message["examples"]:
        assert one.keys() <= {"name", "summary", "payload", "headers"}
        for part in one.keys() & {"payload", "headers"}:
            found, path = resolved(message[part]["$ref"])
            assert path.name == f"{name}.schema.json"
            assert problems(found)(one[part]) == []


def test_a_notification_names_the_header_of_its_signature() -> None:
    headers = DOCUMENT["components"]["messages"]["cronofy.notification"]["headers"]
    assert headers["required"] == list(headers["properties"]) == ["Cronofy-HMAC-SHA256"]
