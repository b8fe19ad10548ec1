"""The answer: plain values that the command line and the console show in their own ways."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from worker.explaining.rules import advice, rule_of

if TYPE_CHECKING:
    from datetime import datetime

    from events.reasons import Reason


class Step(StrEnum):
    """What kind of thing happened."""

    OBSERVED = "observed"
    DECIDED = "decided"
    BLOCKED = "blocked"
    SENT = "sent"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, or is the case. `at`: None for what holds now."""

    step: Step
    at: datetime | None
    words: str
    reason: Reason | None = None
    run_id: str = ""

    @property
    def rule(self) -> str:
        """By which rule, in words; empty if none was needed."""
        return rule_of(self.reason).value if self.reason else ""


@dataclass(frozen=True, slots=True)
class Pair:
    """One field as both sides hold it. A value that is not known is None; one that is private is not shown."""

    field: str
    psa: str | None
    calendar: str | None
    same: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why it is as it is. `message`: words of the side that refused. `until`: when it is tried or looked at next."""

    reason: Reason
    message: str = ""
    until: datetime | None = None

    @property
    def explanation(self) -> str:
        """The reason as a sentence."""
        return self.reason.explanation

    @property
    def rule(self) -> str:
        """Which rule decided it."""
        return rule_of(self.reason).value

    @property
    def advice(self) -> str:
        """What would change it; empty if nothing has to be done."""
        return advice(self.reason)


@dataclass(frozen=True, slots=True)
class Story:
    """The answer for one user. `integration_id` is empty if the user has none, or nobody knows who it is about."""

    verdict: Verdict
    integration_id: str = ""
    tenant_id: int | None = None
    user_id: int | None = None
    link_id: str = ""
    item: str = ""
    event: str = ""
    state: str = ""
    """Of the link; empty if there is none."""
    lines: tuple[Line, ...] = ()
    pairs: tuple[Pair, ...] = ()
    live: bool = False
    """Whether the values were read from both sides just now."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer: at least one story."""

    question: str
    stories: tuple[Story, ...]
