"""Consent, codes and tokens."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.cronofy.control.account_messages import NewAccount, NewCode
from tests.sandbox.conftest import CLIENT_ID, NOON, REDIRECT, SECRET, SLOW, Caller, Json, Running, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORT = SLOW.model_copy(update={"token_lifetime": 3600})

# Exchanging codes


async def test_a_code_gives_tokens_and_names_what_was_linked(cronofy: Running) -> None:
    account = await cronofy.control.create_account()
    response = await cronofy.token(grant_type="authorization_code", code=account.code, redirect_uri=REDIRECT)
    body = response.json()
    assert (body["token_type"], body["sub"], body["account_id"]) == ("bearer", account.sub, account.sub)
    assert body["linking_profile"]["profile_id"] == account.profile_id
    assert body["userinfo"]["sub"] == account.sub
    assert response.headers["cache-control"] == "no-store"


async def test_a_code_works_once(cronofy: Running) -> None:
    account = await cronofy.control.create_account()
    await cronofy.exchange(account.code)
    again = await cronofy.token(grant_type="authorization_code", code=account.code, redirect_uri=REDIRECT)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})


async def test_a_code_runs_out(cronofy: Running) -> None:
    account = await cronofy.control.create_account()
    await cronofy.control.advance(301)
    late = await cronofy.token(grant_type="authorization_code", code=account.code, redirect_uri=REDIRECT)
    assert late.json() == {"error": "invalid_grant"}


async def test_a_code_is_good_for_its_own_address_only(cronofy: Running) -> None:
    account = await cronofy.control.create_account(given=NewAccount(redirect_uri="https://other.example/"))
    wrong = await cronofy.token(grant_type="authorization_code", code=account.code, redirect_uri=REDIRECT)
    assert wrong.json() == {"error": "invalid_grant"}


async def test_forms_are_as_good_as_json(cronofy: Running) -> None:
    account = await cronofy.control.create_account()
    form = {
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "grant_type": "authorization_code",
        "code": account.code,
        "redirect_uri": REDIRECT,
    }
    response = await cronofy.http.post("/oauth/token", data=form)
    assert response.json()["sub"] == account.sub


@pytest.mark.parametrize("wrong", [{"client_id": "somebody"}, {"client_secret": "guess"}, {"client_secret": ""}])
async def test_only_the_application_gets_tokens(cronofy: Running, wrong: dict[str, str]) -> None:
    account = await cronofy.control.create_account()
    response = await cronofy.token(grant_type="authorization_code", code=account.code, **wrong)
    assert (response.status_code, response.json()) == (400, {"error": "invalid_client"})


async def test_unknown_kinds_of_grant_are_refused(cronofy: Running) -> None:
    assert (await cronofy.token(grant_type="password")).json() == {"error": "unsupported_grant_type"}


async def test_both_secrets_are_good_while_they_are_rotated(cronofy: Running) -> None:
    await cronofy.control.rotate_secrets("new", SECRET)
    for secret in ("new", SECRET):
        account = await cronofy.control.create_account()
        body = {"client_secret": secret, "grant_type": "authorization_code", "code": account.code}
        assert (await cronofy.token(**body)).status_code == 200
    await cronofy.control.rotate_secrets("new")
    assert (await cronofy.token(grant_type="refresh_token")).json() == {"error": "invalid_client"}


# Renewing


async def renew(cronofy: Running, tokens: Json) -> Json:
    response = await cronofy.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    renewed: Json = response.json()
    return renewed


async def test_a_refresh_returns_the_same_token_while_it_lives_long_enough() -> None:
    async with running(SHORT) as cronofy:
        tokens = (await cronofy.connect()).tokens
        await cronofy.control.advance(3000)
        renewed = await renew(cronofy, tokens)
        assert renewed["access_token"] == tokens["access_token"]
        assert renewed["expires_in"] == 600
        assert "sub" not in renewed
        assert "linking_profile" not in renewed


async def test_a_refresh_near_the_end_returns_a_new_token() -> None:
    async with running(SHORT) as cronofy:
        caller = await cronofy.connect()
        await cronofy.control.advance(3001)
        renewed = await renew(cronofy, caller.tokens)
        assert renewed["access_token"] != caller.tokens["access_token"]
        assert renewed["refresh_token"] == caller.tokens["refresh_token"]
        assert renewed["expires_in"] == 3600
        assert (await Caller(caller.http, caller.account, renewed).get("/v1/userinfo")).status_code == 200


async def test_refresh_tokens_can_rotate() -> None:
    async with running(SHORT.model_copy(update={"refresh_token_rotates": True})) as cronofy:
        tokens = (await cronofy.connect()).tokens
        await cronofy.control.advance(3600)
        assert (await renew(cronofy, tokens))["refresh_token"] != tokens["refresh_token"]
        assert await renew(cronofy, tokens) == {"error": "invalid_grant"}


async def test_an_access_token_runs_out() -> None:
    async with running(SHORT) as cronofy:
        caller = await cronofy.connect()
        await cronofy.control.advance(3600)
        response = await caller.get("/v1/userinfo")
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")


async def test_tokens_can_be_made_to_run_out(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.expire_tokens(caller.account.sub)
    assert (await caller.get("/v1/userinfo")).status_code == 401
    assert "access_token" in await renew(cronofy, caller.tokens)


@pytest.mark.parametrize("token", [None, "guess"])
async def test_without_a_known_token_there_is_nothing(cronofy: Running, token: str | None) -> None:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    assert (await cronofy.http.get("/v1/calendars", headers=headers)).status_code == 401


async def test_a_token_of_another_sandbox_is_refused(caller: Caller) -> None:
    async with running(SLOW, seed=2) as other:
        stranger = Caller(other.http, caller.account, caller.tokens)
        assert (await stranger.get("/v1/userinfo")).status_code == 401


# Revoking


@pytest.mark.parametrize("by", ["access_token", "refresh_token", "sub"])
async def test_revoking_ends_the_authorization(cronofy: Running, caller: Caller, by: str) -> None:
    channel = await caller.open_channel("https://app.example/notify")
    what = {"sub": caller.account.sub} if by == "sub" else {"token": caller.tokens[by]}
    response = await cronofy.http.post(
        "/oauth/token/revoke", json={"client_id": CLIENT_ID, "client_secret": SECRET, **what}
    )
    assert (response.status_code, response.content) == (200, b"")
    assert (await caller.get("/v1/userinfo")).status_code == 401
    assert await renew(cronofy, caller.tokens) == {"error": "invalid_grant"}
    (closed,) = await cronofy.control.channels()
    assert (closed.channel_id, closed.closed) == (channel["channel_id"], True)


async def test_revoking_what_is_unknown_is_success(cronofy: Running) -> None:
    body = {"client_id": CLIENT_ID, "client_secret": SECRET, "token": "guess"}
    assert (await cronofy.http.post("/oauth/token/revoke", json=body)).status_code == 200


async def test_only_the_application_can_revoke(cronofy: Running, caller: Caller) -> None:
    body = {"client_id": CLIENT_ID, "client_secret": "guess", "sub": caller.account.sub}
    assert (await cronofy.http.post("/oauth/token/revoke", json=body)).json() == {"error": "invalid_client"}


async def test_the_person_can_revoke_and_consent_again(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.revoke(caller.account.sub)
    assert await renew(cronofy, caller.tokens) == {"error": "invalid_grant"}
    code = await cronofy.control.issue_code(caller.account.sub, NewCode(scope="read_account"))
    tokens = await cronofy.exchange(code)
    assert (tokens["sub"], tokens["scope"]) == (caller.account.sub, "read_account")


# Scopes


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("read_account", "GET", "/v1/events?tzid=Etc/UTC", 403),
        ("read_events", "GET", "/v1/events?tzid=Etc/UTC", 200),
        ("read_write", "GET", "/v1/events?tzid=Etc/UTC", 200),
        ("free_busy", "GET", "/v1/events?tzid=Etc/UTC", 403),
        ("read_events", "GET", "/v1/free_busy?tzid=Etc/UTC", 200),
        ("read_events", "GET", "/v1/account", 403),
        ("read_account", "GET", "/v1/userinfo", 200),
        ("read_events", "DELETE", "/v1/events?delete_all=true", 403),
        ("delete_event", "DELETE", "/v1/events?delete_all=true", 202),
    ],
)
async def test_a_scope_allows_what_it_names(cronofy: Running, scope: str, method: str, path: str, status: int) -> None:
    caller = await cronofy.connect(given=NewAccount(scope=scope))
    assert (await caller.request(method, path)).status_code == status


async def test_writing_needs_its_scope_also_in_a_batch(cronofy: Running) -> None:
    caller = await cronofy.connect(given=NewAccount(scope="read_events delete_event"))
    assert (await caller.upsert()).status_code == 403
    entries = [
        {"method": method, "relative_url": caller.events_path(), "data": {"event_id": "a"}}
        for method in ("POST", "DELETE")
    ]
    response = await caller.post("/v1/batch", {"batch": entries})
    assert [entry["status"] for entry in response.json()["batch"]] == [403, 202]


# The consent page


def asked(**more: str) -> dict[str, str]:
    base = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": REDIRECT, "state": "s&1", "scope": "a b"}
    return base | more


def sent_back(response: httpx.Response) -> dict[str, list[str]]:
    assert response.status_code == 302
    assert response.headers["location"].startswith(REDIRECT)
    return parse_qs(urlsplit(response.headers["location"]).query)


async def test_consent_is_asked_for_on_a_page(cronofy: Running) -> None:
    account = await cronofy.control.create_account(given=NewAccount(name="jane@example.com"))
    response = await cronofy.http.get("/oauth/authorize", params=asked())
    assert response.headers["content-type"].startswith("text/html")
    assert "jane@example.com" in response.text
    assert account.code not in response.text


async def test_consent_of_a_known_person_leads_back_with_a_code(cronofy: Running) -> None:
    account = await cronofy.control.create_account(given=NewAccount(name="jane@example.com"))
    params = asked(decision="grant", person="jane@example.com")
    back = sent_back(await cronofy.http.get("/oauth/authorize", params=params))
    assert back["state"] == ["s&1"]
    tokens = await cronofy.exchange(back["code"][0])
    assert (tokens["sub"], tokens["scope"]) == (account.sub, "a b")


async def test_refusal_leads_back_with_an_error(cronofy: Running) -> None:
    back = sent_back(await cronofy.http.get("/oauth/authorize", params=asked(decision="deny")))
    assert back == {"error": ["access_denied"], "state": ["s&1"]}


@pytest.mark.parametrize(
    ("provider_name", "expected"),
    [
        ("google", ("google", "google")),
        ("apple", ("apple", "icloud")),
        ("office365", ("exchange", "office365")),
        ("exchange", ("exchange", "exchange")),
        ("live_connect", ("live_connect", "outlook_com")),
    ],
)
async def test_the_provider_can_be_chosen_beforehand(
    cronofy: Running, provider_name: str, expected: tuple[str, str]
) -> None:
    await cronofy.control.change_settings(consent="at_once")
    response = await cronofy.http.get("/oauth/authorize", params=asked(provider_name=provider_name))
    linked = (await cronofy.exchange(sent_back(response)["code"][0]))["linking_profile"]
    assert (linked["provider_name"], linked["provider_service"]) == expected


@pytest.mark.parametrize(("avoid_linking", "accounts"), [("false", 1), ("true", 2)])
async def test_people_who_share_a_browser_share_an_account_unless_linking_is_avoided(
    cronofy: Running, avoid_linking: str, accounts: int
) -> None:
    await cronofy.control.change_settings(consent="at_once")
    for _ in range(2):
        await cronofy.http.get("/oauth/authorize", params=asked(avoid_linking=avoid_linking))
    shown = await cronofy.control.accounts()
    assert (len(shown), sum(len(account.profiles) for account in shown)) == (accounts, 2)


async def test_consenting_again_links_a_disconnected_profile_again(cronofy: Running) -> None:
    account = await cronofy.control.create_account(given=NewAccount(name="jane@example.com"))
    await cronofy.control.disconnect(account.profile_id)
    await cronofy.http.get("/oauth/authorize", params=asked(decision="grant", person="jane@example.com"))
    ((profile,),) = [shown.profiles for shown in await cronofy.control.accounts()]
    assert profile.connected


@pytest.mark.parametrize(
    "wrong", [{"client_id": "somebody"}, {"redirect_uri": "nowhere"}, {"redirect_uri": "https://[half"}]
)
async def test_nobody_is_sent_to_an_address_of_a_stranger(cronofy: Running, wrong: dict[str, str]) -> None:
    response = await cronofy.http.get("/oauth/authorize", params=asked(**wrong))
    assert response.status_code == 400
    assert "location" not in response.headers


async def test_only_codes_are_given_out(cronofy: Running) -> None:
    back = sent_back(await cronofy.http.get("/oauth/authorize", params=asked(response_type="token")))
    assert back["error"] == ["unsupported_response_type"]


async def test_a_code_of_the_page_is_bound_to_its_address(cronofy: Running) -> None:
    back = sent_back(await cronofy.http.get("/oauth/authorize", params=asked(decision="grant")))
    wrong = await cronofy.token(grant_type="authorization_code", code=back["code"][0], redirect_uri="https://x.example")
    assert wrong.json() == {"error": "invalid_grant"}
    assert cronofy.clock.now() < NOON + timedelta(seconds=1)
