"""Links and their parts, to documents and back.

Dates become strings, because BSON has none. What is absent is null, except where an index or `$min` needs it missing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from adapters.mongodb.understanding import known
from events.content import AllDay, Content, Field, Timed, Value, When
from events.items import ItemType
from events.link import (
    CalendarAsk,
    CalendarSeen,
    Churn,
    Ending,
    EventKey,
    ExternalEvent,
    Flip,
    Freeze,
    ItemKey,
    Link,
    LinkState,
    ManagedEvent,
    Origin,
    PreImage,
    PsaAsk,
    PsaSeen,
    RunMark,
    RunResult,
    Standing,
    Undoing,
    Verdict,
    bare_reference,
    full_reference,
)
from events.reasons import Reason

Document = dict[str, Any]


def link_to_document(link: Link) -> Document:
    """Return the whole document of a link, except its fence."""
    return {
        "_id": link.id,
        "integration_id": link.integration_id,
        "tenant_id": link.tenant_id,
        "user_id": link.user_id,
        "origin": link.origin.value,
        "psa_seen": psa_seen_to_document(link.psa_seen),
        **held_part(link),
        "due_at": link.due_at,
        "version": link.version,
    }


def held_part(link: Link) -> Document:
    """Return what only the holder of the lease writes, without the due time and the version."""
    return {name: encode(getattr(link, name)) for name, encode in _HELD.items()}


def held_changes(before: Link, after: Link) -> Document:
    """Return of that what differs."""
    former, values = vars(before), vars(after)
    # Most are the very same object: to compare texts that are equal takes longer than all the rest.
    changes = {
        name: encode(values[name])
        for name, encode in _ATTRIBUTES.items()
        if values[name] is not former[name] and values[name] != former[name]
    }
    if "event" in changes or "generation" in changes:
        changes["reference"] = bare_reference(after.reference)
    return changes


def link_from_document(document: Document) -> Link:
    """Return the link that a document holds."""
    tenant_id: int = document["tenant_id"]
    return Link(
        id=document["_id"],
        integration_id=document["integration_id"],
        tenant_id=tenant_id,
        user_id=document["user_id"],
        event=_event_from_document(document["event"]),
        origin=Origin(document["origin"]),
        item=item_from_document(document["item"], tenant_id),
        generation=document["generation"],
        psa_seen=_psa_seen_from_document(document["psa_seen"]),
        psa_base=_content_from_document(document["psa_base"]),
        psa_asks=tuple(_psa_ask_from_document(ask) for ask in document["psa_asks"]),
        psa_refused=_values_from_document(document["psa_refused"]),
        restoring=_values_from_document(document.get("restoring", {})),
        deletion_refused=document["deletion_refused"],
        calendar_seen=_calendar_seen_from_document(document["calendar_seen"]),
        calendar_base=_content_from_document(document["calendar_base"]),
        calendar_asks=tuple(_calendar_ask_from_document(ask) for ask in document["calendar_asks"]),
        calendar_gone=document["calendar_gone"],
        rewritten=_values_from_document(document["rewritten"]),
        ending=_ending_from_document(document.get("ending")),
        churn=_churn_from_document(document.get("churn")),
        frozen=_frozen_from_document(document.get("frozen") or {}),
        state=LinkState(document["state"]),
        reason=Reason.of(document["reason"]),
        message=document["message"],
        due_at=document["due_at"],
        attempts=document["attempts"],
        failing_since=document["failing_since"],
        traceparent=document.get("traceparent", ""),
        replayed=document.get("replayed", False),
        run=_run_from_document(document.get("run")),
        images=tuple(_image_from_document(image) for image in document.get("images", ())),
        undoing=_undoing(document.get("undoing")),
        version=document["version"],
    )


STANDING: Final[Document] = {
    "integration_id": 1,
    "tenant_id": 1,
    "user_id": 1,
    "item": 1,
    "generation": 1,
    "reference": 1,
    "due_at": 1,
    "psa_seen.revision": 1,
    "psa_seen.deleted": 1,
    "lacks_content": {"$eq": [{"$ifNull": ["$psa_seen.item", None]}, None]},
}
"""What of a link's document makes a `Standing`: nothing large."""


def standing_from_document(document: Document) -> Standing:
    """Return what a document holds that was read as `STANDING` says."""
    tenant_id: int = document["tenant_id"]
    generation: int = document["generation"]
    seen: Document | None = document.get("psa_seen")
    return Standing(
        id=document["_id"],
        integration_id=document["integration_id"],
        tenant_id=tenant_id,
        user_id=document["user_id"],
        item=item_from_document(document["item"], tenant_id),
        generation=generation,
        reference=full_reference(document["reference"], generation),
        revision=seen["revision"] if seen else None,
        lacks_content=seen is not None and document["lacks_content"] and not seen["deleted"],
        due=document["due_at"] is not None,
    )


