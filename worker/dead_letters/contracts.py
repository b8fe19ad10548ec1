"""What a dead message should have been, and where it belongs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from events.addresses import (
    COMMANDS,
    COMMANDS_QUEUE,
    CRONOFY_EVENTS,
    INTEGRATIONS_QUEUE,
    NOTIFICATION_KEY,
    NOTIFICATIONS_QUEUE,
    PSA_EVENTS,
    PSA_ITEMS_QUEUE,
    SIGNATURE_HEADER,
    WAKE_KEY,
)
from events.commands import COMMAND, Wake
from events.contract import parse
from events.dead_letters import LinkFailed
from events.failures import Malformed
from events.notification import NOTIFICATION, Notification, check_signature
from events.psa import PSA_EVENT, ItemChanged, PsaEvent
from events.reasons import Reason

if TYPE_CHECKING:
    from events.letters import Original

Message = PsaEvent | Notification | Wake | LinkFailed

_WORKED_ON: Final = frozenset({PSA_EVENTS, CRONOFY_EVENTS, COMMANDS})
"""The exchanges that the worker takes messages from. A replay goes nowhere else, whatever a header says."""
_HOMES: Final = {
    PSA_ITEMS_QUEUE: (PSA_EVENTS, "psa.calendar_item.changed.v1"),
    INTEGRATIONS_QUEUE: (PSA_EVENTS, "psa.integration.replayed"),
    NOTIFICATIONS_QUEUE: (CRONOFY_EVENTS, NOTIFICATION_KEY),
    COMMANDS_QUEUE: (COMMANDS, WAKE_KEY),
}


def destination(original: Original) -> tuple[str, str] | None:
    """Return exchange and routing key for publishing a message again; None if it came from nowhere known."""
    if original.exchange in _WORKED_ON:
        return original.exchange, original.routing_key
    return _HOMES.get(original.queue)  # it was put into its queue by hand


def message_of(original: Original, secrets: Iterable[str] | None) -> Message:
    """Return a message as whoever takes it from its queue will understand it.

    `secrets`: of the notifications' signatures; None takes any for good. Raises `Malformed` if it breaks its contract,
    if it is too large to have been kept whole, or if nobody takes messages of its kind.
    """
    if original.size > len(original.body):
        raise Malformed(Reason.TOO_LARGE, f"{original.size} bytes, of which the first {len(original.body)} were kept")
    match original.queue or original.exchange:
        case queue if queue in {PSA_ITEMS_QUEUE, INTEGRATIONS_QUEUE}:
            return _psa_event(original)
        case queue if queue == NOTIFICATIONS_QUEUE:
            if secrets is not None:
                header = original.headers.get(SIGNATURE_HEADER)
                check_signature(header if isinstance(header, str) else None, original.body, secrets)
            return parse(NOTIFICATION, original.body)
        case queue if queue in {COMMANDS_QUEUE, COMMANDS}:
            return parse(COMMAND, original.body)
        case queue:
            raise Malformed(Reason.UNKNOWN_TYPE, f"nobody takes messages from {queue or 'nowhere'}")


def _psa_event(original: Original) -> PsaEvent:
    event = parse(PSA_EVENT, original.body)
    if isinstance(event, ItemChanged) is not (original.queue == PSA_ITEMS_QUEUE):
        raise Malformed(Reason.UNKNOWN_TYPE, f"{event.type} does not belong in this queue")
    return event
