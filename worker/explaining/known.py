"""What is known about what is asked: all that an answer is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from events.tenant import TenantSettings

if TYPE_CHECKING:
    from datetime import datetime

    from events.calendar import CalendarEvent
    from events.integration import Integration
    from events.journal import Entry
    from events.letters import Letter
    from events.link import Link
    from events.platform import ItemNow
    from events.reasons import Reason
    from events.runs import Run

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Looked(Generic[T]):
    """What a side answered when it was asked just now. `found` is None if it has no such thing, or gave no answer.

    `trouble`: why it gave none.
    """

    found: T | None = None
    trouble: Reason | None = None
    detail: str = ""

    @property
    def lacks(self) -> bool:
        """Whether the side answered that it has no such thing."""
        return self.found is None and self.trouble is None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one link, or of one integration that has none. `item`, `event`: None if nobody asked."""

    now: datetime
    integration: Integration | None = None
    link: Link | None = None
    tenant: TenantSettings = field(default_factory=TenantSettings)
    entries: Sequence[Entry] = ()
    letters: Sequence[Letter] = ()
    """Open dead letters about it."""
    runs: Sequence[Run] = ()
    item: Looked[ItemNow] | None = None
    event: Looked[CalendarEvent] | None = None
    item_deleted: bool = False
    """Whether it is remembered that the item was deleted, though nobody knew it."""
