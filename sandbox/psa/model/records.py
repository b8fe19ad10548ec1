"""What the platform keeps of an item: its snapshot at one revision, who is assigned, and who made it so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from events.items import Item
from events.link import ItemKey
from events.psa import Origin
from sandbox.psa.model.spans import Span


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change, and when."""

    at: datetime
    user_id: int | None = None
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True, slots=True)
class Draft:
    """What an item, or one part of it, is to be. Saving it makes it a record."""

    key: ItemKey
    item: Item
    """A deleted one keeps its last snapshot, to be restored from."""
    assignees: tuple[int, ...]
    deleted: bool


Drafts = tuple[Draft, ...]
"""What one change of one item touches."""


@dataclass(frozen=True, slots=True)
class Record(Draft):
    """One item, or one part of it, as of one revision."""

    revision: int
    author: Author
    span: Span | None
    """When it is shown in a My Calendar. None: not at all."""


def whole(key: ItemKey) -> ItemKey:
    """Name the item of which `key` may be a part."""
    return ItemKey(key.tenant_id, key.item_type, key.item_id)
