"""Names of the exchanges and queues. Their arguments are the broker adapter's business.

Queue names carry a version: a queue's arguments cannot be changed, so a change means a new name beside the old one.
"""

from __future__ import annotations

from typing import Final

PSA_EVENTS: Final = "psa.events"
"""Topic exchange; the PSA platform publishes here. Routing key: the event's type."""
CRONOFY_EVENTS: Final = "cronofy.events"
"""Topic exchange; the relay publishes here. Routing key: `notification`."""
COMMANDS: Final = "calsync.commands"
"""Topic exchange; wake-ups. Routing key: `wake`."""
OUTCOMES: Final = "calsync.outcomes"
"""Topic exchange; the PSA platform consumes from here. Routing key: the event's type."""
DEAD_LETTERS: Final = "calsync.dead-letters"
"""Topic exchange; whatever failed for good. Routing key: the queue it came from, or `link` for an item."""

PSA_ITEMS_QUEUE: Final = "calsync.psa-items.v1"
INTEGRATIONS_QUEUE: Final = "calsync.integrations.v1"
NOTIFICATIONS_QUEUE: Final = "calsync.notifications.v1"
COMMANDS_QUEUE: Final = "calsync.commands.v1"
DEAD_LETTERS_QUEUE: Final = "calsync.dead-letters.v1"
OUTCOMES_QUEUE: Final = "calsync.outcomes.psa.v1"
"""Bound to every outcome, so that none is lost before the PSA platform binds a queue of its own."""

NOTIFICATION_KEY: Final = "notification"
WAKE_KEY: Final = "wake"
LINK_KEY: Final = "link"
SIGNATURE_HEADER: Final = "Cronofy-HMAC-SHA256"
