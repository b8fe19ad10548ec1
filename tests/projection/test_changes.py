"""What a change in the calendar asks of the PSA, for each kind of item. Source: psa.md, inbound rules per type."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from events.content import ALL_FIELDS, AllDay, Content, Field, Timed, When
from events.items import DEFAULT_LENGTH, Item
from events.link import ExternalEvent, Link, Origin
from events.platform import (
    AppointmentDraft,
    AppointmentTimes,
    DueTimes,
    ItemChanges,
    PeriodTimes,
    ServiceCallTimes,
    TodoDate,
)
from tests.projection.snapshots import (
    END,
    MIDNIGHT,
    NEW_YORK,
    START,
    appointment,
    crm_activity,
    held,
    planned,
    service_call,
    task,
    todo,
    whole_days,
)
from worker.core.ownership import Fits, Misfits, as_kept
from worker.projection.changes import changes, draft
from worker.projection.text import PSA_DESCRIPTION_LIMIT, SUBJECT_LIMIT

HOUR = timedelta(hours=1)
LATER = Timed(START + HOUR, END + HOUR)
LONGER = Timed(START, END + HOUR)
DAYS = AllDay(date(2026, 3, 9), date(2026, 3, 11))
SHOWN = Content(when=LATER, summary="Title", description="Text", location="Room 2", private=True, busy=False)
LINK = Link(
    id="int_1/cal_1/evt_1",
    integration_id="int_1",
    tenant_id=1204,
    user_id=5571,
    event=ExternalEvent("cal_1", "evt_1"),
    origin=Origin.CALENDAR,
)

Times = AppointmentTimes | ServiceCallTimes | DueTimes | TodoDate | PeriodTimes


@pytest.mark.parametrize(
    ("item", "when", "times"),
    [
        (appointment(), LATER, AppointmentTimes(LATER.start, LATER.end)),
        (appointment(), LONGER, AppointmentTimes(LONGER.start, LONGER.end)),
        (appointment(), DAYS, AppointmentTimes(DAYS.start, DAYS.end)),
        (whole_days(), LATER, AppointmentTimes(LATER.start, LATER.end)),
        (service_call(), LATER, ServiceCallTimes(LATER.start, LATER.end)),
        (planned(), LATER, PeriodTimes(LATER.start, LATER.end)),
        (todo(), LATER, TodoDate(LATER.start)),
        (todo(end=END), LATER, TodoDate(LATER.start)),
        (todo(time_zone=NEW_YORK), DAYS, TodoDate(MIDNIGHT)),
        (todo(date=MIDNIGHT, time_zone=NEW_YORK), LATER, TodoDate(LATER.start)),
        (crm_activity(), LATER, DueTimes(LATER.start, None)),
        (crm_activity(end=END), LATER, DueTimes(LATER.start, LATER.end)),
        (crm_activity(time_zone=NEW_YORK), DAYS, DueTimes(MIDNIGHT, None)),
    ],
)
def test_a_move_in_the_calendar(item: Item, when: When, times: Times) -> None:
    moved = Content(when=when, summary="")
    assert changes(item, moved, frozenset({Field.WHEN}), "Europe/Berlin") == ItemChanges(times=times)


@pytest.mark.parametrize("item", [todo(), todo(end=END), crm_activity(), crm_activity(end=END)])
def test_what_is_due_moves_by_as_much_as_its_event(item: Item) -> None:
    before = held(item).content.when
    assert isinstance(before, Timed)
    moved = Content(when=Timed(before.start + HOUR, before.end + HOUR), summary="")
    times = changes(item, moved, frozenset({Field.WHEN}), None).times
    assert times == (
        TodoDate(START + HOUR) if isinstance(times, TodoDate) else DueTimes(START + HOUR, _end(before, item))
    )


def _end(before: Timed, item: Item) -> datetime | None:
    return before.end + HOUR if held(item).traits.keeps_end else None


def test_midnight_is_that_of_the_user_where_the_item_names_no_zone() -> None:
    moved = Content(when=DAYS, summary="")
    assert changes(todo(), moved, frozenset({Field.WHEN}), NEW_YORK).times == TodoDate(MIDNIGHT)
    assert changes(todo(), moved, frozenset({Field.WHEN}), None).times == TodoDate(datetime(2026, 3, 9, tzinfo=UTC))


@pytest.mark.parametrize("item", [crm_activity(), service_call(), planned(), task(), todo()])
def test_of_a_work_record_only_the_time_can_be_changed(item: Item) -> None:
    assert changes(item, SHOWN, ALL_FIELDS - {Field.WHEN}, None) == ItemChanges()
    assert changes(item, SHOWN, ALL_FIELDS, None) == ItemChanges(times=changes(item, SHOWN, ALL_FIELDS, None).times)


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        (Field.SUMMARY, ItemChanges(subject="Title")),
        (Field.DESCRIPTION, ItemChanges(description="Text")),
        (Field.LOCATION, ItemChanges(location="Room 2")),
        (Field.PRIVATE, ItemChanges(private=True)),
        (Field.BUSY, ItemChanges()),
        (Field.WHEN, ItemChanges(times=AppointmentTimes(LATER.start, LATER.end))),
    ],
)
def test_of_an_appointment_only_what_was_changed_is_changed(field: Field, wanted: ItemChanges) -> None:
    assert changes(appointment(), SHOWN, frozenset({field}), None) == wanted
    assert changes(appointment(), SHOWN, frozenset(), None) == ItemChanges()


def test_an_emptied_text_is_emptied() -> None:
    empty = Content(when=LATER, summary="Title")
    assert changes(appointment(), empty, frozenset({Field.DESCRIPTION, Field.LOCATION}), None) == ItemChanges(
        description="", location=""
    )


def test_texts_fit_into_the_psa() -> None:
    long = Content(when=LATER, summary="x" * 1024, description="y" * 9000)
    wanted = changes(appointment(), long, ALL_FIELDS, None)
    created = draft(LINK, long, None)
    for subject, description in ((wanted.subject, wanted.description), (created.subject, created.description)):
        assert subject == "x" * (SUBJECT_LIMIT - 1) + "…"
        assert description == "y" * (PSA_DESCRIPTION_LIMIT - 1) + "…"


@pytest.mark.parametrize("when", [LATER, DAYS])
def test_an_appointment_made_of_an_event(when: When) -> None:
    content = Content(when=when, summary="Title", description="Text", location="Room 2", private=True)
    assert draft(LINK, content, NEW_YORK) == AppointmentDraft(
        reference=LINK.reference,
        tenant_id=1204,
        user_id=5571,
        subject="Title",
        description="Text",
        location="Room 2",
        start=when.start,
        end=when.end,
        private=True,
        time_zone=NEW_YORK,
    )
    # The PSA refuses an appointment in a zone that it does not know.
    assert draft(LINK, content, "W. Europe Standard Time").time_zone is None


# What a kind of item can take, and what becomes of it there

HALF = Timed(LATER.start, LATER.start + DEFAULT_LENGTH)


@pytest.mark.parametrize(
    ("item", "part", "timed", "all_day"),
    [
        (appointment(), None, LATER, DAYS),
        (whole_days(), None, LATER, DAYS),
        (crm_activity(), None, HALF, AllDay(DAYS.start, date(2026, 3, 10))),
        (crm_activity(end=END), None, LATER, None),
        (service_call(), None, LATER, None),
        (planned(), "70", LATER, None),
        (task(), None, None, None),
        (todo(), None, HALF, AllDay(DAYS.start, date(2026, 3, 10))),
    ],
)
def test_what_a_kind_takes_is_what_it_is_asked_for(
    item: Item, part: str | None, timed: When | None, all_day: When | None
) -> None:
    """Whatever the rules let through can be asked of the PSA; whatever they do not has no times to ask for."""
    traits = held(item, part).traits
    for wanted, expected in ((LATER, timed), (DAYS, all_day)):
        kept = as_kept(traits, wanted)
        assert (kept.when if isinstance(kept, Fits) else None) == expected
        if isinstance(kept, Misfits):
            continue
        assert changes(item, Content(when=kept.when, summary=""), frozenset({Field.WHEN}), None).times is not None
