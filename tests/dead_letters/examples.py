"""Dead letters to try rules on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from events.addresses import PSA_EVENTS, PSA_ITEMS_QUEUE
from events.dead_letters import DeadLetter
from events.letters import Failure, Kind, Letter, Occurrence, Original, Subject
from events.traces import Trace
from worker.dead_letters.reading import Dead, occurrence

NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)
KEY = "psa.calendar_item.changed.v1"
ITEM_CHANGED: dict[str, Any] = {
    "specversion": "1.0",
    "id": "service_call/70551@7",
    "source": "psa/1204",
    "type": KEY,
    "data": {
        "tenant_id": 1204,
        "item_type": "service_call",
        "item_id": "70551",
        "revision": 7,
        "deleted": True,
    },
}
TOLD = DeadLetter(
    reason="breaks_schema",
    detail="data/revision: should be an integer",
    error="Malformed",
    queue=PSA_ITEMS_QUEUE,
    exchange=PSA_EVENTS,
    routing_key=KEY,
    message_id="m-1",
    attempts=1,
    failed_at=NOW,
    stack="worker/consumers/items.py:138 in _read\nevents/contract.py:78 in parse",
)
LINK_TOLD = DeadLetter(
    reason="calendar_refused",
    detail="422 summary: is too long",
    exchange="calsync.commands",
    routing_key="wake",
    message_id="int-7/x:3:reject:failed:calendar_refused",
    failed_at=NOW,
    call="POST /v1/batch 422",
    correlation_id="service_call/70551@7",
)
LINK_FAILED = {
    "type": "calsync.link.failed.v1",
    "integration_id": "int-7",
    "link_id": "int-7/x",
    "tenant_id": 1204,
    "item": "service_call/70551",
}


def dead(
    told: DeadLetter = TOLD,
    body: object = ITEM_CHANGED,
    message_id: str = "dead-1",
    more: Mapping[str, Any] | None = None,
) -> Dead:
    """A message as it lies in the dead-letter queue."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Dead(raw, {**told.headers(), **(more or {})}, message_id, {"content_type": "application/json"})


def letter(number: int = 1, minutes: float = 0, **changes: Any) -> Letter:
    """A letter about item `number`, which failed after so many minutes."""
    at = NOW + timedelta(minutes=minutes)
    one = Letter(
        id=f"{number:024x}",
        kind=Kind.MESSAGE,
        fingerprint="f1",
        failure=Failure("breaks_schema", "no", 1, at, Trace("Malformed", "worker/x.py:1 in y", "")),
        subject=Subject(1204, f"int-{number % 7}", f"todo/{number}", "", f"c-{number}"),
        original=Original(PSA_EVENTS, KEY, PSA_ITEMS_QUEUE, f"m-{number}", b"{}", 2, {"h": "1"}, {"type": "t"}),
        first_at=at,
        last_at=at,
    )
    return replace(one, **changes)


def failed(one: Letter, id_: str = "o-1", replay: str = "") -> Occurrence:
    """A failure of it."""
    return Occurrence(id_, one, replay)


def read(one: Dead) -> Letter:
    """What is kept of a message."""
    return occurrence(one, NOW).letter
