"""What failed for good, as it lies in the dead-letter queue: the original message and why it is there.

The body is the original, byte for byte; everything else travels in headers, so that a stock tool can move the message
back to its source as it is. A message that the broker set aside itself (delivery limit, rejected by hand) has only the
broker's own headers; `DeadLetter.of` understands both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from events.contract import Contract, Identifier, Instant, Int32, sensible
from events.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "x-calsync-"
_BROKERS_STORY: Final = "x-death"
_SHORT: Final = 255
"""The longest name that the broker knows."""
_STAYS_BEHIND: Final = (
    PREFIX,
    _BROKERS_STORY,
    "x-first-death-",
    "x-last-death-",
    "x-delivery-count",
    "x-acquired-count",
    "x-opt-",
)


class DeadLetter(Contract):
    """Where a message came from, and why it was set aside. All times UTC."""

    reason: str = Field(min_length=1, max_length=64)
    """A reason code, such as `breaks_schema`."""
    detail: str = Field(default="", max_length=1000)
    """Words for a person; no secrets, no private text."""
    error: str = Field(default="", max_length=200)
    """Class of the error, if it was one."""
    queue: str = Field(default="", max_length=255)
    """From which it was taken. Empty if it never was in one."""
    exchange: str = Field(default="", max_length=255)
    """Where it was published; where a replay publishes it again."""
    routing_key: str = Field(default="", max_length=255)
    """With which it was published."""
    message_id: str = Field(default="", max_length=255)
    """The original's AMQP property of this name."""
    attempts: int = Field(default=1, ge=0)
    """How often its handling was tried."""
    failed_at: Instant
    """When it was set aside."""
    stack: str = Field(default="", max_length=4000)
    """Where in the program it failed, the innermost call last: places only, no values."""
    call: str = Field(default="", max_length=300)
    """The HTTP request that failed, if one did: method, route without ids, status."""
    correlation_id: str = Field(default="", max_length=256)
    """Joins it with the sync log: the id of the event that began it."""
    replay_of: str = Field(default="", max_length=64)
    """The dead letter of which this was a replay, if it was one."""
    replay: str = Field(default="", max_length=128)
    """Which of its replays."""

    def headers(self) -> dict[str, str]:
        """Return it as headers."""
        return {header(name): str(value) for name, value in self.model_dump(mode="json").items()}

    @classmethod
    def of(cls, headers: Mapping[str, Any], now: datetime) -> DeadLetter:
        """Read it from a message's headers; never fails, because whatever lies there must be kept."""
        by_broker = _by_broker(headers, now)
        ours = {name: headers[header(name)] for name in cls.model_fields if header(name) in headers}
        if _BROKERS_STORY not in headers:
            return _legible(ours, by_broker, complete=ours)
        # It never goes with what we publish, so it is newer than our own account, except for where it all began: a
        # stock tool moves messages through the exchange without a name.
        outlasting = _OF_THE_REPLAY if by_broker.exchange else (*_OF_THE_REPLAY, *_OF_THE_SOURCE)
        lasting = {name: ours[name] for name in outlasting if name in ours}
        return _legible(lasting, by_broker, complete={**by_broker.model_dump(), **lasting})


_OF_THE_REPLAY: Final = ("replay_of", "replay")
_OF_THE_SOURCE: Final = ("exchange", "routing_key", "message_id")


def _legible(ours: Mapping[str, Any], otherwise: DeadLetter, complete: Mapping[str, Any]) -> DeadLetter:
    """Return what `complete` says; of `ours`, what makes no sense is left as it is `otherwise`."""
    try:
        return DeadLetter.model_validate(complete, strict=False)
    except ValidationError as error:
        broken = {problem["loc"][0] for problem in error.errors()}
        legible = {name: value for name, value in ours.items() if name not in broken}
        return DeadLetter.model_validate({**otherwise.model_dump(), **legible}, strict=False)


def header(name: str) -> str:
    """Return the header that carries a field of a dead letter."""
    return PREFIX + name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Replayed:
    """Says that a message is a replay: of which dead letter, and which of its replays."""

    letter: str
    replay: str

    def headers(self) -> dict[str, str]:
        """Return it as headers."""
        return {header("replay_of"): self.letter, header("replay"): self.replay}

    @classmethod
    def of(cls, headers: Mapping[str, Any]) -> Replayed | None:
        """Read it from a message's headers; None if it is no replay."""
        letter, replay = headers.get(header("replay_of")), headers.get(header("replay"))
        return cls(letter, replay) if isinstance(letter, str) and isinstance(replay, str) and letter else None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a message was first published, and how often it has failed since."""

    exchange: str
    routing_key: str
    message_id: str
    failures: int = 0

    @classmethod
    def of(cls, headers: Mapping[str, Any], exchange: str, routing_key: str, message_id: str) -> Source:
        """Return what a delivery says, unless a stock tool moved the message: then what it was before."""
        if exchange or header("exchange") not in headers:
            return cls(exchange, routing_key, message_id)
        attempts = _said(headers, "attempts")
        failures = int(attempts) if attempts.isdecimal() and len(attempts) < 10 else 0
        first = _said(headers, "message_id") or message_id
        return cls(_said(headers, "exchange"), _said(headers, "routing_key"), first, failures)


def _said(headers: Mapping[str, Any], name: str) -> str:
    value = headers.get(header(name))
    return value if isinstance(value, str) and len(value) <= _SHORT else ""


class LinkFailed(Contract):
    """An item that a person must look at, as it lies among the dead letters. Replaying it has the item looked at again.

    Why is said by the headers.
    """

    type: Literal["calsync.link.failed.v1"] = "calsync.link.failed.v1"
    integration_id: Identifier
    link_id: str = Field(min_length=1, max_length=1024)
    """The pair of item and event, as the store names it."""
    tenant_id: Int32
    item: str | None = Field(default=None, max_length=256)
    """The item as people write it, such as `task/5120/77`. Absent: there is none yet."""


LINK_FAILED: Final[TypeAdapter[LinkFailed]] = TypeAdapter(LinkFailed)


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
        deaths = _DEATHS.validate_python(headers.get(_BROKERS_STORY, ()), strict=False)
    except ValidationError:
        deaths = ()
    death = deaths[0] if deaths else _Death()
    return DeadLetter(
        reason=Reason.DELIVERY_LIMIT.value if death.reason == "delivery_limit" else Reason.POISON.value,
        detail=f"set aside by the broker: {death.reason}"[:1000],
        queue=death.queue[:_SHORT],
        exchange=death.exchange[:_SHORT],
        routing_key=death.routing_keys[0][:_SHORT] if death.routing_keys else "",
        attempts=max(0, death.count),
        failed_at=sensible(death.time and death.time.replace(tzinfo=death.time.tzinfo or UTC)) or now,
    )


def portable(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headers that may go with a message when it is published again.

    Ours tell of a failure that is over. The broker's own must not go: up to 3.13 it reads `x-death` from publishers,
    and silently drops what it takes for a loop. Source: rabbitmq.md, what surprises most.
    """
    return {name: value for name, value in headers.items() if not name.startswith(_STAYS_BEHIND)}
