"""Cronofy's notification, as the relay puts it on the queue: the raw body, byte for byte, and its signature header.

Published to the exchange `cronofy.events` with routing key `notification` and the AMQP header `Cronofy-HMAC-SHA256`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from pydantic import Field, TypeAdapter

from events.contract import Contract, Noted
from events.failures import Malformed
from events.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable


class Change(Contract):
    """What happened."""

    type: str = Field(min_length=1, max_length=128)
    """Open: `change`, `verification`, `profile_disconnected` and others. Unknown ones are acknowledged and ignored."""
    changes_since: Noted = None
    """Of `change`: since when, by Cronofy's clock."""


class Channel(Contract):
    """Through which channel."""

    channel_id: str = Field(min_length=1, max_length=256)
    callback_url: str = Field(min_length=1, max_length=2048)
    """The address Cronofy called. It ends in our integration's id, because we made it so."""


class Notification(Contract):
    """Something happened in an account. It carries no event data: only a reason to look."""

    notification: Change
    channel: Channel


NOTIFICATION: TypeAdapter[Notification] = TypeAdapter(Notification)


def signature(secret: str, body: bytes) -> str:
    """Compute what Cronofy puts into the header for one client secret: base64 of the HMAC-SHA256 of the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def check_signature(header: str | None, body: bytes, secrets: Iterable[str]) -> None:
    """Accept the body if any of the header's comma-separated values fits any active client secret.

    Raises `Malformed` (`bad_signature`). Compares in constant time. Source: Cronofy, push notifications,
    authentication.
    """
    given = [value.strip().encode() for value in (header or "").split(",") if value.strip()]
    expected = [signature(secret, body).encode() for secret in secrets]  # once, however many values are given
    matches = [hmac.compare_digest(ours, value) for ours in expected for value in given]
    if not any(matches):
        raise Malformed(Reason.BAD_SIGNATURE, "no signature" if not given else "no signature matches")
