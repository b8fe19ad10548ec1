"""What every way to run a service can do, and waiting for it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, Protocol

from stack.failures import Unavailable

READY_SECONDS: Final = 180.0
"""Generous: a cold start on a small, busy machine. Seven seconds are usual."""
_GLANCE_SECONDS: Final = 0.05


class Owner(Protocol):
    """The process we keep services for."""

    def tell(self, progress: str) -> None:
        """Say what is being done, as far as a waiting person wants to know."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the owner lives: raises `OwnerGone`."""
        ...


class Kept(Protocol):
    """A service that is kept up. `addresses` hold for its whole life."""

    @property
    def name(self) -> str:
        """What it is."""
        ...

    @property
    def addresses(self) -> Mapping[str, str]:
        """Its URLs by name."""
        ...

    def launch(self) -> None:
        """Set it going, without waiting for it."""
        ...

    def is_ready(self) -> bool:
        """Does it do its work? Raises `Unavailable` if it has ended."""
        ...

    def stop(self) -> None:
        """End it in good order."""
        ...

    def kill(self) -> None:
        """End it on the spot."""
        ...

    def freeze(self) -> None:
        """Let it stand still."""
        ...

    def thaw(self) -> None:
        """Let it go on."""
        ...


def await_ready(kept: Kept, owner: Owner) -> None:
    """Wait until it does its work."""
    deadline = time.monotonic() + READY_SECONDS
    while not kept.is_ready():
        if time.monotonic() > deadline:
            raise Unavailable(f"{kept.name} did not get ready within {READY_SECONDS:.0f} seconds.")
        owner.pause(_GLANCE_SECONDS)
