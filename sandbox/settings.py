"""What can be set for the sandboxes."""

from __future__ import annotations

from pydantic import Field, SecretStr

from adapters.process.endpoints import Broker
from adapters.process.environment import Secrets


class SandboxSettings(Broker):
    """Where the broker is, and the credentials that calendar sync will show."""

    cronofy_client_id: str = Field(default="sandbox-client", min_length=1)
    """The application that people of the Cronofy sandbox trust."""
    cronofy_client_secrets: Secrets
    """Its secrets, comma-separated: one, or two while one replaces the other."""
    psa_client_id: str = Field(default="calsync", min_length=1)
    """What the PSA sandbox lets in."""
    psa_client_secret: SecretStr
    """What the PSA sandbox lets in."""
