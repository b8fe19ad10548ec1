"""What can be asked about: an item, an event, or a link, as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from events.failures import Malformed
from events.items import ItemType
from events.link import MANAGED_PREFIX, ItemKey, managed_item
from events.reasons import Reason


@dataclass(frozen=True, slots=True)
class AboutItem:
    """An item. `tenant_id` is None if it was not said: then it is looked for in all."""

    item_type: ItemType
    item_id: str
    part_id: str | None = None
    tenant_id: int | None = None

    def key(self, tenant_id: int) -> ItemKey:
        """Return the item of a tenant."""
        return ItemKey(tenant_id, self.item_type, self.item_id, self.part_id)


@dataclass(frozen=True, slots=True)
class AboutOurEvent:
    """An event that this application makes; its id says of what, and for whom."""

    event_id: str
    item: ItemKey
    user_id: int


@dataclass(frozen=True, slots=True)
class AboutEvent:
    """An event that its user made."""

    event_uid: str


@dataclass(frozen=True, slots=True)
class AboutLink:
    """A link, by its id."""

    link_id: str

    @property
    def integration_id(self) -> str:
        """Whose it is; see `events.link.link_id`."""
        return self.link_id.partition("/")[0]


Subject = AboutItem | AboutOurEvent | AboutEvent | AboutLink


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `integration_id`: only for this one; empty for whomever it concerns."""

    words: str
    subject: Subject
    integration_id: str = ""


_OURS: Final = re.compile(rf"{MANAGED_PREFIX}(-?\d{{1,10}})-(-?\d{{1,10}})-.+", re.DOTALL)
_LONGEST: Final = 1024


def asked(words: str, tenant_id: int | None = None, integration_id: str = "") -> Question:
    """Read a question. Raises `Malformed` if nobody could tell what it is about."""
    words = words.strip()
    return Question(words, _subject(words, tenant_id), integration_id.strip())


def _subject(words: str, tenant_id: int | None) -> Subject:
    kind, slash, rest = words.partition("/")
    item_id, _, part_id = rest.partition("/")
    if not words or len(words) > _LONGEST or not words.isprintable():
        raise Malformed(Reason.BREAKS_SCHEMA, "ask about TYPE/ID, TYPE/ID/PART, the id of an event, or that of a link")
    if kind in set(ItemType) and item_id:
        return AboutItem(ItemType(kind), item_id, part_id or None, tenant_id)
    if slash:
        return AboutLink(words)
    ours = _OURS.fullmatch(words)
    if ours:
        item = managed_item(words, int(ours[1]), int(ours[2]))
        if item is not None:
            return AboutOurEvent(words, item, int(ours[2]))
    return AboutEvent(words)
