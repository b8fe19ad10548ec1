"""Point 1: the user presses Click to Connect, grants access in the portal, and finds the calendars in the dropdown."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from events.calendar import Provider
from events.outcomes import Authorization, CalendarsFound, Connected, OrderClosed
from sandbox.psa.model.integrations import REDIRECT_URI
from tests.stories.stage import DANA, PATIENCE, Services, stage


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
