"""For whom a request is made. What little allowance there is goes to the people who are waiting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Lane(StrEnum):
    """From the most urgent to the least."""

    REAL_TIME = "real_time"
    ASKED = "asked"
    """A person pressed a button."""
    BACKFILL = "backfill"
    AUDIT = "audit"


KEPT_AHEAD: Final = 0.25
"""Seconds for which a request may be sent later than its allowance was taken."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the application may send: requests per second and per minute."""

    per_second: int = 50
    per_minute: int = 500
