"""The one door for bytes: what is too large, too deep, no JSON or of an unknown kind is refused with its reason."""

from __future__ import annotations

import json
import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, TypeAdapter

from events.commands import WAKE
from events.contract import MAX_BYTES, MAX_DEPTH, may_be_deeper, parse
from events.failures import Malformed
from events.notification import NOTIFICATION
from events.outcomes import OUTCOME
from events.psa import PSA_EVENT, ItemChanged
from events.reasons import Reason
from tests.events.messages import CHANGED, envelope, refused, todo, wake, wish

ALL: tuple[TypeAdapter[Any], ...] = (PSA_EVENT, OUTCOME, WAKE, NOTIFICATION)

# Size


def test_a_message_of_exactly_the_allowed_size_is_parsed_and_one_byte_more_is_not() -> None:
    body = orjson.dumps(wake())
    parse(WAKE, body.ljust(MAX_BYTES))
    error = refused(WAKE, body.ljust(MAX_BYTES + 1))
    assert (error.reason, error.detail) == (Reason.TOO_LARGE, "262145 bytes, allowed are 262144")


def test_the_largest_legal_item_fits() -> None:
    text = "\N{GRINNING FACE}" * 8000
    body = json.dumps(todo(item={"id": 1, "description": text, "date": None})).encode()  # escaped, the longest form
    assert len(body) < MAX_BYTES
    assert isinstance(parse(PSA_EVENT, body), ItemChanged)


# Depth


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    """Return a wake-up whose nesting is `depth`, in a field that the contract does not know."""
    inner = opening * (depth - 1) + closing * (depth - 1)
    return orjson.dumps(wake())[:-1] + b',"more":' + inner.encode() + b"}"


def test_nesting_up_to_the_limit_is_parsed_and_one_level_more_is_not() -> None:
    parse(WAKE, nested(MAX_DEPTH))
    assert refused(WAKE, nested(MAX_DEPTH + 1)).reason is Reason.TOO_DEEP


@pytest.mark.parametrize("body", [b"[" * MAX_BYTES, b'{"a":' * 50_000, b'[{"a":' * 40_000, nested(50_000, '{"":', "}")])
def test_a_nesting_bomb_is_refused_as_too_deep(body: bytes) -> None:
    assert refused(WAKE, body).reason is Reason.TOO_DEEP


@pytest.mark.parametrize("text", ["[" * 500, '\\"' + "{" * 500, "\\\\\\" + '"' + "[" * 500, "]}" * 500])
def test_brackets_inside_strings_do_not_count(text: str) -> None:
    wakened = parse(WAKE, orjson.dumps(wake(more=text, less={"name[{": text})))
    assert wakened.integration_id == "int-7"


def test_many_brackets_side_by_side_are_not_deep() -> None:
    lists: list[list[int]] = [[]] * 10_000
    assert parse(PSA_EVENT, orjson.dumps(todo(more=lists))).type == CHANGED


def test_a_string_that_ends_with_an_escaped_backslash_ends_there() -> None:
    body = orjson.dumps(wake(more="\\"))[:-1] + b',"deep":' + b"[" * 99 + b"]" * 99 + b"}"
    assert refused(WAKE, body).reason is Reason.TOO_DEEP


VALUES = st.recursive(
    st.none() | st.text(alphabet='[]{}"\\x', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[{"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=20,
)


def depth(value: JsonValue) -> int:
    if isinstance(value, dict):
        return 1 + max((depth(inner) for inner in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth(inner) for inner in value), default=0)
    return 0


@given(VALUES, st.integers(0, 8))
def test_of_json_the_depth_is_judged_exactly(value: JsonValue, limit: int) -> None:
    assert may_be_deeper(orjson.dumps(value), limit) is (depth(value) > limit)


@given(st.text(alphabet='[]{}"\\,:1 ', max_size=200))
def test_whatever_is_no_json_passes_the_depth_check_or_not_but_never_fails_in_it(text: str) -> None:
    assert may_be_deeper(text.encode(), 3) in {True, False}


@pytest.mark.parametrize("tail", [b'"' + b'\\"' * 100_000, b'"' + b"\\\\" * 100_000 + b"\\", b'"' + b"x" * 200_000])
def test_a_string_that_never_ends_takes_no_longer_than_any_other(tail: bytes) -> None:
    began = time.process_time()
    assert refused(WAKE, b"[]" * 40 + tail).reason is Reason.UNDECODABLE
    assert time.process_time() - began < 2, "quadratic: took minutes before"


# Not JSON


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nonsense",
        b'{"type":"a"} x',
        b"\xef\xbb\xbf" + orjson.dumps(wake()),
        json.dumps(wake()).encode("utf-16"),
        json.dumps(wake(more="é"), ensure_ascii=False).encode("latin-1"),
        b'{"integration_id":"\xc3\x28"}',
        b'{"integration_id":"\\ud83d"}',
        b'{"integration_id":"\\ud83dx"}',
        b'{"integration_id":"\\ude00"}',
        b'{"integration_id":"\x00"}',
        b'{"integration_id":"a\nb"}',
        b'{"integration_id":"\\x41"}',
        b"{'integration_id':1}",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":' + b"9" * 100_000 + b"}",
        b'{"a":-Infinite}',
    ],
)
def test_what_is_no_json_in_utf_8_is_undecodable(body: bytes) -> None:
    assert refused(WAKE, body).reason is Reason.UNDECODABLE


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1", b"true"])
def test_json_that_is_no_object_breaks_the_schema(body: bytes) -> None:
    for contract in ALL:
        assert refused(contract, body).reason is Reason.BREAKS_SCHEMA


