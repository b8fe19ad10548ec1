"""What a worker can consist of."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from events.addresses import (
    COMMANDS_QUEUE,
    DEAD_LETTERS_QUEUE,
    INTEGRATIONS_QUEUE,
    NOTIFICATIONS_QUEUE,
    PSA_ITEMS_QUEUE,
)


class Part(StrEnum):
    """Any set of them can run in one process. Metrics and health checks name them so."""

    PSA_ITEMS = "psa-items"
    INTEGRATIONS = "integrations"
    NOTIFICATIONS = "notifications"
    COMMANDS = "commands"
    SWEEPER = "sweeper"
    DEAD_LETTERS = "dead-letters"


ALL_PARTS: Final = tuple(Part)
_QUEUES: Final = {
    PSA_ITEMS_QUEUE: Part.PSA_ITEMS,
    INTEGRATIONS_QUEUE: Part.INTEGRATIONS,
    NOTIFICATIONS_QUEUE: Part.NOTIFICATIONS,
    COMMANDS_QUEUE: Part.COMMANDS,
    DEAD_LETTERS_QUEUE: Part.DEAD_LETTERS,
}


def consumer_of(queue: str) -> str:
    """Name the part that consumes a queue."""
    return _QUEUES.get(queue, queue)
