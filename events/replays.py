"""Replaying many dead letters: a job that can be interrupted, resumed and looked at; and what operators did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from events.letters import Deed, Place, Verdict, Which


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    PAUSED = "paused"
    """Interrupted; it can be resumed."""
    STOPPED = "stopped"
    """Too many of its letters failed again; it can be resumed."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Tally:
    """What a job has come to so far."""

    published: int = 0
    resolved: int = 0
    stale: int = 0
    failed_again: int = 0
    unheard: int = 0
    """Nothing was heard of them for so long that the job went on without."""
    skipped: int = 0
    """Dealt with by somebody else meanwhile."""

    @property
    def heard(self) -> int:
        """Of how many it is known what became of them."""
        return self.resolved + self.stale + self.failed_again

    def plus(self, verdict: Verdict) -> Tally:
        """Count what became of one more."""
        return Tally(
            self.published,
            self.resolved + (verdict is Verdict.RESOLVED),
            self.stale + (verdict is Verdict.STALE),
            self.failed_again + (verdict is Verdict.FAILED_AGAIN),
            self.unheard,
            self.skipped,
        )


@dataclass(frozen=True, slots=True)
class ReplayJob:
    """See the module."""

    id: str
    who: str
    why: str
    which: Which
    created_at: datetime
    rate: float = 20.0
    """Letters a second."""
    stop_after: int | None = None
    """So many that fail again end it."""
    state: JobState = JobState.RUNNING
    place: Place | None = None
    """All letters up to here have been published."""
    tally: Tally = Tally()
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """Something a person did: with dead letters (`letters`: to how many), or with settings (`detail`: which)."""

    id: str
    at: datetime
    who: str
    deed: Deed
    why: str
    which: Which
    letters: int = 0
    job: str = ""
    detail: str = ""
