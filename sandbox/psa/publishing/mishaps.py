"""What can happen to an event on its way: late, twice, shuffled, lost, or without its snapshot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from pydantic import Field

from sandbox.clock import Chance
from sandbox.psa.troubles import Often, Troubles


class Kind(StrEnum):
    """What happens."""

    LATE = "late"
    TWICE = "twice"
    SHUFFLED = "shuffled"
    LOST = "lost"
    BARE = "bare"


class Mishap(Often):
    """What happens, to which events, and how often."""

    kind: Kind
    type: str | None = None
    """Only to events of this type."""
    about: str | None = None
    """Only to events of this item, or this integration (their ids)."""
    seconds: float = Field(default=1.0, ge=0)
    """How late. In real time, whatever the sandbox's clock shows: this is the network's doing."""
    spread_seconds: float = Field(default=0.0, ge=0)
    """Up to how much later still, drawn by seed."""

    def concerns(self, event_type: str, about: str) -> bool:
        """Whether it is about this event."""
        return self.type in {None, event_type} and self.about in {None, about}


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one event."""

    copies: int = 1
    late_seconds: float = 0.0
    shuffled: bool = False
    """Changes places with others that wait to be published at the same time and are shuffled, too."""
    bare: bool = False


def drawn(mishaps: Troubles[Mishap], event_type: str, about: str, chance: Chance) -> Fate:
    """Draw what becomes of an event."""
    fate = Fate()
    for mishap in mishaps.striking(lambda each: each.concerns(event_type, about), chance):
        match mishap.kind:
            case Kind.LATE:
                late = mishap.seconds + chance.between(0, mishap.spread_seconds)
                fate = replace(fate, late_seconds=late)
            case Kind.TWICE:
                fate = replace(fate, copies=fate.copies * 2)
            case Kind.SHUFFLED:
                fate = replace(fate, shuffled=True)
            case Kind.LOST:
                fate = replace(fate, copies=0)
            case Kind.BARE:
                fate = replace(fate, bare=True)
    return fate
