"""Every message: which contract it has, where it is published, and its examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import orjson
from pydantic import JsonValue

from events.addresses import (
    COMMANDS,
    CRONOFY_EVENTS,
    DEAD_LETTERS,
    LINK_KEY,
    NOTIFICATION_KEY,
    OUTCOMES,
    PSA_EVENTS,
    WAKE_KEY,
)
from events.commands import Wake
from events.contract import Contract
from events.dead_letters import DeadLetter, LinkFailed
from events.notification import Notification
from events.outcomes import Outcome
from events.psa import PsaEvent

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = ROOT / "examples"
"""One folder for each exchange."""

NOTIFICATION: Final = "cronofy.notification"
"""Cronofy's body names no type."""
HEADERS: Final = "calsync.dead_letter.headers"
"""A dead letter's body is whatever failed; what is agreed are its headers."""


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of message. `name` is its type, where it has one."""

    name: str
    contract: type[Contract]
    exchange: str
    routing_key: str
    ours: bool
    """Whether the worker sends it. Then its schema promises as present what always is."""

    @property
    def examples(self) -> Mapping[str, JsonValue]:
        """Its examples, by name."""
        return {path.stem: body for path, body in _examples(self.exchange) if _name(path, body) == self.name}

    @property
    def summary(self) -> str:
        """The first sentence of what its contract says about itself."""
        return paragraphs(self.contract.__doc__).partition("\n")[0].partition(". ")[0].removesuffix(".") + "."


def _examples(exchange: str) -> Iterator[tuple[Path, JsonValue]]:
    for path in sorted((EXAMPLES / exchange).glob("*.json")):
        yield path, orjson.loads(path.read_bytes())


def _name(path: Path, body: JsonValue) -> JsonValue:
    if isinstance(body, dict) and "type" in body:
        return body["type"]
    return NOTIFICATION if path.parent.name == CRONOFY_EVENTS else HEADERS


def type_of(contract: type[Contract]) -> str:
    """Return the type that a contract's messages name."""
    (name,) = get_args(contract.model_fields["type"].annotation)
    return str(name)


def _members(union: object) -> tuple[type[Contract], ...]:
    return get_args(get_args(union)[0])


def _by_type(union: object, exchange: str, *, ours: bool) -> Iterator[Message]:
    for contract in _members(union):
        name = type_of(contract)
        yield Message(name, contract, exchange, name, ours)


MESSAGES: Final = (
    *_by_type(PsaEvent, PSA_EVENTS, ours=False),
    Message(NOTIFICATION, Notification, CRONOFY_EVENTS, NOTIFICATION_KEY, ours=False),
    Message(type_of(Wake), Wake, COMMANDS, WAKE_KEY, ours=True),
    *_by_type(Outcome, OUTCOMES, ours=True),
    Message(HEADERS, DeadLetter, DEAD_LETTERS, "{queue}", ours=True),
    Message(type_of(LinkFailed), LinkFailed, DEAD_LETTERS, LINK_KEY, ours=True),
)


def paragraphs(text: str | None) -> str:
    """Return a docstring with one line for each paragraph."""
    blocks = (text or "").strip().split("\n\n")
    return "\n".join(" ".join(block.split()) for block in blocks)
