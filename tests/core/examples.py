"""One item and its event in every state that they can be in, for the tables of the core."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from events.content import ALL_FIELDS, Content, Field, Timed
from events.items import ItemType
from events.link import (
    CalendarAsk,
    CalendarSeen,
    EventKey,
    ExternalEvent,
    ItemKey,
    Link,
    LinkState,
    ManagedEvent,
    Origin,
    PsaSeen,
    link_id,
    managed_event_id,
)
from events.reasons import Reason
from worker.core.decide import Asked
from worker.core.ownership import Traits
from worker.core.permit import Policy
from worker.core.plan import Agree, ChangeItem, Decision, PutEvent, Rest
from worker.core.record import Timing
from worker.core.sides import PsaHolds

NOW: Final = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
STAMP: Final = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
"""By the calendar's clock: when the event was changed last."""
HOUR: Final = timedelta(hours=1)
SECOND: Final = timedelta(seconds=1)
TIMING: Final = Timing()
NO_ASKS: Final = Asked(overdue=False, lapsed=True, hopeless=False)
UNDER_WAY: Final = Asked(overdue=False, lapsed=False, hopeless=False)
LAPSED: Final = Asked(overdue=False, lapsed=True, hopeless=False)
OVERDUE: Final = Asked(overdue=True, lapsed=True, hopeless=False)
HOPELESS: Final = Asked(overdue=True, lapsed=True, hopeless=True)

AGREED: Final = Content(when=Timed(NOW, NOW + HOUR), summary="Review", description="Figures", location="Room 1")
EDITED: Final = replace(AGREED, summary="Review by the calendar")
RETITLED: Final = replace(AGREED, summary="Review by the PSA")
DRAGGED: Final = replace(AGREED, when=Timed(NOW + HOUR, NOW + 2 * HOUR))
RESCHEDULED: Final = replace(AGREED, when=Timed(NOW + 3 * HOUR, NOW + 4 * HOUR))

EXTERNAL: Final = ExternalEvent("cal_1", "evt_1")
EVERYTHING: Final = Policy(
    calendar_id="cal_1",
    inbound_create=True,
    inbound_update=True,
    inbound_delete=True,
    outbound=frozenset(ItemType),
    unrestricted=True,
)
NOTHING: Final = Policy("cal_1", inbound_create=False, inbound_update=False, inbound_delete=False, outbound=frozenset())


def item(kind: ItemType = ItemType.APPOINTMENT) -> ItemKey:
    """Name the item."""
    return ItemKey(1, kind, "7")


def managed(kind: ItemType = ItemType.APPOINTMENT) -> ManagedEvent:
    """Name the event that we make for it."""
    return ManagedEvent("cal_1", managed_event_id(item(kind), 5))


def link(event: EventKey | None = None, /, **parts: Any) -> Link:
    """Return a link that rests, both sides showing `AGREED`."""
    event = event or managed()
    resting = Link(
        id=link_id("int_1", event),
        integration_id="int_1",
        tenant_id=1,
        user_id=5,
        event=event,
        origin=Origin.CALENDAR if isinstance(event, ExternalEvent) else Origin.PSA,
        item=item(),
        psa_seen=PsaSeen(3, deleted=False, assigned=True, item="{}", at=NOW),
        psa_base=AGREED,
        calendar_seen=seen(AGREED),
        calendar_base=AGREED,
        state=LinkState.SETTLED,
        reason=Reason.IN_SYNC,
    )
    return replace(resting, **parts)


def seen(content: Content | None, **parts: Any) -> CalendarSeen:
    """Return an observation of the event; of its deletion, if there is no content."""
    known = CalendarSeen(content, deleted=content is None, updated=STAMP, created=STAMP, event_uid="evt_1")
    return replace(known, **parts)


MISSING: Final = CalendarSeen(content=None, missing=True)


def holds(content: Content, kind: ItemType = ItemType.APPOINTMENT, /, **traits: Any) -> PsaHolds:
    """Return the item as it is."""
    return PsaHolds(content, Traits(kind, **traits))


def ask(content: Content | None, **parts: Any) -> CalendarAsk:
    """Return a write of everything that the calendar accepted just now."""
    fields = ALL_FIELDS if content else frozenset[Field]()
    return replace(CalendarAsk(content, fields, source=content, over=None, at=NOW, sent=True), **parts)


def say(*plan: Decision) -> str:
    """Put a plan into words: what, which fields, why, and what it overrules."""
    return "; then ".join(_say(decision) for decision in plan)


def _say(decision: Decision) -> str:
    action = decision.action
    words = [type(action).__name__]
    if isinstance(action, Rest) and action.blocked:
        words.append("blocked")
    if isinstance(action, PutEvent | ChangeItem | Agree):
        words.append("all" if action.fields == ALL_FIELDS else "+".join(f for f in Field if f in action.fields))
    words.append(f"({decision.reason})")
    words += [f"over {one.field} ({one.reason})" for one in decision.overruled]
    return " ".join(words)
