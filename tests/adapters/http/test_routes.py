"""A request is named by its route: whom it was about stays out of it."""

from __future__ import annotations

import pytest

from adapters.http.routes import call, naming_call, route
from events.failures import Refused, System, TryLater
from events.reasons import Reason


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://psa.example/v2/calendar/items/service_call/70551?partId=77", "/v2/calendar/items/service_call/{id}"),
        ("http://127.0.0.1:8010/v1/calendars/cal_x-9/events", "/v1/calendars/{id}/events"),
        ("https://api.cronofy.com", "/"),
        ("https://x/a/%20/b#fragment", "/a/{id}/b"),
        ("http://[bad/v1/x", "/v1/x"),
        ("nonsense", "/"),
    ],
)
def test_ids_hosts_and_queries_are_left_out(url: str, named: str) -> None:
    assert route(url) == named


def test_a_failure_says_which_request_it_was_about_the_innermost_first() -> None:
    with (
        pytest.raises(TryLater) as away,
        naming_call("GET", "https://x/outer"),
        naming_call("PUT", "https://x/inner/1"),
    ):
        raise TryLater(System.PSA, Reason.SERVER_ERROR, "503")
    assert away.value.call == "PUT /inner/{id} 503"
    with pytest.raises(Refused) as refused, naming_call("GET", "https://x/outer"):
        raise Refused(Reason.PSA_REFUSED, "No.")
    assert refused.value.call == call("GET", "https://x/outer")