def test_of_two_equal_keys_the_last_one_counts_everywhere() -> None:
    first, second = orjson.dumps(wish("activate"))[:-1], orjson.dumps(wish("deactivate", revision=9))[1:]
    event = parse(PSA_EVENT, first + b"," + second)
    assert event.type == "psa.integration.deactivate.v1"
    assert event.data.model_dump()["revision"] == 9


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_is_none_breaks_the_schema_where_a_number_is_expected(number: str) -> None:
    task = {"task_id": 1, "name": "Move", "project": {"id": 1}, "planned_hours": "HERE"}
    body = orjson.dumps(todo(item_type="task", item=task)).replace(b'"HERE"', number.encode())
    error = refused(PSA_EVENT, body)
    assert error.reason is Reason.BREAKS_SCHEMA
    assert error.detail.startswith(f"{CHANGED}/data/task/item/planned_hours: ")


def test_null_bytes_are_text_where_text_is_free_and_refused_in_ids() -> None:
    event = parse(PSA_EVENT, orjson.dumps(todo(item={"id": 1, "description": "a\x00b"})))
    assert isinstance(event, ItemChanged)
    assert event.data.item is not None
    assert refused(PSA_EVENT, todo(item_id="1\x00")).reason is Reason.BREAKS_SCHEMA


# Unknown kinds


@pytest.mark.parametrize("type_", ["psa.calendar_item.changed.v2", "psa.integration.connect.v11"])
def test_a_newer_major_version_is_refused_as_that(type_: str) -> None:
    error = refused(PSA_EVENT, envelope(type_, {"whatever": "it holds"}))
    assert error.reason is Reason.UNKNOWN_VERSION
    assert error.detail.startswith(f"{type_}; known: {CHANGED}, ")


def test_a_newer_major_version_of_an_own_command_is_refused_as_that() -> None:
    error = refused(WAKE, wake(type="calsync.wake.v2", integration_id=None))
    assert (error.reason, error.detail) == (Reason.UNKNOWN_VERSION, "calsync.wake.v2; known: calsync.wake.v1")


@pytest.mark.parametrize("type_", ["psa.contact.changed.v1", "psa.calendar_item.v1", "calsync.wake.v1"])
def test_a_type_that_is_not_known_is_refused_as_that_and_named(type_: str) -> None:
    error = refused(PSA_EVENT, envelope(type_, {}))
    assert error.reason is Reason.UNKNOWN_TYPE
    assert error.detail.startswith(f"{type_}; known: ")


def test_an_unknown_type_among_own_commands_is_refused_as_that() -> None:
    error = refused(WAKE, wake(type="calsync.sleep.v1"))
    assert (error.reason, error.detail) == (Reason.UNKNOWN_TYPE, "calsync.sleep.v1; known: calsync.wake.v1")


@pytest.mark.parametrize("type_", [5, None, [], "", "\x00", "Ann Lee's review", "a.b.v1" * 50])
def test_a_type_that_is_no_name_of_a_type_is_not_repeated(type_: object) -> None:
    error = refused(PSA_EVENT, envelope("", {}) | {"type": type_})
    assert error.reason is Reason.UNKNOWN_TYPE
    assert error.detail.startswith("no type's name given; known: psa.")


def test_a_message_without_a_type_is_refused_as_unknown() -> None:
    message = wish("activate")
    del message["type"]
    assert refused(PSA_EVENT, message).reason is Reason.UNKNOWN_TYPE


# Whatever it is


@given(st.binary(max_size=300) | st.text(alphabet='{}[]",:\\tyepv.1 ', max_size=60).map(str.encode))
def test_whatever_the_bytes_are_they_become_a_value_or_malformed(body: bytes) -> None:
    for contract in ALL:
        with pytest.raises(Malformed):
            parse(contract, body)
