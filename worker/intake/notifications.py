"""Intake of Cronofy's notifications: a hint that something happened in an account, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from events.contract import parse
from events.notification import NOTIFICATION, check_signature
from worker.intake.safety import SAFETY_NET

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from worker.ports import Wishes

_CHANGE: Final = "change"
_ABOUT_THE_PROFILE: Final = frozenset({"profile_disconnected", "profile_connected", "profile_initial_sync_completed"})


async def take_notification(
    body: bytes, signature: str | None, secrets: Iterable[str], wishes: Wishes, now: datetime
) -> str | None:
    """Store the hint that a notification gives. Returns the integration to wake; None if there is nobody to wake.

    Only ids are believed: which integration it is, its channel's address says, because we made the address and the
    signature covers it. Raises `Malformed` for a wrong signature or a body that makes no sense, `TryLater` if the store
    is away.
    """
    check_signature(signature, body, secrets)
    notification = parse(NOTIFICATION, body)
    integration_id = notification.channel.callback_url.rstrip("/").rpartition("/")[2]
    kind = notification.notification.type
    if kind == _CHANGE:
        known = await wishes.note_change(integration_id, notification.notification.changes_since, now + SAFETY_NET)
    elif kind in _ABOUT_THE_PROFILE:
        known = await wishes.note_profile(integration_id, now + SAFETY_NET)
    else:
        known = False
    return integration_id if known else None
