"""Writing events: in batches, each entry with an end of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import orjson
import pytest

from adapters.cronofy.client import Cronofy
from events.calendar import Accepted, CalendarWrite, NotThere, PutEventWrite, Rejected, RemoveEventWrite, Stumbled
from events.failures import TryLater
from events.link import ExternalEvent, ManagedEvent
from events.reasons import Reason
from sandbox.cronofy.api.faults import Instead, Match, Reset
from sandbox.cronofy.client import CronofyControl
from sandbox.cronofy.control.account_messages import NewCalendar
from tests.adapters.cronofy.conftest import Ann
from tests.sandbox.conftest import ELEVEN, TEN, Json

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_TEN, AT_ELEVEN = datetime(2026, 3, 10, 10, tzinfo=UTC), datetime(2026, 3, 10, 11, tzinfo=UTC)
BATCH = Match(path="/v1/batch")


def put(calendar_id: str, event_id: str = "item-1") -> PutEventWrite:
    return PutEventWrite(
        event=ManagedEvent(calendar_id, event_id),
        start=AT_TEN,
        end=AT_ELEVEN,
        summary="Visit",
        description="At the customer's",
        location="Room 2",
        private=True,
        busy=False,
        time_zone="Europe/London",
    )


def remove(calendar_id: str, event_id: str = "item-1") -> RemoveEventWrite:
    return RemoveEventWrite(ManagedEvent(calendar_id, event_id))


async def test_an_event_is_made_as_it_was_written(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    assert await cronofy.batch(ann.token, [put(ann.calendar_id)]) == [Accepted()]
    (event,) = await control.events(ann.calendar_id)
    assert (event.event_id, event.summary, event.description) == ("item-1", "Visit", "At the customer's")
    assert (event.start, event.end, event.tzid, event.all_day) == (TEN, ELEVEN, "Europe/London", False)
    assert (event.location, event.private, event.transparency) == ("Room 2", True, "transparent")


async def test_an_event_is_changed_as_a_whole(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    first = put(ann.calendar_id)
    days = replace(first, start=date(2026, 3, 11), end=date(2026, 3, 13), time_zone=None)
    bare = replace(days, description="", location="", private=False, busy=True)
    assert await cronofy.batch(ann.token, [first]) == [Accepted()]
    assert await cronofy.batch(ann.token, [bare]) == [Accepted()]
    (event,) = await control.events(ann.calendar_id)
    assert (event.start, event.end, event.all_day) == ("2026-03-11", "2026-03-13", True)
    assert (event.description, event.location or "", event.private, event.transparency) == ("", "", False, "opaque")


async def test_fractions_of_a_second_are_not_sent(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    fine = replace(put(ann.calendar_id), start=AT_TEN.replace(microsecond=999_999))
    assert await cronofy.batch(ann.token, [fine]) == [Accepted()]
    (event,) = await control.events(ann.calendar_id)
    assert event.start == TEN


async def test_an_event_is_removed_and_can_be_removed_again(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await cronofy.batch(ann.token, [put(ann.calendar_id)])
    assert await cronofy.batch(ann.token, [remove(ann.calendar_id)]) == [Accepted()]
    assert await control.events(ann.calendar_id) == []
    assert await cronofy.batch(ann.token, [remove(ann.calendar_id)]) == [Accepted()]


async def test_an_event_that_is_unknown_may_be_not_there(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.change_settings(unknown_delete_status=404)
    assert await cronofy.batch(ann.token, [remove(ann.calendar_id)]) == [NotThere()]


async def test_an_event_of_the_users_is_changed_and_not_doubled(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.change_calendar(ann.calendar_id, unrestricted=True)
    theirs = await control.create_event(ann.calendar_id, start=TEN, end=ELEVEN, summary="Lunch")
    key = ExternalEvent(ann.calendar_id, theirs.event_uid)
    assert await cronofy.batch(ann.token, [replace(put(ann.calendar_id), event=key)]) == [Accepted()]
    (event,) = await control.events(ann.calendar_id)
    assert (event.event_uid, event.event_id, event.summary) == (theirs.event_uid, None, "Visit")
    assert await cronofy.batch(ann.token, [RemoveEventWrite(key)]) == [Accepted()]
    assert await control.events(ann.calendar_id) == []


async def test_an_event_of_the_users_cannot_be_touched_without_their_permission(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    theirs = await control.create_event(ann.calendar_id, start=TEN, end=ELEVEN, summary="Lunch")
    write = replace(put(ann.calendar_id), event=ExternalEvent(ann.calendar_id, theirs.event_uid))
    (result,) = await cronofy.batch(ann.token, [write])
    assert isinstance(result, Rejected)
    assert [event.summary for event in await control.events(ann.calendar_id)] == ["Lunch"]


async def test_every_entry_has_its_own_end_and_the_order_is_kept(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    locked = await control.add_calendar(ann.account.profile_id, NewCalendar(readonly=True))
    for event_id, status in (("limited", 429), ("broken", 503), ("unknown", 401), ("locked", 423), ("moved", 301)):
        await control.set_fault(Instead(status=status), Match(event_id=event_id))
    too_long = replace(put(ann.calendar_id, "long"), summary="x" * 2000)
    writes: list[CalendarWrite] = [
        put(ann.calendar_id, "first"),
        too_long,
        put("cal_unknown", "second"),
        put(locked.calendar_id, "third"),
        *(put(ann.calendar_id, event_id) for event_id in ("limited", "broken", "unknown", "locked", "moved")),
        remove(ann.calendar_id, "never"),
        put(ann.calendar_id, "last"),
    ]
    results = await cronofy.batch(ann.token, writes)
    assert [type(result) for result in results] == [
        Accepted,
        Rejected,
        NotThere,
        Rejected,
        *[Stumbled] * 5,
        Accepted,
        Accepted,
    ]
    assert [result.reason for result in results if isinstance(result, Rejected | Stumbled)] == [
        Reason.CALENDAR_REFUSED,
        Reason.MISSING_SCOPE,
        Reason.RATE_LIMITED,
        Reason.SERVER_ERROR,
        Reason.PROVIDER_ERROR,
        Reason.PROVIDER_ERROR,
        Reason.UNREADABLE_ANSWER,
    ]
    refused = results[1]
    assert isinstance(refused, Rejected)
    assert refused.detail.startswith("422 summary: ")
    assert {event.event_id for event in await control.events(ann.calendar_id)} == {"first", "last"}


async def test_fifty_writes_go_out_in_one_request(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    results = await cronofy.batch(ann.token, [put(ann.calendar_id, f"item-{number}") for number in range(50)])
    assert results == [Accepted()] * 50
    assert len(await control.requests(path="/v1/batch")) == 1
    assert len(await control.events(ann.calendar_id)) == 50


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{"status": 202}],
        [{"status": 202}] * 3,
        [{"status": 202}, None],
        [{"status": 202}, 202],
    ],
)
async def test_an_answer_for_fewer_or_more_writes_is_an_answer_for_none(
    entries: list[object], cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead(status=207, text=orjson.dumps({"batch": entries}).decode()), BATCH)
    with pytest.raises(TryLater) as failure:
        await cronofy.batch(ann.token, [put(ann.calendar_id, "a"), put(ann.calendar_id, "b")])
    assert failure.value.reason is Reason.UNREADABLE_ANSWER


@pytest.mark.parametrize("entry", [{}, {"status": None}, {"status": "202"}, {"status": True}, {"status": 0}])
async def test_an_entry_that_says_nothing_is_tried_again(
    entry: Json, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead(status=207, text=orjson.dumps({"batch": [entry]}).decode()), BATCH)
    (result,) = await cronofy.batch(ann.token, [put(ann.calendar_id)])
    assert isinstance(result, Stumbled)
    assert result.reason is Reason.UNREADABLE_ANSWER


async def test_a_batch_that_is_sent_twice_is_carried_out_once(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Reset(takes_effect=True), BATCH)
    assert await cronofy.batch(ann.token, [put(ann.calendar_id)]) == [Accepted()]
    assert len(await control.requests(path="/v1/batch")) == 2
    assert len(await control.events(ann.calendar_id)) == 1


async def test_a_calendars_id_cannot_lead_elsewhere(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    strange = "../../v1/calendars/cal_1@x?y=1#z/%2F ü"
    assert await cronofy.batch(ann.token, [put(strange), remove(strange)]) == [NotThere(), NotThere()]
    (request,) = await control.requests(path="/v1/batch")
    entries = orjson.loads(orjson.dumps(request.body))["batch"]
    quoted = "..%2F..%2Fv1%2Fcalendars%2Fcal_1%40x%3Fy%3D1%23z%2F%252F%20%C3%BC"
    assert {entry["relative_url"] for entry in entries} == {f"/v1/calendars/{quoted}/events"}


async def test_nobody_is_mailed(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.change_calendar(ann.calendar_id, unrestricted=True)
    bob = [{"email": "bob@example.com", "display_name": "Bob", "status": "accepted"}]
    made = orjson.loads(orjson.dumps({"start": TEN, "end": ELEVEN, "attendees": bob}))
    theirs = await control.create_event(ann.calendar_id, **made)
    key = ExternalEvent(ann.calendar_id, theirs.event_uid)
    await cronofy.batch(ann.token, [replace(put(ann.calendar_id), event=key), put(ann.calendar_id)])
    await cronofy.batch(ann.token, [remove(ann.calendar_id)])
    (event,) = await control.events(ann.calendar_id)
    assert [person.get("email") for person in event.attendees] == ["bob@example.com"]
    assert await control.mails() == []
