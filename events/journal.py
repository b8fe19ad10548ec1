"""The sync log: one line for each thing that was done, or deliberately not done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from events.commands import Cause
from events.items import ItemType
from events.link import ItemKey
from events.outcomes import Direction
from events.reasons import Reason


class Act(StrEnum):
    """What was done."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    CONFIRM = "confirm"
    SKIP = "skip"
    REJECT = "reject"
    FIND = "find"
    """An audit found what no message had announced."""
    CONNECT = "connect"
    CONFIGURE = "configure"


class Result(StrEnum):
    """How it went."""

    ACCEPTED = "accepted"
    """The calendar took it; a read-back is still to show it."""
    DONE = "done"
    RETRYING = "retrying"
    FAILED = "failed"
    CONFLICT = "conflict"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Which:
    """Which lines to return; what is not given matches anything. `item`: type, id and part."""

    integration_id: str = ""
    item: tuple[ItemType, str, str | None] | None = None
    tenant_id: int | None = None
    run_id: str = ""
    result: Result | None = None
    direction: Direction | None = None
    manual: bool = False
    """Only what was done because a person asked for a run, and nothing that real time did."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the log: behind this line; without an id, before this moment. Many lines share one moment."""

    at: datetime
    id: str = ""


@dataclass(frozen=True)
class Entry:
    """One line. `id` is a pure function of what happened, so that writing it twice leaves one line."""

    id: str
    at: datetime
    tenant_id: int
    integration_id: str
    trigger: Cause
    direction: Direction
    act: Act
    result: Result
    reason: Reason
    link_id: str | None = None
    item: ItemKey | None = None
    title: str | None = None
    """What the user calls it; absent for private ones."""
    message: str = ""
    fields: tuple[str, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()
    """Values that were overruled: field and value; values are left out for private ones."""
    hidden: bool = False
    """Whether title and values are left out because they are private, or have become so since."""
    attempt: int = 1
    correlation_id: str = ""
    run_id: str = ""
