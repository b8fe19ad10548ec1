"""`calsync publish FILE`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer

from adapters.http.json import mapping, text
from adapters.process.endpoints import Broker
from adapters.process.system import new_id
from adapters.rabbitmq.connection import connect
from adapters.rabbitmq.publisher import Outgoing, open_publisher
from cli.running import run
from events.addresses import PSA_EVENTS
from events.contract import parse
from events.psa import PSA_EVENT

_SOME_ITEM: Final = "psa.calendar_item.unknown"
_LONGEST_KEY: Final = 255
"""Bytes that the broker takes as a routing key."""


def command(
    files: Annotated[list[Path], typer.Argument(help="CloudEvents as JSON, such as those in examples/psa.events/.")],
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Publish it even if it breaks its contract, to see what becomes of it.")
    ] = False,
) -> None:
    """Publish events as the PSA platform would, after checking them against their contract."""
    bodies = [path.read_bytes() for path in files]
    if not unchecked:
        for body in bodies:
            parse(PSA_EVENT, body)
    for line in run(_publish(Broker.load().broker_url, bodies)):
        typer.echo(line)


async def _publish(url: str, bodies: Sequence[bytes]) -> list[str]:
    said: list[str] = []
    async with (
        connect(url, "calsync publish") as connections,
        open_publisher(connections.publishing, (PSA_EVENTS,)) as publisher,
    ):
        for body in bodies:
            kind, event_id = _named(body)
            key = kind if 0 < len(kind.encode()) <= _LONGEST_KEY else _SOME_ITEM
            message = Outgoing(PSA_EVENTS, key, body, new_id(), content_type="application/cloudevents+json")
            await publisher.send(message)
            said.append(f"published to {PSA_EVENTS} with key {key}: event {event_id or '(no id)'}, {len(body)} bytes")
    return said


def _named(body: bytes) -> tuple[str, str]:
    """Return the type and the id, as far as the body has any."""
    try:
        event = mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        return "", ""
    return text(event.get("type")), text(event.get("id"))
