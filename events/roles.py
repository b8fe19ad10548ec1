"""Who does what on the broker and in the store. Each has a user of its own, who may do that and nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Role(StrEnum):
    """A part of the product, or somebody who works with it."""

    purpose: str

    def __new__(cls, code: str, purpose: str) -> Self:
        """Make a member whose value is `code`."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.purpose = purpose
        return member

    TOPOLOGY = "topology", "makes exchanges, queues, collections and indexes, once for each version"
    WORKER = "worker", "takes messages, keeps the state, publishes wake-ups, outcomes and dead letters"
    RELAY = "relay", "publishes notifications"
    OPERATOR = "operator", "looks, replays, changes what operators may change"
    READER = "reader", "looks"
    PLATFORM = "psa", "publishes the platform's events, takes outcomes, has queues of its own for them"

    @property
    def user(self) -> str:
        """The name of its user."""
        return f"calsync-{self.value}"
