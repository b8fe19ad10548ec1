"""Two failures are the same if the same thing failed in the same place for the same reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.letters import Failure
from events.traces import Trace
from tests.dead_letters.examples import NOW
from worker.dead_letters.fingerprints import fingerprint, normalised

STACK = "worker/a.py:10 in outer\nadapters/b.py:20 in middle\npymongo/pool.py:5 in send\nworker/c.py:30 in inner"
FAILURE = Failure("bug", "item 4711 is odd", 3, NOW, Trace("KeyError", STACK, "PATCH /v2/calendar/items/todo/{id} 500"))


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("422 summary: is too long", "{n} summary: is too long"),
        ("status 503", "status {n}"),
        ("int-5571-1 is odd", "{id} is odd"),
        ("evt_66a1b2c3 and cal_aB9/evt_1", "{id} and {id}/{id}"),
        ("4f1c9a52-6a0e-4c7b-9d43-2f0a3b1c5d6e", "{id}"),
        ("at 2026-03-09T14:00:00Z, on 2026-03-09", "at {time}, on {time}"),
        ("see https://api.example.com/x?y=1 now", "see {url} now"),
        ("two   lines\nare one", "two lines are one"),
        ("psa.calendar_item.changed.v2; known: a.b.v1", "psa.calendar_item.changed.v2; known: a.b.v1"),
        ("data/revision: Input should be a valid integer", "data/revision: input should be a valid integer"),
    ],
)
def test_what_differs_from_one_time_to_the_next_does_not_count(words: str, same: str) -> None:
    assert normalised(words) == same


@given(st.text(max_size=200))
def test_words_that_are_normalised_stay_so(words: str) -> None:
    assert normalised(normalised(words)) == normalised(normalised(normalised(words)))


def test_the_line_of_a_place_does_not_count_for_it_moves_with_every_release() -> None:
    moved = STACK.replace(":30", ":31").replace("pymongo/pool.py:5 in send", "pymongo/other.py:7 in recv")
    other = replace(FAILURE, detail="item 4712 is odd", attempts=9, trace=replace(FAILURE.trace, stack=moved))
    assert fingerprint("q", other) == fingerprint("q", FAILURE)


def test_neither_do_places_of_libraries_nor_how_it_came_there() -> None:
    stack = "worker/run.py:1 in elsewhere\n" + STACK + "\nbson/codec.py:9 in encode\nbson/codec.py:19 in write"
    inner = replace(FAILURE, trace=replace(FAILURE.trace, stack="worker/run.py:2 in outermost\n" + STACK))
    other = replace(FAILURE, trace=replace(FAILURE.trace, stack=stack))
    assert fingerprint("q", other) == fingerprint("q", inner) == fingerprint("q", FAILURE)


@pytest.mark.parametrize(
    "other",
    [
        replace(FAILURE, reason="poison"),
        replace(FAILURE, detail="item is even"),
        replace(FAILURE, trace=replace(FAILURE.trace, error="ValueError")),
        replace(FAILURE, trace=replace(FAILURE.trace, stack=STACK.replace("inner", "elsewhere"))),
        replace(FAILURE, trace=replace(FAILURE.trace, call="PATCH /v2/calendar/items/todo/{id} 422")),
    ],
    ids=["reason", "words", "class", "place", "call"],
)
def test_another_reason_class_place_or_call_is_another_failure(other: Failure) -> None:
    assert fingerprint("q", other) != fingerprint("q", FAILURE)


def test_the_same_in_another_queue_is_another_failure() -> None:
    assert fingerprint("q", FAILURE) != fingerprint("link", FAILURE)
