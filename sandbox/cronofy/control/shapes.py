"""What everything that control endpoints take and give has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

STRICT = ConfigDict(extra="forbid")
"""For typed dictionaries: misspelled names are refused."""


class Given(BaseModel):
    """Something asked for. Misspelled names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class View(BaseModel):
    """Something shown."""

    model_config = ConfigDict(frozen=True)


class Nothing(Given):
    """No body."""
