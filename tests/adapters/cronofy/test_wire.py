"""Whatever Cronofy says can be read, and whatever is written is what Cronofy takes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.cronofy import reading, writing
from events.calendar import Accepted, CalendarWrite, PutEventWrite, RemoveEventWrite
from events.link import EventKey, ExternalEvent, ManagedEvent

Json = dict[str, Any]
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Reading

LEAVES: Final = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON: Final = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
WRITTEN: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|UTC|[+-]\d\d:\d\d)?", re.ASCII)
TIMES: Final = (
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.dates().map(str)
    | st.from_regex(WRITTEN, fullmatch=True)
)
VALUES: Final = JSON | TIMES | st.fixed_dictionaries({"time": TIMES | JSON}) | st.sampled_from(["cancelled", "x", True])
NAMES: Final = [
    *("calendar_id", "event_uid", "event_id", "deleted", "start", "end", "summary", "description", "location"),
    *("transparency", "event_private", "status", "event_status", "participation_status", "created", "updated"),
    *("recurring", "options", "calendar_name", "profile_id", "profile_name", "provider_name", "provider_service"),
    *("calendar_readonly", "calendar_deleted", "calendar_primary", "permission_level", "profile_connected"),
    *("profile_initial_sync_required", "profile_relink_url", "channel_id", "callback_url"),
]
PAGES: Final = st.dictionaries(st.sampled_from(["current", "total", "next_page"]), VALUES)
OBJECTS: Final = st.dictionaries(st.sampled_from(NAMES) | st.text(), VALUES)


@unhurried
@given(OBJECTS)
def test_no_event_is_too_strange_to_be_read(raw: Json) -> None:
    event = reading.event(raw)
    if event is None:
        return
    assert event.calendar_id
    assert event.event_uid
    for moment in (event.start, event.end, event.created, event.updated):
        if isinstance(moment, datetime):
            assert moment.tzinfo is UTC
        assert moment is None or 1900 <= moment.year < 2200
    assert event.start is not None or event.end is None


@unhurried
@given(OBJECTS)
def test_no_calendar_profile_or_channel_is_too_strange_to_be_read(raw: Json) -> None:
    calendar, profile, channel = reading.calendar(raw), reading.profile(raw), reading.channel(raw)
    assert calendar is None or calendar.calendar_id
    assert profile is None or profile.profile_id
    assert channel is None or channel.channel_id


@unhurried
@given(
    JSON | st.fixed_dictionaries({"pages": st.dictionaries(st.sampled_from(["current", "total", "next_page"]), VALUES)})
)
def test_no_page_is_too_strange_to_be_read(body: object) -> None:
    next_page = reading.next_page(body)
    assert next_page is None or len(next_page) > 0
    rows = reading.rows(body, "pages")
    assert rows is None or isinstance(rows, list)


@unhurried
@given(st.integers(), JSON | st.fixed_dictionaries({"errors": VALUES}))
def test_no_refusal_is_too_strange_to_be_told(status: int, body: object) -> None:
    result = writing.result(status, body)
    assert isinstance(result, Accepted) == (200 <= status < 300)
    words = writing.refusal(status, body)
    assert words.isprintable()
    assert len(words) <= 500


# Writing

CALENDAR_IDS: Final = st.text(min_size=1)
MOMENTS: Final = st.datetimes(timezones=st.timezones(), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1))  # noqa: DTZ001 - zones are drawn
KEYS: Final = st.builds(ManagedEvent, CALENDAR_IDS, st.text(min_size=1)) | st.builds(
    ExternalEvent, CALENDAR_IDS, st.text(min_size=1)
)
PUTS: Final = st.builds(PutEventWrite, event=KEYS, start=MOMENTS | st.dates(), end=MOMENTS | st.dates())
WRITES: Final = PUTS | st.builds(RemoveEventWrite, event=KEYS)
ALL_THERE_IS: Final = {
    *("event_id", "event_uid", "summary", "description", "start", "end", "tzid", "location", "transparency"),
    "event_private",
}


@unhurried
@given(WRITES)
def test_a_write_names_its_event_and_nothing_else_that_could_reach_a_person(write: CalendarWrite) -> None:
    entry = writing.entry(write)
    assert entry.keys() == {"method", "relative_url", "data"}
    data = orjson.loads(orjson.dumps(entry["data"]))
    assert data.keys() <= ALL_THERE_IS
    assert named(data, write.event)
    if isinstance(write, PutEventWrite):
        assert data["location"].keys() == {"description"}
        assert data["transparency"] in {"opaque", "transparent"}
        assert ("tzid" in data) == bool(write.time_zone)
    else:
        assert len(data) == 1


def named(data: Json, event: EventKey) -> bool:
    """Whether exactly one id names it: with both, a new event would be made."""
    ids = {name: data[name] for name in ("event_id", "event_uid") if name in data}
    return ids == ({"event_id": event.event_id} if isinstance(event, ManagedEvent) else {"event_uid": event.event_uid})


@unhurried
@given(WRITES)
def test_a_calendars_id_stays_one_step_of_the_path(write: CalendarWrite) -> None:
    path = writing.entry(write)["relative_url"]
    assert path.isascii()
    empty, version, calendars, calendar_id, events = path.split("/")
    assert (empty, version, calendars, events) == ("", "v1", "calendars", "events")
    assert unquote(calendar_id) == write.event.calendar_id
    assert not set("?#") & set(path)


INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@unhurried
@given(PUTS)
def test_times_are_instants_of_whole_seconds_or_days(write: PutEventWrite) -> None:
    body = writing.event_body(write)
    for moment, said in ((write.start, body["start"]), (write.end, body["end"])):
        if isinstance(moment, datetime):
            assert INSTANT.fullmatch(said)
            assert datetime.fromisoformat(said) == moment.astimezone(UTC).replace(microsecond=0)
        else:
            assert DAY.fullmatch(said)
            assert said == str(moment)
