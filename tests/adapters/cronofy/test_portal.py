"""The address at which a user grants access."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from adapters.cronofy.portal import CronofyPortal, app_url_of
from events.calendar import Provider

PORTAL = CronofyPortal("https://app.cronofy.com/", "client 1")


def asked(provider: Provider | None = None) -> dict[str, str]:
    url = PORTAL.address("https://psa.example/back?a=1&b=2", "state&x=1", provider)
    assert url.startswith("https://app.cronofy.com/oauth/authorize?")
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def test_it_asks_for_what_is_needed_and_for_an_account_of_its_own() -> None:
    assert asked() == {
        "response_type": "code",
        "client_id": "client 1",
        "redirect_uri": "https://psa.example/back?a=1&b=2",
        "scope": "read_account list_calendars read_events create_event delete_event",
        "state": "state&x=1",
        "avoid_linking": "true",
    }


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        (Provider.ICLOUD, "apple"),
        (Provider.GOOGLE, "google"),
        (Provider.OFFICE365, "office365"),
        (Provider.EXCHANGE, "exchange"),
        (Provider.OUTLOOK_COM, "live_connect"),
    ],
)
def test_each_provider_can_be_preselected(provider: Provider, name: str) -> None:
    assert asked(provider)["provider_name"] == name


@pytest.mark.parametrize(
    ("api", "app"),
    [
        ("https://api.cronofy.com", "https://app.cronofy.com"),
        ("https://api-de.cronofy.com/", "https://app-de.cronofy.com/"),
        ("http://127.0.0.1:8010", "http://127.0.0.1:8010"),
    ],
)
def test_the_portal_of_a_data_centre_is_known_from_its_api(api: str, app: str) -> None:
    assert app_url_of(api) == app
