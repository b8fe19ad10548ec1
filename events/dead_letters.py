"""What failed for good, as it lies in the dead-letter queue: the original message and why it is there.

The body is the original, byte for byte; everything else travels in headers, so that a stock tool can move the message
back to its source as it is. A message that the broker set aside itself (delivery limit, rejected by hand) has only the
broker's own headers; `DeadLetter.of` understands both.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from events.contract import Contract
from events.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "x-calsync-"
_BROKER_OWN: Final = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count", "x-opt-")


class DeadLetter(Contract):
    """Where a message came from, and why it was set aside. All times UTC."""

    reason: str = Field(min_length=1, max_length=64)
    """A reason code."""
    detail: str = Field(default="", max_length=1000)
    """Words for a person; no secrets, no private text."""
    error: str = Field(default="", max_length=200)
    """Class of the error, if it was one."""
    queue: str = Field(default="", max_length=255)
    exchange: str = Field(default="", max_length=255)
    routing_key: str = Field(default="", max_length=255)
    message_id: str = Field(default="", max_length=255)
    attempts: int = Field(default=1, ge=0)
    failed_at: AwareDatetime

    def headers(self) -> dict[str, str]:
        """Return it as headers."""
        values = self.model_dump(mode="json")
        return {f"{PREFIX}{name.replace('_', '-')}": str(value) for name, value in values.items()}

    @classmethod
    def of(cls, headers: Mapping[str, Any], now: datetime) -> DeadLetter:
        """Read it from a message's headers; never fails, because whatever lies there must be kept."""
        ours = {
            name.removeprefix(PREFIX).replace("-", "_"): value
            for name, value in headers.items()
            if name.startswith(PREFIX)
        }
        try:
            return cls.model_validate(ours, strict=False)
        except ValidationError:
            return _by_broker(headers, now)


class _Death(Contract):
    """What the broker notes in `x-death`, newest first."""

    reason: str = "unknown reason"
    queue: str = ""
    exchange: str = ""
    routing_keys: tuple[str, ...] = Field(default=(), alias="routing-keys")
    count: int = 1
    time: datetime | None = None


_DEATHS: Final[TypeAdapter[tuple[_Death, ...]]] = TypeAdapter(tuple[_Death, ...])


def _by_broker(headers: Mapping[str, Any], now: datetime) -> DeadLetter:
    try:
        deaths = _DEATHS.validate_python(headers.get("x-death", ()), strict=False)
    except ValidationError:
        deaths = ()
    death = deaths[0] if deaths else _Death()
    return DeadLetter(
        reason=Reason.DELIVERY_LIMIT.value if death.reason == "delivery_limit" else Reason.POISON.value,
        detail=f"set aside by the broker: {death.reason}"[:1000],
        queue=death.queue,
        exchange=death.exchange,
        routing_key=death.routing_keys[0] if death.routing_keys else "",
        attempts=max(0, death.count),
        failed_at=death.time.replace(tzinfo=death.time.tzinfo or UTC) if death.time else now,
    )


def portable(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headers that may go with a message when it is published again.

    The broker's own must not: up to 3.13 it reads `x-death` from publishers, and silently drops what it takes for a
    loop. Source: rabbitmq.md, what surprises most.
    """
    return {name: value for name, value in headers.items() if not name.startswith(_BROKER_OWN)}
