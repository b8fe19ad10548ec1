"""All settings there are, and who reads which."""

from __future__ import annotations

from typing import Final

from adapters.process.environment import FromEnvironment
from relay.settings import RelaySettings
from sandbox.settings import SandboxSettings
from stack.settings import GivenUrls
from worker.settings import Infrastructure, Settings

READERS: Final[dict[str, type[FromEnvironment]]] = {
    "worker": Settings,
    "relay": RelaySettings,
    "sandbox": SandboxSettings,
    "other commands": Infrastructure,
}
"""Who reads which settings. The first knows most of them."""

NAMES: Final = frozenset(GivenUrls.model_fields).union(*(reader.model_fields for reader in READERS.values()))
"""Every setting there is."""
