"""From whatever lies in the dead-letter queue to a letter: everything is kept, and told apart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.dead_letters import DeadLetter, Replayed
from events.letters import Kind, Subject
from tests.dead_letters.examples import ITEM_CHANGED, LINK_FAILED, LINK_TOLD, NOW, TOLD, dead, read
from worker.dead_letters.reading import LARGEST_BODY, Dead, occurrence


def test_a_message_is_kept_with_all_there_is_to_know() -> None:
    one = read(dead())
    assert one.kind is Kind.MESSAGE
    assert one.subject == Subject(1204, "", "service_call/70551", "", "service_call/70551@7")
    assert (one.failure.reason, one.failure.trace.error) == ("breaks_schema", "Malformed")
    assert one.failure.trace.stack == TOLD.stack
    assert (one.original.exchange, one.original.routing_key) == ("psa.events", "psa.calendar_item.changed.v1")
    assert (one.original.message_id, orjson.loads(one.original.body)) == ("m-1", ITEM_CHANGED)
    assert one.original.properties == {"content_type": "application/json"}
    assert (one.first_at, one.last_at, one.count) == (NOW, NOW, 1)


def test_a_link_is_kept_under_the_item_it_is_about() -> None:
    one = read(dead(LINK_TOLD, LINK_FAILED))
    assert one.kind is Kind.LINK
    assert one.subject == Subject(1204, "int-7", "service_call/70551", "int-7/x", "service_call/70551@7")
    assert one.lane == read(dead()).lane, "what is about one item is replayed one after the other"


def test_a_notification_is_about_the_integration_that_its_address_names() -> None:
    body = {"notification": {"type": "change"}, "channel": {"callback_url": "https://relay/notifications/int-7/"}}
    assert read(dead(body=body)).subject.integration_id == "int-7"


@pytest.mark.parametrize(
    "body", [b"", b"\xff\x00", b"[1]", b"{", b"[" * 5000, b'{"data": 5}', orjson.dumps({"id": {}})]
)
def test_a_body_that_makes_no_sense_is_kept_as_it_is(body: bytes) -> None:
    one = read(dead(body=body))
    assert one.original.body == body
    assert one.subject == Subject(correlation_id="m-1")
    assert one.lane == one.id


def test_a_text_in_the_place_of_an_id_is_not_taken_for_one() -> None:
    data = {"tenant_id": "1204", "integration_id": "Dinner with Ann", "item_type": "todo", "item_id": "call\nher"}
    assert read(dead(body={"data": data})).subject == Subject(correlation_id="m-1")


def test_of_a_body_that_no_document_can_hold_the_beginning_is_kept_and_its_size() -> None:
    one = read(dead(body=b"x" * (LARGEST_BODY + 1)))
    assert (len(one.original.body), one.original.size) == (LARGEST_BODY, LARGEST_BODY + 1)


# Identity


def test_a_message_that_is_delivered_again_is_the_same_occurrence() -> None:
    assert occurrence(dead(), NOW) == occurrence(dead(), NOW)
    assert occurrence(dead(), NOW).id == occurrence(dead(), NOW + timedelta(hours=1)).id


def test_a_message_that_fails_again_is_the_same_letter_and_another_occurrence() -> None:
    first, second = occurrence(dead(), NOW), occurrence(dead(message_id="dead-2"), NOW)
    assert first.letter.id == second.letter.id
    assert first.id != second.id


def test_another_body_under_the_same_message_id_is_another_letter() -> None:
    assert read(dead(body={"id": "2"})).id != read(dead()).id


def test_an_item_that_is_set_aside_twice_for_a_crash_in_between_is_one_occurrence() -> None:
    first, second = (occurrence(dead(LINK_TOLD, LINK_FAILED, name), NOW) for name in ("dead-1", "dead-2"))
    assert (first.id, first.letter.id) == (second.id, second.letter.id)


def test_an_item_that_fails_in_another_way_is_another_letter() -> None:
    other = LINK_TOLD.model_copy(update={"reason": "missing_scope"})
    assert read(dead(other, LINK_FAILED)).id != read(dead(LINK_TOLD, LINK_FAILED)).id


def test_a_replay_that_fails_belongs_to_the_letter_that_was_replayed() -> None:
    of = read(dead()).id
    one = occurrence(dead(body=b"edited", message_id="dead-2", more=Replayed(of, "r-1").headers()), NOW)
    assert (one.letter.id, one.replay) == (of, "r-1")


def test_a_made_up_letter_names_nothing() -> None:
    one = dead(more=Replayed("of my own making", "r-1").headers())
    assert read(one).id == read(dead()).id


DEATH = {"reason": "delivery_limit", "queue": "q", "exchange": "psa.events", "routing-keys": ["k"], "count": 1}


def test_a_message_that_the_broker_set_aside_again_is_another_occurrence_of_one_letter() -> None:
    first = occurrence(Dead(b"{}", {"x-death": [{**DEATH, "time": NOW}]}, "m-1", {}), NOW)
    later = {**DEATH, "time": NOW + timedelta(minutes=5)}
    again = occurrence(Dead(b"{}", {"x-death": [later]}, "m-1", {}), NOW)
    assert first.letter.id == again.letter.id
    assert first.id != again.id
    assert first.letter.failure.reason == "delivery_limit"


def test_what_a_stock_tool_moved_and_the_broker_set_aside_is_still_the_same_letter() -> None:
    """The tool's exchange has no name, so where the message began is what our own headers say."""
    moved = {**DEATH, "queue": TOLD.queue, "exchange": "", "routing-keys": [TOLD.queue], "time": NOW}
    one = read(Dead(dead().body, {**TOLD.headers(), "x-death": [moved]}, "dead-1", {}))
    assert one.id == read(dead()).id
    assert (one.original.exchange, one.original.routing_key) == (TOLD.exchange, TOLD.routing_key)
    assert one.failure.reason == "delivery_limit"


HEADERS = st.dictionaries(
    st.sampled_from([*TOLD.headers(), "x-death", "other", ""]),
    st.none() | st.integers() | st.text() | st.binary() | st.lists(st.dictionaries(st.text(), st.integers())),
)


@given(HEADERS, st.binary(max_size=50), st.text(max_size=10))
def test_reading_never_fails(headers: dict[str, Any], body: bytes, message_id: str) -> None:
    one = occurrence(Dead(body, headers, message_id, {}), NOW)
    assert one.letter.original.body == body
    assert one == occurrence(Dead(body, headers, message_id, {}), NOW)


def test_a_dead_letters_headers_are_read_whatever_is_added_later() -> None:
    assert DeadLetter.of({**TOLD.headers(), "x-calsync-more": "1"}, NOW) == TOLD
