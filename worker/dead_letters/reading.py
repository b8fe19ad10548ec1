"""From a message in the dead-letter queue to the letter that is kept. Pure, and it never fails: everything is kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

import orjson
from pydantic import JsonValue

from events.contract import MAX_DEPTH, may_be_deeper, parse
from events.dead_letters import LINK_FAILED, DeadLetter, LinkFailed
from events.failures import Malformed
from events.letters import Act, Deed, Failure, Kind, Letter, Occurrence, Original, Subject
from events.traces import Trace
from worker.dead_letters.fingerprints import fingerprint

LARGEST_BODY: Final = 8 * 1024 * 1024
"""More does not fit into a document of the store. Such a message can only be looked at: no contract allows a tenth."""
_LARGEST_PARSED: Final = 1024 * 1024
_LINK: Final = "link"
_MOST: Final = 256
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:;@/?&=%+~-]*")
_LETTER: Final = re.compile(r"[0-9a-f]{24}")
_INT32: Final = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True)
class Dead:
    """A message as it lies in the dead-letter queue."""

    body: bytes
    headers: Mapping[str, Any]
    message_id: str
    properties: Mapping[str, Any]


def occurrence(dead: Dead, now: datetime) -> Occurrence:
    """Read one message."""
    told = DeadLetter.of(dead.headers, now)
    link = _link(dead, told)
    subject = _of_link(link, told) if link else _of_message(dead, told)
    failure = Failure(
        reason=told.reason,
        detail=told.detail,
        attempts=told.attempts,
        at=told.failed_at,
        trace=Trace(told.error, told.stack, told.call),
    )
    of = fingerprint(_LINK if link else told.queue, failure)
    original = Original(
        exchange=told.exchange,
        routing_key=told.routing_key,
        queue=told.queue,
        message_id=told.message_id or dead.message_id,
        body=dead.body[:LARGEST_BODY],
        size=len(dead.body),
        headers=dead.headers,
        properties=dead.properties,
    )
    letter = Letter(
        id=_letter_name(told, link, of, original),
        kind=Kind.LINK if link else Kind.MESSAGE,
        fingerprint=of,
        failure=failure,
        subject=subject,
        original=original,
        first_at=told.failed_at,
        last_at=told.failed_at,
        history=(Act(Deed.KEPT, now),),
    )
    return Occurrence(_occurrence_name(dead, told, link), letter, told.replay)


def _letter_name(told: DeadLetter, link: LinkFailed | None, of: str, original: Original) -> str:
    if _LETTER.fullmatch(told.replay_of):
        return told.replay_of
    return _name(_LINK, link.link_id, of) if link else message_name(original)


def message_name(original: Original) -> str:
    """Name the letter of a message. Senders may use one message id for many messages, so the body counts as well."""
    body = hashlib.sha256(original.body).hexdigest()
    return _name(original.queue, original.message_id, body, str(original.size))


def _occurrence_name(dead: Dead, told: DeadLetter, link: LinkFailed | None) -> str:
    """Name one failure. An item's carries an id that is the same when it is told again after a crash."""
    if link:
        return _name(_LINK, told.message_id)
    deaths = str(dead.headers.get("x-death", ""))
    return _name(dead.message_id, deaths, str(told.failed_at) if not dead.message_id else "", told.replay)


def _name(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:24]


def _link(dead: Dead, told: DeadLetter) -> LinkFailed | None:
    if told.queue:
        return None
    try:
        return parse(LINK_FAILED, dead.body)
    except Malformed:
        return None


def _of_link(link: LinkFailed, told: DeadLetter) -> Subject:
    return Subject(link.tenant_id, link.integration_id, link.item or "", link.link_id, told.correlation_id)


def _of_message(dead: Dead, told: DeadLetter) -> Subject:
    """Read what a message is about without believing that it keeps its contract, which may be why it lies here."""
    body = readable(dead.body)
    data = _mapping(body.get("data"))
    subject = Subject(
        tenant_id=_number(data.get("tenant_id")),
        integration_id=_word(data.get("integration_id")) or _word(body.get("integration_id")) or _channel(body),
        item=_item(data),
        link_id=_word(body.get("link_id"), 1024),
        correlation_id=told.correlation_id or _word(body.get("id")) or _word(body.get("correlation_id")),
    )
    return subject if subject.correlation_id else replace(subject, correlation_id=told.message_id or dead.message_id)


def readable(body: bytes) -> dict[str, Any]:
    """Return a body that is a JSON object; of anything else, nothing."""
    return {} if len(body) > _LARGEST_PARSED else _mapping(as_json(body))


def as_json(body: bytes) -> JsonValue:
    """Return what a body says in JSON; None if it is none, or nested deeper than any message may be."""
    if may_be_deeper(body, MAX_DEPTH):
        return None  # it may be too deep to be written again
    try:
        return cast("JsonValue", orjson.loads(body))
    except orjson.JSONDecodeError:
        return None


def _item(data: Mapping[str, Any]) -> str:
    kind, item_id, part = (_word(data.get(name)) for name in ("item_type", "item_id", "part_id"))
    return f"{kind}/{item_id}" + (f"/{part}" if part else "") if kind and item_id else ""


def _channel(body: Mapping[str, Any]) -> str:
    """Return the integration that a notification's address names."""
    address = _word(_mapping(body.get("channel")).get("callback_url"), 2000)
    return address.rstrip("/").rpartition("/")[2][:_MOST]


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _word(value: object, longest: int = _MOST) -> str:
    """Return a text that looks like an id. Anything else may be somebody's private text in the wrong place."""
    return value if isinstance(value, str) and len(value) <= longest and _ID.fullmatch(value) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value in _INT32 else None
