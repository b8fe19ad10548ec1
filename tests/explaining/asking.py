"""Integrations, items and events to ask about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from events.calendar import CalendarEvent
from events.integration import Account, ConnectWish, DeletionWish, Held, Integration, SettingsWish, Status, Wanted
from events.items import Appointment, ItemType
from events.link import ItemKey, Link
from events.platform import ItemNow
from events.reasons import Reason
from tests.core.examples import HOUR, NOW, link
from worker.explaining.answer import Story
from worker.explaining.known import Known, Looked
from worker.explaining.question import Subject, asked
from worker.explaining.telling import story

TENANT: Final = 1
DANA: Final = 5
ITEM: Final = ItemKey(TENANT, ItemType.APPOINTMENT, "7")
BEGUN: Final = NOW - timedelta(days=30)
TICKED: Final = SettingsWish(
    1, "cal_1", inbound_create=True, inbound_update=True, inbound_delete=True, outbound=frozenset(ItemType)
)
WORKING: Final = Integration(
    id="int_1",
    tenant_id=TENANT,
    user_id=DANA,
    epoch=1,
    wanted=Wanted(connect=ConnectWish(0, "", "https://psa.example", None), settings=TICKED),
    held=Held(
        status=Status.CONNECTED,
        reason=Reason.IN_SYNC,
        account=Account("acc", "pro", "dana@example.com", "google", "gsuite"),
        linked_since=BEGUN,
        time_zone="Europe/London",
    ),
)
LEAVING: Final = DeletionWish(3)


def integration(**held: Any) -> Integration:
    """Return an integration that works, except for what is said."""
    return replace(WORKING, held=replace(WORKING.held, **held))


def wanting(**wanted: Any) -> Integration:
    """Return an integration of which something else is wanted."""
    return replace(WORKING, wanted=replace(WORKING.wanted, **wanted))


def saved(**settings: Any) -> Integration:
    """Return an integration with other settings."""
    return wanting(settings=replace(TICKED, **settings))


def item_now(*assignees: int, start: datetime | None = NOW + HOUR, private: bool = False, **parts: Any) -> ItemNow:
    """Return an appointment as the PSA shows it just now."""
    item = Appointment(id=7, subject="Review", start=start, end=start and start + HOUR, is_private=private)
    now = ItemNow(ITEM, 3, deleted=False, assignees=frozenset(assignees), item=item.model_dump_json(by_alias=True))
    return replace(now, **parts)


def event_now(**parts: Any) -> CalendarEvent:
    """Return an event as the calendar shows it just now."""
    event = CalendarEvent(
        "cal_1",
        "evt_1",
        None,
        start=NOW + HOUR,
        end=NOW + 2 * HOUR,
        summary="Lunch",
        created=NOW,
        updated=NOW,
    )
    return replace(event, **parts)


def snapshot(*, private: bool = False, **parts: Any) -> Link:
    """Return a link at rest whose item has been read."""
    now = item_now(DANA, private=private)
    resting = link(psa_seen=now.seen_by(DANA, NOW))
    return replace(resting, **parts)


def told(words: str = "appointment/7", **known: Any) -> Story:
    """Return what is told when this is known."""
    subject: Subject = asked(words, TENANT).subject
    return story(subject, Known(NOW, **known))


def why(words: str = "appointment/7", **known: Any) -> str:
    """Return the code of the reason that is told."""
    return told(words, **known).verdict.reason.value


def found(value: Any) -> Looked[Any]:
    """Return that a side showed this."""
    return Looked(value)


NOT_THERE: Final[Looked[Any]] = Looked()
AWAY: Final[Looked[Any]] = Looked(trouble=Reason.UNREACHABLE, detail="no answer")
