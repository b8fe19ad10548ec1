"""What is remembered of an event that was read, and what is sent to make one."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from events.calendar import CalendarEvent, PutEventWrite
from events.content import AllDay, Content, Timed
from events.items import ItemType
from events.link import CalendarSeen, ExternalEvent, ItemKey, ManagedEvent
from events.reasons import Reason
from events.tenant import PrivateInbound
from worker.projection.events import PRIVATE_SUMMARY, digest_of, key_of, observe, write_of
from worker.projection.text import DESCRIPTION_LIMIT, PSA_DESCRIPTION_LIMIT, SUMMARY_LIMIT

START = datetime(2026, 3, 9, 14, 0, tzinfo=UTC)
END = START + timedelta(hours=1)
NINTH, TENTH = date(2026, 3, 9), date(2026, 3, 10)
TASK = ItemKey(1204, ItemType.TASK, "7", "70")
OURS = ManagedEvent("cal_1", "psa-1204-5571-task-7-70")
THEIRS = ExternalEvent("cal_1", "evt_1")
URL = "https://psa.example/tasks/7"


def event(**parts: Any) -> CalendarEvent:
    """Return an event of the user's own."""
    known = CalendarEvent("cal_1", "evt_1", None, start=START, end=END, summary="Dentist")
    return dataclasses.replace(known, **parts)


def ours(**parts: Any) -> CalendarEvent:
    """Return an event that we made for a task."""
    return event(event_id=OURS.event_id, **parts)


def noticed(found: CalendarEvent, private: PrivateInbound = PrivateInbound.BUSY) -> CalendarSeen:
    """Return what is remembered of an event that can be used."""
    known = observe(found, private)
    assert known is not None
    return known


def content(**parts: Any) -> Content:
    return dataclasses.replace(Content(Timed(START, END), "Dentist"), **parts)


# How it is named


def test_our_events_go_by_our_id_and_all_others_by_cronofys() -> None:
    assert key_of(ours()) == OURS
    assert key_of(event()) == THEIRS


# What is seen


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (event(), content()),
        (event(summary="  Two\r\n lines "), content(summary="Two lines")),
        (event(summary=""), content(summary="(no subject)")),
        (event(summary="\N{RIGHT-TO-LEFT MARK}\N{WORD JOINER}"), content(summary="(no subject)")),
        (event(summary="a <b>c</b> &amp; d"), content(summary="a <b>c</b> &amp; d")),
        (event(summary="x" * 2000), content(summary="x" * (SUMMARY_LIMIT - 1) + "…")),
        (event(description="a<br>b &amp; c"), content(description="a\nb & c")),
        (event(description="x" * 8000), content(description="x" * 8000)),
        (event(description="x" * 9000), content(description="x" * (PSA_DESCRIPTION_LIMIT - 1) + "…")),
        (event(location=" Room \n 2 "), content(location="Room 2")),
        (event(transparent=True), content(busy=False)),
        (event(end=START), content(when=Timed(START, START))),
        (event(end=START - timedelta(hours=1)), content(when=Timed(START, START))),
        (event(start=NINTH, end=TENTH), content(when=AllDay(NINTH, TENTH))),
    ],
)
def test_the_content_of_an_event(found: CalendarEvent, shown: Content) -> None:
    assert noticed(found).content == shown


def test_a_private_event_of_the_user_loses_its_text_at_once() -> None:
    found = noticed(event(private=True, summary="Clinic", description="Results", location="Ward 3", transparent=True))
    assert found.content == content(summary=PRIVATE_SUMMARY, private=True, busy=False)
    assert not found.may_update, "or what we know of it would be written over what we do not"
    assert "Clinic" not in repr(found)


@pytest.mark.parametrize(
    ("private", "summary", "may_update"),
    [
        (PrivateInbound.BUSY, PRIVATE_SUMMARY, False),
        (PrivateInbound.NOT_IMPORTED, PRIVATE_SUMMARY, False),
        (PrivateInbound.FULL, "Clinic", True),
    ],
)
def test_a_tenant_decides_what_is_remembered_of_a_private_event(
    private: PrivateInbound, summary: str, *, may_update: bool
) -> None:
    found = noticed(event(private=True, summary="Clinic"), private)
    assert found.content == content(summary=summary, private=True)
    assert found.may_update is may_update


