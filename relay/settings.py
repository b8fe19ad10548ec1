"""What can be set for the relay."""

from __future__ import annotations

from pydantic import Field

from adapters.process.endpoints import Broker
from adapters.process.environment import Secrets


class RelaySettings(Broker):
    """It needs to know where the broker is and which secrets sign notifications, and nothing else.

    Its user of the broker has to be allowed to write to `cronofy.events`.
    """

    cronofy_client_secrets: Secrets
    """Comma-separated; notifications signed with any of them are relayed."""
    relay_prefix: str = Field(default="/notifications", pattern=r"^/[A-Za-z0-9/_-]*$")
    """The path below which Cronofy calls. What follows it names the integration."""
