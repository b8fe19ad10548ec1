"""From a signed request to a confirmed message. Content is not looked at: whatever Cronofy signed is the worker's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from events.addresses import CRONOFY_EVENTS, NOTIFICATION_KEY, SIGNATURE_HEADER
from events.failures import Malformed, Refused, TryLater
from events.notification import check_signature
from relay.verdict import Verdict


class Publisher(Protocol):
    """Publishes with confirm."""

    async def publish(
        self, exchange: str, routing_key: str, body: bytes, *, headers: Mapping[str, str], message_id: str
    ) -> None:
        """Return when the broker has the message.

        Raises `TryLater` when the broker is away, `Refused` when no queue takes the message.
        """
        ...


@dataclass(frozen=True, slots=True)
class Relay:
    """What relaying takes."""

    publisher: Publisher
    secrets: Sequence[str] = field(repr=False)
    """The active client secrets; two while one replaces the other."""
    message_id: Callable[[], str]
    patience_seconds: float = 4.0
    """Less than the 5 s after which Cronofy gives up, so that it hears of a failure instead of guessing one."""
    max_bytes: int = 64 * 1024


async def relay(to: Relay, signature: str, body: AsyncIterable[bytes]) -> Verdict:
    """Publish the body as it came, with its signature, if any secret fits."""
    if not signature.strip(", "):
        return Verdict.UNSIGNED
    try:
        async with asyncio.timeout(to.patience_seconds):
            raw = await _read(body, to.max_bytes)
            if raw is None:
                return Verdict.TOO_LARGE
            check_signature(signature, raw, to.secrets)
            await to.publisher.publish(
                CRONOFY_EVENTS,
                NOTIFICATION_KEY,
                raw,
                headers={SIGNATURE_HEADER: signature},
                message_id=to.message_id(),
            )
    except Malformed:
        return Verdict.FORGED
    except (TryLater, Refused, TimeoutError):
        return Verdict.LATER  # also without a queue: Cronofy keeps it for a day, we would lose it
    return Verdict.RELAYED


async def _read(body: AsyncIterable[bytes], max_bytes: int) -> bytes | None:
    """Return the whole body; None as soon as it turns out too large."""
    raw = bytearray()
    async for chunk in body:
        raw += chunk
        if len(raw) > max_bytes:
            return None
    return bytes(raw)
