"""Point 1: the user presses Click to Connect, grants access in the portal, and finds the calendars in the dropdown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from events.calendar import Provider
from events.items import ItemType
from events.outcomes import (
    Authorization,
    CalendarsFound,
    Configured,
    Connected,
    Deleted,
    Disconnected,
    OrderClosed,
)
from sandbox.cronofy.control.account_messages import NewAccount, NewCode, NewProfile
from sandbox.psa.client import PsaItem
from sandbox.psa.model.integrations import REDIRECT_URI
from tests.stories.stage import DANA, PATIENCE, NotYet, Services, Stage, stage

ERIN = 5572
AT = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
UNTIL = AT + timedelta(hours=1)


async def test_click_to_connect_leads_through_the_portal_to_the_calendars(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, world.working():
        await world.psa.authorize("int-1", DANA, "what the session knows", provider=Provider.OFFICE365)
        told = await world.psa.outcome(Authorization, integration_id="int-1", within=PATIENCE)
        closed = await world.psa.outcome(OrderClosed, integration_id="int-1", within=PATIENCE)
        assert (closed.data.order, closed.data.result) == ("authorize", "done")
        back = parse_qs(urlsplit(await granted(told.data.url)).query)
        assert back["state"] == ["what the session knows"]
        await world.psa.connect("int-1", DANA, back["code"][0], redirect_uri=REDIRECT_URI)
        connected = await world.psa.outcome(Connected, integration_id="int-1", within=PATIENCE)
        assert connected.data.provider == "office365"
        found = await world.psa.outcome(CalendarsFound, integration_id="int-1", within=PATIENCE)
        assert [calendar.writable for calendar in found.data.calendars] == [True]


async def granted(url: str) -> str:
    """Press Grant in the portal, and return where the browser is sent to."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(f"{url}&decision=grant")
    assert answer.is_redirect, answer.text
    return answer.headers["location"]


async def test_the_providers_first_sync_is_waited_for_by_notification_and_by_asking(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        account = await world.cronofy.create_account(given=NewAccount(initial_sync_required=True))
        await world.psa.connect("int-1", DANA, account.code)
        told = await world.psa.outcome(Disconnected, integration_id="int-1", within=PATIENCE)
        assert told.data.reason == "pending_initial_sync"
        (channel,) = await world.cronofy.channels()
        assert channel.calendar_ids is None or not channel.calendar_ids, "which calendars there are is not known yet"
        await world.cronofy.finish_initial_sync(account.profile_id)
        await world.psa.outcome(Connected, integration_id="int-1", within=PATIENCE)
        await world.psa.configure("int-1", account.calendar_id)
        await world.psa.outcome(Configured, integration_id="int-1", within=PATIENCE)
        # Before anything was read, the calendar's own channel was there; the account's is closed.
        open_ = [one.calendar_ids for one in await world.cronofy.channels() if not one.closed]
        assert open_ == [(account.calendar_id,)]
        paths = [(one.method, one.path) for one in await world.cronofy.requests()]
        assert ("GET", "/v1/events") not in paths[: paths.index(("POST", "/v1/channels"))]


async def test_two_users_of_one_browser_stay_apart(services: Services, tmp_path: Path) -> None:
    """S10: the calendar service may link both profiles under one account."""
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        theirs = await world.cronofy.add_profile(dana.account.sub, NewProfile(name="erin@contoso.example"))
        code = await world.cronofy.issue_code(dana.account.sub, NewCode(profile_id=theirs.profile_id))
        await world.psa.connect("int-erin", ERIN, code)
        found = await world.psa.outcome(CalendarsFound, integration_id="int-erin", within=PATIENCE)
        own = theirs.calendars[0].calendar_id
        assert [one.calendar_id for one in found.data.calendars] == [own], (
            "whose calendars those are is no business of hers"
        )
        await world.psa.configure("int-erin", own)
        await world.psa.outcome(Configured, integration_id="int-erin", within=PATIENCE)
        await world.psa.delete_integration(dana.integration_id)
        await world.psa.outcome(Deleted, integration_id=dana.integration_id, within=PATIENCE)
        item = await world.psa.create_item(ItemType.APPOINTMENT, [ERIN], subject="still works", start=AT, end=UNTIL)
        await world.until(lambda: shows(world, own, item))
        (account,) = await world.cronofy.accounts()
        assert account.authorized, "the authorization is needed by somebody else"
        await world.cronofy.disconnect(dana.account.profile_id)
        await world.rest()
        assert not await world.psa.outcomes(Disconnected.model_fields["type"].default, integration_id="int-erin")


async def shows(world: Stage, calendar_id: str, item: PsaItem) -> None:
    names = [event.event_id for event in await world.cronofy.events(calendar_id)]
    if not any(name and name.endswith(item.item_id) for name in names):
        raise NotYet(f"{names}")
