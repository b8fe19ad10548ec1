"""What writes do, what they must look like, and what stands against them."""

from __future__ import annotations

import pytest

from sandbox.cronofy.control.account_messages import NewAccount, NewCalendar
from sandbox.cronofy.control.event_messages import EventView
from sandbox.cronofy.model.settings import Service
from tests.sandbox.conftest import ELEVEN, TEN, Caller, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def truth(cronofy: Running, caller: Caller, *, deleted: bool = False) -> list[EventView]:
    await cronofy.control.run_until_quiet()
    return await cronofy.control.events(caller.calendar_id, deleted=deleted)


# Upserts


async def test_the_first_upsert_creates_and_later_ones_update(cronofy: Running, caller: Caller) -> None:
    await caller.upsert(summary="Old")
    (first,) = await truth(cronofy, caller)
    await caller.upsert(summary="New")
    (second,) = await truth(cronofy, caller)
    assert (second.summary, second.event_uid) == ("New", first.event_uid)
    (tally,) = await cronofy.control.tallies()
    assert (tally.event_id, tally.creates, tally.updates, tally.deletes) == ("item-1", 1, 1, 0)


async def test_the_same_id_in_another_calendar_is_another_event(cronofy: Running, caller: Caller) -> None:
    other = await cronofy.control.add_calendar(caller.account.profile_id, NewCalendar(name="Other"))
    await caller.upsert()
    await caller.upsert("item-1", other.calendar_id)
    await cronofy.control.run_until_quiet()
    assert [tally.creates for tally in await cronofy.control.tallies()] == [1, 1]


async def test_an_upsert_takes_over_what_it_leaves_out(cronofy: Running, caller: Caller) -> None:
    await caller.upsert(description="Text", location={"description": "Room"}, event_private=True)
    await caller.upsert()
    (event,) = await truth(cronofy, caller)
    assert (event.description, event.location, event.private) == ("", None, False)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "opaque"),
        ({"start": "2026-03-10", "end": "2026-03-11"}, "transparent"),
        ({"start": "2026-03-10", "end": "2026-03-11", "transparency": "opaque"}, "opaque"),
    ],
)
async def test_whole_days_leave_the_person_free_unless_told_otherwise(
    cronofy: Running, caller: Caller, fields: dict[str, str], expected: str
) -> None:
    await caller.upsert(**fields)
    (event,) = await truth(cronofy, caller)
    assert event.transparency == expected


async def test_an_event_can_turn_into_a_whole_day_and_back(cronofy: Running, caller: Caller) -> None:
    await caller.upsert()
    await caller.upsert(start="2026-03-10", end="2026-03-11")
    (event,) = await truth(cronofy, caller)
    assert (event.all_day, event.start) == (True, "2026-03-10")
    await caller.upsert()
    (event,) = await truth(cronofy, caller)
    assert (event.all_day, event.start) == (False, TEN)


@pytest.mark.parametrize("text", ["2026-03-10T10:00:00Z", "2026-03-10T10:00:00UTC", "2026-03-10T10:00:00+00:00"])
@pytest.mark.parametrize("separator", ["T", " "])
async def test_times_are_understood_as_libraries_send_them(
    cronofy: Running, caller: Caller, text: str, separator: str
) -> None:
    await caller.upsert(start=text.replace("T1", f"{separator}1"))
    (event,) = await truth(cronofy, caller)
    assert event.start == TEN


async def test_both_ids_make_a_managed_event(cronofy: Running, caller: Caller) -> None:
    await caller.upsert("evt_external_123", event_uid="evt_external_123")
    (event,) = await truth(cronofy, caller)
    assert event.event_id == "evt_external_123"
    assert event.event_uid != "evt_external_123"


# Validation


