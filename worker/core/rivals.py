"""Which other tool writes into the same calendar, as far as its texts give it away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARKS: Final = (
    ("CalendarBridge", re.compile(r"calendarbridge", re.IGNORECASE)),
    ("Clockwise", re.compile(r"getclockwise\.com|clockwise", re.IGNORECASE)),
    ("OneCal", re.compile(r"onecal\.io|onecal", re.IGNORECASE)),
    ("Outlook Google Calendar Sync", re.compile(r"\bOGCS\b|outlookgooglecalendarsync", re.IGNORECASE)),
    ("Power Automate", re.compile(r"power ?automate|microsoft flow|flow\.microsoft\.com", re.IGNORECASE)),
    ("Reclaim", re.compile(r"reclaim\.ai|\breclaim\b", re.IGNORECASE)),
    ("SyncGene", re.compile(r"syncgene", re.IGNORECASE)),
    ("Zapier", re.compile(r"zapier", re.IGNORECASE)),
)
"""Names and addresses that such tools leave in a title, a place or a text."""


def rival(texts: Iterable[str]) -> str | None:
    """Return the tool that one of the texts names."""
    return next((tool for text in texts for tool, mark in _MARKS if mark.search(text)), None)
