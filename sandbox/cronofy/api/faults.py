"""Things that go wrong on demand: rules that match requests, or single entries of a batch, and what they do to them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from sandbox.clock import Chance
from sandbox.cronofy.api.call import Call


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Instead(_Model):
    """Answer this instead. `takes_effect`: the request is carried out all the same. `text`: a body that is no JSON."""

    kind: Literal["answer"] = "answer"
    status: int = Field(ge=200, le=599)
    body: JsonValue = None
    text: str | None = None
    headers: dict[str, str] = {}
    takes_effect: bool = False


class Reset(_Model):
    """Reset the connection without an answer."""

    kind: Literal["reset"] = "reset"
    takes_effect: bool = True


class Hold(_Model):
    """Carry the request out and never answer; the connection stays open until the client gives up."""

    kind: Literal["hold"] = "hold"
    takes_effect: bool = True


class Truncate(_Model):
    """Close the connection in the middle of the answer's body."""

    kind: Literal["truncate"] = "truncate"


class Garble(_Model):
    """Answer with the right status and a body that is not JSON."""

    kind: Literal["garble"] = "garble"


class Forget(_Model):
    """Accept a write and never apply it."""

    kind: Literal["forget"] = "forget"


class Thin(_Model):
    """Leave events out of a read that looks complete. `keep`: which part of them is left."""

    kind: Literal["thin"] = "thin"
    keep: float = Field(default=0, ge=0, lt=1)


Effect = Instead | Reset | Hold | Truncate | Garble | Forget | Thin


class Match(_Model):
    """Which requests a rule is for; what is not given matches anything. `path` may contain `*`."""

    method: str | None = None
    path: str | None = None
    operation: str | None = None
    """An endpoint's name, such as `write_event` or `read_events`; see `GET /_control/`."""
    sub: str | None = None
    calendar_id: str | None = None
    event_id: str | None = None
    event_uid: str | None = None
    says: str | None = None
    """A field of an event in which something is written, such as `location`."""


class Fault(_Model):
    """A rule. `effect`: what it does; None: only the delay. `delay`: seconds before the answer.

    `count`: for how many requests; None: until it is cleared. A rule for one event of a batch acts on its entry.
    """

    match: Match = Match()
    effect: Annotated[Effect, Field(discriminator="kind")] | None = None
    delay: float = Field(default=0, ge=0)
    count: int | None = Field(default=1, ge=1)
    probability: float = Field(default=1, gt=0, le=1)

    @property
    def fits_entries(self) -> bool:
        """Whether it can act on one entry of a batch: what concerns the connection cannot."""
        return isinstance(self.effect, Instead | Forget) and not self.delay


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules can match about a request or an entry."""

    operation: str
    call: Call
    sub: str | None
    entry: bool = False

    def match(self, match: Match) -> bool:
        """Tell whether the rule is for this."""
        call = self.call
        pairs = (
            (match.method, call.method),
            (match.operation, self.operation),
            (match.sub, self.sub),
            (match.calendar_id, call.ids.get("calendar_id")),
            (match.event_id, call.payload.get("event_id")),
            (match.event_uid, call.payload.get("event_uid", call.ids.get("event_uid"))),
        )
        if match.says is not None and not _says(call.payload.get(match.says)):
            return False
        return all(wanted is None or wanted == found for wanted, found in pairs) and (
            match.path is None or fnmatchcase(call.path, match.path)
        )


def _says(value: object) -> bool:
    return any(map(_says, cast("dict[str, object]", value).values())) if isinstance(value, dict) else bool(value)


class Faults:
    """The rules in force, in the order in which they were set; the first that matches acts."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._numbered = 0
        self._rules: dict[int, Fault] = {}
        self._left: dict[int, int] = {}

    def set(self, fault: Fault) -> int:
        """Put a rule in force and return its number."""
        self._numbered += 1
        self._rules[self._numbered] = fault
        if fault.count is not None:
            self._left[self._numbered] = fault.count
        return self._numbered

    def clear(self, number: int | None = None) -> None:
        """Take one rule back, or all."""
        for known in list(self._rules) if number is None else [number]:
            self._rules.pop(known, None)
            self._left.pop(known, None)

    def rules(self) -> list[tuple[int, Fault, int | None]]:
        """List the rules in force with their numbers and how often each will still act."""
        return [(number, fault, self._left.get(number)) for number, fault in self._rules.items()]

    def strike(self, facts: Facts) -> Fault | None:
        """Find what goes wrong with a request. None: nothing. A rule's count goes down as it acts."""
        for number, fault in self._rules.items():
            if facts.entry and not fault.fits_entries:
                continue
            if facts.match(fault.match) and self._chance.happens(fault.probability):
                self._use(number)
                return fault
        return None

    def _use(self, number: int) -> None:
        if number in self._left:
            self._left[number] -= 1
            if not self._left[number]:
                self.clear(number)
