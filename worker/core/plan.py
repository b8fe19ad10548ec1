"""What `decide` can answer. Closed unions: the type checkers prove that every case is handled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from events.content import Content, Field, Value
    from events.link import Origin
    from events.reasons import Reason


# Towards the PSA


@dataclass(frozen=True, slots=True)
class CreateItem:
    """Make an appointment of an event."""

    content: Content


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """Bring `fields` of the event into the item. `content`: what the item is expected to show then."""

    content: Content
    fields: frozenset[Field]


@dataclass(frozen=True, slots=True)
class DeleteItem:
    """Delete the item."""


PsaAction = CreateItem | ChangeItem | DeleteItem


# Towards the calendar


@dataclass(frozen=True, slots=True)
class PutEvent:
    """Make or change the event, as a whole. `fields`: those that come from the PSA.

    `content`: what the event is expected to show then; `wire`: what is sent, which differs where the provider is known
    to rewrite.
    """

    content: Content
    wire: Content
    fields: frozenset[Field]


@dataclass(frozen=True, slots=True)
class RemoveEvent:
    """Delete the event."""


CalendarAction = PutEvent | RemoveEvent


# Looking, and resting


@dataclass(frozen=True, slots=True)
class ReadItem:
    """The item's content is not known; read it from the PSA."""


@dataclass(frozen=True, slots=True)
class VerifyEvent:
    """The event was not where it should be; look for it before concluding anything."""


@dataclass(frozen=True, slots=True)
class Await:
    """Everything was sent; wait for the read-back."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do until something changes. `blocked`: though something should be done that is not possible."""

    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Agree:
    """In `fields` both sides hold the same, or as much the same as the PSA can hold: take that as agreed.

    `changed`: of two that never met, the side that is taken to have changed wherever they differ.
    """

    fields: frozenset[Field]
    changed: Origin | None = None


@dataclass(frozen=True, slots=True)
class Detach:
    """The two no longer follow each other; the item (or the event) stays as it is."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """The event is not brought into the PSA."""


@dataclass(frozen=True, slots=True)
class Bury:
    """Gone on both sides."""


@dataclass(frozen=True, slots=True)
class Weigh:
    """A deletion is to be carried over: weigh it against all others of late before."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A deletion is not carried over until somebody says so."""


@dataclass(frozen=True, slots=True)
class Pause:
    """It was written too often; go on at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class LetBe:
    """What a run did here is not taken back; the two go on following each other."""


@dataclass(frozen=True, slots=True)
class Rehome:
    """The item needs an event of our own, because its former one belonged to the user and is gone."""


Action = (
    CreateItem
    | ChangeItem
    | DeleteItem
    | PutEvent
    | RemoveEvent
    | ReadItem
    | VerifyEvent
    | Await
    | Rest
    | Agree
    | Detach
    | Ignore
    | Bury
    | Weigh
    | Quarantine
    | Pause
    | Rehome
    | LetBe
)


@dataclass(frozen=True, slots=True)
class Overruled:
    """Somebody's value of one field that was not taken over, and why."""

    field: Field
    winner: Literal["psa", "calendar"]
    value: Value
    reason: Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do next about one link, why, and what it overrules. One step; what remains is decided after it."""

    action: Action
    reason: Reason
    overruled: tuple[Overruled, ...] = ()
