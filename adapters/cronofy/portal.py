"""The address at which a user grants access. Source: cronofy.md, 2.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from events.calendar import Provider

SCOPES: Final = ("read_account", "list_calendars", "read_events", "create_event", "delete_event")
"""What the worker needs, and nothing more."""
_NAMES: Final = {
    Provider.ICLOUD: "apple",
    Provider.GOOGLE: "google",
    Provider.OFFICE365: "office365",
    Provider.EXCHANGE: "exchange",
    Provider.OUTLOOK_COM: "live_connect",
}


@dataclass(frozen=True, slots=True)
class CronofyPortal:
    """Cronofy's portal for one application. `app_url`: its host for browsers."""

    app_url: str
    client_id: str

    def address(self, redirect_uri: str, state: str, provider: Provider | None) -> str:
        """Return where to send the user's browser.

        Without `avoid_linking`, two people who use one browser would end up in one account.
        """
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(SCOPES),
            "state": state,
            "avoid_linking": "true",
        }
        asked |= {} if provider is None else {"provider_name": _NAMES[provider]}
        return f"{self.app_url.rstrip('/')}/oauth/authorize?{urlencode(asked, quote_via=quote)}"


def app_url_of(api_url: str) -> str:
    """Return the host for browsers that belongs to a data centre's API: `api-de` and `app-de`, and so on."""
    return api_url.replace("://api", "://app", 1)
