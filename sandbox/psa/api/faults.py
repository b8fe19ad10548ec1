"""What can go wrong with a call of the calendar API, on demand or by seed."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Discriminator, Field

from events.contract import Contract
from sandbox.psa.troubles import Often


class Status(Contract):
    """Answer this status, as a gateway in front of the platform would."""

    effect: Literal["status"] = "status"
    status: int = Field(ge=100, le=599)
    retry_after: int | None = None


class Refuse(Contract):
    """Refuse in an envelope with this code and message."""

    effect: Literal["refuse"] = "refuse"
    code: int = 42200
    message: str = "The platform refuses this."


class Delay(Contract):
    """Answer as always, but only after a while."""

    effect: Literal["delay"] = "delay"
    seconds: float = Field(ge=0)


class Reset(Contract):
    """Cut the connection in the middle of the answer."""

    effect: Literal["reset"] = "reset"


class Hang(Contract):
    """Never answer: the caller has to give up."""

    effect: Literal["hang"] = "hang"


class Thin(Contract):
    """Leave items out of a listing that looks complete. `keep`: which part of them is left."""

    effect: Literal["thin"] = "thin"
    keep: float = Field(default=0, ge=0, lt=1)


Effect = Annotated[Status | Refuse | Delay | Reset | Hang | Thin, Discriminator("effect")]


class Fault(Often):
    """What goes wrong, with which calls, and how often."""

    effect: Effect
    method: str | None = None
    path: str | None = None
    """A pattern with `*`, such as `/v2/calendar/items/*`."""
    item_id: str | None = None
    applied: bool = False
    """The call is carried out first; only its answer goes wrong."""

    def concerns(self, method: str, path: str, item_id: str | None) -> bool:
        """Whether it is about this call."""
        return (
            self.method in {None, method}
            and self.item_id in {None, item_id}
            and (self.path is None or fnmatchcase(path, self.path))
        )
