"""Reading events: what an event says, page by page to the last."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import orjson
import pytest

from adapters.cronofy.client import Application, Cronofy, Query
from adapters.http.pool import HttpPool
from adapters.http.serve import serve
from events.calendar import CalendarEvent, Page
from events.failures import Gone, TryLater
from events.reasons import Reason
from sandbox.cronofy.api.faults import Instead, Match
from sandbox.cronofy.client import CronofyControl
from sandbox.cronofy.control.event_messages import EventFields, LocalTime
from sandbox.cronofy.model.settings import Hazard
from tests.adapters.cronofy.conftest import Ann
from tests.adapters.http.test_pool import Server
from tests.sandbox.conftest import CLIENT_ID, ELEVEN, NOON, SECRET, TEN, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_TEN, AT_ELEVEN = datetime(2026, 3, 10, 10, tzinfo=UTC), datetime(2026, 3, 10, 11, tzinfo=UTC)
EVENTS = Match(path="/v1/events")


async def read(cronofy: Cronofy, ann: Ann, query: Query | None = None) -> list[CalendarEvent]:
    """Read to the last page."""
    page = await cronofy.first_page(ann.token, query or Query())
    events = list(page.events)
    while page.next_url:
        page = await cronofy.next_page(ann.token, page.next_url)
        events += page.events
    return events


async def read_one(cronofy: Cronofy, ann: Ann) -> CalendarEvent:
    (event,) = await read(cronofy, ann)
    return event


async def told(cronofy: Cronofy, ann: Ann, control: CronofyControl, *events: object, **pages: object) -> Page:
    """Read a page on which there is exactly this."""
    body = orjson.dumps({"events": events, "pages": pages or {"current": 1, "total": 1}})
    await control.set_fault(Instead(status=200, text=body.decode()), EVENTS)
    return await cronofy.first_page(ann.token, Query())


async def test_an_event_tells_all_that_counts(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    made = await control.create_event(
        ann.calendar_id,
        summary="Lunch",
        description="With Bob",
        start=TEN,
        end=ELEVEN,
        location="Café",
        transparency="transparent",
        private=True,
        participation_status="declined",
        recurring=True,
        may_update=False,
        may_delete=False,
    )
    event = await read_one(cronofy, ann)
    assert (event.calendar_id, event.event_uid, event.event_id) == (ann.calendar_id, made.event_uid, None)
    assert (event.summary, event.description, event.location) == ("Lunch", "With Bob", "Café")
    assert (event.start, event.end) == (AT_TEN, AT_ELEVEN)
    assert (event.transparent, event.private, event.declined, event.recurring) == (True, True, True, True)
    assert (event.may_update, event.may_delete) == (False, False)
    assert (event.deleted, event.cancelled) == (False, False)
    assert (event.created, event.updated) == (NOON, NOON)


async def test_days_are_days(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.create_event(ann.calendar_id, start="2026-03-10", end="2026-03-12")
    event = await read_one(cronofy, ann)
    assert (event.start, event.end) == (date(2026, 3, 10), date(2026, 3, 12))
    assert not isinstance(event.start, datetime)


async def test_a_time_that_was_chosen_in_a_zone_is_read_in_utc(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    chosen = LocalTime(time="2026-03-10T12:00:00+02:00", tzid="Europe/Helsinki")
    await control.create_event(ann.calendar_id, start=chosen, end=ELEVEN)
    event = await read_one(cronofy, ann)
    assert (event.start, event.end) == (AT_TEN, AT_ELEVEN)


async def test_a_deleted_event_says_so_and_little_more(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    made = await control.create_event(ann.calendar_id, start=TEN, end=ELEVEN, summary="Lunch")
    await control.delete_event(made)
    event = await read_one(cronofy, ann)
    assert (event.event_uid, event.deleted, event.start, event.summary) == (made.event_uid, True, None, "")


@pytest.mark.parametrize("tombstones", ["ids", "full"])
async def test_a_read_includes_what_was_deleted_or_moved_away_unless_told_otherwise(
    tombstones: str, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.change_settings(tombstones=tombstones)
    kept, gone, moved = [await control.create_event(ann.calendar_id, start=TEN, end=ELEVEN) for _ in range(3)]
    await control.delete_event(gone)
    await control.edit_event(moved, start="2030-01-01T10:00:00Z", end="2030-01-01T11:00:00Z")
    assert {event.event_uid for event in await read(cronofy, ann)} == {kept.event_uid, gone.event_uid, moved.event_uid}
    narrow = Query(include_deleted=False, include_moved=False)
    assert {event.event_uid for event in await read(cronofy, ann, narrow)} == {kept.event_uid}


async def test_a_read_can_be_narrowed(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    other = await control.add_calendar(ann.account.profile_id)
    await control.create_event(other.calendar_id, start=TEN, end=ELEVEN)
    early = await control.create_event(ann.calendar_id, start=TEN, end=ELEVEN)
    await control.advance(60)
    late = await control.create_event(ann.calendar_id, start="2026-03-20T10:00:00Z", end="2026-03-20T11:00:00Z")
    here = (ann.calendar_id,)

    async def uids(query: Query) -> set[str]:
        return {event.event_uid for event in await read(cronofy, ann, query)}

    assert await uids(Query(here)) == {early.event_uid, late.event_uid}
    assert await uids(Query(here, changed_since=NOON + timedelta(seconds=60))) == {late.event_uid}
    assert await uids(Query(here, last=AT_ELEVEN)) == {early.event_uid}
    assert await uids(Query(here, first=AT_ELEVEN + timedelta(days=1))) == {late.event_uid}


async def test_a_moment_is_asked_for_in_whole_seconds_and_utc(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    moment = datetime.fromisoformat("2026-03-09T13:00:00.999999+02:00")
    await cronofy.first_page(ann.token, Query(("b", "a&b"), changed_since=moment, only_managed=True))
    (request,) = await control.requests(path="/v1/events")
    assert request.query == {
        "tzid": ["Etc/UTC"],
        "calendar_ids[]": ["b", "a&b"],
        "last_modified": ["2026-03-09T11:00:00Z"],
        "include_managed": ["true"],
        "include_deleted": ["true"],
        "include_moved": ["true"],
        "only_managed": ["true"],
    }


# Pages


@pytest.mark.parametrize("last_page", ["absent", "empty"])
@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (7, 1), (8, 2), (50, 8)])
async def test_a_read_goes_on_to_the_last_page(
    count: int, pages: int, last_page: str, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.change_settings(page_size=7, last_page=last_page)
    made = await control.create_known_events(ann.calendar_id, [EventFields(start=TEN, end=ELEVEN)] * count)
    events = await read(cronofy, ann)
    assert sorted(event.event_uid for event in events) == sorted(event.event_uid for event in made)
    assert len(await control.requests(path="/v1/events")) == pages


async def test_a_page_tells_when_it_was_answered(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.change_settings(page_size=1)
    await control.create_known_events(ann.calendar_id, [EventFields(start=TEN, end=ELEVEN)] * 2)
    first = await cronofy.first_page(ann.token, Query())
    await control.advance(30)
    assert first.next_url is not None
    second = await cronofy.next_page(ann.token, first.next_url)
    assert (first.as_of, second.as_of) == (NOON, NOON + timedelta(seconds=30))


async def test_an_expired_page_is_gone(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.change_settings(page_size=1)
    await control.create_known_events(ann.calendar_id, [EventFields(start=TEN, end=ELEVEN)] * 2)
    page = await cronofy.first_page(ann.token, Query())
    await control.expire_pages()
    assert page.next_url is not None
    with pytest.raises(Gone):
        await cronofy.next_page(ann.token, page.next_url)


@pytest.mark.parametrize(
    ("pages", "goes_on"),
    [
        ({"current": 1, "total": 2, "next_page": "/p"}, True),
        ({"current": 2, "total": 2, "next_page": "/p"}, False),
        ({"current": 3, "total": 2, "next_page": "/p"}, False),
        ({"current": 1, "total": 2, "next_page": ""}, False),
        ({"current": 1, "total": 2, "next_page": None}, False),
        ({"current": 1, "total": 2}, False),
        ({"next_page": "/p"}, True),
        ({"current": "1", "total": None, "next_page": "/p"}, True),
        ({"next_page": 7}, False),
    ],
)
async def test_a_read_is_complete_when_no_page_is_named_or_all_were_seen(
    pages: Json, goes_on: bool, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    assert bool((await told(cronofy, ann, control, **pages)).next_url) == goes_on


async def test_a_page_may_lie_about_its_pages(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.set_fault(Instead(status=200, body={"events": [], "pages": "none"}), EVENTS)
    assert (await cronofy.first_page(ann.token, Query())).next_url is None


async def test_the_token_is_never_taken_to_another_host(cronofy: Cronofy, sandbox: Running, ann: Ann) -> None:
    stranger, port = Server(), sandbox.url.rpartition(":")[2]
    async with serve(stranger) as foreign:
        for url in (
            f"{foreign}/v1/events/pages/1",
            f"{sandbox.url}@{foreign.removeprefix('http://')}/v1/events/pages/1",
            f"{foreign}\\@127.0.0.1:{port}/v1/events/pages/1",
            f"//{foreign.removeprefix('http://')}/v1/events/pages/1",
            f"https://127.0.0.1:{port}/v1/events/pages/1",
            f"http://127.0.0.1:{port}1/v1/events/pages/1",
            f"http://localhost:{port}/v1/events/pages/1",
            "http://127.0.0.1/v1/events/pages/1",
            "http://127.0.0.1:99999999/v1/events/pages/1",
            "http://[127.0.0.1/v1/events/pages/1",
            "/v1/events/pages/1",
            "file:///etc/passwd",
            "",
        ):
            with pytest.raises(TryLater) as failure:
                await cronofy.next_page(ann.token, url)
            assert failure.value.reason is Reason.UNREADABLE_ANSWER, url
    assert stranger.asked == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("https://api.cronofy.com", "https://api.cronofy.com:443/v1/events/pages/1"),
        ("https://api.cronofy.com:443/", "https://api.cronofy.com/v1/events/pages/1"),
        ("https://api.cronofy.com", "HTTPS://API.Cronofy.com/v1/events/pages/1"),
    ],
)
async def test_a_port_that_goes_without_saying_is_the_same_port(
    ours: str, theirs: str, http: HttpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.http.pool.CALL_SECONDS", 0)  # nobody is asked
    with pytest.raises(TryLater) as failure:
        await Cronofy(http, Application(ours, CLIENT_ID, (SECRET,))).next_page("token", theirs)
    assert failure.value.reason is Reason.UNREACHABLE


# Oddities


@pytest.mark.parametrize("hazard", Hazard)
async def test_an_odd_event_is_an_event(hazard: Hazard, cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.change_calendar(ann.calendar_id, unrestricted=True)
    await control.create_event(ann.calendar_id, start=TEN, end=ELEVEN, summary="Lunch", location="Room")
    plain = await read_one(cronofy, ann)
    await control.change_settings(hazards={hazard: 1})
    odd = await read_one(cronofy, ann)
    assert (odd.event_uid, odd.start, odd.end, odd.summary) == (plain.event_uid, AT_TEN, AT_ELEVEN, "Lunch")
    assert (odd.deleted, odd.cancelled, odd.declined, odd.transparent) == (False, False, False, False)
    assert (odd.may_update, odd.may_delete) == (True, True)
    assert odd.updated == (None if hazard is Hazard.YEAR_ZERO else NOON)
    assert odd.location == ("" if hazard is Hazard.NO_LOCATION else "Room")


EVENT: Json = {"calendar_id": "cal_1", "event_uid": "evt_1", "start": TEN, "end": ELEVEN}


@pytest.mark.parametrize("name", ["status", "event_status"])
async def test_an_event_is_cancelled_by_either_name_of_its_status(
    name: str, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    (event,) = (await told(cronofy, ann, control, EVENT | {name: "cancelled"})).events
    assert event.cancelled


@pytest.mark.parametrize(
    ("said", "start"),
    [
        ("2026-03-10T10:00:00Z", AT_TEN),
        ("2026-03-10T10:00:00UTC", AT_TEN),
        ("2026-03-10T10:00:00+00:00", AT_TEN),
        ("2026-03-10 10:00:00Z", AT_TEN),
        ("2026-03-10T10:00:00.000Z", AT_TEN),
        ("2026-03-10T10:00:00.123456789Z", AT_TEN.replace(microsecond=123456)),
        ("2026-03-10T12:00:00+02:00", AT_TEN),
        ("2026-03-10T10:00:00", AT_TEN),
        ("2026-03-10", date(2026, 3, 10)),
        ({"time": "2026-03-10T12:00:00+02:00", "tzid": "Europe/Helsinki"}, AT_TEN),
        ({"time": "2026-03-10", "tzid": "Europe/Helsinki"}, date(2026, 3, 10)),
    ],
)
async def test_times_are_read_in_every_form_that_was_ever_seen(
    said: object, start: object, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    (event,) = (await told(cronofy, ann, control, EVENT | {"start": said})).events
    assert event.start == start
    assert type(event.start) is type(start)


SENSELESS: list[object] = [
    "0000-12-29T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:00",
    "9999-12-31T23:59:59-23:00",
    "9999-12-31",
    "2026-02-30",
    "2026-13-01T00:00:00Z",
    "tomorrow",
    "",
    {},
    {"time": None},
    [],
    7,
]


@pytest.mark.parametrize("boundary", ["start", "end"])
@pytest.mark.parametrize("said", SENSELESS)
async def test_an_event_whose_times_cannot_be_read_has_none_and_is_not_deleted(
    said: object, boundary: str, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    page = await told(cronofy, ann, control, EVENT | {boundary: said}, EVENT | {"event_uid": "evt_2"})
    found = [(event.event_uid, event.start is None, event.deleted, event.cancelled) for event in page.events]
    assert found == [("evt_1", True, False, False), ("evt_2", False, False, False)]


@pytest.mark.parametrize("gone", [{"deleted": True}, {"status": "cancelled"}])
@pytest.mark.parametrize("said", [*SENSELESS, None])
async def test_an_event_that_is_gone_needs_no_times(
    said: object, gone: Json, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    (event,) = (await told(cronofy, ann, control, EVENT | {"start": said, "end": said} | gone)).events
    assert (event.event_uid, event.start, event.deleted or event.cancelled) == ("evt_1", None, True)


async def test_an_event_may_have_no_end(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    bare = {name: value for name, value in EVENT.items() if name != "end"}
    (event,) = (await told(cronofy, ann, control, bare)).events
    assert (event.start, event.end) == (AT_TEN, None)


@pytest.mark.parametrize("missing", ["calendar_id", "event_uid"])
@pytest.mark.parametrize("value", [None, "", 7, {}])
async def test_what_lacks_a_name_is_no_event(
    value: object, missing: str, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    assert (await told(cronofy, ann, control, EVENT | {missing: value}, None, "event", [])).events == ()
