"""Every cell of the mapping table in psa.md: what the calendar shows of each kind of item."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from events.content import AllDay, Content, Field, Timed
from events.items import Appointment, Item, ItemType, Named, Person, Place, Project, Task, Ticket
from events.link import ItemKey, PsaSeen
from events.reasons import Reason
from tests.projection.snapshots import (
    CONTACT,
    END,
    MIDNIGHT,
    NEW_YORK,
    PLACE,
    START,
    TICKET,
    appointment,
    crm_activity,
    gone,
    held,
    key,
    planned,
    service_call,
    task,
    todo,
    whole_days,
)
from worker.core.compare import overlay
from worker.core.ownership import Traits
from worker.core.sides import PsaGone, PsaHolds, PsaNever, PsaUnread
from worker.projection.items import HIDDEN_SUMMARY, Showing, picture
from worker.projection.text import DESCRIPTION_LIMIT, SUMMARY_LIMIT

HALF_AN_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
NINTH = date(2026, 3, 9)


# Titles


@pytest.mark.parametrize(
    ("item", "summary"),
    [
        (appointment(subject="  Quarterly\nreview "), "Quarterly review"),
        (appointment(subject=" "), "(no subject)"),
        (appointment(subject="\N{LEFT-TO-RIGHT MARK}"), "(no subject)"),
        (appointment(subject="\N{RIGHT-TO-LEFT OVERRIDE} \N{POP DIRECTIONAL FORMATTING}"), "(no subject)"),
        (appointment(subject="\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-16}"), "(no subject)"),
        (appointment(subject="\N{RIGHT-TO-LEFT MARK}!"), "\N{RIGHT-TO-LEFT MARK}!"),
        (appointment(subject="Fix <b> & &amp;"), "Fix <b> & &amp;"),
        (crm_activity(subject="Renewal"), "Call: Renewal"),
        (crm_activity(), "Call: Contoso"),
        (crm_activity(subject="Renewal", completed=True), "[Done] Call: Renewal"),
        (crm_activity(account=Named(id=1)), "Call"),
        (crm_activity(type="", account=Named(id=1)), "CRM activity"),
        (service_call(), "Service call: VPN drops - Contoso"),
        (service_call(ticket=None, task_name="Install"), "Service call: Install - Contoso"),
        (service_call(account=Named(id=1)), "Service call: VPN drops"),
        (service_call(ticket=None), "Service call: Contoso"),
        (service_call(ticket=None, account=Named(id=1)), "Service call"),
        (service_call(complete=True), "[Done] Service call: VPN drops - Contoso"),
        (task(), "Task: Move mailboxes (Migration)"),
        (task(project=Project(id=1)), "Task: Move mailboxes"),
        (task(name="", project=Project(id=1)), "Task"),
        (task(completed=True), "[Done] Task: Move mailboxes (Migration)"),
        (todo(), "To-do: Call back about VPN quote"),
        (todo(description="<p>Call &amp; ask</p><p>twice</p>"), "To-do: Call & ask twice"),
        (todo(description="<p>Fix the &lt;br&gt; tag</p>"), "To-do: Fix the <br> tag"),
        (todo(description="\N{LEFT-TO-RIGHT MARK}"), "To-do"),
        (todo(description="x" * 81), f"To-do: {'x' * 79}…"),
        (todo(description="x" * 80), f"To-do: {'x' * 80}"),
        (todo(description=""), "To-do"),
        (todo(complete=True), "[Done] To-do: Call back about VPN quote"),
    ],
)
def test_the_title(item: Item, summary: str) -> None:
    assert held(item).content.summary == summary


@pytest.mark.parametrize("item", [service_call(account=Named(id=1, name="x" * 5000)), task(name="x" * 5000)])
def test_a_title_fits_into_the_calendar(item: Item) -> None:
    summary = held(item).content.summary
    assert len(summary) == SUMMARY_LIMIT
    assert summary.endswith("…")


# Texts


@pytest.mark.parametrize(
    ("item", "description"),
    [
        (appointment(), ""),
        (appointment(description="<p>Bring &lt;all&gt;<br>figures</p>"), "Bring <all>\nfigures"),
        (crm_activity(), "Account: Contoso\nStatus: Open"),
        (
            crm_activity(notes="Ask\nfor Bob", contact=CONTACT, priority="High"),
            "Ask\nfor Bob\n\nAccount: Contoso\nContact: Bob Roe, +1 555 0100\nStatus: Open\nPriority: High",
        ),
        (crm_activity(contact=Person(name=" ", phone="1"), status=" "), "Account: Contoso\nContact: 1"),
        (service_call(), "Ticket: 40317-1204 VPN drops"),
        (
            service_call(description="Replace it", contact=CONTACT, priority="High", status="New"),
            "Replace it\n\nTicket: 40317-1204 VPN drops\nContact: Bob Roe, +1 555 0100\nPriority: High\nStatus: New",
        ),
        (service_call(ticket=None), ""),
        (task(), "Project: Migration"),
        (
            task(description="All of them", planned_hours=7.5, status="Open"),
            "All of them\n\nPlanned hours: 7.5\nProject: Migration\nStatus: Open",
        ),
        (todo(), "Call back about VPN quote"),
        (todo(ticket=TICKET), "Call back about VPN quote\n\nTicket: 40317-1204 VPN drops"),
        (
            todo(ticket=Ticket(id=1, number="1", title="Remove <br> tags")),
            "Call back about VPN quote\n\nTicket: 1 Remove &lt;br&gt; tags",
        ),
    ],
)
def test_the_description(item: Item, description: str) -> None:
    assert held(item).content.description == description


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0.0, "0"), (8.0, "8"), (7.25, "7.25"), (1 / 3, "0.33"), (1234567.5, "1234567.5"), (1e6, "1000000")],
)
def test_planned_hours_are_written_for_people(hours: float, text: str) -> None:
    assert f"Planned hours: {text}\n" in held(task(planned_hours=hours)).content.description


@pytest.mark.parametrize("url", [None, "https://psa.example/1", "https://psa.example/" + "x" * 1900])
def test_a_long_description_leaves_room_for_its_footer_and_is_known_to_be_cut(url: str | None) -> None:
    found = held(appointment(description="x" * 9000, url=url))
    assert len(found.content.description) < DESCRIPTION_LIMIT - len(url or "")
    assert found.content.description.endswith("…")
    assert found.traits == Traits(ItemType.APPOINTMENT, text_was_cut=True)
    assert not held(appointment(description="x" * 2000, url=url)).traits.text_was_cut


@pytest.mark.parametrize(
    ("item", "location"),
    [
        (appointment(location=" Room\n2 "), "Room 2"),
        (appointment(), ""),
        (crm_activity(), ""),
        (service_call(location=PLACE), "Head office, 1 Main St, Springfield"),
        (service_call(location=Place(address="1 Main St")), "1 Main St"),
        (service_call(location=Place(name=" ")), ""),
        (service_call(), ""),
        (task(), ""),
        (todo(), ""),
    ],
)
def test_the_location(item: Item, location: str) -> None:
    assert held(item).content.location == location


# Flags


@pytest.mark.parametrize(
    ("item", "private"),
    [
        (appointment(), False),
        (appointment(is_private=True), True),
        (whole_days(is_private=True), True),
        (crm_activity(is_private=True), True),
        (crm_activity(), False),
        (service_call(), False),
        (task(), False),
        (todo(), False),
    ],
)
def test_whether_it_is_private(item: Item, *, private: bool) -> None:
    assert held(item).content.private is private


@pytest.mark.parametrize(
    ("item", "part", "busy"),
    [
        (appointment(), None, True),
        (whole_days(), None, True),
        (crm_activity(), None, True),
        (crm_activity(end=END), None, True),
        (crm_activity(due=MIDNIGHT, time_zone=NEW_YORK), None, False),
        (crm_activity(completed=True), None, False),
        (service_call(), None, True),
        (service_call(complete=True), None, False),
        (planned(), "70", True),
        (planned(completed=True), "70", False),
        (task(), None, False),
        (todo(), None, False),
        (todo(date=MIDNIGHT, time_zone=NEW_YORK), None, False),
    ],
)
def test_whether_it_takes_the_users_time(item: Item, part: str | None, *, busy: bool) -> None:
    assert held(item, part).content.busy is busy


# Times


@pytest.mark.parametrize(
    ("item", "when"),
    [
        (appointment(), Timed(START, END)),
        (appointment(end=None), Timed(START, START + HALF_AN_HOUR)),
        (appointment(end=START), Timed(START, START)),
        (
            appointment(start=START + timedelta(milliseconds=997), end=END + timedelta(microseconds=1)),
            Timed(START, END),
        ),
        (appointment(start=START.astimezone(), end=END), Timed(START, END)),
        (appointment(start=MIDNIGHT, end=MIDNIGHT + DAY, time_zone=NEW_YORK), Timed(MIDNIGHT, MIDNIGHT + DAY)),
        (whole_days(), AllDay(NINTH, date(2026, 3, 11))),
        (whole_days(end_date=None), AllDay(NINTH, date(2026, 3, 10))),
        (whole_days(start=START, end=END), AllDay(NINTH, date(2026, 3, 11))),
        (crm_activity(), Timed(START, START + HALF_AN_HOUR)),
        (crm_activity(end=END), Timed(START, END)),
        (crm_activity(end=START - DAY), Timed(START, START)),
        (crm_activity(due=MIDNIGHT, time_zone=NEW_YORK), AllDay(NINTH, NINTH + DAY)),
        (crm_activity(due=MIDNIGHT, end=END, time_zone=NEW_YORK), Timed(MIDNIGHT, END)),
        (service_call(), Timed(START, END)),
        (service_call(end=None), Timed(START, START + HALF_AN_HOUR)),
        (service_call(start=MIDNIGHT, end=MIDNIGHT + DAY, time_zone=NEW_YORK), Timed(MIDNIGHT, MIDNIGHT + DAY)),
        (task(), AllDay(date(2026, 3, 13), date(2026, 3, 14))),
        (task(start_date=date(2026, 3, 1)), AllDay(date(2026, 3, 13), date(2026, 3, 14))),
        (todo(), Timed(START, START + HALF_AN_HOUR)),
        (todo(end=END), Timed(START, START + HALF_AN_HOUR)),
        (todo(date=MIDNIGHT, time_zone=NEW_YORK), AllDay(NINTH, NINTH + DAY)),
        (todo(date=MIDNIGHT), Timed(MIDNIGHT, MIDNIGHT + HALF_AN_HOUR)),
    ],
)
def test_when_it_is(item: Item, when: Timed | AllDay) -> None:
    assert held(item).content.when == when


def test_each_planned_period_of_a_task_is_an_event_of_its_own() -> None:
    assert held(planned(), "70").content.when == Timed(START, END)
    assert held(planned(), "71").content.when == Timed(START + DAY, END + DAY)
    assert held(planned(), "70").content.summary == "Task: Move mailboxes (Migration)"


@pytest.mark.parametrize(
    ("item", "part", "reason"),
    [
        (appointment(start=None), None, Reason.NO_DATE),
        (appointment(start=None, start_date=NINTH), None, Reason.NO_DATE),
        (whole_days(start_date=None, start=START), None, Reason.NO_DATE),
        (crm_activity(due=None), None, Reason.NO_DATE),
        (crm_activity(due=None, end=END), None, Reason.NO_DATE),
        (service_call(start=None), None, Reason.NO_DATE),
        (task(end_date=None), None, Reason.NO_DATE),
        (task(end_date=None, start_date=NINTH), None, Reason.NO_DATE),
        (planned(), None, Reason.PLANNED_IN_PERIODS),
        (planned(), "72", Reason.NO_DATE),
        (task(), "70", Reason.NO_DATE),
        (todo(date=None), None, Reason.NO_DATE),
        (todo(date=None, end=END), None, Reason.NO_DATE),
    ],
)
def test_what_has_no_date_has_no_event(item: Item, part: str | None, reason: Reason) -> None:
    assert gone(item, part) == PsaGone(reason)


MIDNIGHT_IN_BERLIN = datetime(2026, 3, 8, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("of_item", "of_user", "whole_day"),
    [
        ("Europe/Berlin", None, True),
        ("Europe/Berlin", NEW_YORK, True),
        (NEW_YORK, "Europe/Berlin", False),
        (None, "Europe/Berlin", True),
        (None, None, False),
        ("Middle-earth/Shire", "Europe/Berlin", True),
        ("Middle-earth/Shire", "nonsense", False),
        ("", "Europe/Berlin", True),
    ],
)
@pytest.mark.parametrize("make", [todo, crm_activity])
def test_midnight_is_that_of_the_items_zone_or_else_of_the_users(
    make: Any, of_item: str | None, of_user: str | None, *, whole_day: bool
) -> None:
    field = "date" if make is todo else "due"
    content = held(make(time_zone=of_item, **{field: MIDNIGHT_IN_BERLIN}), time_zone=of_user).content
    assert content.when == (
        AllDay(NINTH, NINTH + DAY) if whole_day else Timed(MIDNIGHT_IN_BERLIN, MIDNIGHT_IN_BERLIN + HALF_AN_HOUR)
    )


# What it can hold


@pytest.mark.parametrize(
    ("item", "part", "traits"),
    [
        (appointment(), None, Traits(ItemType.APPOINTMENT)),
        (whole_days(), None, Traits(ItemType.APPOINTMENT)),
        (crm_activity(), None, Traits(ItemType.CRM_ACTIVITY, keeps_end=False)),
        (crm_activity(end=END), None, Traits(ItemType.CRM_ACTIVITY, keeps_all_day=False)),
        (service_call(), None, Traits(ItemType.SERVICE_CALL, keeps_all_day=False)),
        (planned(), "70", Traits(ItemType.TASK, keeps_all_day=False)),
        (task(), None, Traits(ItemType.TASK, movable=False)),
        (todo(), None, Traits(ItemType.TODO, keeps_end=False)),
    ],
)
def test_what_it_can_hold(item: Item, part: str | None, traits: Traits) -> None:
    assert held(item, part).traits == traits


# From an observation


SEEN = PsaSeen(revision=3, deleted=False, assigned=True, item=None, at=START)
KEY = ItemKey(1204, ItemType.APPOINTMENT, "1")


def seen(item: Appointment | None = None, **parts: Any) -> PsaSeen:
    snapshot = item.model_dump_json(by_alias=True) if item else None
    return replace(PsaSeen(3, deleted=False, assigned=True, item=snapshot, at=START), **parts)


@pytest.mark.parametrize(
    ("key", "observation", "view"),
    [
        (None, None, PsaNever()),
        (None, seen(appointment()), PsaNever()),
        (KEY, None, PsaUnread()),
        (KEY, seen(), PsaUnread()),
        (KEY, seen(deleted=True), PsaGone(Reason.PSA_DELETED)),
        (KEY, seen(appointment(), deleted=True, assigned=False), PsaGone(Reason.PSA_DELETED)),
        (KEY, seen(appointment(), assigned=False), PsaGone(Reason.UNASSIGNED)),
        (KEY, seen(assigned=False), PsaGone(Reason.UNASSIGNED)),
        (KEY, seen(absent=True), PsaGone(Reason.ITEM_NOT_FOUND)),
        (KEY, seen(appointment(start=None)), PsaGone(Reason.NO_DATE)),
        (KEY, seen(appointment()), held(appointment())),
    ],
)
def test_what_an_observation_shows(
    key: ItemKey | None, observation: PsaSeen | None, view: PsaNever | PsaUnread | PsaGone | PsaHolds
) -> None:
    assert picture(key, observation, None, Showing()).view == view


@pytest.mark.parametrize(
    "item", [appointment(), whole_days(), crm_activity(), service_call(), planned(), task(), todo()]
)
def test_every_kind_of_snapshot_is_read_back_from_the_store(item: Item) -> None:
    observation = PsaSeen(3, deleted=False, assigned=True, item=item.model_dump_json(by_alias=True), at=START)
    assert picture(key(item), observation, NEW_YORK, Showing()).item == item


def test_a_picture_depends_on_the_zone_of_its_user() -> None:
    observation = PsaSeen(3, deleted=False, assigned=True, item=todo(date=MIDNIGHT).model_dump_json(), at=START)
    there, elsewhere = (picture(key(todo()), observation, zone, Showing()).view for zone in (NEW_YORK, "Europe/Berlin"))
    assert isinstance(there, PsaHolds)
    assert isinstance(elsewhere, PsaHolds)
    assert there.content.value(Field.WHEN) == AllDay(NINTH, NINTH + DAY)
    assert elsewhere.content.value(Field.WHEN) == Timed(MIDNIGHT, MIDNIGHT + HALF_AN_HOUR)


# What a tenant has decided to show


@pytest.mark.parametrize(
    ("item", "open_again"),
    [
        (crm_activity(completed=True), crm_activity()),
        (service_call(complete=True), service_call()),
        (planned(completed=True), planned()),
        (todo(complete=True), todo()),
    ],
)
def test_a_completed_item_stays_or_goes_as_the_tenant_wants(item: Item, open_again: Item) -> None:
    for part_id in {"7", None} if isinstance(item, Task) else {None}:
        done, undone = (
            PsaSeen(3, deleted=False, assigned=True, item=one.model_dump_json(by_alias=True), at=START)
            for one in (item, open_again)
        )
        named = key(item, part_id)
        stays = picture(named, done, None, Showing()).view
        if isinstance(stays, PsaHolds):
            assert stays.content.summary.startswith("[Done] ")
            assert not stays.content.busy
            assert picture(named, done, None, Showing(removes_done=True)).view == PsaGone(Reason.COMPLETED)
            assert isinstance(picture(named, undone, None, Showing(removes_done=True)).view, PsaHolds)


@pytest.mark.parametrize("item", [appointment(is_private=True), crm_activity(is_private=True)])
def test_of_a_private_item_only_the_time_is_shown_if_the_tenant_wants_it_so(item: Item) -> None:
    observation = PsaSeen(3, deleted=False, assigned=True, item=item.model_dump_json(by_alias=True), at=START)
    full = picture(key(item), observation, None, Showing()).view
    hidden = picture(key(item), observation, None, Showing(hides_private=True)).view
    assert isinstance(full, PsaHolds)
    assert isinstance(hidden, PsaHolds)
    assert hidden.content == Content(full.content.when, HIDDEN_SUMMARY, private=True, busy=full.content.busy)
    assert hidden.traits == replace(full.traits, text_is_hidden=True)


@pytest.mark.parametrize("field", [Field.DESCRIPTION, Field.LOCATION])
def test_a_field_that_the_tenant_leaves_out_is_empty_and_everything_else_is_shown(field: Field) -> None:
    item = appointment(location="Main St 4", description="Bring the router")
    full = picture(KEY, seen(item), None, Showing()).view
    bare = picture(KEY, seen(item), None, Showing(left_out=frozenset({field}))).view
    assert isinstance(full, PsaHolds)
    assert full.content.value(field)
    assert bare == PsaHolds(overlay(full.content, {field: ""}), replace(full.traits, left_out=frozenset({field})))


def test_what_is_not_private_is_shown_in_full_by_every_tenant() -> None:
    observation = seen(appointment())
    assert picture(KEY, observation, None, Showing(hides_private=True)) == picture(KEY, observation, None, Showing())
