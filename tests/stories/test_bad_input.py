"""What nobody can understand is set aside at once with its reason, told to nobody else, and holds nobody up."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import aio_pika
import orjson
import structlog
from aio_pika.abc import AbstractIncomingMessage

from adapters.rabbitmq.connection import connect
from adapters.rabbitmq.publisher import Outgoing, Publisher, open_publisher
from events.addresses import (
    COMMANDS,
    CRONOFY_EVENTS,
    DEAD_LETTERS_QUEUE,
    NOTIFICATION_KEY,
    PSA_EVENTS,
    SIGNATURE_HEADER,
    WAKE_KEY,
)
from events.contract import MAX_BYTES, MAX_DEPTH
from events.items import ItemType
from events.notification import signature
from tests.stories.stage import DANA, SECRET, TENANT, NotYet, Services, Stage, stage
from worker.parts import ALL_PARTS, Part

PRIVATE: Final = "Rendezvous"
"""A title that must be in the set-aside message and nowhere else."""
ITEM: Final = "psa.calendar_item.changed.v1"
CONNECT: Final = "psa.integration.connect.v1"
TOMORROW: Final = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
NOBODY_KEEPS: Final = tuple(part for part in ALL_PARTS if part is not Part.DEAD_LETTERS)
"""So that dead letters stay in their queue, to be looked at."""


def event(kind: str, **data: Any) -> dict[str, Any]:
    """Return an event of the PSA platform."""
    return {"specversion": "1.0", "id": "e-1", "source": "psa", "type": kind, "data": {"tenant_id": TENANT, **data}}


def item_event(*assignees: int, **data: Any) -> dict[str, Any]:
    item = {"id": 7, "subject": PRIVATE, "start": f"{TOMORROW:%Y-%m-%dT%H:%M:%SZ}"}
    whole = {"item_type": "appointment", "item_id": "7", "revision": 1, "deleted": False, "item": item}
    return event(ITEM, **whole | {"assignees": list(assignees)} | data)


@dataclass(frozen=True)
class Bad:
    """A message, and why it is set aside."""

    reason: str
    exchange: str
    key: str
    body: bytes
    headers: Mapping[str, str]


def psa(reason: str, key: str, body: bytes | dict[str, Any]) -> Bad:
    return Bad(reason, PSA_EVENTS, key, body if isinstance(body, bytes) else orjson.dumps(body), {})


def notification(reason: str, body: bytes, signed: str | None) -> Bad:
    return Bad(reason, CRONOFY_EVENTS, NOTIFICATION_KEY, body, {SIGNATURE_HEADER: signed} if signed else {})


NESTED: Final = b'{"' + PRIVATE.encode() + b'": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}"
CODE: Final = {"user_id": DANA, "integration_id": "int-1", "revision": 1, "code": PRIVATE, "redirect_uri": "https://x"}
CALL: Final = orjson.dumps({"notification": {"type": "change"}, "channel": {"channel_id": PRIVATE}})
BAD: Final[Sequence[Bad]] = (
    psa("undecodable", ITEM, b'{"subject": "' + PRIVATE.encode()),
    psa("undecodable", ITEM, PRIVATE.encode("utf-16")),
    psa("too_large", ITEM, orjson.dumps(PRIVATE * (MAX_BYTES // len(PRIVATE) + 1))),
    psa("too_deep", ITEM, NESTED),
    psa("breaks_schema", ITEM, item_event(DANA, item_id=PRIVATE + "\x00")),
    psa("breaks_schema", ITEM, item_event(DANA, revision=PRIVATE)),
    psa("unknown_type", "psa.calendar_item.exploded.v1", event("psa.calendar_item.exploded.v1", what=PRIVATE)),
    psa("unknown_type", ITEM, event(PRIVATE)),
    psa("unknown_version", "psa.calendar_item.changed.v2", event("psa.calendar_item.changed.v2", what=PRIVATE)),
    psa("unknown_type", ITEM, event(CONNECT, **CODE)),
    psa("undecodable", CONNECT, PRIVATE.encode()),
    psa("breaks_schema", CONNECT, event(CONNECT, **CODE | {"revision": PRIVATE})),
    psa("unknown_version", "psa.integration.connect.v9", event("psa.integration.connect.v9", **CODE)),
    psa("unknown_type", CONNECT, item_event(DANA)),
    notification("bad_signature", CALL, None),
    notification("bad_signature", CALL, signature("another-secret", CALL)),
    notification("undecodable", PRIVATE.encode(), signature(SECRET, PRIVATE.encode())),
    notification("breaks_schema", CALL, signature(SECRET, CALL)),
    Bad("undecodable", COMMANDS, WAKE_KEY, PRIVATE.encode(), {}),
    Bad("breaks_schema", COMMANDS, WAKE_KEY, orjson.dumps({"type": "calsync.wake.v1", "cause": PRIVATE}), {}),
)


@asynccontextmanager
async def platform(world: Stage) -> AsyncGenerator[Publisher, None]:
    """Publish whatever one likes."""
    async with (
        connect(world.services.rabbitmq_url, "story") as connections,
        open_publisher(connections.publishing, (PSA_EVENTS, CRONOFY_EVENTS, COMMANDS)) as publisher,
    ):
        yield publisher


async def set_aside(world: Stage, count: int) -> list[AbstractIncomingMessage]:
    """Return the dead letters, as soon as there are so many."""
    async with await aio_pika.connect(world.services.rabbitmq_url) as connection, connection.channel() as channel:
        queue = await channel.get_queue(DEAD_LETTERS_QUEUE)
        found: list[AbstractIncomingMessage] = []

        async def look() -> None:
            while message := await queue.get(no_ack=True, fail=False):
                found.append(message)
            if len(found) < count:
                raise NotYet(f"{len(found)} of {count}")

        await world.until(look)
        return found


async def test_what_nobody_can_understand_is_set_aside_at_once_with_its_reason_and_the_work_goes_on(
    services: Services, tmp_path: Path
) -> None:
    with structlog.testing.capture_logs() as lines:
        async with stage(services, tmp_path) as world, world.working(parts=NOBODY_KEEPS), platform(world) as publisher:
            for number, bad in enumerate(BAD):
                await publisher.send(Outgoing(bad.exchange, bad.key, bad.body, str(number), bad.headers))
            letters = await set_aside(world, len(BAD))
            dana = await world.link()
            item = await world.psa.create_item(ItemType.APPOINTMENT, [DANA], subject="Review", start=TOMORROW)
            assert (await dana.event(item)).summary == "Review"
            assert await set_aside(world, 0) == []
    told = {str(one.headers["x-calsync-message-id"]): one for one in letters}
    for number, bad in enumerate(BAD):
        letter = told[str(number)]
        assert letter.headers["x-calsync-reason"] == bad.reason, (number, letter.headers)
        assert letter.headers["x-calsync-attempts"] == "1"
        assert letter.body == bad.body
        assert PRIVATE not in repr(letter.headers)
    assert PRIVATE not in repr(lines)
    assert len([line for line in lines if line["event"] == "message_dead_lettered"]) == len(BAD)


async def test_events_about_strangers_are_counted_and_forgotten(services: Services, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        async with stage(services, tmp_path) as world, world.working(parts=NOBODY_KEEPS), platform(world) as publisher:
            await world.link()
            for stranger in range(9001, 9011):
                body = orjson.dumps(item_event(stranger, item_id=str(stranger)))
                await publisher.send(Outgoing(PSA_EVENTS, ITEM, body, str(stranger)))

            async def all_counted() -> None:
                if counted() < 10:
                    raise NotYet(f"{counted()}")

            def counted() -> int:
                return sum(line["nobody"] for line in lines if line["event"] == "items_taken")

            await world.until(all_counted)
            await world.rest()
            assert counted() == 10
            assert world.store["links"].count_documents({}) == 0
            assert await set_aside(world, 0) == []
    assert PRIVATE not in repr(lines)


async def test_integration_events_in_any_order_and_twice_end_in_the_same_state(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, world.working(), platform(world) as publisher:
        states: list[dict[str, Any]] = []
        for user in (7001, 7002, 7003):
            account = await world.cronofy.create_account()
            story = integration_events(user, account.code, account.calendar_id)
            order = {7001: story, 7002: list(reversed(story))}.get(user, Random(user).sample(story * 2, len(story) * 2))
            for number, (kind, body) in enumerate(order + story):
                await publisher.send(Outgoing(PSA_EVENTS, kind, orjson.dumps(body), f"{user}-{number}"))
            states.append(await world.until(partial(settled, world, user)))
            await world.rest()
    assert states[0] == states[1] == states[2]


def integration_events(user: int, code: str, calendar_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what the platform tells about an integration, in the order in which it happened."""
    ticks = {"inbound": {"create": True}, "outbound": {"appointments": True}}
    told: list[tuple[str, dict[str, Any]]] = [
        ("connect", {"code": code, "redirect_uri": "https://psa.example/connected", "time_zone": "Europe/Berlin"}),
        ("configure", {"calendar_id": "cal_of_another_day", **ticks}),
        ("deactivate", {}),
        ("list_calendars", {}),
        ("configure", {"calendar_id": calendar_id, **ticks, "outbound": {"todos": True}}),
        ("activate", {}),
    ]
    who = {"user_id": user, "integration_id": f"int-{user}"}
    kinds = [(f"psa.integration.{name}.v1", data) for name, data in told]
    return [(kind, event(kind, **who, revision=number, **data)) for number, (kind, data) in enumerate(kinds, 1)]


async def settled(world: Stage, user: int) -> dict[str, Any]:
    """Return what is stored of an integration in the end, without what is its own."""
    found = world.store["integrations"].find_one({"_id": f"int-{user}"})
    if found is None or found["held"]["configured_revision"] != 5 or found["held"]["listed_revision"] != 4:
        raise NotYet(f"{found}")
    wanted, held = found["wanted"], found["held"]
    return {
        "connect": wanted["connect"]["revision"],
        "settings": {name: value for name, value in wanted["settings"].items() if name != "calendar_id"},
        "active": wanted["active"],
        "status": (held["status"], held["reason"], held["connected_revision"]),
        "linked": (held["channel_id"] is not None, held["cursor"] is not None, held["time_zone"]),
    }
