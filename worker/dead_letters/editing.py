"""Mending a message: what a person wrote is checked against its contract and becomes a letter of its own. Pure."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from events.addresses import NOTIFICATIONS_QUEUE
from events.failures import Refused
from events.letters import Act, Deed, Kind, Letter, Status
from events.reasons import Reason
from worker.dead_letters.contracts import message_of
from worker.dead_letters.reading import Dead, as_json, message_name, occurrence

if TYPE_CHECKING:
    from datetime import datetime


def text_of(body: bytes) -> str:
    """Return a body as a person edits it: indented JSON, or whatever it is."""
    said = as_json(body)
    if said is None:
        return body.decode(errors="replace")
    return orjson.dumps(said, option=orjson.OPT_INDENT_2).decode() + "\n"


def difference(before: bytes, after: bytes) -> str:
    """Return what differs, line by line."""
    lines = difflib.unified_diff(
        text_of(before).splitlines(), text_of(after).splitlines(), "as it failed", "as edited", lineterm="", n=2
    )
    return "\n".join(lines)


def edited(letter: Letter, body: bytes, message_id: str, who: str, why: str, now: datetime) -> Letter:
    """Return the letter that stands for a mended message.

    Raises `Refused` if messages of this kind cannot be edited, `Malformed` if the message still breaks its contract.
    """
    original = replace(letter.original, body=body, size=len(body), message_id=message_id)
    if letter.kind is Kind.LINK:
        raise Refused(Reason.NOT_EDITABLE, "it only says which item to look at again: mend the item and replay it")
    if original.queue == NOTIFICATIONS_QUEUE:
        raise Refused(Reason.NOT_EDITABLE, "its sender's signature is on every byte of it")
    message_of(original, None)
    read = occurrence(Dead(body, original.headers, message_id, original.properties), now).letter
    return replace(
        letter,
        id=message_name(original),
        subject=replace(read.subject, integration_id=read.subject.integration_id or letter.subject.integration_id),
        original=original,
        status=Status.OPEN,
        count=1,
        replays=(),
        history=(Act(Deed.EDITED, now, who, why),),
        replaces=letter.id,
        replaced_by="",
    )
