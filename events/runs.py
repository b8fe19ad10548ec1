"""Runs: one backfill, manual sync or undo, from its beginning to its totals.

A run only makes the worker look: at a span of the PSA's items, at a span of the calendar. What comes of it is done by
the same loop as everything else. It is gone on with in slices by the holder of the lease, and its position is saved
after each page, so that it goes on where it was after a crash, an outage or a new authorization.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from events.reasons import Reason


class RunKind(StrEnum):
    """What a run does."""

    SYNC = "sync"
    """Retrieve, send, or both."""
    UNDO = "undo"
    """Take back what another run did."""


class RunTrigger(StrEnum):
    """Who began it."""

    ASKED = "asked"
    """A person asked for it."""
    SAVED = "saved"
    """It was ticked when settings were saved."""


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Phase(StrEnum):
    """What a run is busy with, in this order. Which of them it has depends on what it is to do."""

    SEND = "send"
    """Read the PSA's items, and write what the calendar lacks."""
    READ = "read"
    """Read the calendar: what is new to us comes in, what was written is confirmed."""
    TAKE_BACK = "take_back"
    """Go through what another run wrote, and take it back."""
    SETTLE = "settle"
    """Wait until everything that was looked at has come to rest."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end` (exclusive). Fixed when the run begins: it does not move while the run is under way."""

    start: datetime
    end: datetime

    def covers(self, other: Span) -> bool:
        """Whether all of `other` is within."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Position:
    """How far a phase has come: everything before it has been dealt with."""

    window: int = 0
    page: str = ""
    """Empty: the first one of the window."""
    total: int | None = None
    """How many items the window had when its first page was read."""
    again: int = 0
    """How often this window was read from its beginning again."""


BEGINNING: Final = Position()


FAILING: Final = 3
"""A link that has failed so often keeps no run waiting."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How many links of a run have come to what. `failing`: under way still, but they have failed several times."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    failing: int = 0
    pending: int = 0

    @property
    def done(self) -> int:
        """How many have come to rest."""
        return self.created + self.updated + self.deleted + self.unchanged + self.skipped + self.failed

    @property
    def total(self) -> int:
        """How many were looked at so far."""
        return self.done + self.failing + self.pending


@dataclass(frozen=True, slots=True)
class Run:
    """See the module. Saved by the holder of the lease only."""

    id: str
    integration_id: str
    tenant_id: int
    user_id: int
    kind: RunKind
    trigger: RunTrigger
    revision: int
    """Of the event that asked for it; see `events.orders`."""
    epoch: int
    """The settings under which it goes on."""
    calendar_id: str
    """Whose calendar it is about; it ends when another one is chosen."""
    retrieve: Span | None
    send: Span | None
    started_at: datetime
    phase: Phase
    of_run: str = ""
    """Of an undo: the run that is taken back."""
    position: Position = BEGINNING
    state: RunState = RunState.RUNNING
    reason: Reason | None = None
    """Why it failed or was cancelled."""
    totals: Totals = Totals()
    """As last told; final once the run has ended."""
    told_at: datetime | None = None
    ended_at: datetime | None = None
    version: int = 0

    @property
    def over(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self.state is not RunState.RUNNING
