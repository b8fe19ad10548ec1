"""Dead letters to documents and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, cast

from adapters.mongodb.understanding import known
from events.letters import (
    Act,
    Deed,
    Failure,
    Kind,
    Letter,
    Occurrence,
    Original,
    Replay,
    Status,
    Subject,
    Verdict,
    Which,
)
from events.traces import Trace

Document = dict[str, Any]

SLIM: Final = {"original.body": 0, "original.headers": 0, "occurrences": 0, "history": 0}
"""What is left out of a letter in a list: all that may be large."""
_DEEPEST: Final = 16
_LARGEST_HEADER: Final = 64 * 1024
_INT64: Final = range(-(2**63), 2**63)


def letter_to_document(letter: Letter) -> Document:
    """Return the whole document of a letter."""
    return {
        "_id": letter.id,
        "kind": letter.kind.value,
        "status": letter.status.value,
        "fingerprint": letter.fingerprint,
        "failure": failure_to_document(letter.failure),
        "reason": letter.failure.reason,
        "queue": letter.original.queue,
        **asdict(letter.subject),
        "lane": letter.lane,
        "original": _original_to_document(letter.original),
        "count": letter.count,
        "first_at": letter.first_at,
        "last_at": letter.last_at,
        "replays": [replay_to_document(replay) for replay in letter.replays],
        "history": [act_to_document(act) for act in letter.history],
        "replaces": letter.replaces,
        "replaced_by": letter.replaced_by,
        "checked_at": letter.first_at,
        "occurrences": [],
    }


def occurrence_to_document(one: Occurrence) -> Document:
    """Return the document of a letter that is kept for the first time."""
    return {**letter_to_document(one.letter), "occurrences": [one.id]}


def letter_from_document(document: Document) -> Letter:
    """Return the letter that a document holds, which may lack what `SLIM` leaves out."""
    return Letter(
        id=document["_id"],
        kind=Kind(document["kind"]),
        status=Status(document["status"]),
        fingerprint=document["fingerprint"],
        failure=_failure_from_document(document["failure"]),
        subject=Subject(**{name: document[name] for name in _SUBJECT}),
        original=_original_from_document(document["original"]),
        count=document["count"],
        first_at=document["first_at"],
        last_at=document["last_at"],
        replays=tuple(_replay_from_document(replay) for replay in document.get("replays", ())),
        history=tuple(_act_from_document(act) for act in document.get("history", ())),
        replaces=document["replaces"],
        replaced_by=document["replaced_by"],
    )


_SUBJECT: Final = ("tenant_id", "integration_id", "item", "link_id", "correlation_id")


def failure_to_document(failure: Failure) -> Document:
    """Return the latest failure."""
    return {
        "reason": failure.reason,
        "detail": failure.detail,
        "attempts": failure.attempts,
        "at": failure.at,
        **asdict(failure.trace),
    }


def _failure_from_document(document: Document) -> Failure:
    trace = Trace(document["error"], document["stack"], document["call"])
    return Failure(document["reason"], document["detail"], document["attempts"], document["at"], trace)


def act_to_document(act: Act) -> Document:
    """Return a line of the history."""
    return {"deed": act.deed.value, "at": act.at, "who": act.who, "why": act.why}


def _act_from_document(document: Document) -> Act:
    return Act(Deed(document["deed"]), document["at"], document["who"], document["why"])


def replay_to_document(replay: Replay) -> Document:
    """Return one replay."""
    return {**asdict(replay), "verdict": replay.verdict.value if replay.verdict else None}


def _replay_from_document(document: Document) -> Replay:
    values: Document = {**known(Replay, document), "verdict": None}
    verdict = document["verdict"]
    return replace(Replay(**values), verdict=Verdict(verdict) if verdict else None)


def _original_to_document(original: Original) -> Document:
    return {
        "exchange": original.exchange,
        "routing_key": original.routing_key,
        "queue": original.queue,
        "message_id": original.message_id,
        "body": original.body,
        "size": original.size,
        # As pairs: a name may be empty, which no field of a document may be.
        "headers": [[name, storable(value)] for name, value in original.headers.items()],
        "properties": {name: storable(value) for name, value in original.properties.items()},
    }


def _original_from_document(document: Document) -> Original:
    return Original(
        exchange=document["exchange"],
        routing_key=document["routing_key"],
        queue=document["queue"],
        message_id=document["message_id"],
        body=bytes(document.get("body", b"")),
        size=document["size"],
        headers={name: _readable(value) for name, value in document.get("headers", ())},
        properties=document["properties"],
    )


def storable(value: object, depth: int = 0) -> object:
    """Return a header's value as something that the store takes; what it does not take, as text."""
    if depth >= _DEEPEST:
        return "…"
    match value:
        case bool() | float() | datetime() | None:
            return value
        case int():
            return value if value in _INT64 else str(value)
        case str():
            return value[:_LARGEST_HEADER].encode(errors="replace").decode()
        case bytes() | bytearray():
            return bytes(value[:_LARGEST_HEADER])
        case Decimal():
            return str(value)
        case list() | tuple():
            return [storable(one, depth + 1) for one in cast("list[object]", value)]
        case dict():
            pairs = cast("Mapping[str, object]", value).items()
            return {"table": [[str(name), storable(inner, depth + 1)] for name, inner in pairs]}
        case _:
            return str(value)


def _readable(value: object) -> object:
    match value:
        case list():
            return [_readable(one) for one in cast("list[object]", value)]
        case dict():
            pairs = cast("dict[str, list[tuple[str, object]]]", value)["table"]
            return {name: _readable(inner) for name, inner in pairs}
        case datetime() if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        case _:
            return value


def which_to_query(which: Which) -> Document:
    """Return it as a query."""
    query: Document = {"status": {"$in": sorted(status.value for status in which.statuses)}}
    if which.ids:
        query["_id"] = {"$in": sorted(which.ids)}
    if which.tenant_id is not None:
        query["tenant_id"] = which.tenant_id
    named = {name: getattr(which, name) for name in ("integration_id", "item", "reason", "fingerprint", "queue")}
    query |= {name: value for name, value in named.items() if value}
    span = {"$gte": which.since, "$lt": which.until}
    span = {name: moment for name, moment in span.items() if moment is not None}
    return query | ({"last_at": span} if span else {})


def expiry(now: datetime, keep: timedelta) -> datetime:
    """Return when a letter that is over may be forgotten."""
    return now + keep
