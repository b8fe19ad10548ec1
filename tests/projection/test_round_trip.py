"""What goes out comes back the same, whatever the providers of the sandboxes make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from events.calendar import CalendarEvent, PutEventWrite
from events.content import AllDay, Content, Field, Timed, When
from events.items import Appointment, ItemType, Todo
from events.link import ItemKey, ManagedEvent, managed_event_id
from events.platform import TodoDate
from events.tenant import PrivateInbound
from sandbox.cronofy.model.draft import Draft
from sandbox.cronofy.model.event import Location
from sandbox.cronofy.model.moments import Day, Instant, Moment
from sandbox.cronofy.model.provider import rewrite
from sandbox.cronofy.model.settings import Service, Settings
from sandbox.psa.model.settings import Style
from sandbox.psa.model.style import in_house_style
from tests.projection.snapshots import appointment, held
from tests.projection.texts import texts
from worker.core.compare import same, shows, unchanged
from worker.core.sides import PsaHolds
from worker.projection.changes import changes
from worker.projection.events import observe, write_of
from worker.projection.items import project
from worker.projection.times import timed

USER: Final = 5571
URLS = st.sampled_from([None, "https://psa.example/1", "https://psa.example/?a=1&b=2&copy=3"])
KEEPING = [Settings(rewriting="off"), Settings(rewriting="settling"), Settings(rewriting="growing")]

seconds = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def appointments(draw: st.DrawFn) -> Appointment:
    """Draw an appointment with any texts, also with ones that are too long."""
    start = draw(seconds)
    return Appointment(
        id=draw(st.integers(1, 9)),
        subject=draw(texts),
        description=draw(st.none() | texts) or draw(texts) * draw(st.integers(0, 400)),
        location=draw(st.none() | texts),
        start=start,
        end=start + timedelta(seconds=draw(st.integers(0, 10**6))),
        is_private=draw(st.booleans()),
        url=draw(URLS),
    )


def written(item: Appointment) -> tuple[Content, PutEventWrite]:
    """Return what an item's event should show, and what is sent to have it do so."""
    key = ItemKey(1204, ItemType.APPOINTMENT, str(item.id))
    wanted = held(item).content
    event = ManagedEvent("cal_1", managed_event_id(key, USER))
    return wanted, write_of(event, wanted, key, url=item.url, time_zones=["Europe/Berlin"])


def kept(write: PutEventWrite, service: Service, settings: Settings) -> CalendarEvent:
    """Return the event as a provider keeps it."""
    draft = Draft(
        given=frozenset(),
        start=_moment(write.start),
        end=_moment(write.end),
        summary=write.summary,
        description=write.description,
        location=Location(write.location),
        private=write.private,
    )
    draft = rewrite(draft, service, settings)
    assert isinstance(write.event, ManagedEvent)
    assert draft.start is not None
    assert draft.end is not None
    return CalendarEvent(
        calendar_id="cal_1",
        event_uid="evt_1",
        event_id=write.event.event_id,
        start=_boundary(draft.start),
        end=_boundary(draft.end),
        summary=draft.summary,
        description=draft.description,
        location=draft.location.description if draft.location else "",
        transparent=not write.busy,
        private=draft.private,
    )


def _moment(boundary: datetime | date) -> Moment:
    return Instant(boundary) if isinstance(boundary, datetime) else Day(boundary)


def _boundary(moment: Moment) -> datetime | date:
    return moment.time if isinstance(moment, Instant) else moment.date


def seen(write: PutEventWrite, service: Service, settings: Settings) -> Content:
    """Return what is seen of the event then."""
    seen = observe(kept(write, service, settings), PrivateInbound.BUSY)
    assert seen is not None
    content = seen.content
    assert content is not None
    return content


@pytest.mark.parametrize("settings", KEEPING, ids=lambda settings: settings.rewriting)
@pytest.mark.parametrize("service", [Service.GOOGLE, Service.OFFICE365, Service.ICLOUD])
@given(item=appointments())
@example(item=appointment(description="<p>&lt;b&gt;x&lt;/b&gt; &amp;amp;</p>", url="https://psa.example/?a=1&lt=2"))
@example(item=appointment(subject="<br>", description="  a\n    b  c\n<john@example.com> https://x.example/?a=1&b=2\n"))
def test_a_provider_changes_nothing_that_is_compared(item: Appointment, service: Service, settings: Settings) -> None:
    """All but the seconds come back letter by letter, so that what goes into the PSA later is what a person wrote."""
    wanted, write = written(item)
    shown = seen(write, service, settings)
    assert replace(shown, when=wanted.when) == wanted
    assert same(Field.WHEN, wanted.when, shown.when)
    assert shows(wanted, shown)


