"""What people and workflows do to items. The control API and its client share these values."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Discriminator, Field, JsonValue, TypeAdapter

from events.contract import Contract, Int32
from events.items import ItemType
from events.link import ItemKey
from events.psa import OriginKind

Moment = AwareDatetime | date
"""An instant, or the day of something all-day."""


class _Command(Contract):
    item_type: ItemType
    by: Int32 | None = None
    """The user who does it."""
    origin: OriginKind = OriginKind.USER


class _OnItem(_Command):
    item_id: str
    part_id: str | None = None
    """Absent on something that has parts: all of it."""

    def key(self, tenant_id: int) -> ItemKey:
        """Name the item within its tenant."""
        return ItemKey(tenant_id, self.item_type, self.item_id, self.part_id)


class NewPeriod(Contract):
    """A block of work on a task that is to be planned."""

    start: AwareDatetime
    end: AwareDatetime
    user_id: Int32 | None = None
    """Absent: everybody who is assigned to the task."""


class Shift(Contract):
    """Where to: to a start, or by some minutes. What has an end keeps its length unless an end is given."""

    start: Moment | None = None
    end: Moment | None = None
    by_minutes: int | None = None


class CreateItem(_Command):
    """Create an item for some users; fields not given are made up."""

    do: Literal["create"] = "create"
    user_ids: tuple[Int32, ...] = Field(min_length=1)
    fields: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Of the snapshot."""
    periods: tuple[NewPeriod, ...] = ()
    """Of a task."""
    occurrences: tuple[Moment, ...] = ()
    """Makes an appointment a series: one occurrence at each of these starts."""
    rule: str | None = None
    """How the series recurs, to be shown."""


class EditItem(_OnItem):
    """Change fields of the snapshot: a JSON merge patch. With a task's part: of that period."""

    do: Literal["edit"] = "edit"
    fields: dict[str, JsonValue]


class MoveItem(_OnItem, Shift):
    """Move to another time."""

    do: Literal["move"] = "move"


class ReassignItem(_OnItem):
    """Assign to these users instead."""

    do: Literal["reassign"] = "reassign"
    user_ids: tuple[Int32, ...]


class CompleteItem(_OnItem):
    """Tick as done, or not done."""

    do: Literal["complete"] = "complete"
    complete: bool = True


class PlanPeriod(_OnItem, NewPeriod):
    """Plan another block of work on a task."""

    do: Literal["plan"] = "plan"


class DeleteItem(_OnItem):
    """Delete it."""

    do: Literal["delete"] = "delete"


class RestoreItem(_OnItem):
    """Bring it back as it was when it was deleted."""

    do: Literal["restore"] = "restore"


Command = Annotated[
    CreateItem | EditItem | MoveItem | ReassignItem | CompleteItem | PlanPeriod | DeleteItem | RestoreItem,
    Discriminator("do"),
]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
COMMANDS: TypeAdapter[tuple[Command, ...]] = TypeAdapter(tuple[Command, ...])
