"""The console in a real browser, on real parts: looking, replaying a group, mending a message, and hostile text."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Final

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from pydantic import JsonValue, SecretStr

from events.items import ItemType
from events.letters import Letter, Status, Which
from sandbox.cronofy.api.faults import Instead, Match
from stack.native.places import HOME
from stack.native.ports import free_port
from stack.programs import browser as found_browser
from tests.services import Urls
from tests.stories.days import at
from tests.stories.office import Operator, operator
from tests.stories.stage import NotYet, Services, Stage, at_work, held_open
from tests.stories.test_dead_letters import publish, todo

expect.set_options(timeout=20_000)
pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATOR: Final = "the-token-of-those-who-operate"
READER: Final = "the-token-of-those-who-look"
HOSTILE: Final = (
    "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>\u202e{{ 7*7 }}"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(
    service_urls: Urls, modules_vhost: str, modules_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[tuple[Stage, str]]:
    """A stage with a worker that serves a console, and where that is."""
    services, port = Services(modules_vhost, service_urls.mongodb, modules_database), free_port()
    tokens = {"console_operator_token": SecretStr(OPERATOR), "console_reader_token": SecretStr(READER)}
    async with held_open(at_work(services, tmp_path_factory.mktemp("stage"), ops_port=port, **tokens)) as world:
        url = f"http://127.0.0.1:{port}"
        await world.until(lambda: _is_ready(url))
        yield world, url


async def _is_ready(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        with contextlib.suppress(httpx.TransportError):
            if (await http.get(f"{url}/readyz")).status_code == 200:
                return
    raise NotYet


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncGenerator[Browser]:
    """Debian's Chromium, or the machine's. Without one this fails, and says what to do."""
    found = await asyncio.to_thread(found_browser)
    async with held_open(_browsing(found.program, found.environment)) as opened:
        yield opened


@contextlib.asynccontextmanager
async def _browsing(program: Path, environment: Mapping[str, str]) -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=program, env={"HOME": str(HOME), **environment}, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield opened
        finally:
            await opened.close()


@contextlib.asynccontextmanager
async def signed_in(browser: Browser, url: str, token: str = OPERATOR) -> AsyncGenerator[Page]:
    """A page of somebody who has signed in, by the keyboard alone. Whatever a browser complains of fails the test."""
    context = await browser.new_context(base_url=url, color_scheme="dark")
    context.set_default_timeout(15_000)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto("/console/")
    await expect(page.get_by_label("Your name")).to_be_focused()
    await page.keyboard.type("Ann")
    await page.keyboard.press("Tab")
    await page.keyboard.type(token)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Integrations")).to_be_visible()
    try:
        yield page
    finally:
        await context.close()
    assert complaints == []


async def replayed(page: Page, group: str, why: str) -> None:
    """Replay a group of dead letters, and say why."""
    await page.get_by_role("link", name="Dead letters").click()
    await page.get_by_role("link", name=group).click()
    await page.get_by_label("Why").first.fill(why)
    await page.get_by_role("button", name="Replay all").click()


async def letters(world: Stage, ann: Operator, number: int, which: Which) -> list[Letter]:
    """Return letters as soon as there are so many of these."""

    async def look() -> list[Letter]:
        found = await ann.letters.page(which, None, 100)
        if len(found) != number:
            raise NotYet(f"{len(found)} instead of {number}")
        return found

    return await world.until(look, 20)


async def test_a_group_is_replayed_in_the_browser_and_who_did_it_stays_written(
    console: tuple[Stage, str], browser: Browser
) -> None:
    world, url = console
    dana = await world.link(401)
    body: JsonValue = {"errors": {"summary": [{"key": "errors.too_long", "description": HOSTILE}]}}
    await world.cronofy.set_fault(Instead(status=422, body=body), Match(operation="write_event"), count=None)
    for number in range(2):
        await world.psa.create_item(ItemType.TODO, [401], description=f"{HOSTILE} {number}", date=at(9))
    async with operator(world) as ann:
        await letters(world, ann, 2, Which(frozenset({Status.OPEN}), integration_id=dana.integration_id))
        await world.cronofy.clear_faults()
        async with signed_in(browser, url) as page:
            await replayed(page, "calendar_refused", "the limit was lifted")
            row = page.get_by_role("row", name="the limit was lifted")
            await expect(row.get_by_role("cell").nth(3)).to_have_text("2")
            await expect(page.get_by_text("Ann: the limit was lifted").last).to_be_visible()
            await letters(world, ann, 2, Which(frozenset({Status.RESOLVED}), integration_id=dana.integration_id))
            # What was written elsewhere is text, wherever it is shown.
            await page.goto(f"/console/integrations/{dana.integration_id}")
            await expect(page.get_by_text("<img src=x onerror").first).to_be_visible()
            await page.get_by_role("link", name="todo/").first.click()
            await expect(page.get_by_role("listitem").get_by_text("<script>").first).to_be_visible()
            assert "hacked" not in await page.title()
            assert await page.locator("img, script").count() == 0


async def test_a_message_is_mended_in_the_browser_once_it_keeps_its_contract(
    console: tuple[Stage, str], browser: Browser
) -> None:
    world, url = console
    async with operator(world) as ann, signed_in(browser, url) as page:
        await publish(ann, todo("seven", "88121"))
        (dead,) = await letters(world, ann, 1, Which(frozenset({Status.OPEN}), item="todo/88121"))
        await page.goto(f"/console/letters/one/{dead.id}")
        await page.get_by_label("Why").last.fill("a number was meant")
        await page.get_by_role("button", name="Show all and edit").click()
        await page.get_by_label("Message").fill(todo("eight", "88121").decode())
        await page.get_by_role("button", name="Check and replay").click()
        await expect(page.get_by_role("alert")).to_contain_text("revision")
        await page.get_by_label("Message").fill(todo(8, "88121").decode())
        await page.get_by_role("button", name="Check and replay").click()
        await letters(world, ann, 1, Which(frozenset({Status.REPLACED}), item="todo/88121"))
        actions = await ann.actions.newest(20)
        deeds = [action.deed for action in actions if action.why == "a number was meant"]
        assert deeds == ["replayed", "edited", "shown"]


PAGES: Final = ("/", "/charts?of=day", "/explain?about=todo/1", "/letters", "/jobs", "/integrations/int-402")


async def test_every_page_fits_a_phone_and_is_dark_where_that_is_wanted(
    console: tuple[Stage, str], browser: Browser
) -> None:
    world, url = console
    await world.link(402)
    async with signed_in(browser, url, READER) as page:
        await page.set_viewport_size({"width": 360, "height": 640})
        for path in PAGES:
            await page.goto(f"/console{path}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
            assert await page.get_by_role("button", name="Discard").count() == 0
        dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        await page.emulate_media(color_scheme="light")
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


# What a browser would never send


async def cookie_of(http: httpx.AsyncClient, token: str) -> str:
    """Sign in, and return the form key of the session."""
    answer = await http.post("/console/sign-in", data={"who": "Bob", "token": token})
    assert answer.status_code == 303
    page = await http.get("/console/")
    return page.text.partition('name="form_key" value="')[2].partition('"')[0]


async def test_nobody_acts_without_the_right_token_a_form_of_ours_and_a_reason(console: tuple[Stage, str]) -> None:
    _, url = console
    meant = {"group": "none", "why": "because"}
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        assert (await http.get("/console/letters")).headers["location"] == "/console/sign-in"
        assert (await http.post("/console/letters/discard", data=meant)).status_code == 303
        assert (await http.post("/console/sign-in", data={"who": "Bob", "token": "guessed"})).status_code == 403
        key = await cookie_of(http, READER)
        answer = await http.post("/console/letters/discard", data={**meant, "form_key": key})
        assert answer.status_code == 403
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        key = await cookie_of(http, OPERATOR)

        async def sent(data: dict[str, str], **headers: str) -> int:
            return (await http.post("/console/letters/discard", data=data, headers=headers)).status_code

        assert await sent(meant) == 400
        assert await sent({**meant, "form_key": "other"}) == 400
        assert await sent({"group": "none", "form_key": key}) == 400
        assert await sent({"why": "because", "form_key": key}) == 400
        assert await sent({**meant, "form_key": key}, **{"sec-fetch-site": "cross-site"}) == 400
        assert await sent({**meant, "form_key": key}, origin="https://elsewhere.example") == 400
        assert await sent({**meant, "form_key": key, "more": "x" * 2_000_000}) == 400
        assert await sent({**meant, "form_key": key}) == 303
        assert (await http.get("/console/nowhere")).status_code == 404
        assert (await http.get("/console/letters/one/none")).status_code == 404
        assert (await http.get("/console/integrations/none")).status_code == 404


async def test_the_browser_is_told_to_run_nothing_and_to_keep_the_session_to_itself(
    console: tuple[Stage, str],
) -> None:
    _, url = console
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        answer = await http.post("/console/sign-in", data={"who": "Bob", "token": READER})
        cookie = answer.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/console"))
        assert "secure" not in cookie
        proxied = await http.post(
            "/console/sign-in", data={"who": "Bob", "token": READER}, headers={"x-forwarded-proto": "https"}
        )
        assert "secure" in proxied.headers["set-cookie"].lower()
        for path in ("/console/", "/console/static/console.css", "/console/nowhere"):
            headers = (await http.get(path)).headers
            assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
            assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
        key = (await http.get("/console/")).text.partition('form_key" value="')[2].partition('"')[0]
        await http.post("/console/sign-out", data={"form_key": key})
        assert (await http.get("/console/")).status_code == 303
