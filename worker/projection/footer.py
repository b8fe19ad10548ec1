"""The lines at the end of every description we write: where the event comes from, and a link back to it.

    Synced from PSA - Task #5120:
    https://psa.example/tasks/5120

The colon says that an address follows. Only the lines of the very item are taken for ours when they come back, so a
text that merely looks like them is left alone, and so is whatever somebody wrote around them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from events.items import ItemType
from worker.projection.text import DESCRIPTION_LIMIT, fitted

if TYPE_CHECKING:
    from events.link import ItemKey

NAMES: Final = {
    ItemType.APPOINTMENT: "Appointment",
    ItemType.CRM_ACTIVITY: "CRM activity",
    ItemType.SERVICE_CALL: "Service call",
    ItemType.TASK: "Task",
    ItemType.TODO: "To-do",
}

_END: Final = re.compile(r":(?=\s|\Z)(?:\s{1,4}<?[a-zA-Z][a-zA-Z0-9+.-]{1,20}://\S+(?: ?<\S+>)?)?|(?=\s|\Z)")
"""What follows the mark: nothing, or an address as a provider shows it, on its own line or not, in angle brackets, or
followed by itself."""


def footer(item: ItemKey, url: str | None) -> str:
    """Return the footer of an item's event."""
    address = "%20".join(url.split()).replace("<", "%3C").replace(">", "%3E") if url else ""
    return f"{_mark(item)}:\n{address}" if "://" in address else _mark(item)


def _mark(item: ItemKey) -> str:
    return f"Synced from PSA - {NAMES[item.item_type]} #{item.item_id}"


def with_footer(description: str, item: ItemKey, url: str | None) -> str:
    """Return the description to send. The text gives way if both do not fit."""
    end = footer(item, url)
    return f"{fitted(description, room_for_text(end))}\n\n{end}" if description else end


def room_for_text(end: str) -> int:
    """How many characters a description may have beside its footer."""
    return DESCRIPTION_LIMIT - len(end) - 2


def without_footer(description: str, item: ItemKey) -> str:
    """Return the text of a description that came back."""
    place = _place(description, _mark(item))
    if place is None:
        return description
    text, rest = description[: place.start].rstrip(), description[place.stop :].strip()
    return f"{text}\n\n{rest}" if rest and text else text or rest


def _place(description: str, mark: str) -> slice | None:
    """Return where the last footer stands: a line that begins with the mark."""
    at = description.rfind(mark)
    while at >= 0:
        begin = description.rfind("\n", 0, at) + 1
        end = _END.match(description, at + len(mark))
        if end is not None and not description[begin:at].strip(" "):
            return slice(begin, end.end())
        at = description.rfind(mark, 0, at)
    return None