@pytest.mark.parametrize(
    ("fields", "field", "key"),
    [
        ({"event_id": None}, "event_id", "errors.required"),
        ({"event_id": ""}, "event_id", "errors.required"),
        ({"event_id": 7}, "event_id", "errors.must_be_string"),
        ({"event_id": "x" * 513}, "event_id", "errors.too_long"),
        ({"summary": None}, "summary", "errors.required"),
        ({"summary": "x" * 1025}, "summary", "errors.too_long"),
        ({"description": "x" * 4097}, "description", "errors.too_long"),
        ({"start": None}, "start", "errors.required"),
        ({"start": "noon"}, "start", "errors.must_be_time"),
        ({"start": 1}, "start", "errors.must_be_date_or_time"),
        ({"start": "2026-03-10T10:00:00.500Z"}, "start", "errors.must_be_time"),
        ({"start": "2026-03-10T10:00:00"}, "start", "errors.must_be_time"),
        ({"start": "2026-03-10T25:00:00Z"}, "start", "errors.must_be_time"),
        ({"start": "0000-12-29T00:00:00Z"}, "start", "errors.must_be_time"),
        ({"start": "0001-01-01", "end": "0001-01-02"}, "start", "errors.must_be_date"),
        ({"start": "2026-03-10T12:00:00Z"}, "end", "errors.invalid_time_pair"),
        ({"start": "2026-03-10"}, "end", "errors.invalid_time_pair"),
        ({"start": "2026-03-12", "end": "2026-03-11"}, "end", "errors.invalid_time_pair"),
        ({"tzid": "Mars/Olympus"}, "tzid", "errors.tzid_unrecognized"),
        ({"start": {"time": TEN, "tzid": "Mars/Olympus"}}, "start", "errors.tzid_unrecognized"),
        ({"start": {"time": TEN, "tzid": 1}}, "start", "errors.tzid_unrecognized"),
        ({"event_private": "yes"}, "event_private", "errors.must_be_boolean"),
        ({"transparency": "glass"}, "transparency", "errors.not_recognized"),
        ({"location": "Room"}, "location", "errors.must_be_object"),
        ({"location": {"description": 1}}, "location.description", "errors.must_be_string"),
        ({"reminders": [{"minutes": 5}] * 6}, "reminders", "errors.too_many"),
        ({"reminders": [{"minutes": "soon"}]}, "reminders", "errors.must_be_integer"),
        ({"reminders": [5]}, "reminders", "errors.must_be_array"),
        ({"attendees": {"invite": [{"email": "bob"}]}}, "attendees.invite", "errors.invalid_email"),
    ],
)
async def test_wrong_fields_are_refused_by_name(
    caller: Caller, fields: dict[str, object], field: str, key: str
) -> None:
    body = {"event_id": "item-1", "summary": "Visit", "start": TEN, "end": ELEVEN, **fields}
    response = await caller.post(caller.events_path(), body)
    assert response.status_code == 422
    assert [problem["key"] for problem in response.json()["errors"][field]] == [key]


async def test_everything_that_is_wrong_is_named_at_once(caller: Caller) -> None:
    response = await caller.post(caller.events_path(), {})
    assert set(response.json()["errors"]) == {"event_id", "summary", "start", "end"}
    assert response.json()["errors"]["summary"][0]["description"] == "summary must be specified"


async def test_a_milliseconds_part_of_zero_is_no_fraction(caller: Caller) -> None:
    assert (await caller.upsert(start="2026-03-10T10:00:00.000Z")).status_code == 202


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff"])
async def test_bodies_that_are_no_objects_cannot_be_read(caller: Caller, content: bytes) -> None:
    headers = {"authorization": f"Bearer {caller.tokens['access_token']}", "content-type": "application/json"}
    response = await caller.http.post(caller.events_path(), content=content, headers=headers)
    assert response.status_code == 400


async def test_unknown_fields_are_accepted_and_recorded(cronofy: Running, caller: Caller) -> None:
    await caller.upsert(color="#c6040f", conferencing={"profile_id": "none"})
    (request,) = await cronofy.control.requests(path="/v1/calendars/")
    assert request.body["conferencing"] == {"profile_id": "none"}


# People


async def test_invitations_send_mails_and_are_recorded(cronofy: Running, caller: Caller) -> None:
    await caller.upsert(attendees={"invite": [{"email": "bob@x.example"}, {"email": "ann@x.example"}]})
    await caller.upsert(attendees={"invite": [{"email": "bob@x.example"}], "remove": [{"email": "ann@x.example"}]})
    await caller.upsert()
    (event,) = await truth(cronofy, caller)
    assert [person.get("email") for person in event.attendees] == ["bob@x.example"]
    assert [(mail.to, mail.about) for mail in await cronofy.control.mails()] == [
        ("bob@x.example", "invitation"),
        ("ann@x.example", "invitation"),
        ("ann@x.example", "cancellation"),
    ]


async def test_without_attendees_nobody_gets_mail(cronofy: Running, caller: Caller) -> None:
    await caller.upsert()
    await truth(cronofy, caller)
    assert await cronofy.control.mails() == []


async def test_some_calendars_cannot_invite(cronofy: Running) -> None:
    given = NewAccount(calendars=(NewCalendar(can_invite=False),))
    caller = await cronofy.connect(given=given)
    response = await caller.upsert(attendees={"invite": []})
    assert response.json()["errors"]["attendees"][0]["key"] == "errors.event.cannot_set_attendees"


