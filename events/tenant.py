"""What a whole tenant has decided: who owns which field, how private things are treated, how long the log is kept.

The settings of each user's own integration are in `events.integration`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from events.content import Field
from events.items import ItemType


class Owner(StrEnum):
    """Which side's value counts."""

    BOTH = "both"
    """Either side may change it; a conflict is settled by the side of origin."""
    PSA = "psa"
    """Changes in the calendar are not taken over. The PSA's value is put back: a time at once, the rest with the next
    write."""


class PrivateInbound(StrEnum):
    """What the PSA gets to see of an event that its user marked private."""

    BUSY = "busy"
    """That the time is taken, and nothing else."""
    NOT_IMPORTED = "not_imported"
    """Nothing. Of one that turns private later, that the time is taken."""
    FULL = "full"
    """Everything, marked private."""


class PrivateOutbound(StrEnum):
    """What the calendar gets to see of an item that is private in the PSA. It is marked private either way."""

    BUSY = "busy"
    """That the time is taken, and nothing else."""
    FULL = "full"
    """Everything."""


class Sending(StrEnum):
    """Whether a field of an item goes into the calendar."""

    SENT = "sent"
    LEFT_OUT = "left_out"
    """It is empty there, also in events that showed it before; what is written into it there is not taken over."""


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """What of a kind of item goes into the calendar, apart from its time and its title."""

    description: Sending = Sending.SENT
    """With it goes the link back to the item."""
    location: Sending = Sending.SENT

    @property
    def left_out(self) -> frozenset[Field]:
        """The fields that do not."""
        sending = {Field.DESCRIPTION: self.description, Field.LOCATION: self.location}
        return frozenset(name for name, how in sending.items() if how is Sending.LEFT_OUT)


@dataclass(frozen=True, slots=True)
class Override:
    """Where a kind of item departs from the table in `worker.core.ownership`; what is None does not."""

    when: Owner | None = None
    summary: Owner | None = None
    description: Owner | None = None
    location: Owner | None = None
    private: Owner | None = None
    deletable: bool | None = None
    """Whether deleting the event deletes the item."""

    def owner(self, name: Field) -> Owner | None:
        """Return who is to own a field."""
        match name:
            case Field.WHEN:
                return self.when
            case Field.SUMMARY:
                return self.summary
            case Field.DESCRIPTION:
                return self.description
            case Field.LOCATION:
                return self.location
            case Field.PRIVATE:
                return self.private
            case Field.BUSY:
                return None


@dataclass(frozen=True, slots=True)
class Brakes:
    """How much is too much, for one integration or one item."""

    deletions_minutes: int = 60
    """Deletions are counted over this time."""
    few_deletions: int = 10
    """So many are never held back."""
    deletions_percent: int = 25
    """More than a few are held back if they are more than this share of all that was in sync."""
    many_deletions: int = 100
    """More than this are held back, however much is in sync."""
    alternations: int = 3
    """So often may a text come back to what it was before, within a day."""
    freeze_hours: int = 24
    """How long a text that does is left alone."""
    writes_an_hour: int = 20
    """So often may one item be written, to either side; who uses it up waits longer each time."""


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """Everything that is set for a tenant as a whole. What was never set has its default."""

    ownership: Mapping[ItemType, Override] = field(default_factory=dict[ItemType, Override])
    mapping: Mapping[ItemType, FieldMapping] = field(default_factory=dict[ItemType, FieldMapping])
    private_inbound: PrivateInbound = PrivateInbound.BUSY
    private_outbound: PrivateOutbound = PrivateOutbound.FULL
    remove_when_done: bool = False
    """Whether the event of a completed item is removed; otherwise it stays, marked `[Done]`."""
    brakes: Brakes = Brakes()
    log_keep_days: int | None = None
    """How long entries of the sync log are kept; None: as long as the worker's own settings say."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant with what it has decided."""

    id: int
    settings: TenantSettings = TenantSettings()
    revision: int = -1
    """Of the PSA platform's newest settings."""
    version: int = 0
    """Grows with every change, whoever made it."""
