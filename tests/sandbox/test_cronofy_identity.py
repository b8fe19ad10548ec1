"""Userinfo, profiles, calendars and permissions."""

from __future__ import annotations

import pytest

from sandbox.cronofy.control.account_messages import NewAccount, NewCalendar, NewProfile
from sandbox.cronofy.model.settings import Service
from tests.sandbox.conftest import ELEVEN, TEN, Caller, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_userinfo_shows_profiles_and_their_calendars(cronofy: Running) -> None:
    given = NewAccount(name="jane@example.com", person="Jane", zone="Europe/London")
    caller = await cronofy.connect(Service.OFFICE365, given)
    shown = (await caller.get("/v1/userinfo")).json()
    assert (shown["sub"], shown["email"], shown["name"]) == (caller.account.sub, "jane@example.com", "Jane")
    assert (shown["zoneinfo"], shown["cronofy.type"]) == ("Europe/London", "account")
    (profile,) = shown["cronofy.data"]["profiles"]
    assert (profile["provider_name"], profile["provider_service"]) == ("exchange", "office365")
    assert profile["profile_connected"] is True
    assert "profile_relink_url" not in profile
    (calendar,) = profile["profile_calendars"]
    assert calendar["calendar_id"] == caller.calendar_id
    assert (calendar["calendar_primary"], calendar["permission_level"]) == (True, "sandbox")


async def test_account_is_the_brief_form(caller: Caller) -> None:
    shown = (await caller.get("/v1/account")).json()["account"]
    assert (shown["account_id"], shown["default_tzid"]) == (caller.account.sub, "Etc/UTC")
    assert "read_events" in shown["scope"]


async def test_a_disconnected_profile_comes_with_a_link_to_a_page_that_links_it_again(
    cronofy: Running, caller: Caller
) -> None:
    await cronofy.control.disconnect(caller.account.profile_id)
    (profile,) = (await caller.get("/v1/profiles")).json()["profiles"]
    assert profile["profile_connected"] is False
    page = await cronofy.http.get(profile["profile_relink_url"])
    assert "Linked again" in page.text
    (profile,) = (await caller.get("/v1/profiles")).json()["profiles"]
    assert profile["profile_connected"] is True


async def test_a_profile_in_its_initial_sync_has_no_calendars_yet(cronofy: Running) -> None:
    caller = await cronofy.connect(given=NewAccount(initial_sync_required=True))
    await cronofy.control.create_event(caller.calendar_id, start=TEN, end=ELEVEN)
    (profile,) = (await caller.get("/v1/userinfo")).json()["cronofy.data"]["profiles"]
    assert (profile["profile_initial_sync_required"], profile["profile_calendars"]) == (True, [])
    assert (await caller.get("/v1/calendars")).json()["calendars"] == []
    await cronofy.control.advance(60)
    assert await caller.read() == []
    await cronofy.control.finish_initial_sync(caller.account.profile_id)
    assert len((await caller.get("/v1/calendars")).json()["calendars"]) == 1
    assert len(await caller.read()) == 1


async def test_two_profiles_of_one_account_show_their_own_calendars(cronofy: Running, caller: Caller) -> None:
    second = await cronofy.control.add_profile(caller.account.sub, NewProfile(provider=Service.ICLOUD))
    calendars = (await caller.get("/v1/calendars")).json()["calendars"]
    assert [(shown["provider_name"], shown["profile_id"]) for shown in calendars] == [
        ("google", caller.account.profile_id),
        ("apple", second.profile_id),
    ]


async def test_revoking_a_profile_leaves_the_others_alone(cronofy: Running, caller: Caller) -> None:
    second = await cronofy.control.add_profile(caller.account.sub, NewProfile(provider=Service.ICLOUD))
    response = await caller.post(f"/v1/profiles/{second.profile_id}/revoke", {})
    assert response.status_code == 202
    (calendar,) = (await caller.get("/v1/calendars")).json()["calendars"]
    assert calendar["calendar_id"] == caller.calendar_id
    assert (await caller.post(f"/v1/profiles/{second.profile_id}/revoke", {})).status_code == 404


