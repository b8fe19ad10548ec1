"""What would come of a link, told from its next step. Pure.

Counted as runs count: by what is first written of it, or else by how it would rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from events.items import ItemType
from events.link import RunResult
from events.reasons import Reason
from worker.core.plan import (
    ChangeItem,
    CreateItem,
    Decision,
    DeleteItem,
    PutEvent,
    Rehome,
    RemoveEvent,
    Rest,
    Weigh,
)
from worker.core.record import AGREED

if TYPE_CHECKING:
    from events.link import Link
    from events.runs import Span
    from worker.core.permit import Policy

EXAMPLES: Final = 5
"""So many links are remembered of those that would be dealt with alike."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would come of a link, and why."""

    result: RunResult
    reason: Reason
    inbound: bool = False
    """Whether the PSA would be written; otherwise the calendar would, if anything is."""


@dataclass(slots=True)
class Prospect:
    """What would come of many links. Counts, and a few links of each kind, so that it stays small."""

    counts: dict[Foreseen, int] = field(default_factory=dict[Foreseen, int])
    examples: dict[Foreseen, list[Link]] = field(default_factory=dict["Foreseen", "list[Link]"])

    def note(self, foreseen: Foreseen, link: Link) -> None:
        """Count a link."""
        self.counts[foreseen] = self.counts.get(foreseen, 0) + 1
        some = self.examples.setdefault(foreseen, [])
        if len(some) < EXAMPLES:
            some.append(link)

    def total(self, result: RunResult) -> int:
        """Return how many would come to this."""
        return sum(count for foreseen, count in self.counts.items() if foreseen.result is result)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a preview found out."""

    retrieve: Span | None
    send: Span | None
    prospect: Prospect
    held: int
    """How many of the deletions a brake would hold back."""
    copies_removed: int
    """How many events of ours would be removed from the former calendar."""
    complete: bool


def foresee(decision: Decision, link: Link, policy: Policy) -> Foreseen:
    """Return what would come of a link whose next step this is."""
    reason = decision.reason
    match decision.action:
        case CreateItem():
            return Foreseen(RunResult.CREATED, reason, inbound=True)
        case ChangeItem():
            return Foreseen(RunResult.UPDATED, reason, inbound=True)
        case DeleteItem():
            return Foreseen(RunResult.DELETED, reason, inbound=True)
        case PutEvent():
            return Foreseen(RunResult.UPDATED if link.calendar_base else RunResult.CREATED, reason)
        case Rehome():
            return Foreseen(RunResult.CREATED, reason)
        case RemoveEvent():
            return Foreseen(RunResult.DELETED, reason)
        case Weigh():
            return _weighed(reason, link, policy)
        case Rest(blocked=False) if reason in AGREED:
            return Foreseen(RunResult.UNCHANGED, reason)
        case _:
            return Foreseen(RunResult.SKIPPED, reason)


def _weighed(reason: Reason, link: Link, policy: Policy) -> Foreseen:
    """Return what comes of a deletion, should it pass."""
    if reason is Reason.PSA_DELETED:
        return Foreseen(RunResult.DELETED, reason)
    item_type = link.item.item_type if link.item else ItemType.APPOINTMENT
    deletes = reason is not Reason.DELETE_NOT_TICKED and policy.ownership.of(item_type).deletable
    return Foreseen(RunResult.DELETED, reason, inbound=True) if deletes else Foreseen(RunResult.SKIPPED, reason)
