"""Mending a message, and showing one without what is private."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from cli.commands.dead_letters.words import body_text, everything
from events.addresses import NOTIFICATIONS_QUEUE
from events.failures import Malformed, Refused
from events.letters import Deed, Kind, Replay, Status
from events.reasons import Reason
from tests.dead_letters.examples import ITEM_CHANGED, NOW, dead, letter, read
from worker.dead_letters.editing import difference, edited, text_of
from worker.dead_letters.veil import veiled

BROKEN = read(dead(body={**ITEM_CHANGED, "data": {**ITEM_CHANGED["data"], "revision": "7"}}))
MENDED = orjson.dumps(ITEM_CHANGED)


def test_a_mended_message_is_a_letter_of_its_own_that_names_the_former_one() -> None:
    one = replace(BROKEN, status=Status.REPLAYED, replays=(Replay("r", NOW, "ann"),), count=9)
    new = edited(one, MENDED, "m-2", "ann", "typo", NOW)
    assert new.id not in {"", one.id}
    assert (new.replaces, new.status, new.count, new.replays) == (one.id, Status.OPEN, 1, ())
    assert (new.original.body, new.original.size, new.original.message_id) == (MENDED, len(MENDED), "m-2")
    assert (new.original.exchange, new.original.headers) == (one.original.exchange, one.original.headers)
    assert [(act.deed, act.who, act.why) for act in new.history] == [(Deed.EDITED, "ann", "typo")]


def test_it_is_filed_under_what_it_is_about_now() -> None:
    body = orjson.dumps({**ITEM_CHANGED, "data": {**ITEM_CHANGED["data"], "item_id": "2"}})
    assert edited(BROKEN, body, "m-2", "ann", "", NOW).lane == "1204/service_call/2"


def test_what_still_breaks_its_contract_is_refused() -> None:
    with pytest.raises(Malformed) as error:
        edited(BROKEN, BROKEN.original.body, "m-2", "ann", "", NOW)
    assert error.value.reason is Reason.BREAKS_SCHEMA


@pytest.mark.parametrize(
    "one",
    [letter(kind=Kind.LINK), replace(BROKEN, original=replace(BROKEN.original, queue=NOTIFICATIONS_QUEUE))],
    ids=["an item", "a notification"],
)
def test_what_cannot_be_mended_says_so(one: Any) -> None:
    with pytest.raises(Refused) as error:
        edited(one, MENDED, "m-2", "ann", "", NOW)
    assert error.value.reason is Reason.NOT_EDITABLE


def test_the_difference_is_shown_line_by_line() -> None:
    shown = difference(BROKEN.original.body, MENDED).splitlines()
    assert [line for line in shown if line[0] in "+-" and line[:3] not in {"+++", "---"}] == [
        '-    "revision": "7",',
        '+    "revision": 7,',
    ]
    assert text_of(b"\xff no JSON") == "\ufffd no JSON"


@pytest.mark.parametrize("depth", [33, 260, 1000, 5000])
def test_what_is_nested_too_deeply_is_shown_as_it_is_to_whoever_may_see_it(depth: int) -> None:
    body = b'{"data":' * depth + b'"Dentist"' + b"}" * depth
    one = replace(BROKEN, original=replace(BROKEN.original, body=body, size=len(body)))
    assert text_of(body) == body_text(one, reveal=True) == body.decode()
    assert "Dentist" in difference(body, MENDED)
    assert everything(one, reveal=True)["body"] is None
    assert everything(one, reveal=True)["body_base64"]
    for veiled_ in (body_text(one, reveal=False), everything(one, reveal=False)["body"]):
        assert f"[hidden]: {len(body)} bytes" in veiled_


# Veiled

PRIVATE = {
    "type": "t",
    "data": {"tenant_id": 1, "item": {"subject": "Dentist", "is_private": True, "start": "s", "list": ["x", 1]}},
}


def test_texts_of_a_private_item_are_hidden_and_what_is_needed_is_shown() -> None:
    shown = orjson.loads(veiled(orjson.dumps(PRIVATE)))
    assert shown["data"] == {
        "tenant_id": 1,
        "item": {"subject": "[hidden]", "is_private": True, "start": "s", "list": ["[hidden]", 1]},
    }


@pytest.mark.parametrize("mark", ["yes", 1, True])
def test_whatever_looks_private_is_taken_for_private(mark: object) -> None:
    body = orjson.dumps({"data": {"item": {"is_private": mark, "subject": "Dentist"}}})
    assert b"Dentist" not in veiled(body)


def test_an_authorization_code_is_always_hidden_and_the_rest_of_a_message_is_not() -> None:
    shown = orjson.loads(veiled(b'{"data": {"code": "s3cret", "integration_id": "int-7"}}'))
    assert shown == {"data": {"code": "[hidden]", "integration_id": "int-7"}}


@pytest.mark.parametrize("body", [b"Dentist", b'["Dentist"]', b'"Dentist"', b"\xff"])
def test_what_is_no_object_may_be_anything_and_is_left_out(body: bytes) -> None:
    assert b"Dentist" not in veiled(body)