def item_to_document(item: ItemKey | None) -> Document | None:
    """Return an item's key without its tenant, which stands beside it."""
    return None if item is None else {"type": item.item_type.value, "id": item.item_id, "part": item.part_id}


def item_from_document(document: Document | None, tenant_id: int) -> ItemKey | None:
    """Return the item's key."""
    return (
        None if document is None else ItemKey(tenant_id, ItemType(document["type"]), document["id"], document["part"])
    )


def psa_seen_to_document(seen: PsaSeen | None) -> Document | None:
    """Return an observation of the PSA's side."""
    return (
        None
        if seen is None
        else {
            "revision": seen.revision,
            "deleted": seen.deleted,
            "assigned": seen.assigned,
            "item": seen.item,
            "at": seen.at,
            "absent": seen.absent,
            "changed_at": seen.changed_at,
            "traceparent": seen.traceparent,
        }
    )


def _psa_seen_from_document(document: Document | None) -> PsaSeen | None:
    return None if document is None else PsaSeen(**known(PsaSeen, document))


def _event_to_document(event: EventKey) -> Document:
    match event:
        case ManagedEvent(calendar_id=calendar_id, event_id=event_id):
            return {"calendar_id": calendar_id, "event_id": event_id}
        case ExternalEvent(calendar_id=calendar_id, event_uid=event_uid):
            return {"calendar_id": calendar_id, "event_uid": event_uid}


def _event_from_document(document: Document) -> EventKey:
    if "event_id" in document:
        return ManagedEvent(document["calendar_id"], document["event_id"])
    return ExternalEvent(document["calendar_id"], document["event_uid"])


def _calendar_seen_to_document(seen: CalendarSeen | None) -> Document | None:
    return (
        None
        if seen is None
        else {
            "content": _content_to_document(seen.content),
            "deleted": seen.deleted,
            "missing": seen.missing,
            "updated": seen.updated,
            "created": seen.created,
            "may_update": seen.may_update,
            "may_delete": seen.may_delete,
            "recurring": seen.recurring,
            "series": seen.series,
            "kept_out": None if seen.kept_out is None else seen.kept_out.value,
            "event_uid": seen.event_uid,
            "digest": seen.digest,
        }
    )


def _calendar_seen_from_document(document: Document | None) -> CalendarSeen | None:
    return (
        None
        if document is None
        else CalendarSeen(
            content=_content_from_document(document["content"]),
            deleted=document["deleted"],
            missing=document["missing"],
            updated=document["updated"],
            created=document["created"],
            may_update=document["may_update"],
            may_delete=document["may_delete"],
            recurring=document["recurring"],
            series=document.get("series", ""),
            kept_out=Reason.of(document["kept_out"]) if document.get("kept_out") else None,
            event_uid=document["event_uid"],
            digest=document.get("digest", ""),
        )
    )


def _calendar_ask_to_document(ask: CalendarAsk) -> Document:
    return {
        "content": _content_to_document(ask.content),
        "fields": sorted(ask.fields),
        "source": _content_to_document(ask.source),
        "over": _content_to_document(ask.over),
        "at": ask.at,
        "sent": ask.sent,
        "believed": ask.believed,
    }


def _calendar_ask_from_document(document: Document) -> CalendarAsk:
    return CalendarAsk(
        content=_content_from_document(document["content"]),
        fields=frozenset(Field(name) for name in document["fields"]),
        source=_content_from_document(document["source"]),
        over=_content_from_document(document["over"]),
        at=document["at"],
        sent=document["sent"],
        believed=document["believed"],
    )


def _psa_ask_to_document(ask: PsaAsk) -> Document:
    return {
        "content": _content_to_document(ask.content),
        "fields": sorted(ask.fields),
        "source": _content_to_document(ask.source),
        "revision": ask.revision,
    }


def _psa_ask_from_document(document: Document) -> PsaAsk:
    return PsaAsk(
        content=_content_from_document(document["content"]),
        fields=frozenset(Field(name) for name in document["fields"]),
        source=_content_from_document(document["source"]),
        revision=document["revision"],
    )


def _content_to_document(content: Content | None) -> Document | None:
    return (
        None
        if content is None
        else {
            "when": _when_to_document(content.when),
            "summary": content.summary,
            "description": content.description,
            "location": content.location,
            "private": content.private,
            "busy": content.busy,
        }
    )


def _content_from_document(document: Document | None) -> Content | None:
    return (
        None
        if document is None
        else Content(
            when_from_document(document["when"]),
            document["summary"],
            document["description"],
            document["location"],
            document["private"],
            document["busy"],
        )
    )


def _when_to_document(when: When) -> Document:
    match when:
        case Timed(start=start, end=end):
            return {"start": start, "end": end}
        case AllDay(start=first, end=last):
            return {"start": first.isoformat(), "end": last.isoformat()}


def when_from_document(document: Document) -> When:
    """Return a time or a day."""
    start, end = document["start"], document["end"]
    if isinstance(start, datetime):
        return Timed(start, end)
    return AllDay(date.fromisoformat(start), date.fromisoformat(end))


