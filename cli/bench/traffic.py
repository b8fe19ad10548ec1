"""Synthetic events, and when each of them was applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from adapters.http.json import mapping, objects, text
from adapters.process.system import SystemClock, new_id
from adapters.rabbitmq.publisher import Outgoing, Publisher
from sandbox.cronofy.client.control import CronofyControl
from sandbox.cronofy.control.operation_messages import RequestView

TENANT: Final = 1204
_TYPE: Final = "psa.calendar_item.changed.v1"
_DESCRIPTION: Final = "Discuss the quarter's numbers, open tickets and the renewal of the maintenance contract. " * 6


@dataclass(frozen=True, slots=True)
class Edit:
    """One event about an appointment of a user."""

    user_id: int
    item_id: int
    revision: int

    @property
    def subject(self) -> str:
        """What the event is called after this."""
        return f"Appointment {self.item_id}, version {self.revision}"

    def again(self) -> Edit:
        """Return the next edit of the same item."""
        return replace(self, revision=self.revision + 1)

    def body(self) -> bytes:
        """Return it as the PSA would publish it: 1.1 KB."""
        start = datetime(2026, 12, 1, 8, tzinfo=UTC) + timedelta(minutes=15 * (self.item_id % 2000))
        item = {
            "id": self.item_id,
            "time_zone": "Europe/Berlin",
            "subject": self.subject,
            "description": _DESCRIPTION,
            "start": start,
            "end": start + timedelta(minutes=30),
            "url": f"https://psa.example/appointments/{self.item_id}",
        }
        data = {
            "tenant_id": TENANT,
            "item_type": "appointment",
            "item_id": str(self.item_id),
            "revision": self.revision,
            "deleted": False,
            "assignees": [self.user_id],
            "item": item,
        }
        event = {"specversion": "1.0", "id": new_id(), "source": "bench", "type": _TYPE, "data": data}
        return orjson.dumps(event)


@dataclass
class Traffic:
    """Publishes, and finds out when what was published was applied."""

    publisher: Publisher
    cronofy: CronofyControl
    clock: SystemClock = field(default_factory=SystemClock)
    _sent: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _applied: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _looked_up_to: int = 0

    async def publish(self, edits: Sequence[Edit], exchange: str) -> None:
        """Publish events, as fast as the broker takes them."""
        now = self.clock.now()
        self._sent |= {edit.subject: now for edit in edits}
        await self.publisher.send_all(
            Outgoing(exchange, _TYPE, edit.body(), new_id(), content_type="application/cloudevents+json")
            for edit in edits
        )

    async def look(self) -> None:
        """Take note of what was applied since the last look."""
        for request in await self.cronofy.requests(after=self._looked_up_to, method="POST"):
            self._looked_up_to = max(self._looked_up_to, request.number)
            for summary in _summaries(request):
                self._applied.setdefault(summary, request.at)

    def lacking(self, edits: Sequence[Edit]) -> int:
        """Return how many of these were not seen to be applied."""
        return sum(edit.subject not in self._applied for edit in edits)

    def latencies(self, edits: Sequence[Edit]) -> list[float]:
        """Return how many seconds after its publication each of these was applied, of those that were."""
        names = [edit.subject for edit in edits if edit.subject in self._applied]
        return [(self._applied[name] - self._sent[name]).total_seconds() for name in names]


def _summaries(request: RequestView) -> list[str]:
    """Return the summaries that a request writes: of one event or of a batch."""
    entries = objects(request.body.get("batch"))
    if entries is None:
        return [text(request.body.get("summary"))]
    return [text(mapping(entry.get("data")).get("summary")) for entry in entries]
