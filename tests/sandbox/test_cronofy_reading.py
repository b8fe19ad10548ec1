"""What a read answers: the window, what is left out unless asked for, since when, how it looks, and its pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import httpx
import pytest

from sandbox.cronofy.control.account_messages import NewCalendar
from sandbox.cronofy.control.event_messages import EventFields, EventView, Place
from sandbox.cronofy.model.moments import show_time
from sandbox.cronofy.model.settings import Service
from tests.sandbox.conftest import ELEVEN, NOON, TEN, Caller, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


def hour(start: datetime, **fields: str) -> EventFields:
    return EventFields(summary=fields.get("summary", "Event"), start=start, end=start + timedelta(hours=1))


async def known(cronofy: Running, caller: Caller, *events: EventFields) -> list[EventView]:
    return await cronofy.control.create_known_events(caller.calendar_id, events)


async def written(cronofy: Running, caller: Caller, event_id: str = "item-1", **fields: object) -> None:
    await caller.upsert(event_id, None, **fields)
    await cronofy.control.run_until_quiet()


def summaries(events: list[Json]) -> list[str]:
    return [event["summary"] for event in events]


# Managed and external events


async def test_managed_events_are_left_out_unless_asked_for(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, hour(NOON, summary="External"))
    await written(cronofy, caller, summary="Managed")
    assert summaries(await caller.read()) == ["External"]
    assert set(summaries(await caller.read(include_managed="true"))) == {"External", "Managed"}
    assert summaries(await caller.read(only_managed="true")) == ["Managed"]


async def test_only_managed_events_have_an_event_id(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, hour(NOON))
    await written(cronofy, caller)
    ids = [(event.get("event_id"), event["event_uid"]) for event in await caller.read(include_managed="true")]
    assert sorted((event_id is None, uid.startswith("evt_external_")) for event_id, uid in ids) == [
        (False, False),
        (True, True),
    ]


async def test_nobody_reads_what_belongs_to_another_account(cronofy: Running, caller: Caller) -> None:
    stranger = await cronofy.connect()
    await known(cronofy, stranger, hour(NOON))
    assert await caller.read(**{"calendar_ids[]": stranger.calendar_id}) == []


async def test_a_read_can_be_restricted_to_calendars(cronofy: Running, caller: Caller) -> None:
    other = await cronofy.control.add_calendar(caller.account.profile_id, NewCalendar(name="Other"))
    await known(cronofy, caller, hour(NOON, summary="One"))
    await cronofy.control.create_known_events(other.calendar_id, [hour(NOON, summary="Two")])
    assert set(summaries(await caller.read())) == {"One", "Two"}
    assert summaries(await caller.read(**{"calendar_ids[]": other.calendar_id})) == ["Two"]
    both = await caller.read(**{"calendar_ids[]": [caller.calendar_id, other.calendar_id]})
    assert set(summaries(both)) == {"One", "Two"}


async def test_events_of_a_deleted_calendar_are_not_read(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, hour(NOON))
    await cronofy.control.change_calendar(caller.calendar_id, deleted=True)
    assert await caller.read(include_deleted="true") == []


# The window: 42 days back, 201 ahead

DAY = timedelta(days=1)
TODAY = NOON.replace(hour=0)


@pytest.mark.parametrize(
    ("start", "inside"),
    [
        (TODAY - 42 * DAY - timedelta(hours=1), True),  # ends as the window begins
        (TODAY - 42 * DAY - timedelta(hours=2), False),
        (TODAY + 201 * DAY - timedelta(seconds=1), True),
        (TODAY + 201 * DAY, False),
    ],
)
async def test_external_events_are_read_within_the_window(
    cronofy: Running, caller: Caller, start: datetime, *, inside: bool
) -> None:
    await known(cronofy, caller, hour(start))
    assert len(await caller.read()) == inside


async def test_managed_events_are_read_for_all_time_unless_a_time_is_given(cronofy: Running, caller: Caller) -> None:
    await written(cronofy, caller, start="2029-01-01", end="2029-01-02")
    assert len(await caller.read(only_managed="true")) == 1
    assert await caller.read(**{"only_managed": "true", "from": "2026-03-01"}) == []
    assert len(await caller.read(**{"only_managed": "true", "from": "2028-01-01", "to": "2030-01-01"})) == 1


async def test_the_window_moves_on_and_events_slide_into_it(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, hour(NOON + 250 * DAY))
    assert await caller.read() == []
    await cronofy.control.advance(50 * 86_400)
    assert len(await caller.read()) == 1


async def test_asking_for_more_than_the_window_gives_the_window(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, hour(NOON - 100 * DAY), hour(NOON), hour(NOON + 300 * DAY))
    assert len(await caller.read(**{"from": "2020-01-01", "to": "2030-01-01"})) == 1


@pytest.mark.parametrize(
    ("start", "to", "found"),
    [
        ("2026-03-10", "2026-03-11", True),
        ("2026-03-10T11:00:00Z", "2026-03-11", True),  # ends on it
        ("2026-03-10T11:00:01Z", "2026-03-11", False),
        ("2026-03-09", "2026-03-10T10:00:00Z", False),  # exclusive
        ("2026-03-09", "2026-03-10T10:00:01Z", True),
    ],
)
async def test_from_and_to_bound_a_read(cronofy: Running, caller: Caller, start: str, to: str, *, found: bool) -> None:
    await known(cronofy, caller, EventFields(start=TEN, end=ELEVEN))
    assert len(await caller.read(**{"from": start, "to": to})) == found


async def test_dates_of_a_read_are_in_its_zone(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, hour(datetime.fromisoformat("2026-03-10T23:30:00Z")))
    day = {"from": "2026-03-10", "to": "2026-03-11"}
    assert len(await caller.read(tzid="Etc/UTC", **day)) == 1
    assert await caller.read(tzid="Australia/Sydney", **day) == []


async def test_a_whole_day_is_a_day_in_the_readers_zone(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, EventFields(start=date(2026, 3, 10), end=date(2026, 3, 11)))
    evening = {"from": "2026-03-11T05:00:00Z", "to": "2026-03-12"}
    assert len(await caller.read(tzid="America/New_York", **evening)) == 0
    assert len(await caller.read(tzid="Pacific/Honolulu", **evening)) == 1
    (event,) = await caller.read()
    assert (event["start"], event["end"]) == ("2026-03-10", "2026-03-11")


# Moved events


async def test_an_event_moved_out_of_the_window_is_read_only_with_include_moved(
    cronofy: Running, caller: Caller
) -> None:
    (event,) = await known(cronofy, caller, hour(NOON))
    await cronofy.control.edit_event(event, start=NOON + 400 * DAY, end=NOON + 401 * DAY)
    await cronofy.control.run_until_quiet()
    assert await caller.read() == []
    (moved,) = await caller.read(include_moved="true")
    assert moved["start"] == show_time(NOON + 400 * DAY)


async def test_include_moved_remembers_every_place_an_event_was_at(cronofy: Running, caller: Caller) -> None:
    (event,) = await known(cronofy, caller, hour(NOON))
    for days in (400, 500, 600):
        await cronofy.control.edit_event(event, start=NOON + days * DAY, end=NOON + days * DAY)
    await cronofy.control.run_until_quiet()
    assert len(await caller.read(include_moved="true")) == 1


# Deleted events


async def test_deleted_events_are_read_only_when_asked_for(cronofy: Running, caller: Caller) -> None:
    (event,) = await known(cronofy, caller, hour(NOON))
    await cronofy.control.delete_event(event)
    await cronofy.control.run_until_quiet()
    assert await caller.read() == []
    (tombstone,) = await caller.read(include_deleted="true")
    assert tombstone["deleted"] is True
    assert set(tombstone) == {"calendar_id", "event_uid", "deleted", "created", "updated"}


async def test_tombstones_can_show_everything(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(tombstones="full")
    (event,) = await known(cronofy, caller, hour(NOON, summary="Lunch"))
    await cronofy.control.delete_event(event)
    await cronofy.control.run_until_quiet()
    assert summaries(await caller.read(include_deleted="true")) == ["Lunch"]


async def test_tombstones_are_forgotten_after_a_while(cronofy: Running, caller: Caller) -> None:
    (event,) = await known(cronofy, caller, hour(NOON))
    await cronofy.control.delete_event(event)
    await cronofy.control.advance(31 * 86_400)
    assert await caller.read(include_deleted="true") == []


# Changes since


async def test_last_modified_is_inclusive(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, hour(NOON))
    assert len(await caller.read(last_modified=show_time(NOON))) == 1
    assert await caller.read(last_modified=show_time(NOON + timedelta(seconds=1))) == []


async def test_changes_come_in_the_order_in_which_they_were_made(cronofy: Running, caller: Caller) -> None:
    first, second = await known(cronofy, caller, hour(NOON, summary="First"), hour(NOON, summary="Second"))
    await cronofy.control.advance(10)
    await cronofy.control.edit_event(second, summary="Edited first")
    await cronofy.control.advance(10)
    await cronofy.control.edit_event(first, summary="Edited second")
    await cronofy.control.run_until_quiet()
    since = show_time(NOON + timedelta(seconds=10))
    assert summaries(await caller.read(last_modified=since)) == ["Edited first", "Edited second"]


async def test_reads_can_come_in_no_order(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, *(hour(NOON, summary=f"{number:02}") for number in range(30)))
    in_order = await caller.read()
    await cronofy.control.change_settings(shuffled=True)
    shuffled = await caller.read()
    assert summaries(shuffled) != summaries(in_order)
    assert sorted(summaries(shuffled)) == sorted(summaries(in_order))


# How events look


async def test_an_event_shows_everything_there_is(cronofy: Running, caller: Caller) -> None:
    await known(
        cronofy,
        caller,
        EventFields(
            summary="Lunch",
            description="With Bob",
            start=TEN,
            end=ELEVEN,
            location={"description": "Canteen", "lat": "1.5", "long": "2.5"},
            attendees=[{"email": "bob@x.example", "display_name": "Bob", "status": "accepted"}],
            organizer={"email": "jane@x.example", "display_name": "Jane"},
            transparency="transparent",
            private=True,
            status="tentative",
            participation_status="needs_action",
            meeting_url="https://meet.example/1",
            categories=["Red"],
        ),
    )
    (event,) = await caller.read()
    assert {name: event[name] for name in event if name not in {"event_uid", "calendar_id", "created", "updated"}} == {
        "summary": "Lunch",
        "description": "With Bob",
        "start": TEN,
        "end": ELEVEN,
        "deleted": False,
        "location": {"description": "Canteen"},
        "attendees": [{"email": "bob@x.example", "display_name": "Bob", "status": "accepted"}],
        "organizer": {"email": "jane@x.example", "display_name": "Jane"},
        "transparency": "transparent",
        "event_private": True,
        "status": "tentative",
        "participation_status": "needs_action",
        "meeting_url": "https://meet.example/1",
        "categories": ["Red"],
        "recurring": False,
        "options": {"delete": False, "update": False, "change_participation_status": True},
    }


async def test_an_event_without_a_location_shows_none(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, hour(NOON))
    (event,) = await caller.read()
    assert "location" not in event


async def test_a_series_comes_as_its_occurrences(cronofy: Running, caller: Caller) -> None:
    starts = [NOON + number * DAY for number in range(3)]
    series = [EventFields(start=at, end=at, recurring=True, series_identifier="series-1") for at in starts]
    await known(cronofy, caller, *series)
    events = await caller.read()
    assert [(event["recurring"], event["series_identifier"]) for event in events] == [(True, "series-1")] * 3
    assert len({event["event_uid"] for event in events}) == 3


async def test_localized_times_have_their_zone(cronofy: Running, caller: Caller) -> None:
    start = {"time": "2026-07-10T12:00:00+02:00", "tzid": "Europe/Paris"}
    await written(cronofy, caller, start=start, end={"time": "2026-07-10T11:00:00Z", "tzid": "Europe/Paris"})
    (event,) = await caller.managed(localized_times="true")
    assert event["start"] == start
    assert event["end"] == {"time": "2026-07-10T13:00:00+02:00", "tzid": "Europe/Paris"}
    (event,) = await caller.managed()
    assert event["start"] == "2026-07-10T10:00:00Z"


async def test_localized_dates_have_their_zone(cronofy: Running, caller: Caller) -> None:
    await written(cronofy, caller, start="2026-07-10", end="2026-07-11", tzid="Europe/Paris")
    (event,) = await caller.managed(localized_times="true")
    assert event["start"] == {"time": "2026-07-10", "tzid": "Europe/Paris"}


async def test_coordinates_need_a_plan_that_includes_them(cronofy: Running, caller: Caller) -> None:
    place = Place(description="Canteen", lat="1.5", long="2.5")
    await known(cronofy, caller, EventFields(start=TEN, end=ELEVEN, location=place))
    assert (await caller.get("/v1/events", tzid="Etc/UTC", include_geo="true")).status_code == 402
    await cronofy.control.change_settings(geo=True)
    (event,) = await caller.read(include_geo="true")
    assert event["location"] == place


@pytest.mark.parametrize(("service", "shown"), [(Service.GSUITE, True), (Service.OUTLOOK_COM, False)])
async def test_googles_own_ids_are_shown_on_request(cronofy: Running, service: Service, *, shown: bool) -> None:
    caller = await cronofy.connect(service)
    await known(cronofy, caller, hour(NOON))
    (event,) = await caller.read(google_event_ids="true")
    assert ("google_event_id" in event) is shown


# Parameters


@pytest.mark.parametrize(
    ("params", "field", "key"),
    [
        ({}, "tzid", "errors.required"),
        ({"tzid": "Mars/Olympus"}, "tzid", "errors.tzid_unrecognized"),
        ({"tzid": "Etc/UTC", "from": "yesterday"}, "from", "errors.must_be_time"),
        ({"tzid": "Etc/UTC", "to": "2026-02-30"}, "to", "errors.must_be_date"),
        ({"tzid": "Etc/UTC", "last_modified": "2026-03-09"}, "last_modified", "errors.must_be_time"),
        ({"tzid": "Etc/UTC", "include_deleted": "maybe"}, "include_deleted", "errors.must_be_boolean"),
    ],
)
async def test_wrong_parameters_are_refused(caller: Caller, params: dict[str, str], field: str, key: str) -> None:
    response = await caller.get("/v1/events", **params)
    assert response.status_code == 422
    assert [problem["key"] for problem in response.json()["errors"][field]] == [key]


async def test_unknown_parameters_and_bodies_are_ignored(caller: Caller) -> None:
    params = {"tzid": "Etc/UTC", "include_managed": "True", "unheard_of": "1"}
    assert (await caller.request("GET", "/v1/events", params=params, body={})).status_code == 200


# Pages


async def test_a_read_comes_in_pages(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(page_size=2)
    await known(cronofy, caller, *(hour(NOON, summary=str(number)) for number in range(5)))
    first = await caller.page()
    assert (first["pages"]["current"], first["pages"]["total"], len(first["events"])) == (1, 3, 2)
    assert first["pages"]["next_page"].startswith(f"{cronofy.url}/v1/events/pages/")
    second = (await caller.get(first["pages"]["next_page"])).json()
    third = (await caller.get(second["pages"]["next_page"])).json()
    assert (third["pages"], len(third["events"])) == ({"current": 3, "total": 3}, 1)
    events = first["events"] + second["events"] + third["events"]
    assert sorted(summaries(events)) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("count", [0, 2])
async def test_what_fits_into_one_page_has_no_next_one(cronofy: Running, caller: Caller, count: int) -> None:
    await cronofy.control.change_settings(page_size=2)
    await known(cronofy, caller, *(hour(NOON) for _ in range(count)))
    assert (await caller.page())["pages"] == {"current": 1, "total": 1}


async def test_the_last_page_can_name_an_empty_next_one(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(last_page="empty")
    assert (await caller.page())["pages"] == {"current": 1, "total": 1, "next_page": ""}


async def next_page(cronofy: Running, caller: Caller) -> str:
    await cronofy.control.change_settings(page_size=1)
    await known(cronofy, caller, hour(NOON), hour(NOON))
    url: str = (await caller.page())["pages"]["next_page"]
    return url


async def test_pages_run_out(cronofy: Running, caller: Caller) -> None:
    url = await next_page(cronofy, caller)
    await cronofy.control.advance(599)
    assert (await caller.get(url)).status_code == 200
    await cronofy.control.advance(1)
    assert (await caller.get(url)).status_code == 404


async def test_pages_can_be_made_to_run_out(cronofy: Running, caller: Caller) -> None:
    url = await next_page(cronofy, caller)
    await cronofy.control.expire_pages()
    assert (await caller.get(url)).status_code == 404


async def test_pages_are_for_who_asked_for_the_first(cronofy: Running, caller: Caller) -> None:
    url = await next_page(cronofy, caller)
    stranger = await cronofy.connect()
    assert (await stranger.get(url)).status_code == 404
    assert (await cronofy.http.get(url)).status_code == 401


async def test_a_later_page_shows_what_was_there_at_the_first(cronofy: Running, caller: Caller) -> None:
    url = await next_page(cronofy, caller)
    for event in await cronofy.control.events(caller.calendar_id):
        await cronofy.control.delete_event(event)
    await cronofy.control.run_until_quiet()
    assert len((await caller.get(url)).json()["events"]) == 1


async def test_large_answers_are_compressed_for_those_who_accept_it(cronofy: Running, caller: Caller) -> None:
    await known(cronofy, caller, *(hour(NOON) for _ in range(10)))

    async def read(encoding: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {caller.tokens['access_token']}", "accept-encoding": encoding}
        return await cronofy.http.get("/v1/events?tzid=Etc/UTC", headers=headers)

    compressed, plain = await read("gzip, deflate"), await read("identity")
    assert compressed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert compressed.json() == plain.json()


# Free and busy


async def test_free_busy_tells_when_there_is_no_time(cronofy: Running, caller: Caller) -> None:
    await known(
        cronofy,
        caller,
        EventFields(start=TEN, end=ELEVEN, summary="Secret"),
        EventFields(start=TEN, end=ELEVEN, transparency="transparent"),
        EventFields(start=TEN, end=ELEVEN, status="tentative"),
    )
    busy = (await caller.get("/v1/free_busy", tzid="Etc/UTC")).json()["free_busy"]
    assert sorted(block["free_busy_status"] for block in busy) == ["busy", "tentative"]
    assert set(busy[0]) == {"calendar_id", "start", "end", "free_busy_status"}
    everything = await caller.get("/v1/free_busy", tzid="Etc/UTC", include_free="true", include_ids="true")
    assert {block["free_busy_status"] for block in everything.json()["free_busy"]} == {"busy", "tentative", "free"}
    assert "event_uid" in everything.json()["free_busy"][0]


async def test_free_busy_has_pages_of_its_own(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(page_size=1)
    await known(cronofy, caller, hour(NOON), hour(NOON))
    url = (await caller.get("/v1/free_busy", tzid="Etc/UTC")).json()["pages"]["next_page"]
    assert (await caller.get(url)).json()["pages"] == {"current": 2, "total": 2}
    assert (await caller.get(url.replace("free_busy", "events"))).status_code == 404
    assert (await caller.get("/v1/free_busy")).status_code == 422
