"""What becomes of a failure: the whole retry policy as pure functions, tested as tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from events.failures import Malformed, Stale, SyncError, TryLater
from events.reasons import Reason
from events.traces import NO_TRACE, Trace

FIRST_DELAY: Final = timedelta(seconds=2)
LONGEST_DELAY: Final = timedelta(minutes=15)


def backoff(attempts: int, chance: float, retry_after: float | None = None) -> timedelta:
    """Exponential backoff with full jitter, at least as long as the other side asked for.

    `attempts`: failures in a row before this one. `chance`: from 0 to 1. The lower half is cut off, so that a retry is
    never immediate; herds still spread over half the span.
    """
    factor: int = 2 ** min(attempts, 12)
    span = min(LONGEST_DELAY, FIRST_DELAY * factor)
    delay = span * (0.5 + chance / 2)
    return max(delay, timedelta(seconds=retry_after)) if retry_after else delay


# What becomes of a message


@dataclass(frozen=True, slots=True)
class Ack:
    """Done, or due again: what remains is in the store."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The store is away: keep the message, and try again in place after `delay`."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class Park:
    """It will never succeed: set it aside with its reason."""

    reason: Reason
    detail: str
    trace: Trace = NO_TRACE
    attempts: int = 1
    """How often it was tried."""


Settlement = Ack | Hold | Park

POISON_AFTER: Final = 5
"""A message that fails so many times for a reason nobody foresaw is set aside."""


def settle(error: Exception | None, attempts: int, chance: float) -> Settlement:
    """Say what becomes of a message whose handling ended so. `attempts`: earlier failures in this process.

    An outage is never the message's fault; malformed input is set aside at once; a bug is tried a few times, because
    it may be a race, and then set aside with its name.
    """
    match error:
        case None | Stale():
            return Ack()
        case Malformed():
            return Park(error.reason, error.detail)
        case TryLater():
            return Hold(min(backoff(attempts, chance, error.retry_after), timedelta(seconds=30)))
        case SyncError():
            return Park(error.reason, error.detail)
        case _ if attempts + 1 >= POISON_AFTER:
            return Park(Reason.POISON, type(error).__name__)
        case _:
            return Hold(min(backoff(attempts, chance), timedelta(seconds=30)))
