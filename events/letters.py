"""Dead letters as they are kept for people: what failed, how often, what was done about it.

One letter stands for one message, or for one way in which one item fails. That it fails again is counted in it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import orjson

from events.traces import NO_TRACE, Trace

SYSTEM: Final = "calsync"
"""Who did it, where it was no person."""


class Kind(StrEnum):
    """What failed."""

    MESSAGE = "message"
    LINK = "link"
    """An item, or an event without an item."""


class Status(StrEnum):
    """Where a letter stands."""

    OPEN = "open"
    """A person should look."""
    REPLAYED = "replayed"
    """Published again; what becomes of it is not known yet."""
    RESOLVED = "resolved"
    """Handled, or no longer of any consequence."""
    REPLACED = "replaced"
    """Edited: another letter stands for it."""
    DISCARDED = "discarded"
    """A person decided that nothing is to be done."""


OVER: Final = frozenset({Status.RESOLVED, Status.REPLACED, Status.DISCARDED})
"""Nothing is to be done; such letters expire."""


class Verdict(StrEnum):
    """What became of a replay."""

    RESOLVED = "resolved"
    STALE = "stale"
    """It was handled, and said nothing that was not known."""
    FAILED_AGAIN = "failed_again"


class Deed(StrEnum):
    """What was done with a letter, or happened to it."""

    KEPT = "kept"
    FAILED_AGAIN = "failed_again"
    REPLAYED = "replayed"
    RESOLVED = "resolved"
    EDITED = "edited"
    DISCARDED = "discarded"
    RESTORED = "restored"
    SHOWN = "shown"
    """Private texts were shown to a person."""
    EXPORTED = "exported"
    CONFIGURED = "configured"
    """Settings were changed, because of which letters are replayed, or for another reason."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The latest failure."""

    reason: str
    detail: str
    attempts: int
    at: datetime
    trace: Trace = NO_TRACE


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom and what it is about, as far as it can be told."""

    tenant_id: int | None = None
    integration_id: str = ""
    item: str = ""
    """As people write it, such as `task/5120/77`."""
    link_id: str = ""
    correlation_id: str = ""

    @property
    def lane(self) -> str:
        """What is replayed one after the other: all that is about the same item, or else the same integration."""
        if self.item:
            return f"{self.tenant_id}/{self.item}"
        return self.link_id or self.integration_id


@dataclass(frozen=True, slots=True)
class Original:
    """The message as it was. `size`: of the whole body; larger than `body` if that had to be cut."""

    exchange: str
    routing_key: str
    queue: str
    message_id: str
    body: bytes = field(default=b"", repr=False)
    size: int = 0
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Replay:
    """One time a letter was published again."""

    id: str
    at: datetime
    who: str
    job: str = ""
    taken_version: int | None = None
    """Version of the link when the replay reached it. Of links only."""
    verdict: Verdict | None = None
    detail: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One line of a letter's history."""

    deed: Deed
    at: datetime
    who: str = SYSTEM
    why: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. Found in lists without `original.body` and `original.headers`."""

    id: str
    kind: Kind
    fingerprint: str
    failure: Failure
    subject: Subject
    original: Original
    first_at: datetime
    last_at: datetime
    count: int = 1
    status: Status = Status.OPEN
    replays: tuple[Replay, ...] = ()
    history: tuple[Act, ...] = ()
    replaces: str = ""
    replaced_by: str = ""

    @property
    def lane(self) -> str:
        """See `Subject.lane`. What is about nobody has a lane of its own."""
        return self.subject.lane or self.id


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A failure as it was taken from the queue. `id` names it: the same when it is delivered again."""

    id: str
    letter: Letter
    replay: str = ""
    """The replay that failed, if it was one."""


@dataclass(frozen=True, slots=True)
class Which:
    """Which letters are meant; what is not given matches anything. `since`, `until`: of the latest failure."""

    statuses: frozenset[Status] = frozenset({Status.OPEN, Status.REPLAYED})
    ids: frozenset[str] = frozenset()
    tenant_id: int | None = None
    integration_id: str = ""
    item: str = ""
    reason: str = ""
    fingerprint: str = ""
    queue: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing but the status narrows it."""
        return self == Which(statuses=self.statuses)


@dataclass(frozen=True, slots=True)
class Group:
    """Letters that failed in the same way. `occurrences`: failures, over all of them."""

    fingerprint: str
    letters: int
    occurrences: int
    first_at: datetime
    last_at: datetime
    last_hour: int
    """Letters whose latest failure is less than an hour old."""
    sample: Letter

    @property
    def per_hour(self) -> float:
        """Failures per hour, over all the time that they were seen; of at least an hour."""
        hours = (self.last_at - self.first_at).total_seconds() / 3600
        return self.occurrences / max(1.0, hours)


@dataclass(frozen=True, slots=True)
class Place:
    """A letter's place in the order in which letters are replayed."""

    lane: str
    at: datetime
    id: str

    @classmethod
    def of(cls, letter: Letter) -> Place:
        """Return the place of a letter."""
        return cls(letter.lane, letter.first_at, letter.id)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends: the next one begins behind it."""

    at: datetime
    id: str

    def token(self) -> str:
        """Return it as one word."""
        words = orjson.dumps([self.at.isoformat(), self.id])
        return base64.urlsafe_b64encode(words).decode().rstrip("=")

    @classmethod
    def of(cls, token: str) -> Cursor | None:
        """Read it; None if it is none."""
        try:
            at, id_ = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            return cls(datetime.fromisoformat(at), str(id_))
        except (ValueError, TypeError, binascii.Error):
            return None
