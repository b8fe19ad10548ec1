"""The whole retry policy, as tables."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.failures import (
    Gone,
    Malformed,
    Misconfigured,
    MustReconnect,
    RateLimited,
    Refused,
    Stale,
    SyncError,
    System,
    TokenRejected,
    TryLater,
)
from events.reasons import Reason
from worker.core.retry import FIRST_DELAY, LONGEST_DELAY, POISON_AFTER, Ack, Hold, Park, Settlement, backoff, settle

# How long


@pytest.mark.parametrize(
    ("attempts", "least", "most"),
    [(0, 1, 2), (1, 2, 4), (2, 4, 8), (3, 8, 16), (8, 256, 512), (9, 450, 900), (12, 450, 900), (10**9, 450, 900)],
)
def test_the_delay_doubles_up_to_a_quarter_of_an_hour(attempts: int, least: float, most: float) -> None:
    assert backoff(attempts, 0.0) == timedelta(seconds=least)
    assert backoff(attempts, 1.0) == timedelta(seconds=most)


@given(st.integers(0, 10**6), st.floats(0, 1), st.none() | st.floats(0, 10**6))
def test_a_delay_is_never_nothing_never_endless_and_never_shorter_than_asked_for(
    attempts: int, chance: float, retry_after: float | None
) -> None:
    delay = backoff(attempts, chance, retry_after)
    assert delay >= FIRST_DELAY / 2
    assert delay <= max(LONGEST_DELAY, timedelta(seconds=retry_after or 0))
    assert retry_after is None or delay >= timedelta(seconds=retry_after)


@given(st.integers(0, 20), st.floats(0, 1), st.floats(0, 1))
def test_who_failed_together_comes_back_apart(attempts: int, one: float, other: float) -> None:
    longest = backoff(attempts, 1.0)
    apart = abs(backoff(attempts, one) - backoff(attempts, other))
    assert abs(apart - longest / 2 * abs(one - other)) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("retry_after", "delay"), [(None, 2), (0.0, 2), (1.0, 2), (30.0, 30), (86400.0, 86400)], ids=str
)
def test_the_other_side_may_ask_for_more(retry_after: float | None, delay: float) -> None:
    assert backoff(0, 1.0, retry_after) == timedelta(seconds=delay)


# What becomes of a message

AWAY = TryLater(System.STORE, Reason.UNREACHABLE, "mongodb is away")


@pytest.mark.parametrize(
    ("error", "attempts", "settlement"),
    [
        (None, 0, Ack()),
        (None, 100, Ack()),
        (Stale(Reason.LEASE_LOST), 0, Ack()),
        (Stale(Reason.STALE_EPOCH, "old"), 3, Ack()),
        (Malformed(Reason.BREAKS_SCHEMA, "data/item"), 0, Park(Reason.BREAKS_SCHEMA, "data/item")),
        (Malformed(Reason.TOO_LARGE), 0, Park(Reason.TOO_LARGE, "")),
        (AWAY, 0, Hold(timedelta(seconds=2))),
        (AWAY, 3, Hold(timedelta(seconds=16))),
        (AWAY, 4, Hold(timedelta(seconds=30))),
        (AWAY, 10**6, Hold(timedelta(seconds=30))),
        (TryLater(System.BROKER, Reason.UNROUTABLE), 0, Hold(timedelta(seconds=2))),
        (TryLater(System.STORE, Reason.UNREACHABLE, retry_after=20), 0, Hold(timedelta(seconds=20))),
        (TryLater(System.STORE, Reason.UNREACHABLE, retry_after=600), 0, Hold(timedelta(seconds=30))),
        (RateLimited(System.CRONOFY, Reason.RATE_LIMITED), 1, Hold(timedelta(seconds=4))),
        (Refused(Reason.CALENDAR_REFUSED, "no"), 0, Park(Reason.CALENDAR_REFUSED, "no")),
        (MustReconnect(Reason.REAUTHORISE_NEEDED), 0, Park(Reason.REAUTHORISE_NEEDED, "")),
        (Gone(Reason.GONE), 0, Park(Reason.GONE, "")),
        (TokenRejected(Reason.NOT_AUTHENTICATED), 0, Park(Reason.NOT_AUTHENTICATED, "")),
        (Misconfigured(Reason.BAD_SETTINGS, "key"), 0, Park(Reason.BAD_SETTINGS, "key")),
        (SyncError(Reason.BUG), 0, Park(Reason.BUG, "")),
        (KeyError("x"), 0, Hold(timedelta(seconds=2))),
        (KeyError("x"), POISON_AFTER - 2, Hold(timedelta(seconds=16))),
        (KeyError("x"), POISON_AFTER - 1, Park(Reason.POISON, "KeyError")),
        (AssertionError("private text"), POISON_AFTER + 1, Park(Reason.POISON, "AssertionError")),
    ],
)
def test_what_becomes_of_a_message(error: Exception | None, attempts: int, settlement: Settlement) -> None:
    assert settle(error, attempts, 1.0) == settlement


@given(st.integers(0, 10**9), st.floats(0, 1), st.sampled_from(System))
def test_an_outage_is_never_the_messages_fault(attempts: int, chance: float, system: System) -> None:
    settlement = settle(TryLater(system, Reason.SERVER_ERROR), attempts, chance)
    assert isinstance(settlement, Hold)
    assert settlement.delay <= timedelta(seconds=30)


@given(st.integers(POISON_AFTER - 1, 100), st.text())
def test_a_bug_is_named_by_its_class_and_not_by_its_words(attempts: int, words: str) -> None:
    settlement = settle(ValueError(words), attempts, 0.5)
    assert settlement == Park(Reason.POISON, "ValueError")
