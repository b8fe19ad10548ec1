"""Names and labels of what is counted."""

from __future__ import annotations

import pytest

from adapters.telemetry import metrics
from events.failures import (
    Gone,
    Malformed,
    Misconfigured,
    MustReconnect,
    RateLimited,
    Refused,
    Stale,
    System,
    TokenRejected,
    TryLater,
)
from events.reasons import Reason
from tests.telemetry.reading import now

WHY = Reason.UNREACHABLE


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (TryLater(System.PSA, WHY), "transient"),
        (RateLimited(System.CRONOFY, WHY), "rate"),
        (MustReconnect(WHY), "reconnect"),
        (TokenRejected(WHY), "reconnect"),
        (Refused(WHY), "permission"),
        (Gone(WHY), "gone"),
        (Stale(WHY), "stale"),
        (Malformed(WHY), "poison"),
        (Misconfigured(WHY), "bug"),
        (ZeroDivisionError(), "bug"),
    ],
)
def test_failures_are_named_by_what_must_happen_next(error: Exception, failure: str) -> None:
    assert metrics.failure_class(error) == failure


def test_what_is_put_off_is_counted_by_system_and_class() -> None:
    before = now()
    metrics.retried(TryLater(System.PSA, WHY))
    metrics.retried(ZeroDivisionError())
    after = now()
    for labels in ({"system": "psa", "failure": "transient"}, {"system": "none", "failure": "bug"}):
        assert after("calsync_retries_total", **labels) - before("calsync_retries_total", **labels) == 1


def test_a_request_without_an_answer_has_no_status() -> None:
    before = now()
    with pytest.raises(BrokenPipeError), metrics.request(System.PSA, "GET", "/made/for/this"):
        raise BrokenPipeError
    after = now()
    labels = {"system": "psa", "method": "GET", "route": "/made/for/this"}
    assert after("calsync_http_requests_total", **labels, status="none") == 1
    assert after("calsync_http_request_seconds_count", **labels) == 1
    assert not before.has("calsync_http_requests_total", **labels)


def test_the_build_is_shown() -> None:
    assert now()("calsync_build_info") == 1


def test_names_follow_the_conventions() -> None:
    for family in metrics.REGISTRY.collect():
        assert family.name.startswith(("calsync_", "process_")), family.name
        assert family.documentation.endswith("."), family.name
        labels = {name for sample in family.samples for name in sample.labels} - {"le"}
        assert not [name for name in labels if name.endswith("id")], f"{family.name} has an id among its labels"