@pytest.mark.parametrize(("service", "kept"), [(Service.GOOGLE, 5), (Service.ICLOUD, 5), (Service.EXCHANGE, 1)])
async def test_providers_keep_as_many_reminders_as_they_can(cronofy: Running, service: Service, kept: int) -> None:
    caller = await cronofy.connect(service)
    await caller.upsert(reminders=[{"minutes": minutes} for minutes in range(5)])
    (event,) = await truth(cronofy, caller)
    assert event.reminders == tuple(range(kept))


async def test_reminders_can_be_for_the_creation_only(cronofy: Running, caller: Caller) -> None:
    await caller.upsert(reminders=[{"minutes": 5}], reminders_create_only=True)
    await caller.upsert(reminders=[{"minutes": 9}], reminders_create_only=True)
    (event,) = await truth(cronofy, caller)
    assert event.reminders == (5,)


async def test_an_omitted_url_stays_and_null_removes_it(cronofy: Running, caller: Caller) -> None:
    await caller.upsert(url="https://app.example/1")
    await caller.upsert()
    assert [event.url for event in await truth(cronofy, caller)] == ["https://app.example/1"]
    await caller.upsert(url=None)
    assert [event.url for event in await truth(cronofy, caller)] == [None]


# Deletions


async def test_a_deletion_is_applied_later(cronofy: Running, caller: Caller) -> None:
    await caller.upsert()
    await truth(cronofy, caller)
    response = await caller.delete(event_id="item-1")
    assert (response.status_code, response.content) == (202, b"")
    assert len(await cronofy.control.events(caller.calendar_id)) == 1
    assert await truth(cronofy, caller) == []
    (tombstone,) = await caller.managed()
    assert (tombstone["deleted"], tombstone["event_id"]) == (True, "item-1")
    (gone,) = await truth(cronofy, caller, deleted=True)
    assert gone.deleted_by == "application"


async def test_an_upsert_after_ones_own_deletion_creates_again(cronofy: Running, caller: Caller) -> None:
    await caller.upsert()
    await caller.delete(event_id="item-1")
    await caller.upsert()
    assert len(await truth(cronofy, caller)) == 1
    (tally,) = await cronofy.control.tallies()
    assert (tally.creates, tally.deletes) == (2, 1)


@pytest.mark.parametrize("status", [202, 404])
async def test_deleting_what_does_not_exist_is_success_or_not(cronofy: Running, caller: Caller, status: int) -> None:
    await cronofy.control.change_settings(unknown_delete_status=status)
    assert (await caller.delete(event_id="never")).status_code == status
    await caller.upsert()
    assert (await caller.delete(event_id="item-1")).status_code == 202


async def test_a_deletion_names_what_to_delete(caller: Caller) -> None:
    response = await caller.delete()
    assert response.json()["errors"]["event_id"][0]["key"] == "errors.required"


@pytest.mark.parametrize("whole", [True, False])
async def test_all_managed_events_can_be_deleted_at_once(cronofy: Running, caller: Caller, *, whole: bool) -> None:
    for number in range(3):
        await caller.upsert(f"item-{number}")
    await cronofy.control.create_event(caller.calendar_id, summary="External", start=TEN, end=ELEVEN)
    await truth(cronofy, caller)
    body: Json = {"delete_all": True} if whole else {"calendar_ids": [caller.calendar_id]}
    assert (await caller.request("DELETE", "/v1/events", body=body)).status_code == 202
    assert [event.summary for event in await truth(cronofy, caller)] == ["External"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"delete_all": False}, 422),
        ({"delete_all": "sure"}, 422),
        ({"calendar_ids": []}, 422),
        ({"calendar_ids": [1]}, 422),
        ({"delete_all": True, "calendar_ids": ["cal_1"]}, 422),
        ({"calendar_ids": ["cal_guess"]}, 404),
    ],
)
async def test_a_bulk_deletion_says_exactly_what_it_means(caller: Caller, body: Json, status: int) -> None:
    assert (await caller.request("DELETE", "/v1/events", body=body)).status_code == status


# What the person does to managed events


async def managed(cronofy: Running, caller: Caller) -> EventView:
    await caller.upsert()
    (event,) = await truth(cronofy, caller)
    return event


