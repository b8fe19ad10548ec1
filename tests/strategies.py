"""Values of the domain, for property tests: everything that may be stored, and nothing that may not."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

from hypothesis import strategies as st

from events.commands import Cause
from events.content import ALL_FIELDS, AllDay, Content, Field, Timed, Value, When
from events.integration import (
    Account,
    Audit,
    CalendarInfo,
    ConnectWish,
    DeepLook,
    Grant,
    Held,
    Search,
    SettingsWish,
    Status,
    Stock,
    Tokens,
)
from events.items import ItemType
from events.journal import Act, Entry, Result
from events.link import (
    CREATION,
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
    Undoing,
    Verdict,
    link_id,
)
from events.outcomes import Direction
from events.reasons import Reason

T = TypeVar("T")


def whole(kind: type[T], **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Draw a value with all its parts. One that is new and not drawn here is missed at once."""
    assert parts.keys() == {field.name for field in dataclasses.fields(kind)}, kind  # type: ignore[arg-type]
    return st.builds(kind, **parts)


def maybe(what: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | what


def some(of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=3).map(tuple)


texts: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=15)
"""Any text that can be sent as UTF-8: with `$`, `.`, NUL, emoji and combining marks; no halves of surrogate pairs."""
names: Final = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,20}", fullmatch=True)
"""Ids as the contracts let them in."""
numbers: Final = st.integers(-(2**31), 2**31 - 1)
revisions: Final = st.integers(0, 2**63 - 1)
counts: Final = st.integers(0, 1000)
moments: Final = st.datetimes(datetime(1, 1, 1), datetime(9999, 11, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
"""Instants in whole milliseconds, which is what clocks give and the store keeps."""
seconds: Final = moments.map(lambda moment: moment.replace(microsecond=0))
days: Final = st.dates(date(1, 1, 1), date(9999, 12, 1))
reasons: Final = st.sampled_from(Reason)


# Content


def _timed(start: datetime, length: int) -> Timed:
    return Timed(start, start + timedelta(seconds=length))


def _all_day(start: date, length: int) -> AllDay:
    return AllDay(start, start + timedelta(days=length))


timed: Final = st.builds(_timed, seconds, st.integers(0, 40 * 24 * 3600))
all_day: Final = st.builds(_all_day, days, st.integers(1, 29))
whens: Final[st.SearchStrategy[When]] = timed | all_day
contents: Final = whole(
    Content, when=whens, summary=texts, description=texts, location=texts, private=st.booleans(), busy=st.booleans()
)
fields: Final = st.frozensets(st.sampled_from(Field))

_BY_FIELD: Final[dict[Field, st.SearchStrategy[Value]]] = {
    Field.WHEN: whens,
    Field.SUMMARY: texts,
    Field.DESCRIPTION: texts,
    Field.LOCATION: texts,
    Field.PRIVATE: st.booleans(),
    Field.BUSY: st.booleans(),
}
assert _BY_FIELD.keys() == ALL_FIELDS
values: Final[st.SearchStrategy[dict[Field, Value]]] = st.fixed_dictionaries({}, optional=_BY_FIELD)

# Links

item_keys: Final = st.builds(ItemKey, numbers, st.sampled_from(ItemType), names, maybe(names))
managed_events: Final = st.builds(ManagedEvent, texts, texts)
external_events: Final = st.builds(ExternalEvent, texts, texts)
events: Final[st.SearchStrategy[EventKey]] = managed_events | external_events
psa_seen: Final = whole(
    PsaSeen,
    revision=revisions,
    deleted=st.booleans(),
    assigned=st.booleans(),
    item=maybe(texts),
    at=moments,
    absent=st.booleans(),
    changed_at=maybe(moments),
    traceparent=texts,
)
calendar_seen: Final = whole(
    CalendarSeen,
    content=maybe(contents),
    deleted=st.booleans(),
    missing=st.booleans(),
    updated=maybe(moments),
    created=maybe(moments),
    may_update=st.booleans(),
    may_delete=st.booleans(),
    recurring=st.booleans(),
    series=texts,
    kept_out=maybe(reasons),
    event_uid=texts,
    digest=texts,
)
calendar_asks: Final = whole(
    CalendarAsk,
    content=maybe(contents),
    fields=fields,
    source=maybe(contents),
    over=maybe(contents),
    at=moments,
    sent=st.booleans(),
    believed=st.booleans(),
)
psa_asks: Final = whole(
    PsaAsk, content=maybe(contents), fields=fields, source=maybe(contents), revision=st.just(CREATION) | revisions
)


flips: Final = whole(Flip, field=st.sampled_from(Field), before=names, after=names, at=moments)
run_marks: Final = whole(
    RunMark,
    run_id=names,
    retrieve=st.booleans(),
    wrote=maybe(st.sampled_from(RunResult)),
    result=maybe(st.sampled_from(RunResult)),
)


images: Final = whole(
    PreImage,
    run_id=names,
    inbound=st.booleans(),
    wrote=st.sampled_from(RunResult),
    before=maybe(contents),
    left=texts,
    begun=st.booleans(),
    agreed=maybe(contents),
)


@st.composite
def links(draw: st.DrawFn) -> Link:
    """Draw a link with any of its parts. Its id and its item's tenant are those that belong to it."""
    integration_id, tenant_id, event = draw(names), draw(numbers), draw(events)
    item = draw(maybe(st.builds(ItemKey, st.just(tenant_id), st.sampled_from(ItemType), names, maybe(names))))
    return draw(
        whole(
            Link,
            id=st.just(link_id(integration_id, event)),
            integration_id=st.just(integration_id),
            tenant_id=st.just(tenant_id),
            user_id=numbers,
            event=st.just(event),
            origin=st.sampled_from(Origin),
            item=st.just(item),
            generation=counts,
            psa_seen=maybe(psa_seen),
            psa_base=maybe(contents),
            psa_asks=some(psa_asks),
            psa_refused=values,
            restoring=values,
            deletion_refused=st.booleans(),
            calendar_seen=maybe(calendar_seen),
            calendar_base=maybe(contents),
            calendar_asks=some(calendar_asks),
            calendar_gone=maybe(moments),
            rewritten=values,
            ending=maybe(st.builds(Ending, moments, st.sampled_from(Verdict), reasons)),
            churn=st.builds(Churn, some(moments), st.integers(0, 9), some(flips)),
            frozen=st.dictionaries(st.sampled_from(Field), st.builds(Freeze, moments, st.frozensets(names))),
            state=st.sampled_from(LinkState),
            reason=reasons,
            message=texts,
            due_at=maybe(moments),
            attempts=counts,
            failing_since=maybe(moments),
            traceparent=texts,
            replayed=st.booleans(),
            run=maybe(run_marks),
            images=some(images),
            undoing=maybe(st.sampled_from(Undoing)),
            version=counts,
        )
    )


# Integrations

tokens: Final = st.builds(Tokens, texts, texts, moments)
accounts: Final = st.builds(Account, texts, texts, texts, texts, texts)
calendars: Final = whole(
    CalendarInfo,
    calendar_id=texts,
    name=texts,
    profile_id=texts,
    profile_name=texts,
    provider_name=texts,
    provider_service=texts,
    read_only=st.booleans(),
    deleted=st.booleans(),
    primary=st.booleans(),
    unrestricted=st.booleans(),
)
connect_wishes: Final = whole(ConnectWish, revision=revisions, code=texts, redirect_uri=texts, time_zone=maybe(texts))
settings_wishes: Final = whole(
    SettingsWish,
    revision=revisions,
    calendar_id=texts,
    inbound_create=st.booleans(),
    inbound_update=st.booleans(),
    inbound_delete=st.booleans(),
    outbound=st.frozensets(st.sampled_from(ItemType)),
    remove_former=st.booleans(),
    remove_unticked=st.booleans(),
)
grants: Final = st.builds(Grant, accounts, tokens)
_known_revisions = st.just(-1) | revisions
held: Final = whole(
    Held,
    connected_revision=_known_revisions,
    configured_revision=_known_revisions,
    listed_revision=_known_revisions,
    tenant_version=st.integers(0, 9),
    turns=counts,
    active_revision=_known_revisions,
    deleted=st.booleans(),
    deletion_revision=_known_revisions,
    cleared=st.booleans(),
    removed=counts,
    status=st.sampled_from(Status),
    reason=reasons,
    relink_url=maybe(texts),
    probe_at=maybe(moments),
    account=maybe(accounts),
    tokens=maybe(tokens),
    offered=maybe(grants),
    retired=some(grants),
    time_zone=maybe(texts),
    calendars=some(calendars),
    channel_id=maybe(texts),
    calendar_id=texts,
    revising=st.booleans(),
    former=some(texts),
    clear_after=maybe(moments),
    surveyed=st.booleans(),
    unread=st.booleans(),
    cursor=maybe(moments),
    linked_since=maybe(moments),
    last_sync=maybe(moments),
    verified_at=maybe(moments),
    audit=whole(
        Audit,
        light_at=maybe(moments),
        deep_at=maybe(moments),
        look=maybe(whole(DeepLook, began=moments, start=moments, end=moments, parts=counts, done=counts)),
        suspicious=counts,
        stock=whole(
            Stock,
            at=maybe(moments),
            look=maybe(whole(DeepLook, began=moments, start=moments, end=moments, parts=counts, done=counts)),
            newest=maybe(moments),
            until=maybe(moments),
            suspicious=counts,
        ),
    ),
    search=maybe(whole(Search, link_id=names, page=texts)),
    empty_looks=counts,
    calendar_hold=maybe(moments),
    calendar_failures=counts,
    psa_hold=maybe(moments),
    psa_failures=counts,
)

# The log


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Draw a line of the log. Its item's tenant is its own."""
    tenant_id = draw(numbers)
    return draw(
        whole(
            Entry,
            id=names,
            at=moments,
            tenant_id=st.just(tenant_id),
            integration_id=names,
            trigger=st.sampled_from(Cause),
            direction=st.sampled_from(Direction),
            act=st.sampled_from(Act),
            result=st.sampled_from(Result),
            reason=reasons,
            link_id=maybe(texts),
            item=maybe(st.builds(ItemKey, st.just(tenant_id), st.sampled_from(ItemType), names, maybe(names))),
            title=maybe(texts),
            message=texts,
            fields=some(st.sampled_from([field.value for field in Field])),
            lost=some(st.tuples(texts, texts)),
            hidden=st.booleans(),
            attempt=counts,
            correlation_id=texts,
            run_id=texts,
        )
    )
