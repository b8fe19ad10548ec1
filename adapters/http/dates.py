"""Dates as HTTP writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def http_date(header: str | None) -> datetime | None:
    """Return an HTTP date in UTC; None if there is none that makes sense."""
    try:
        moment = parsedate_to_datetime(header) if header else None
        # `-0000` means UTC without saying where, and comes without a zone.
        return moment and moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