@given(appointments())
def test_a_conference_block_is_no_edit(item: Appointment) -> None:
    wanted, write = written(item)
    shown = seen(write, Service.OFFICE365, Settings(rewriting="settling", conference_block=True))
    assert shows(wanted, shown)
    assert unchanged(Field.DESCRIPTION, wanted.description, shown.description)


@pytest.mark.parametrize("service", [Service.GOOGLE, Service.OFFICE365, Service.ICLOUD])
@given(item=appointments())
def test_writing_what_was_read_makes_nothing_new(item: Appointment, service: Service) -> None:
    _, write = written(item)
    once = seen(write, service, Settings(conference_block=True))
    assume(len(once.description) < 3000)  # there is room for what providers add
    key = ItemKey(1204, ItemType.APPOINTMENT, str(item.id))
    again = write_of(write.event, once, key, url=item.url, time_zones=())
    twice = seen(again, service, Settings(conference_block=True))
    assert shows(once, twice)


@pytest.mark.parametrize(
    "when",
    [
        AllDay(date(2026, 3, 9), date(2026, 3, 10)),
        AllDay(date(2026, 3, 29), date(2026, 4, 12)),
        Timed(datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        Timed(datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("service", [Service.GOOGLE, Service.OFFICE365, Service.ICLOUD])
def test_a_time_comes_back_as_it_was(when: When, service: Service) -> None:
    content = Content(when=when, summary="Review")
    key = ItemKey(1204, ItemType.APPOINTMENT, "1")
    write = write_of(ManagedEvent("cal_1", managed_event_id(key, USER)), content, key, url=None, time_zones=())
    assert same(Field.WHEN, when, seen(write, service, Settings()).when)
    assert seen(write, service, Settings(rewriting="off")).when == when


# Into the PSA


STYLES = [
    Style(),
    Style(trim_text=True, crlf_line_ends=True),
    Style(html_descriptions=True, whole_minutes=True),
    Style(html_descriptions=True, cut_long_text=True, trim_text=True, crlf_line_ends=True),
]
contents = st.builds(
    Content,
    when=st.builds(timed, seconds, seconds),
    summary=texts,
    description=texts,
    location=texts,
    private=st.booleans(),
)


@pytest.mark.parametrize("style", STYLES, ids=range(len(STYLES)))
@given(content=contents)
def test_the_psa_shows_what_was_brought_into_it(content: Content, style: Style) -> None:
    """An edit that goes into the PSA must not come back out as an edit of the PSA."""
    event = CalendarEvent(
        calendar_id="cal_1",
        event_uid="evt_1",
        event_id=None,
        start=content.when.start,
        end=content.when.end,
        summary=content.summary,
        description=content.description,
        location=content.location,
    )
    seen = observe(event, PrivateInbound.BUSY)
    assert seen is not None
    shown = seen.content
    assert shown is not None
    wanted = changes(appointment(), shown, frozenset(Field), None)
    stored = appointment(
        subject=wanted.subject,
        description=wanted.description,
        location=wanted.location,
        start=shown.when.start,
        end=shown.when.end,
    )
    assert shows(shown, held(in_house_style(stored, style)).content)


def test_a_to_do_made_all_day_in_the_calendar_is_all_day_in_the_psa() -> None:
    item = Todo(id=6, description="Call", date=datetime(2026, 3, 9, 14, tzinfo=UTC), time_zone="America/Havana")
    key = ItemKey(1204, ItemType.TODO, "6")
    for day in (date(2026, 11, 1), date(2026, 3, 8), date(2026, 7, 1)):  # with two midnights, without one, with one
        whole = AllDay(day, day + timedelta(days=1))
        times = changes(item, Content(when=whole, summary=""), frozenset({Field.WHEN}), None).times
        assert isinstance(times, TodoDate)
        found = project(key, item.model_copy(update={"date": times.date}), None)
        assert isinstance(found, PsaHolds)
        assert found.content.when == whole
