"""Every request that the calendar API received, as evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

from pydantic import AwareDatetime

from events.contract import Contract

_SECRET: Final = re.compile(r"((?:^|&)(?:clientSecret|accessToken|refreshToken)=)[^&]*")


class Received(Contract):
    """One request. Secrets are masked, and headers are not kept."""

    number: int
    at: AwareDatetime
    method: str
    path: str
    query: dict[str, str]
    body: str
    status: int | None = None
    """What was answered. None: it is under way, or was never answered."""
    fault: str | None = None
    """The effect of the fault that struck it."""


class WhichRequests(Contract):
    """Which requests are asked for."""

    method: str | None = None
    path: str | None = None
    """A pattern with `*`."""

    def includes(self, received: Received) -> bool:
        """Whether it is one of them."""
        return self.method in {None, received.method} and (self.path is None or fnmatchcase(received.path, self.path))


class Traffic:
    """See the module. Numbered from 1."""

    def __init__(self) -> None:
        self.under_way = 0
        self.newest = 0
        """The number of the newest request."""
        self._received: dict[int, Received] = {}

    def begin(self, request: Mapping[str, object], body: bytes, at: datetime, *, kept: int) -> int:
        """Note a request, and return its number. Only the newest are kept."""
        self.newest += 1
        self.under_way += 1
        text = _SECRET.sub(r"\1***", body.decode(errors="replace"))
        noted = Received.model_validate({**request, "number": self.newest, "at": at, "body": text})
        self._received[self.newest] = noted
        while len(self._received) > kept:
            del self._received[next(iter(self._received))]
        return self.newest

    def end(self, number: int, status: int | None, fault: str | None) -> None:
        """Note how a request ended."""
        self.under_way -= 1
        if number in self._received:
            update = {"status": status, "fault": fault}
            self._received[number] = self._received[number].model_copy(update=update)

    def listed(self, which: WhichRequests, after: int) -> list[Received]:
        """Return these requests, in order, from the one after a number."""
        oldest = next(iter(self._received), self.newest + 1)
        numbers = range(max(after + 1, oldest), self.newest + 1)
        return [self._received[number] for number in numbers if which.includes(self._received[number])]
