"""The platform's habits, all of which can be changed while it runs."""

from __future__ import annotations

from pydantic import Field

from events.contract import Contract


class Style(Contract):
    """What the platform makes of texts and times that it is given, by users and by calendar sync alike."""

    trim_text: bool = True
    """White space around a text goes."""
    cut_long_text: bool = False
    """A subject over 256 or a description over 8,000 characters is cut; otherwise the calendar API refuses it."""
    crlf_line_ends: bool = False
    html_descriptions: bool = False
    """Descriptions and notes are kept as markup."""
    whole_minutes: bool = False
    """Seconds are dropped."""


class Settings(Contract):
    """See the module."""

    seed: int = 0
    """What happens with a probability is drawn from this."""
    hold_events: bool = False
    """Nothing is published until this is lifted."""
    publishes_in_flight: int = Field(default=200, ge=1)
    calls_per_hour: int | None = Field(default=1500, ge=0)
    """Of each endpoint and tenant; null: no limit."""
    access_token_seconds: int = Field(default=3600, ge=0)
    refresh_token_seconds: int = Field(default=86400, ge=0)
    requests_kept: int = Field(default=20_000, ge=0)
    """How many of the newest requests are remembered."""
    style: Style = Style()
