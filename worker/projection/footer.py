"""The lines at the end of every description we write: where the event comes from, and a link back to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from events.items import ItemType
from worker.projection.text import DESCRIPTION_LIMIT, cut

if TYPE_CHECKING:
    from events.link import ItemKey

NAMES: Final = {
    ItemType.APPOINTMENT: "Appointment",
    ItemType.CRM_ACTIVITY: "CRM activity",
    ItemType.SERVICE_CALL: "Service call",
    ItemType.TASK: "Task",
    ItemType.TODO: "To-do",
}

_MARK: Final = "Synced from PSA - "
_FOOTER: Final = re.compile(
    r"\s*(?:^|\n)\s*Synced from PSA\s+-\s+[^\n]{1,40}#[^\n]*(?:\n+\s*<?https?://[^\s]+(?:\s*<[^\s>]*>)?)?\s*",
)


def footer(item: ItemKey, url: str | None) -> str:
    """Return the footer of an item's event."""
    mark = f"{_MARK}{NAMES[item.item_type]} #{item.item_id}"
    return f"{mark}\n{url}" if url else mark


def with_footer(description: str, item: ItemKey, url: str | None) -> str:
    """Return the description to send. The text gives way if both do not fit."""
    end = footer(item, url)
    return f"{cut(description, room_for_text(end))}\n\n{end}" if description else end


def room_for_text(end: str) -> int:
    """How many characters a description may have beside its footer."""
    return DESCRIPTION_LIMIT - len(end) - 2


def without_footer(description: str) -> str:
    """Return the text of a description that came back, whatever a provider put around the footer."""
    found = list(_FOOTER.finditer(description)) if "Synced from PSA" in description else []
    if not found:
        return description
    last = found[-1]
    rest = description[last.end() :].strip()
    text = description[: last.start()].strip()
    return f"{text}\n\n{rest}" if rest and text else text or rest