def _values_to_document(values: dict[Field, Value]) -> Document:
    return {
        field.value: value if isinstance(value, str | bool) else _when_to_document(value)
        for field, value in values.items()
    }


def _values_from_document(document: Document) -> dict[Field, Value]:
    values: dict[Field, Value] = {}
    for name, value in document.items():
        field = Field(name)
        values[field] = when_from_document(value) if field is Field.WHEN else value
    return values


def _ending_to_document(ending: Ending | None) -> Document | None:
    return None if ending is None else {"at": ending.at, "verdict": ending.verdict.value, "reason": ending.reason.value}


def _ending_from_document(document: Document | None) -> Ending | None:
    if document is None:
        return None
    return Ending(document["at"], Verdict(document["verdict"]), Reason.of(document["reason"]))


def _churn_to_document(churn: Churn) -> Document | None:
    if churn == Churn():
        return None
    flips = [{"field": one.field.value, "before": one.before, "after": one.after, "at": one.at} for one in churn.flips]
    return {"writes": list(churn.writes), "pauses": churn.pauses, "flips": flips}


def _churn_from_document(document: Document | None) -> Churn:
    if document is None:
        return Churn()
    flips = [Flip(Field(one["field"]), one["before"], one["after"], one["at"]) for one in document["flips"]]
    return Churn(tuple(document["writes"]), document["pauses"], tuple(flips))


def _frozen_to_document(frozen: dict[Field, Freeze]) -> Document:
    return {field.value: {"until": one.until, "values": sorted(one.values)} for field, one in frozen.items()}


def _frozen_from_document(document: Document) -> dict[Field, Freeze]:
    return {Field(name): Freeze(one["until"], frozenset(one["values"])) for name, one in document.items()}


def _run_to_document(mark: RunMark | None) -> Document | None:
    return (
        None
        if mark is None
        else {"id": mark.run_id, "retrieve": mark.retrieve, "wrote": mark.wrote, "result": mark.result}
    )


def _run_from_document(document: Document | None) -> RunMark | None:
    return (
        None
        if document is None
        else RunMark(document["id"], document["retrieve"], _result(document["wrote"]), _result(document["result"]))
    )


def _image_to_document(image: PreImage) -> Document:
    return {
        "run_id": image.run_id,
        "inbound": image.inbound,
        "wrote": image.wrote.value,
        "before": _content_to_document(image.before),
        "left": image.left,
        "begun": image.begun,
        "agreed": _content_to_document(image.agreed),
    }


def _images_to_documents(images: tuple[PreImage, ...]) -> list[Document]:
    return [_image_to_document(image) for image in images]


def _image_from_document(document: Document) -> PreImage:
    return PreImage(
        run_id=document["run_id"],
        inbound=document["inbound"],
        wrote=RunResult(document["wrote"]),
        before=_content_from_document(document["before"]),
        left=document["left"],
        begun=document["begun"],
        agreed=_content_from_document(document["agreed"]),
    )


def _undoing(code: str | None) -> Undoing | None:
    return None if code is None else Undoing(code)


def _result(code: str | None) -> RunResult | None:
    return None if code is None else RunResult(code)


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - BSON takes it
    return value


def _code_of(value: LinkState | Reason) -> str:
    return value.value


def _psa_asks_to_documents(asks: tuple[PsaAsk, ...]) -> list[Document]:
    return [_psa_ask_to_document(ask) for ask in asks]


def _calendar_asks_to_documents(asks: tuple[CalendarAsk, ...]) -> list[Document]:
    return [_calendar_ask_to_document(ask) for ask in asks]


_HELD: Final[dict[str, Callable[[Any], Any]]] = {
    "event": _event_to_document,
    "item": item_to_document,
    "reference": bare_reference,
    "generation": _as_it_is,
    "psa_base": _content_to_document,
    "psa_asks": _psa_asks_to_documents,
    "psa_refused": _values_to_document,
    "restoring": _values_to_document,
    "deletion_refused": _as_it_is,
    "calendar_seen": _calendar_seen_to_document,
    "calendar_base": _content_to_document,
    "calendar_asks": _calendar_asks_to_documents,
    "calendar_gone": _as_it_is,
    "rewritten": _values_to_document,
    "ending": _ending_to_document,
    "churn": _churn_to_document,
    "frozen": _frozen_to_document,
    "state": _code_of,
    "reason": _code_of,
    "message": _as_it_is,
    "attempts": _as_it_is,
    "failing_since": _as_it_is,
    "traceparent": _as_it_is,
    "replayed": _as_it_is,
    "run": _run_to_document,
    "images": _images_to_documents,
    "undoing": _as_it_is,
}
"""Attributes of a link that only the holder of the lease writes, and how each is stored under the same name."""
_ATTRIBUTES: Final = {name: encode for name, encode in _HELD.items() if name != "reference"}
"""Those that are not made of others."""