def test_what_was_read_without_its_text_is_read_anew_once_the_text_is_wanted() -> None:
    secret, open_to_all = event(private=True, digest="abc"), event(digest="abc")
    assert digest_of(secret, PrivateInbound.FULL) != digest_of(secret, PrivateInbound.BUSY)
    assert digest_of(open_to_all, PrivateInbound.FULL) == digest_of(open_to_all, PrivateInbound.BUSY)
    assert not digest_of(event(private=True), PrivateInbound.FULL), "what could not be named cannot be compared"


def test_an_event_of_ours_keeps_its_text_when_it_is_private() -> None:
    found = noticed(ours(private=True, summary="Review", description="Bring figures", location="Room 2"))
    assert found.content == content(
        summary="Review", description="Bring figures", location="Room 2", private=True
    )  # the PSA knows it anyway


@pytest.mark.parametrize(
    ("found", "deleted"),
    [
        (event(), False),
        (event(deleted=True), True),
        (event(deleted=True, start=None, end=None), True),
        (event(cancelled=True), True),
        (event(declined=True), True),
        (ours(declined=True), False),
    ],
)
def test_what_counts_as_deleted(found: CalendarEvent, *, deleted: bool) -> None:
    assert noticed(found).deleted is deleted
    assert (noticed(found).content is None) is deleted
    assert not noticed(found).missing


def test_rights_and_stamps_are_remembered() -> None:
    parts: dict[str, Any] = {"updated": START, "created": END, "may_update": False, "may_delete": False}
    seen = noticed(event(**parts, recurring=True))
    assert seen == CalendarSeen(content=content(), event_uid="evt_1", recurring=True, **parts)


def test_an_event_of_the_user_with_more_text_than_we_can_send_is_never_written_over() -> None:
    assert noticed(event(description="x" * DESCRIPTION_LIMIT)).may_update
    assert not noticed(event(description="x" * (DESCRIPTION_LIMIT + 1))).may_update


@pytest.mark.parametrize("found", [event(start=None), event(start=None, end=None), ours(start=None)])
def test_an_event_without_a_time_is_no_evidence_of_anything(found: CalendarEvent) -> None:
    assert observe(found, PrivateInbound.BUSY) is None


# What is no meeting


BIRTHDAY = {"start": NINTH, "end": TENTH, "transparent": True, "recurring": True}


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({}, None),
        ({"transparent": True}, None),
        ({"start": NINTH, "end": TENTH}, None),
        ({"start": NINTH, "end": TENTH, "transparent": True}, None),
        ({"start": NINTH, "end": TENTH, "recurring": True}, None),
        (BIRTHDAY, Reason.MARKS_A_DAY),
        ({**BIRTHDAY, "recurring": False, "categories": ("Work", " Holiday ")}, Reason.MARKS_A_DAY),
        ({**BIRTHDAY, "recurring": False, "categories": ("Work",)}, None),
        ({**BIRTHDAY, "transparent": False, "categories": ("Birthday",)}, None),
        ({**BIRTHDAY, "event_id": OURS.event_id}, None),
        ({"start": NINTH, "end": TENTH, "extended_transparency": "working_elsewhere"}, Reason.WORKING_LOCATION),
        ({"extended_transparency": "working_elsewhere"}, None),
        ({"start": NINTH, "end": TENTH, "extended_transparency": "out_of_office"}, None),
        ({"transparent": True, "recurring": True}, None),
    ],
)
def test_what_is_no_meeting_is_kept_out_of_the_psa(parts: dict[str, Any], reason: Reason | None) -> None:
    assert noticed(event(**parts)).kept_out is reason


@pytest.mark.parametrize(
    ("parts", "busy"),
    [
        ({}, True),
        ({"transparent": True}, False),
        ({"transparent": True, "extended_transparency": "out_of_office"}, True),
        ({"transparent": True, "extended_transparency": "tentative"}, False),
        ({"extended_transparency": "tentative"}, True),
    ],
)
def test_who_is_out_of_office_is_busy_whatever_else_is_said(parts: dict[str, Any], *, busy: bool) -> None:
    seen = noticed(event(**parts)).content
    assert seen is not None
    assert seen.busy is busy


