"""Every request that was received, in order, with what was answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sandbox.cronofy.api.call import Call, Reply
from sandbox.cronofy.model.reading import Parameters
from sandbox.cronofy.model.shapes import is_list, is_object

_SECRETS: Final = frozenset({"client_secret", "code", "refresh_token", "token"})
_SECRET_HEADERS: Final = frozenset({"authorization", "cookie"})


@dataclass(slots=True)
class Received:
    """One request. `status`: what was answered; None while under way, or if nothing was. `entries`: in a batch."""

    number: int
    at: datetime
    operation: str
    call: Call
    status: int | None = None
    entries: tuple[int, ...] = ()
    fault: str | None = None

    @property
    def query(self) -> Parameters:
        """The parameters, as they came."""
        return self.call.parameters

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, without secrets."""
        return {name: _masked(value) if name in _SECRET_HEADERS else value for name, value in self.call.headers.items()}

    @property
    def body(self) -> Mapping[str, object]:
        """The body, without secrets."""
        return {name: "…" if name in _SECRETS else value for name, value in self.call.payload.items()}

    def answered(self, reply: Reply) -> None:
        """Note what was answered."""
        self.status = reply.status
        batch = reply.value.get("batch") if is_object(reply.value) else None
        if is_list(batch):
            statuses = [entry.get("status") for entry in batch if is_object(entry)]
            self.entries = tuple(status for status in statuses if isinstance(status, int))


class ReceivedRequests:
    """The newest requests, as many as are to be kept."""

    def __init__(self) -> None:
        self._count = 0
        self._requests: dict[int, Received] = {}  # oldest first

    def note(self, operation: str, call: Call, kept: int) -> Received:
        """Note a request and give it the next number."""
        self._count += 1
        received = Received(self._count, call.now, operation, call)
        self._requests[received.number] = received
        while len(self._requests) > kept:
            del self._requests[next(iter(self._requests))]
        return received

    @property
    def count(self) -> int:
        """How many there were; the number of the newest."""
        return self._count

    def after(self, number: int) -> Iterator[Received]:
        """Walk those with higher numbers, oldest first."""
        return (received for received in self._requests.values() if received.number > number)


def _masked(value: str) -> str:
    """Hide all but the last four characters, by which people can tell two tokens apart."""
    kind, blank, secret = value.rpartition(" ")
    return f"{kind}{blank}…{secret[-4:]}"
