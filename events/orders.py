"""Orders: what somebody wants done once, beside what is wanted to be so (`events.integration.Wanted`).

An order is stored by intake or by an operator, carried out by the holder of the lease, and closed. It is never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

OPERATOR: Final = -1
"""The revision of orders that an operator gave: they are no part of the PSA platform's count."""


class OrderKind(StrEnum):
    """What is to be done. Each kind has its handler in `worker.orders`."""

    AUTHORIZE = "authorize"
    """Tell at which address the user grants access to a calendar."""
    RESOLVE_ACCOUNT = "resolve_account"
    """Let another account that was connected take the place of the former, or not."""
    EXPORT = "export"
    """Tell what is kept about the integration and its user."""
    COUNT_COPIES = "count_copies"
    """Count the events of ours in the linked calendar."""
    READ_LOG = "read_log"
    """Tell a page of the log."""
    RELEASE_DELETIONS = "release_deletions"
    """Carry out deletions that a brake holds back, each if it still is one."""
    DISCARD_DELETIONS = "discard_deletions"
    """Bring back what was deleted, as far as a brake holds the deletions back."""
    UNFREEZE = "unfreeze"
    """Let texts flow again that went to and fro."""
    RESTORE = "restore"
    """Bring back a value that lost a conflict."""
    PREVIEW = "preview"
    """Find out what saving settings would do."""
    SYNC = "sync"
    """Begin a run that retrieves, sends, or both."""
    UNDO_RUN = "undo_run"
    """Take back what a run did."""
    CANCEL_RUN = "cancel_run"
    """End the run under way."""


@dataclass(frozen=True, slots=True)
class Order:
    """See the module. `details`: what the kind needs to know, as plain JSON; may hold what has no place in a log."""

    id: str
    integration_id: str
    revision: int
    """Of the event that brought it; or `OPERATOR`."""
    kind: OrderKind
    at: datetime
    """When it was taken in."""
    details: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue], repr=False)


def order_id(integration_id: str, revision: int) -> str:
    """Name an order of the PSA platform: the same however often its event comes."""
    return f"{integration_id}/{revision}"


def operators_order_id(integration_id: str, own: str) -> str:
    """Name an order of an operator. `own`: unique."""
    return f"{integration_id}/operator/{own}"
