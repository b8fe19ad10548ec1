"""Events that were recorded together with what they tell, and are still to be published."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from sandbox.clock import Chance
from sandbox.psa.bell import Bell
from sandbox.psa.publishing.mishaps import Fate


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it goes out. `subject` names what it is about."""

    routing_key: str
    body: bytes
    subject: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message on its way."""

    number: int
    message: Message
    copies: int
    shuffled: bool


class Outbox:
    """See the module. Hands out messages in the order they were recorded in, apart from the mishaps."""

    def __init__(self, bell: Bell) -> None:
        self.published = 0
        self.lost = 0
        self._bell = bell
        self._numbers = count(1)
        self._ready: deque[Waiting] = deque()
        self._late: list[tuple[float, int, Waiting]] = []
        self._in_flight: Sequence[Waiting] = ()

    def add(self, message: Message, fate: Fate, now: float) -> None:
        """Record a message. `now`: the time by which late ones become due."""
        if fate.copies == 0:
            self.lost += 1
            return
        waiting = Waiting(next(self._numbers), message, fate.copies, fate.shuffled)
        if fate.late_seconds > 0:
            heappush(self._late, (now + fate.late_seconds, waiting.number, waiting))
        else:
            self._ready.append(waiting)
        self._bell.ring()

    def take(self, at_most: int, now: float, chance: Chance) -> Sequence[Waiting]:
        """Take the next messages; they stay pending until they are settled."""
        while self._late and self._late[0][0] <= now:
            self._ready.append(heappop(self._late)[2])
        batch = [self._ready.popleft() for _ in range(min(at_most, len(self._ready)))]
        self._in_flight = _with_some_shuffled(batch, chance)
        return self._in_flight

    def settle(self, failed: Sequence[Waiting]) -> None:
        """What was taken is published, except for these, which are next again."""
        self.published += len(self._in_flight) - len(failed)
        self._in_flight = ()
        self._ready.extendleft(reversed(failed))
        self._bell.ring()

    def next_due(self) -> float | None:
        """Return when the next late message becomes due."""
        return self._late[0][0] if self._late else None

    @property
    def waiting(self) -> int:
        """How many messages are not published yet."""
        return len(self._ready) + len(self._late) + len(self._in_flight)

    def pending(self, at_most: int) -> Sequence[Waiting]:
        """Return the oldest of them."""
        waiting = [*self._in_flight, *self._ready, *(late for _, _, late in self._late)]
        return sorted(waiting, key=lambda each: each.number)[:at_most]


def _with_some_shuffled(batch: list[Waiting], chance: Chance) -> list[Waiting]:
    places = [place for place, waiting in enumerate(batch) if waiting.shuffled]
    shuffled = chance.shuffled([batch[place] for place in places])
    for place, waiting in zip(places, shuffled, strict=True):
        batch[place] = waiting
    return batch
