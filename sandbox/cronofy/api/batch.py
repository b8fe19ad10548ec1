"""Up to fifty writes in one request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote

from sandbox.cronofy.api.call import Call, Reply, invalid, plain
from sandbox.cronofy.api.faults import Facts, Forget, Garble, Hold, Instead, Reset, Thin, Truncate
from sandbox.cronofy.api.scopes import allows
from sandbox.cronofy.api.site import Site
from sandbox.cronofy.api.writes import delete_event, write_event
from sandbox.cronofy.model.form import Form, problem
from sandbox.cronofy.model.shapes import is_list, is_object
from sandbox.cronofy.model.state import Account

ENTRIES_LIMIT: Final = 50
_CREATE: Final = frozenset({"create_event"})
_DELETE: Final = frozenset({"delete_event"})
_EVENTS_PATH: Final = re.compile(r"/v1/calendars/([^/?]+)/events")


@dataclass(frozen=True, slots=True)
class Entry:
    """One write of a batch, as a call of its own."""

    operation: str
    scopes: frozenset[str]
    call: Call


def run_batch(site: Site, account: Account, call: Call) -> Reply:
    """Carry out several writes in order. Each has its own status, and none depends on another."""
    sent = call.payload.get("batch")
    if not is_list(sent) or not sent:
        return invalid(problem("batch", "errors.required", "batch must be specified"))
    if len(sent) > ENTRIES_LIMIT:
        return invalid(problem("batch", "errors.too_many", f"must not contain more than {ENTRIES_LIMIT} entries"))
    entries = [_entry(call, value) for value in sent]
    if None in entries:
        return invalid(problem("batch", "errors.not_recognized", f"entry {entries.index(None)} is not supported"))
    answers = [_answer(site, account, entry) for entry in entries if entry is not None]
    return Reply(207, {"batch": answers})


def entries_in(call: Call) -> int:
    """Count what a batch asks for."""
    sent = call.payload.get("batch")
    return len(sent) if is_list(sent) else 1


def _entry(call: Call, value: object) -> Entry | None:
    form = Form(value if is_object(value) else {})
    path = _EVENTS_PATH.fullmatch(form.text("relative_url") or "")
    data = form.raw("data")
    if path is None or not is_object(data):
        return None
    ids = {"calendar_id": unquote(path[1])}
    inner = replace(call, method=(form.text("method") or "").upper(), path=unquote(path[0]), payload=data, ids=ids)
    match inner.method:
        case "POST":
            return Entry("write_event", _CREATE, inner)
        case "DELETE":
            return Entry("delete_event", _DELETE, inner)
        case _:
            return None


def _answer(site: Site, account: Account, entry: Entry) -> Mapping[str, object]:
    reply = _despite(site, account, entry)
    return {"status": reply.status, "data": reply.value} if is_object(reply.value) else {"status": reply.status}


def _despite(site: Site, account: Account, entry: Entry) -> Reply:
    """Carry an entry out as far as a fault lets it."""
    fault = site.faults.strike(Facts(entry.operation, entry.call, account.sub, entry=True))
    match fault.effect if fault else None:
        case Instead() as instead:
            if instead.takes_effect:
                _carry_out(site, account, entry)
            return Reply(instead.status, instead.body)
        case Forget():
            forgotten = replace(entry, call=replace(entry.call, never_applied=True))
            return _carry_out(site, account, forgotten)
        case Reset() | Hold() | Truncate() | Garble() | Thin() | None:
            return _carry_out(site, account, entry)


def _carry_out(site: Site, account: Account, entry: Entry) -> Reply:
    if not allows(entry.call.scope, entry.scopes):
        return plain(403, "Forbidden")
    act = write_event if entry.operation == "write_event" else delete_event
    return act(site, account, entry.call)
