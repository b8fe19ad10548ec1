"""The world of the model, with what stands between it and its callers."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.cronofy.api.faults import Faults
from sandbox.cronofy.api.received import ReceivedRequests
from sandbox.cronofy.model.state import World


@dataclass(frozen=True, slots=True)
class Site:
    """All state of one sandbox."""

    world: World
    faults: Faults
    received: ReceivedRequests
