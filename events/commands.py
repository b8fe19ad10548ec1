"""Commands that the worker gives itself: small, idempotent, level-triggered, with ids and a cause, never content."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from events.contract import Contract, Identifier
from events.dead_letters import LinkFailed


class Cause(StrEnum):
    """Why a wake-up was sent. It ends up in the log as the trigger."""

    PSA_EVENT = "psa_event"
    SETTINGS = "settings"
    NOTIFICATION = "notification"
    DUE = "due"
    REPLAY = "replay"
    AUDIT = "audit"
    RUN = "run"
    """Not why a wake-up was sent, but why something was done: a person asked for a run."""


class Wake(Contract):
    """Bring this integration to rest: look at both sides, act on what differs. Harmless at any time, late and twice."""

    type: Literal["calsync.wake.v1"] = "calsync.wake.v1"
    integration_id: Identifier
    cause: Cause
    """Why. Nothing is decided by it."""
    correlation_id: str = Field(default="", max_length=256)
    """Id of the message that made us look; joins the log's lines."""
    traceparent: str = Field(default="", max_length=64)
    """W3C trace context, if what made us look is traced. It is repeated as a header."""


WAKE: TypeAdapter[Wake] = TypeAdapter(Wake)

Command = Annotated[Wake | LinkFailed, Field(discriminator="type")]
"""What the worker takes from its own queue: a wake-up, or an item that failed and is to be looked at again."""
COMMAND: TypeAdapter[Wake | LinkFailed] = TypeAdapter(Command)