# Our footer


FOOTER = f"Synced from PSA - Task #7:\n{URL}"


@pytest.mark.parametrize(
    ("found", "description"),
    [
        (ours(description=f"Text\n\n{FOOTER}"), "Text"),
        (ours(description=f"Text<br><br>Synced from PSA - Task #7:<br><a href='{URL}'>{URL}</a>"), "Text"),
        (ours(description=f"Text \r\n\r\n{FOOTER}\r\n \r\n"), "Text"),
        (ours(description=FOOTER), ""),
        (ours(description="Text\n\nSynced from PSA - Task #8"), "Text\n\nSynced from PSA - Task #8"),
        (event(description=f"Text\n\n{FOOTER}"), f"Text\n\n{FOOTER}"),
        (event(event_id="somebody-elses", description=f"Text\n\n{FOOTER}"), f"Text\n\n{FOOTER}"),
        (event(event_id="psa-x", description=FOOTER), FOOTER),
        (event(event_id="psa--1--2-todo-a.b:c", description="Text\n\nSynced from PSA - To-do #a.b:c"), "Text"),
    ],
)
def test_only_the_footer_of_the_events_own_item_is_taken_off(found: CalendarEvent, description: str) -> None:
    seen = noticed(found).content
    assert seen is not None
    assert seen.description == description


# What is sent


@pytest.mark.parametrize("key", [OURS, THEIRS])
def test_no_more_is_sent_than_the_calendar_takes(key: ManagedEvent | ExternalEvent) -> None:
    write = write_of(key, content(description="x" * 8000), TASK, url=URL, time_zones=())
    assert len(write.description) == DESCRIPTION_LIMIT


def test_a_write_says_all_there_is() -> None:
    all_of_it = content(description="Text", location="Room 2", private=True, busy=False)
    assert write_of(OURS, all_of_it, TASK, url=URL, time_zones=["Europe/Berlin"]) == PutEventWrite(
        event=OURS,
        start=START,
        end=END,
        summary="Dentist",
        description=f"Text\n\n{FOOTER}",
        location="Room 2",
        private=True,
        busy=False,
        time_zone="Europe/Berlin",
    )


def test_a_write_has_no_people_reminders_or_conferences() -> None:
    names = {field.name for field in dataclasses.fields(PutEventWrite)}
    assert names == {"event", "start", "end", "summary", "description", "location", "private", "busy", "time_zone"}


def test_an_event_of_the_user_gets_no_footer() -> None:
    assert write_of(THEIRS, content(description="Text"), TASK, url=URL, time_zones=()).description == "Text"
    assert not write_of(THEIRS, content(), TASK, url=URL, time_zones=()).description


@pytest.mark.parametrize("time_zone", [None, "", "W. Europe Standard Time", "Nowhere/City"])
def test_a_zone_that_the_calendar_would_refuse_is_not_sent(time_zone: str | None) -> None:
    """Tenants type their zones themselves, and Cronofy refuses a whole event because of one it does not know."""
    assert write_of(OURS, content(), TASK, url=None, time_zones=[time_zone]).time_zone is None


@pytest.mark.parametrize(
    ("of_item", "of_user", "shown"),
    [
        ("America/New_York", "Europe/Berlin", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin", "Europe/Berlin"),
        (None, "Europe/Berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Nowhere/City", None),
    ],
)
def test_the_first_zone_that_is_known_is_the_one_to_display(
    of_item: str | None, of_user: str | None, shown: str | None
) -> None:
    assert write_of(OURS, content(), TASK, url=None, time_zones=[of_item, of_user]).time_zone == shown


def test_whole_days_have_no_zone() -> None:
    days = AllDay(date(2026, 3, 9), date(2026, 3, 11))
    write = write_of(OURS, content(when=days), TASK, url=None, time_zones=["Europe/Berlin"])
    assert (write.start, write.end, write.time_zone) == (days.start, days.end, None)
