"""The control endpoints themselves, and running a sandbox."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from adapters.http.serve import serve
from sandbox.clock import Chance, Clock
from sandbox.cronofy.app import create_app
from sandbox.cronofy.client import CronofyControl
from sandbox.cronofy.client.asking import ControlError
from sandbox.cronofy.client.witness import NotQuiet
from sandbox.cronofy.control.account_messages import NewAccount, NewCalendar, NewCode, NewProfile
from sandbox.cronofy.control.event_messages import EventFields
from sandbox.cronofy.model.settings import Service, Settings
from sandbox.cronofy.model.state import Application
from tests.sandbox.conftest import CLIENT_ID, ELEVEN, NOON, REDIRECT, SECRET, TEN, Caller, Running, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The list of endpoints


async def test_every_control_endpoint_is_listed_with_its_meaning(cronofy: Running) -> None:
    listed = (await cronofy.http.get("/_control/")).json()
    assert len(listed["control"]) > 40
    assert all(entry["meaning"].endswith(".") for entry in listed["control"])
    advance = next(entry for entry in listed["control"] if entry["path"] == "/_control/clock/advance")
    assert "seconds" in advance["takes"]["properties"]
    assert {"operation": "run_batch", "method": "POST", "path": "/v1/batch"}.items() <= listed["operations"][0].items()
    assert "write_delay" in listed["settings"]["properties"]


async def test_people_see_the_list_as_a_page(cronofy: Running) -> None:
    page = await cronofy.http.get("/_control/", headers={"accept": "text/html"})
    assert "<code>/_control/clock/advance</code>" in page.text


# The clock


async def test_the_clock_can_be_moved_and_set(cronofy: Running) -> None:
    assert await cronofy.control.now() == NOON
    assert await cronofy.control.advance(60) == NOON + timedelta(minutes=1)
    assert await cronofy.control.set_clock(NOON + timedelta(days=1)) == NOON + timedelta(days=1)


async def test_the_clock_can_be_let_go(cronofy: Running) -> None:
    await cronofy.control.unfreeze()
    assert not cronofy.clock.frozen
    await cronofy.control.freeze()
    assert await cronofy.control.now() == await cronofy.control.now()


# Settings


async def test_settings_are_changed_one_by_one_and_put_back(cronofy: Running) -> None:
    before = await cronofy.control.settings()
    after = await cronofy.control.change_settings(page_size=7)
    assert after == before.model_copy(update={"page_size": 7}) == await cronofy.control.settings()
    assert await cronofy.control.reset_settings() == Settings()


async def test_everything_can_be_made_to_happen_at_once(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.make_prompt()
    await caller.upsert()
    assert len(await caller.managed()) == 1
    await cronofy.control.create_event(caller.calendar_id, start=TEN, end=ELEVEN)
    assert len(await caller.read()) == 1


@pytest.mark.parametrize(
    "changes", [{"page_sise": 7}, {"page_size": 0}, {"write_delay": [3, 1]}, {"hazards": {"meteor": 1}}]
)
async def test_wrong_settings_are_refused(cronofy: Running, changes: dict[str, object]) -> None:
    before = await cronofy.control.settings()
    with pytest.raises(ControlError, match="422"):
        await cronofy.control.change_settings(**changes)
    assert await cronofy.control.settings() == before


# Accounts


async def test_an_account_comes_with_what_is_asked_for(cronofy: Running) -> None:
    calendars = (NewCalendar(name="Work", primary=True), NewCalendar(name="Home", readonly=True, unrestricted=True))
    given = NewAccount(name="jane@example.com", zone="Europe/London", calendars=calendars)
    created = await cronofy.control.create_account(Service.ICLOUD, given)
    assert (created.profile.provider, created.profile.name) == (Service.ICLOUD, "jane@example.com")
    assert [(calendar.name, calendar.readonly) for calendar in created.profile.calendars] == [
        ("Work", False),
        ("Home", True),
    ]
    (account,) = await cronofy.control.accounts()
    assert (account.sub, account.zone, account.authorized) == (created.sub, "Europe/London", False)
    await cronofy.exchange(created.code, REDIRECT)
    (account,) = await cronofy.control.accounts()
    assert account.authorized


async def test_a_second_code_is_for_the_profile_that_is_named(cronofy: Running, caller: Caller) -> None:
    second = await cronofy.control.add_profile(caller.account.sub, NewProfile(provider=Service.EXCHANGE))
    for given, expected in ((None, caller.account.profile_id), (second.profile_id, second.profile_id)):
        code = await cronofy.control.issue_code(caller.account.sub, NewCode(profile_id=given))
        assert (await cronofy.exchange(code))["linking_profile"]["profile_id"] == expected
    with pytest.raises(ControlError, match="404"):
        await cronofy.control.issue_code(caller.account.sub, NewCode(profile_id="pro_guess"))


async def test_what_does_not_exist_is_said_not_to(cronofy: Running, caller: Caller) -> None:
    event = await cronofy.control.create_event(caller.calendar_id, start=TEN, end=ELEVEN)
    attempts = (
        cronofy.control.revoke("acc_guess"),
        cronofy.control.relink("pro_guess"),
        cronofy.control.events("cal_guess"),
        cronofy.control.edit_event(event.model_copy(update={"event_uid": "evt_guess"}), summary="x"),
        cronofy.control.copy_event(event, "cal_guess"),
    )
    for attempt in attempts:
        with pytest.raises(ControlError, match="404"):
            await attempt


# Events


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"start": TEN},
        {"start": "noon", "end": "one"},
        {"start": ELEVEN, "end": TEN},
        {"start": TEN, "end": "2026-03-11"},
        {"start": TEN, "end": ELEVEN, "titel": "x"},
    ],
)
async def test_wrong_events_are_refused(cronofy: Running, caller: Caller, fields: EventFields) -> None:
    with pytest.raises(ControlError, match="422"):
        await cronofy.control.create_event(caller.calendar_id, **fields)
    with pytest.raises(ControlError, match="422"):
        await cronofy.control.create_known_events(caller.calendar_id, [EventFields(start=TEN, end=ELEVEN), fields])
    assert await cronofy.control.events(caller.calendar_id) == []


async def test_a_person_sees_every_field_of_an_event(cronofy: Running, caller: Caller) -> None:
    event = await cronofy.control.create_event(
        caller.calendar_id,
        summary="Lunch",
        start=NOON.date(),
        end=(NOON + timedelta(days=1)).date(),
        location="Canteen",
        private=True,
        attendees=[{"email": "bob@x.example"}],
    )
    assert (event.all_day, event.start, event.end) == (True, "2026-03-09", "2026-03-10")
    assert (event.location, event.private, event.transparency) == ("Canteen", True, "transparent")
    edited = await cronofy.control.edit_event(event, location=None, organizer=None, status="cancelled")
    assert (edited.location, edited.status, edited.summary) == (None, "cancelled", "Lunch")
    assert [person.get("status") for person in edited.attendees] == ["needs_action"]


async def test_deleted_events_are_listed_on_request(cronofy: Running, caller: Caller) -> None:
    event = await cronofy.control.create_event(caller.calendar_id, start=TEN, end=ELEVEN)
    await cronofy.control.delete_event(event)
    assert await cronofy.control.events(caller.calendar_id) == []
    (gone,) = await cronofy.control.events(caller.calendar_id, deleted=True)
    assert gone.deleted_by == "person"


# What was received


async def test_requests_are_listed_in_order_without_their_secrets(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.advance(5)
    await caller.upsert(attendees={"invite": [{"email": "bob@x.example"}]})
    token, write = await cronofy.control.requests()
    assert (token.number, token.operation, token.status) == (1, "exchange_token", 200)
    assert SECRET not in token.model_dump_json()
    assert caller.account.code not in token.model_dump_json()
    assert (write.number, write.method, write.path, write.status) == (2, "POST", caller.events_path(), 202)
    assert write.at == NOON + timedelta(seconds=5)
    assert write.headers["authorization"] == f"Bearer …{caller.tokens['access_token'][-4:]}"
    assert "attendees" in write.body


async def test_requests_can_be_filtered(cronofy: Running, caller: Caller) -> None:
    seen = await cronofy.control.request_count()
    await caller.upsert()
    await caller.get("/v1/events", tzid="Etc/UTC")
    await caller.get("/v1/calendars")
    (read,) = await cronofy.control.requests(after=seen, path="/v1/events")
    assert read.query == {"tzid": ["Etc/UTC"]}
    assert [request.method for request in await cronofy.control.requests(after=seen, method="GET")] == ["GET", "GET"]


async def test_only_the_newest_requests_are_kept(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_settings(requests_kept=2)
    for _ in range(3):
        await caller.get("/v1/userinfo")
    assert [request.number for request in await cronofy.control.requests()] == [3, 4]


# Waiting


async def test_waiting_for_quiet_in_vain_says_what_is_under_way(cronofy: Running, caller: Caller) -> None:
    await caller.upsert()
    with pytest.raises(NotQuiet, match="item-1"):
        await cronofy.control.wait_until_quiet(timeout=0.01)


async def test_waiting_ends_as_soon_as_it_is_quiet(cronofy: Running, caller: Caller) -> None:
    await caller.upsert()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(cronofy.control.pending(wait=30))
        await cronofy.control.advance(60)
    assert waiting.result().quiet


# Running


async def test_nothing_goes_on_after_a_sandbox_is_closed() -> None:
    before = asyncio.all_tasks()
    async with running(Settings()) as cronofy:
        caller = await cronofy.connect()
        await caller.upsert()
        await caller.open_channel("http://127.0.0.1:9/")
    assert asyncio.all_tasks() == before


async def test_a_sandbox_can_be_cancelled() -> None:
    app = create_app(Clock(NOON, frozen=True), Chance(1), Application(CLIENT_ID, (SECRET,)))
    opened = asyncio.Event()

    async def run() -> None:
        async with app.running(), serve(app):
            opened.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run())
        await opened.wait()
        task.cancel()
    assert task.cancelled()


async def test_an_error_in_the_block_leaves_as_it_came() -> None:
    class Mine(Exception):
        """Nobody else's."""

    async def run() -> None:
        async with running(Settings()):
            raise Mine

    with pytest.raises(Mine):
        await run()


async def test_two_sandboxes_can_share_a_clock_and_a_chance() -> None:
    clock, chance, application = Clock(NOON, frozen=True), Chance(1), Application(CLIENT_ID, (SECRET,))
    apps = [create_app(clock, chance, application) for _ in range(2)]
    async with (
        apps[0].running(),
        apps[1].running(),
        serve(apps[0]) as first,
        serve(apps[1]) as second,
        CronofyControl(first) as control,
        CronofyControl(second) as other,
    ):
        await control.advance(60)
        assert await other.now() == NOON + timedelta(minutes=1)


async def test_a_stopped_server_is_no_longer_there() -> None:
    async with running(Settings()) as cronofy:
        url = cronofy.url
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(url)