# Calendars


async def test_deleted_and_read_only_calendars_stay_in_the_list(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.change_calendar(caller.calendar_id, deleted=True, readonly=True)
    listed = (await caller.get("/v1/calendars")).json()
    assert listed["sub"] == caller.account.sub
    (calendar,) = listed["calendars"]
    assert (calendar["calendar_deleted"], calendar["calendar_readonly"]) == (True, True)


async def test_a_calendar_can_be_created(cronofy: Running, caller: Caller) -> None:
    body = {"profile_id": caller.account.profile_id, "name": "Work", "color": "#49BED8"}
    response = await caller.post("/v1/calendars", body)
    created = response.json()["calendar"]
    assert (response.status_code, created["calendar_name"]) == (200, "Work")
    assert await cronofy.control.events(created["calendar_id"]) == []


@pytest.mark.parametrize(("service", "status"), [(Service.GOOGLE, 200), (Service.OFFICE365, 422)])
async def test_some_providers_allow_a_name_only_once(cronofy: Running, service: Service, status: int) -> None:
    caller = await cronofy.connect(service)
    body = {"profile_id": caller.account.profile_id, "name": "Calendar"}
    response = await caller.post("/v1/calendars", body)
    assert response.status_code == status
    if status == 422:
        assert response.json()["errors"]["name"][0]["key"] == "errors.duplicate_calendar_name"


async def test_a_calendar_cannot_be_created_at_a_disconnected_profile(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.disconnect(caller.account.profile_id)
    body = {"profile_id": caller.account.profile_id, "name": "Work"}
    assert (await caller.post("/v1/calendars", body)).status_code == 423


@pytest.mark.parametrize(
    ("body", "field"), [({"name": "Work"}, "profile_id"), ({"name": "Work", "profile_id": "pro_guess"}, "profile_id")]
)
async def test_a_calendar_needs_a_profile(caller: Caller, body: dict[str, str], field: str) -> None:
    response = await caller.post("/v1/calendars", body)
    assert response.status_code == 422
    assert field in response.json()["errors"]


async def test_a_person_can_add_a_calendar(cronofy: Running, caller: Caller) -> None:
    added = await cronofy.control.add_calendar(caller.account.profile_id, NewCalendar(name="Private", readonly=True))
    listed = (await caller.get("/v1/calendars")).json()["calendars"]
    assert [(shown["calendar_id"], shown["calendar_readonly"]) for shown in listed][1] == (added.calendar_id, True)


# Permissions


async def test_permission_is_asked_for_and_granted_on_a_page(cronofy: Running, caller: Caller) -> None:
    body = {
        "permissions": [{"calendar_id": caller.calendar_id, "permission_level": "unrestricted"}],
        "redirect_uri": "https://app.example/granted",
    }
    response = await caller.post("/v1/permissions", body)
    assert response.status_code == 202
    granted = await cronofy.http.get(response.json()["permissions_request"]["url"])
    assert granted.headers["location"] == "https://app.example/granted"
    (calendar,) = (await caller.get("/v1/calendars")).json()["calendars"]
    assert calendar["permission_level"] == "unrestricted"
    again = await caller.post("/v1/permissions", body)
    assert again.json() == {"permissions_request": {"accepted": True}}


async def test_permission_can_be_asked_for_ones_own_calendars_only(cronofy: Running, caller: Caller) -> None:
    stranger = await cronofy.control.create_account()
    body = {"permissions": [{"calendar_id": stranger.calendar_id, "permission_level": "unrestricted"}]}
    assert (await caller.post("/v1/permissions", body)).status_code == 422


async def test_pages_that_do_not_exist_are_not_found(cronofy: Running) -> None:
    for path in ("/permissions/guess", "/relink/guess", "/v1/nothing", "/"):
        assert (await cronofy.http.get(path)).status_code == 404
