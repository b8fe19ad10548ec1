"""When the stories take place: the days after the real one, because the workers' clock is real."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

TOMORROW: Final = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251


def at(hour: int, days: int = 0, minute: int = 0) -> datetime:
    """Return a time of tomorrow, or so many days later."""
    return TOMORROW.replace(hour=hour, minute=minute) + timedelta(days=days)


def day(days: int = 0) -> date:
    """Return tomorrow, or so many days later."""
    return (TOMORROW + timedelta(days=days)).date()


def stamp(moment: datetime | date) -> str:
    """Return how Cronofy writes a moment."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
