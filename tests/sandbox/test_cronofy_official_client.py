"""Cronofy's own Python client gets along with the sandbox. It is synchronous, so it runs in a thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import pycronofy  # type: ignore[import-untyped]  # it has no types
import pytest
import pytest_asyncio
from pycronofy import settings as pycronofy_settings
from pycronofy.batch import BatchBuilder  # type: ignore[import-untyped]
from pycronofy.exceptions import PyCronofyPartialSuccessError, PyCronofyRequestError  # type: ignore[import-untyped]

from tests.sandbox.conftest import CLIENT_ID, REDIRECT, SECRET, Receiver, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

T = TypeVar("T")


class Official:
    """The client, called from a thread of its own."""

    def __init__(self, client: Any, calendar_id: str) -> None:
        self.client = client
        self.calendar_id = calendar_id

    async def __call__(self, method: str, *args: object, **more: object) -> Any:
        return await asyncio.to_thread(getattr(self.client, method), *args, **more)

    async def do(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)


@pytest_asyncio.fixture(loop_scope="module")
async def official(cronofy: Running, monkeypatch: pytest.MonkeyPatch) -> Official:
    monkeypatch.setattr(pycronofy_settings, "API_BASE_URL", cronofy.url)
    monkeypatch.setattr(pycronofy_settings, "APP_BASE_URL", cronofy.url)
    await cronofy.control.make_prompt()
    account = await cronofy.control.create_account()
    client = Official(pycronofy.Client(client_id=CLIENT_ID, client_secret=SECRET), account.calendar_id)
    await client("get_authorization_from_code", account.code, redirect_uri=REDIRECT)
    return client


def visit(event_id: str, **fields: object) -> dict[str, object]:
    return {
        "event_id": event_id,
        "summary": "Visit",
        "description": "Bring cake",
        "start": datetime(2026, 3, 10, 10, tzinfo=UTC),
        "end": datetime(2026, 3, 10, 11, tzinfo=UTC),
        "tzid": "Etc/UTC",
        **fields,
    }


async def test_it_finds_its_way_from_the_consent_page_to_a_token(cronofy: Running, official: Official) -> None:
    await cronofy.control.change_settings(consent="at_once")
    link = official.client.user_auth_link(REDIRECT, state="here", provider_name="office365", avoid_linking=True)
    location = (await cronofy.http.get(link)).headers["location"]
    code = parse_qs(urlsplit(location).query)["code"][0]
    fresh = Official(pycronofy.Client(client_id=CLIENT_ID, client_secret=SECRET), "")
    tokens = await fresh("get_authorization_from_code", code, redirect_uri=REDIRECT)
    assert tokens["access_token"]
    assert (await fresh("list_profiles"))[0]["provider_service"] == "office365"


async def test_it_reads_who_it_acts_for(official: Official) -> None:
    assert (await official("userinfo"))["sub"] == (await official("account"))["account_id"]
    assert [profile["profile_connected"] for profile in await official("list_profiles")] == [True]
    assert [calendar["calendar_id"] for calendar in await official("list_calendars")] == [official.calendar_id]


async def test_it_writes_reads_and_deletes_events(official: Official) -> None:
    await official("upsert_event", official.calendar_id, visit("a"))
    pages = await official("read_events")
    (event,) = await official.do(pages.all)
    assert (event["event_id"], event["start"]) == ("a", "2026-03-10T10:00:00Z")
    await official("delete_event", official.calendar_id, "a")
    assert await official.do((await official("read_events")).all) == []


async def test_it_follows_pages_to_the_last(cronofy: Running, official: Official) -> None:
    await cronofy.control.change_settings(page_size=2)
    for number in range(5):
        await official("upsert_event", official.calendar_id, visit(f"item-{number}"))
    pages = await official("read_events", calendar_ids=(official.calendar_id,), from_date="2026-03-01")
    assert len(await official.do(lambda: list(pages))) == 5


async def test_its_batch_names_the_entries_that_failed(official: Official) -> None:
    builder: Any = BatchBuilder()
    builder.upsert_event(official.calendar_id, visit("a")).delete_event(official.calendar_id, "b")
    result = await official("batch", builder)
    assert [entry.status() for entry in result.entries] == [202, 202]
    builder.upsert_event(official.calendar_id, visit("a", summary=""))
    with pytest.raises(PyCronofyPartialSuccessError, match="1 errors"):
        await official("batch", builder)


@pytest.mark.parametrize("selective", [True, False])
async def test_it_deletes_in_bulk(cronofy: Running, official: Official, *, selective: bool) -> None:
    await official("upsert_event", official.calendar_id, visit("a"))
    await official("delete_all_events", calendar_ids=(official.calendar_id,) if selective else ())
    assert await cronofy.control.events(official.calendar_id) == []


async def test_it_opens_lists_and_closes_channels_and_believes_their_signatures(
    cronofy: Running, official: Official, receiver: Receiver
) -> None:
    channel = await official("create_notification_channel", receiver.url, calendar_ids=(official.calendar_id,))
    assert await official("list_notification_channels") == [channel]
    await cronofy.control.wait_until_quiet(timeout=10)
    (body,), (header,) = receiver.bodies, receiver.signatures
    assert json.loads(body)["notification"] == {"type": "verification"}
    assert official.client.hmac_valid(header, body.decode())
    await official("close_notification_channel", channel["channel_id"])
    assert await official("list_notification_channels") == []


async def test_it_reads_when_there_is_time(official: Official) -> None:
    await official("upsert_event", official.calendar_id, visit("a"))
    pages = await official("read_free_busy")
    assert [block["free_busy_status"] for block in await official.do(pages.all)] == ["busy"]


async def test_it_asks_for_permission_and_edits_events_of_the_person(cronofy: Running, official: Official) -> None:
    event = await cronofy.control.create_event(official.calendar_id, start="2026-03-10", end="2026-03-11")
    asked = [{"calendar_id": official.calendar_id, "permission_level": "unrestricted"}]
    request = await official("elevated_permissions", asked, redirect_uri=REDIRECT)
    await cronofy.http.get(request["url"])
    await official("change_participation_status", official.calendar_id, event.event_uid, "declined")
    await official("delete_external_event", official.calendar_id, event.event_uid)
    assert await cronofy.control.events(official.calendar_id) == []


async def test_it_creates_calendars(official: Official) -> None:
    (profile,) = await official("list_profiles")
    created = await official("create_calendar", profile["profile_id"], "Work")
    assert created["calendar"]["calendar_name"] == "Work"


async def test_it_renews_and_revokes(official: Official) -> None:
    renewed = await official("refresh_authorization")
    assert renewed["access_token"] == official.client.auth.access_token
    await official("revoke_authorization")
    with pytest.raises(PyCronofyRequestError, match="401"):
        await official("userinfo")


async def test_it_revokes_a_profile(official: Official) -> None:
    (profile,) = await official("list_profiles")
    await official("revoke_profile", profile["profile_id"])
    assert await official("list_profiles") == []
