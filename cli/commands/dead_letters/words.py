"""Letters as lines of a table and as JSON."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, cast

import orjson
from rich.table import Column, Table

from cli.showing import instant, plain
from events.letters import Group, Letter
from events.replays import ReplayJob
from worker.dead_letters.editing import text_of
from worker.dead_letters.reading import as_json
from worker.dead_letters.veil import HIDDEN, veiled


def _whole(name: str) -> Column:
    """Return a column that is never cut: what is in it is copied into the next command."""
    return Column(name, no_wrap=True, overflow="ignore")


def letters_table(letters: Iterable[Letter]) -> Table:
    """Return letters as a table."""
    others = (Column("about", overflow="fold"), "reason", "times", "status")
    table = Table(_whole("last failure"), _whole("id"), *others, _whole("group"), box=None, pad_edge=False)
    for one in letters:
        about = one.subject.item or one.subject.integration_id or one.original.queue
        whose = f"{one.subject.tenant_id} " if one.subject.tenant_id is not None else ""
        reason = plain(one.failure.reason)
        row = (instant(one.last_at), one.id, plain(f"{whose}{about}")[:34], reason, str(one.count), one.status)
        table.add_row(*row, one.fingerprint)
    return table


def groups_table(groups: Iterable[Group]) -> Table:
    """Return groups as a table."""
    counts = ("letters", "failures", "last hour", "an hour")
    table = Table(_whole("group"), *counts, _whole("first"), _whole("last"), "such as", box=None, pad_edge=False)
    for one in groups:
        sample = plain(f"{one.sample.failure.reason}: {one.sample.failure.detail}")[:60]
        numbers = (str(one.letters), str(one.occurrences), str(one.last_hour), f"{one.per_hour:.1f}")
        table.add_row(one.fingerprint, *numbers, instant(one.first_at), instant(one.last_at), sample)
    return table


def summary(one: Letter) -> dict[str, Any]:
    """Return what a list shows, for programs."""
    failure, original = one.failure, one.original
    return {
        "id": one.id,
        "kind": one.kind,
        "status": one.status,
        "fingerprint": one.fingerprint,
        "reason": failure.reason,
        "detail": failure.detail,
        "error": failure.trace.error,
        "call": failure.trace.call,
        "attempts": failure.attempts,
        "count": one.count,
        "first_at": one.first_at,
        "last_at": one.last_at,
        **asdict(one.subject),
        "queue": original.queue,
        "exchange": original.exchange,
        "routing_key": original.routing_key,
        "message_id": original.message_id,
        "size": original.size,
        "replaces": one.replaces,
        "replaced_by": one.replaced_by,
    }


def everything(one: Letter, *, reveal: bool) -> dict[str, Any]:
    """Return all there is of a letter, for programs. Without `reveal`, what is private is left out."""
    original = one.original
    body: dict[str, Any] = {"body_base64": base64.b64encode(original.body).decode()} if reveal else {}
    return {
        **summary(one),
        "stack": one.failure.trace.stack.splitlines(),
        "body": as_json(original.body) if reveal else orjson.loads(veiled(original.body)),
        **body,
        "headers": {name: _plain(value) for name, value in original.headers.items()},
        "properties": {name: _plain(value) for name, value in original.properties.items()},
        "replays": [asdict(replay) for replay in one.replays],
        "history": [asdict(act) for act in one.history],
    }


def group_summary(one: Group) -> dict[str, Any]:
    """Return a group, for programs."""
    counts = {name: getattr(one, name) for name in ("letters", "occurrences", "first_at", "last_at", "last_hour")}
    return {"fingerprint": one.fingerprint, **counts, "per_hour": one.per_hour, "sample": summary(one.sample)}


def job_line(job: ReplayJob) -> str:
    """Return how far a job has come, in one line."""
    tally = job.tally
    return (
        f"job {job.id} {job.state}: {tally.published} published, {tally.resolved} resolved, {tally.stale} stale, "
        f"{tally.failed_again} failed again, {tally.unheard} not heard of, {tally.skipped} skipped"
    )


def body_text(one: Letter, *, reveal: bool) -> str:
    """Return the message for a person."""
    cut = "" if one.original.size == len(one.original.body) else f"\n… cut, {one.original.size} bytes in all"
    return text_of(one.original.body if reveal else veiled(one.original.body)) + cut


def _plain(value: object) -> object:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {name: _plain(inner) for name, inner in cast("dict[str, object]", value).items()}
        case list():
            return [_plain(one) for one in cast("list[object]", value)]
        case _:
            return value


PRIVATE = f"Private texts are {HIDDEN}; --reveal shows them, and that is recorded."
