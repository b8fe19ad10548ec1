"""Of a failure its places are told, and nothing else: words and values may be private."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from events.failures import System, TryLater
from events.reasons import Reason
from events.traces import Trace, trace_of

TEXT = "Dinner with Ann"


def caught(falling: Callable[[], object]) -> Exception:
    """Return what a function ends with."""
    with pytest.raises(Exception) as failure:  # noqa: PT011 - whatever it is
        falling()
    return failure.value


def failing() -> None:
    raise KeyError(TEXT)


def away() -> None:
    try:
        failing()
    except KeyError as cause:
        failure = TryLater(System.PSA, Reason.SERVER_ERROR, "500")
        failure.call = "GET /v2/calendar/items/todo/{id} 500"
        raise failure from cause


def hiding() -> None:
    try:
        failing()
    except KeyError:
        raise ValueError from None


def falling(deep: int) -> None:
    if deep:
        falling(deep - 1)
    failing()


def test_a_failure_tells_its_class_and_that_of_its_causes_and_where_it_was() -> None:
    trace = trace_of(caught(away))
    assert trace.error == "TryLater ← KeyError"
    places = trace.stack.splitlines()
    assert all(place.startswith("tests/events/test_traces.py:") for place in places)
    assert places[-1].endswith("in failing")
    assert trace.call == "GET /v2/calendar/items/todo/{id} 500"
    assert TEXT not in str(trace)


def test_a_cause_that_is_hidden_stays_hidden() -> None:
    assert trace_of(caught(hiding)).error == "ValueError"


def test_a_failure_that_was_never_raised_has_been_nowhere() -> None:
    assert trace_of(ValueError(TEXT)) == Trace("ValueError", "", "")


def test_a_deep_stack_is_told_from_its_end() -> None:
    places = trace_of(caught(lambda: falling(100))).stack.splitlines()
    assert len(places) == 30
    assert places[-1].endswith("in failing")


def test_causes_in_a_circle_come_to_an_end() -> None:
    one, two = caught(failing), caught(hiding)
    one.__cause__, two.__cause__ = two, one
    assert trace_of(one).error.count("KeyError") <= 3


def test_places_outside_the_project_are_named_by_their_package() -> None:
    assert "json/decoder.py:" in trace_of(caught(lambda: json.loads("{"))).stack
