"""Links whose contents are all alike, so that every coincidence occurs: few values for each field, many of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from hypothesis import strategies as st

from events.content import AllDay, Content, Field, Timed, Value
from events.items import Appointment, ItemType, ServiceCall, Task, Todo
from events.link import (
    CREATION,
    CalendarAsk,
    CalendarSeen,
    Churn,
    Ending,
    EventKey,
    Flip,
    Freeze,
    ItemKey,
    Link,
    LinkState,
    Origin,
    PsaAsk,
    PsaSeen,
    Verdict,
    link_id,
)
from events.reasons import Reason
from events.tenant import FieldMapping, PrivateInbound, PrivateOutbound, Sending, TenantSettings
from tests.core.examples import EXTERNAL, HOUR, NOW, STAMP, TIMING, managed
from worker.core.brakes import fingerprint
from worker.core.decide import Asked
from worker.core.ownership import Traits
from worker.core.permit import Policy
from worker.core.sides import PsaGone, PsaHolds, PsaNever, PsaUnread, PsaView
from worker.judging import Circumstances

ONE_DAY: Final = timedelta(days=1)
whens_with_seconds: Final = Timed(NOW + timedelta(seconds=30), NOW + HOUR)
whens: Final = st.sampled_from([
    Timed(NOW, NOW + HOUR),
    Timed(NOW, NOW + HOUR / 2),
    Timed(NOW + HOUR, NOW + 2 * HOUR),
    whens_with_seconds,
    AllDay(NOW.date(), NOW.date() + ONE_DAY),
])
contents: Final = st.builds(
    Content,
    when=whens,
    summary=st.sampled_from(["Review", "Call", "Review "]),
    description=st.sampled_from(["", "Figures", "Figures\nand more"]),
    location=st.sampled_from(["", "Room 1"]),
    private=st.booleans(),
    busy=st.booleans(),
)
apart: Final = contents.filter(lambda one: one.summary.strip() == one.summary and one.when != whens_with_seconds)
"""Contents of which no two pass for one that was rewritten."""
maybe_content: Final = st.none() | contents
fields: Final = st.frozensets(st.sampled_from(Field))
gone_reasons: Final = st.sampled_from([
    Reason.PSA_DELETED,
    Reason.UNASSIGNED,
    Reason.NO_DATE,
    Reason.ITEM_NOT_FOUND,
    Reason.PLANNED_IN_PERIODS,
    Reason.COMPLETED,
])
left_out: Final = st.frozensets(st.sampled_from([Field.DESCRIPTION, Field.LOCATION]))
traits: Final = st.builds(Traits, st.sampled_from(ItemType), *[st.booleans()] * 5, left_out)
views: Final[st.SearchStrategy[PsaView]] = (
    st.builds(PsaHolds, contents, traits)
    | st.builds(PsaGone, gone_reasons)
    | st.just(PsaUnread())
    | st.just(PsaNever())
)
asked: Final = st.builds(Asked, overdue=st.booleans(), lapsed=st.booleans(), hopeless=st.booleans())
policies: Final = st.builds(
    Policy,
    calendar_id=st.just("cal_1"),
    inbound_create=st.booleans(),
    inbound_update=st.booleans(),
    inbound_delete=st.booleans(),
    outbound=st.frozensets(st.sampled_from(ItemType)),
    unrestricted=st.booleans(),
    linked_since=st.none() | st.sampled_from([STAMP - HOUR, STAMP + HOUR]),
    tenant=st.builds(
        TenantSettings,
        private_inbound=st.sampled_from(PrivateInbound),
        private_outbound=st.sampled_from(PrivateOutbound),
        remove_when_done=st.booleans(),
        mapping=st.dictionaries(st.sampled_from(ItemType), st.builds(FieldMapping, *[st.sampled_from(Sending)] * 2)),
    ),
)

moments: Final = st.sampled_from([NOW - 4 * TIMING.patience, NOW - TIMING.patience, NOW - timedelta(seconds=1), NOW])
calendar_seen: Final = st.builds(
    CalendarSeen,
    content=maybe_content,
    deleted=st.booleans(),
    missing=st.booleans(),
    updated=st.none() | st.just(STAMP),
    created=st.none() | st.just(STAMP),
    may_update=st.booleans(),
    may_delete=st.booleans(),
    recurring=st.booleans(),
).filter(lambda seen: (seen.content is None) == (seen.deleted or seen.missing))
calendar_asks: Final = st.builds(
    CalendarAsk,
    content=maybe_content,
    fields=fields,
    source=maybe_content,
    over=maybe_content,
    at=moments,
    sent=st.booleans(),
    believed=st.booleans(),
)
psa_asks: Final = st.builds(
    PsaAsk, content=contents, fields=fields, source=contents, revision=st.sampled_from([CREATION, 2, 3])
)
kinds: Final = st.sampled_from([ItemType.APPOINTMENT, ItemType.SERVICE_CALL, ItemType.TASK, ItemType.TODO])


@st.composite
def links(draw: st.DrawFn) -> Link:
    """Draw a link in any state, possible or not: whatever is stored must be dealt with."""
    kind = draw(kinds)
    keys: tuple[EventKey, ...] = (managed(kind), EXTERNAL)
    event = draw(st.sampled_from(keys))
    part = "70" if kind is ItemType.TASK else None
    return Link(
        id=link_id("int_1", event),
        integration_id="int_1",
        tenant_id=1,
        user_id=5,
        event=event,
        origin=draw(st.sampled_from(Origin)),
        item=draw(st.sampled_from([ItemKey(1, kind, "7", part), ItemKey(1, kind, "7", part), None])),
        generation=draw(st.integers(0, 2)),
        psa_seen=draw(st.none() | psa_seen(kind)),
        psa_base=draw(maybe_content),
        psa_asks=tuple(draw(st.lists(psa_asks, max_size=2))),
        psa_refused=draw(refused),
        deletion_refused=draw(st.booleans()),
        calendar_seen=draw(st.none() | calendar_seen),
        calendar_base=draw(maybe_content),
        calendar_asks=tuple(draw(st.lists(calendar_asks, max_size=3))),
        calendar_gone=draw(st.none() | st.just(STAMP)),
        rewritten=draw(refused),
        ending=draw(endings),
        churn=draw(churns),
        frozen=draw(freezes),
        state=draw(st.sampled_from(LinkState)),
        reason=draw(st.sampled_from([Reason.PSA_CHANGED, Reason.IN_SYNC, Reason.CALENDAR_DELETED])),
        attempts=draw(st.integers(0, 3)),
        failing_since=draw(st.none() | st.sampled_from([NOW - TIMING.give_up, NOW])),
    )


endings: Final = st.none() | st.builds(Ending, st.just(NOW), st.sampled_from(Verdict), st.just(Reason.CALENDAR_DELETED))
texts: Final = st.sampled_from([fingerprint(text) for text in ("Review", "Call", "else")])
flips: Final = st.builds(
    Flip, st.just(Field.SUMMARY), before=texts, after=texts, at=st.sampled_from([NOW, NOW - 2 * ONE_DAY])
)
churns: Final = st.builds(
    Churn,
    writes=st.sampled_from([(), (NOW,), (NOW,) * 20, (NOW - HOUR,) * 20]),
    pauses=st.integers(0, 2),
    flips=st.lists(flips, max_size=4).map(tuple),
)
freezes: Final = st.dictionaries(
    st.just(Field.SUMMARY),
    st.builds(Freeze, st.sampled_from([NOW, NOW + HOUR]), st.frozensets(texts)),
)
title: Final[Value] = "Review"
refused: Final[st.SearchStrategy[dict[Field, Value]]] = st.dictionaries(st.just(Field.SUMMARY), st.just(title))


def psa_seen(kind: ItemType) -> st.SearchStrategy[PsaSeen]:
    """Draw an observation of an item."""
    return st.builds(
        PsaSeen,
        revision=st.sampled_from([2, 3, 4]),
        deleted=st.booleans(),
        assigned=st.sampled_from([True, True, True, False]),
        item=st.none() | contents.map(lambda content: snapshot(kind, content)),
        at=st.just(NOW),
        absent=st.sampled_from([False, False, False, True]),
    )


def snapshot(kind: ItemType, content: Content) -> str:
    """Return an item that shows about this content, as it is stored."""
    when = content.when
    named: dict[str, Any] = {"id": 7, "url": "https://psa.example/7"}
    times: dict[str, Any] = {"start": NOW, "end": NOW + HOUR}
    if isinstance(when, Timed):
        times = {"start": when.start, "end": when.end}
    match kind:
        case ItemType.APPOINTMENT:
            days = {"all_day": True, "start_date": when.start, "end_date": when.end}
            texts = {"subject": content.summary, "description": content.description, "location": content.location}
            parts = {**named, **texts, **(times if isinstance(when, Timed) else days), "is_private": content.private}
            return Appointment.model_validate(parts).model_dump_json()
        case ItemType.TASK:
            period = {"task_member_hour_id": 70, "from": times["start"], "to": times["end"]}
            parts = {"task_id": 7, "name": content.summary, "project": {"id": 1}, "periods": (period,)}
            return Task.model_validate(parts).model_dump_json(by_alias=True)
        case ItemType.TODO:
            return Todo.model_validate({
                **named,
                "description": content.summary,
                "date": times["start"],
            }).model_dump_json()
        case _:
            account = {"id": 1, "name": content.summary}
            return ServiceCall.model_validate({**named, **times, "account": account, "user_id": 5}).model_dump_json()


circumstances: Final = st.builds(
    Circumstances,
    policy=policies,
    time_zone=st.sampled_from([None, "Europe/Berlin"]),
    timing=st.just(TIMING),
    now=st.just(NOW),
    read_at=st.none() | moments,
)