async def test_a_persons_edit_of_a_managed_event_is_read_as_a_change_of_it(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.edit_event(await managed(cronofy, caller), summary="Visit, with cake")
    await cronofy.control.run_until_quiet()
    (event,) = await caller.managed()
    assert (event["event_id"], event["summary"]) == ("item-1", "Visit, with cake")


async def test_a_managed_event_that_the_person_deleted_is_read_as_deleted(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.delete_event(await managed(cronofy, caller))
    await cronofy.control.run_until_quiet()
    (event,) = await caller.managed()
    assert (event["event_id"], event["deleted"]) == ("item-1", True)


@pytest.mark.parametrize(
    ("recreation", "live", "same"), [("same_uid", 1, True), ("new_uid", 1, False), ("ignored", 0, True)]
)
async def test_an_upsert_of_what_the_person_deleted(
    cronofy: Running, caller: Caller, recreation: str, live: int, *, same: bool
) -> None:
    await cronofy.control.change_settings(recreation=recreation)
    event = await managed(cronofy, caller)
    await cronofy.control.delete_event(event)
    assert (await caller.upsert()).status_code == 202
    assert len(await truth(cronofy, caller)) == live
    assert {shown["event_uid"] == event.event_uid for shown in await caller.managed()} == {True, same}


async def test_a_deleted_event_can_be_restored(cronofy: Running, caller: Caller) -> None:
    event = await managed(cronofy, caller)
    await cronofy.control.restore_event(await cronofy.control.delete_event(event))
    await cronofy.control.run_until_quiet()
    (shown,) = await caller.managed()
    assert (shown["event_uid"], shown["deleted"]) == (event.event_uid, False)


async def test_a_copy_of_a_managed_event_is_the_persons_own(cronofy: Running, caller: Caller) -> None:
    event = await managed(cronofy, caller)
    copy = await cronofy.control.copy_event(event, caller.calendar_id)
    assert (copy.event_id, copy.summary) == (None, event.summary)
    assert copy.event_uid.startswith("evt_external_")
    assert len(await truth(cronofy, caller)) == 2


async def test_moving_to_another_calendar_deletes_here_and_makes_an_external_event_there(
    cronofy: Running, caller: Caller
) -> None:
    other = await cronofy.control.add_calendar(caller.account.profile_id, NewCalendar(name="Other"))
    event = await managed(cronofy, caller)
    await cronofy.control.move_event(event, other.calendar_id)
    await cronofy.control.run_until_quiet()
    (here,) = await caller.managed()
    (there,) = await caller.read()
    assert (here["event_uid"], here["deleted"]) == (event.event_uid, True)
    assert (there["calendar_id"], there["summary"]) == (other.calendar_id, "Visit")


# External events


async def external(cronofy: Running, caller: Caller, **traits: bool) -> EventView:
    unrestricted = traits.pop("unrestricted", True)
    await cronofy.control.change_calendar(caller.calendar_id, unrestricted=unrestricted)
    event = await cronofy.control.create_event(caller.calendar_id, summary="Lunch", start=TEN, end=ELEVEN)
    if traits:
        event = await cronofy.control.edit_event(
            event,
            recurring=traits.get("recurring", False),
            may_update=traits.get("may_update", True),
            may_delete=traits.get("may_delete", True),
        )
    await cronofy.control.run_until_quiet()
    return event


async def test_an_unrestricted_calendar_lets_external_events_be_edited(cronofy: Running, caller: Caller) -> None:
    event = await external(cronofy, caller)
    (shown,) = await caller.read()
    assert shown["options"] == {"delete": True, "update": True, "change_participation_status": True}
    response = await caller.post(caller.events_path(), {"event_uid": event.event_uid, "summary": "Late lunch"})
    assert response.status_code == 202
    (edited,) = await truth(cronofy, caller)
    assert (edited.summary, edited.start, edited.event_id) == ("Late lunch", event.start, None)


async def test_an_edit_that_would_end_before_it_starts_is_dropped_in_silence(cronofy: Running, caller: Caller) -> None:
    event = await external(cronofy, caller)
    body = {"event_uid": event.event_uid, "end": "2026-03-10T09:00:00Z"}
    assert (await caller.post(caller.events_path(), body)).status_code == 202
    assert [event.end for event in await truth(cronofy, caller)] == [ELEVEN]


@pytest.mark.parametrize("traits", [{"unrestricted": False}, {"recurring": True}, {"may_update": False}])
async def test_some_external_events_cannot_be_edited(cronofy: Running, caller: Caller, traits: dict[str, bool]) -> None:
    event = await external(cronofy, caller, **traits)
    (shown,) = await caller.read()
    assert shown["options"]["update"] is False
    response = await caller.post(caller.events_path(), {"event_uid": event.event_uid, "summary": "Late lunch"})
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("traits", "status"), [({}, 202), ({"unrestricted": False}, 403), ({"may_delete": False}, 403)]
)
async def test_external_events_are_deleted_with_permission(
    cronofy: Running, caller: Caller, traits: dict[str, bool], status: int
) -> None:
    event = await external(cronofy, caller, **traits)
    assert (await caller.delete(event_uid=event.event_uid)).status_code == status
    assert len(await truth(cronofy, caller)) == (0 if status == 202 else 1)


async def test_a_deleted_external_event_cannot_be_brought_back(cronofy: Running, caller: Caller) -> None:
    event = await external(cronofy, caller)
    await cronofy.control.delete_event(event)
    await cronofy.control.run_until_quiet()
    body = {"event_uid": event.event_uid, "summary": "Back"}
    assert (await caller.post(caller.events_path(), body)).status_code == 404


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_only_uids_of_external_events_will_do(cronofy: Running, caller: Caller, method: str) -> None:
    event = await managed(cronofy, caller)
    response = await caller.request(method, caller.events_path(), body={"event_uid": event.event_uid})
    assert response.json()["errors"]["event_uid"][0]["key"] == "errors.must_be_external_event_uid"


@pytest.mark.parametrize(("service", "left"), [(Service.GOOGLE, 1), (Service.OFFICE365, 0)])
async def test_declining_takes_the_event_out_of_some_calendars(cronofy: Running, service: Service, left: int) -> None:
    caller = await cronofy.connect(service)
    event = await external(cronofy, caller)
    path = f"{caller.events_path()}/{event.event_uid}/participation_status"
    assert (await caller.post(path, {"status": "perhaps"})).status_code == 422
    assert (await caller.post(path, {"status": "declined"})).status_code == 202
    answered = await truth(cronofy, caller)
    assert [event.participation_status for event in answered] == ["declined"] * left


async def test_an_answer_needs_an_event_that_can_be_answered(cronofy: Running, caller: Caller) -> None:
    event = await cronofy.control.create_event(caller.calendar_id, start=TEN, end=ELEVEN, may_answer=False)
    await cronofy.control.run_until_quiet()
    path = f"{caller.events_path()}/{event.event_uid}/participation_status"
    assert (await caller.post(path, {"status": "accepted"})).status_code == 403
    unknown = f"{caller.events_path()}/evt_external_0/participation_status"
    assert (await caller.post(unknown, {"status": "accepted"})).status_code == 404


# Calendars that take no writes


async def test_other_peoples_calendars_do_not_exist(cronofy: Running, caller: Caller) -> None:
    stranger = await cronofy.control.create_account()
    assert (await caller.upsert("item-1", stranger.calendar_id)).status_code == 404
    assert (await caller.upsert("item-1", "cal_guess")).status_code == 404


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("how", ["readonly", "deleted"])
async def test_closed_calendars_take_no_writes(cronofy: Running, caller: Caller, status: int, how: str) -> None:
    await cronofy.control.change_settings(closed_calendar_status=status)
    await cronofy.control.change_calendar(caller.calendar_id, readonly=how == "readonly", deleted=how == "deleted")
    assert (await caller.upsert()).status_code == status
    assert (await caller.delete(event_id="item-1")).status_code == status


async def test_a_write_to_a_calendar_that_is_closed_meanwhile_is_lost_in_silence(
    cronofy: Running, caller: Caller
) -> None:
    assert (await caller.upsert()).status_code == 202
    await cronofy.control.change_calendar(caller.calendar_id, readonly=True)
    assert await truth(cronofy, caller) == []


# Free/Busy access


async def test_with_free_busy_access_a_write_is_an_invitation_that_the_person_may_accept(cronofy: Running) -> None:
    caller = await cronofy.connect(given=NewAccount(free_busy_only=True, name="jane@example.com"))
    await caller.upsert(summary="Old")
    await caller.upsert(summary="New")
    assert await truth(cronofy, caller) == []
    assert [mail.to for mail in await cronofy.control.mails()] == ["jane@example.com"] * 2
    (invitation,) = await cronofy.control.invitations()
    await cronofy.control.accept_invitation(invitation)
    assert [event.summary for event in await truth(cronofy, caller)] == ["New"]
    await caller.upsert(summary="Newer")
    assert [event.summary for event in await truth(cronofy, caller)] == ["Newer"]


async def test_with_free_busy_access_the_persons_own_events_cannot_be_read(cronofy: Running) -> None:
    caller = await cronofy.connect(given=NewAccount(free_busy_only=True))
    await cronofy.control.create_event(caller.calendar_id, start=TEN, end=ELEVEN)
    await cronofy.control.run_until_quiet()
    assert await caller.read(include_managed="true") == []
    assert len((await caller.get("/v1/free_busy", tzid="Etc/UTC")).json()["free_busy"]) == 1
