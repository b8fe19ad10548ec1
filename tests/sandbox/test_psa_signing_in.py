"""Calendar sync signs in for one tenant at a time; tokens expire by the sandbox's clock."""

from __future__ import annotations

import pytest

from tests.sandbox.psa_running import NOON, OTHER, USER, CalendarApi, Running, refusal, running

MARCH = ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")


async def status(world: Running) -> int:
    query = {"userId": USER, "from": MARCH[0], "to": MARCH[1]}
    return (await world.api.call("GET", "/v2/calendar/items", params=query)).status_code


async def refreshed(world: Running, tokens: dict[str, str]) -> tuple[int, dict[str, str] | None]:
    form = {"accessToken": tokens["accessToken"], "refreshToken": tokens["refreshToken"]}
    answer = await world.api.call("POST", "/v2/security/refreshtoken", data=form)
    if answer.json()["result"]:
        world.api.http.headers["Authorization"] = f"Bearer {answer.json()['result']['accessToken']}"
    return answer.status_code, answer.json()["result"]


async def test_tokens_say_when_they_expire() -> None:
    async with running() as world:
        tokens = (await world.api.sign_in())["result"]
    assert tokens["accessTokenExpireOn"] == NOON.replace(hour=13).isoformat()
    assert tokens["refreshTokenExpireOn"] == NOON.replace(day=10).isoformat()


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc"])
async def test_without_a_known_token_everything_is_unauthorized(header: str | None) -> None:
    async with running() as world:
        del world.api.http.headers["Authorization"]
        world.api.http.headers.update({"Authorization": header} if header else {})
        assert await status(world) == 401


async def test_a_token_expires_by_the_sandboxes_clock() -> None:
    async with running() as world:
        world.clock.advance(3599)
        assert await status(world) == 200
        world.clock.advance(1)
        assert await status(world) == 401


async def test_a_refresh_token_outlives_its_access_token_and_is_good_once() -> None:
    async with running() as world:
        tokens = (await world.api.sign_in())["result"]
        world.clock.advance(7200)
        assert (await refreshed(world, tokens))[0] == 200
        assert await status(world) == 200
        assert (await refreshed(world, tokens))[0] == 401


async def test_a_refresh_token_expires_too() -> None:
    async with running() as world:
        tokens = (await world.api.sign_in())["result"]
        world.clock.advance(86_400)
        assert (await refreshed(world, tokens))[0] == 401


async def test_a_refresh_token_belongs_to_its_access_token() -> None:
    async with running() as world:
        one, two = (await world.api.sign_in())["result"], (await world.api.sign_in())["result"]
        assert (await refreshed(world, one | {"refreshToken": two["refreshToken"]}))[0] == 401


async def test_wrong_credentials_are_unauthorized() -> None:
    async with running() as world:
        world.api.secret = "wrong"
        assert (await world.api.sign_in())["status"] == 401


@pytest.mark.parametrize("tenant", [99, -1])
async def test_an_unknown_tenant_is_unauthorized(tenant: int) -> None:
    async with running() as world:
        world.api.tenant = tenant
        assert (await world.api.sign_in())["status"] == 401


async def test_a_form_without_its_fields_is_malformed() -> None:
    async with running() as world:
        answer = await world.api.call("POST", "/v2/security/authenticate", data={"grantType": "password"})
    assert refusal(answer.json()) == 40000
    assert "clientSecret" in answer.json()["error"]["message"]


async def test_a_tenant_that_is_signed_off_loses_its_tokens_until_it_is_back() -> None:
    async with running() as world:
        await world.psa.set_tenant(active=False)
        assert await status(world) == 401
        assert (await world.api.sign_in())["status"] == 401
        await world.psa.set_tenant(active=True)
        await world.api.sign_in()
        assert await status(world) == 200


async def test_revoked_tokens_are_unknown() -> None:
    async with running() as world:
        await world.psa.revoke_tokens()
        assert await status(world) == 401


async def test_a_token_opens_nothing_of_another_tenant() -> None:
    async with running() as world:
        foreign = await world.psa.for_tenant(7).create_item("appointment", [OTHER])
        own = await world.psa.create_item("appointment", [OTHER])
        assert refusal(await world.api.item("appointment", foreign.item_id)) == 40400
        listed = await world.api.items(*MARCH, OTHER)
        assert [state["itemId"] for state in listed["result"]] == [own.item_id]
        other = CalendarApi(world.api.http, tenant=7)
        await other.sign_in()
        assert (await other.item("appointment", foreign.item_id))["success"]
