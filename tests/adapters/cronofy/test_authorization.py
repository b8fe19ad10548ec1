"""Codes, tokens, secrets: got, renewed, given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.cronofy.client import Application, Cronofy
from adapters.http.pool import HttpPool
from events.failures import MustReconnect, Refused, System, TokenRejected, TryLater
from events.integration import Tokens
from events.reasons import Reason
from sandbox.cronofy.api.faults import Instead, Match, Reset
from sandbox.cronofy.client import CronofyControl
from sandbox.cronofy.control.account_messages import NewCode
from tests.adapters.cronofy.conftest import Ann
from tests.sandbox.conftest import CLIENT_ID, NOON, REDIRECT, SECRET, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKENS = Match(path="/oauth/token")


async def test_a_code_is_exchanged_for_tokens_and_for_who_was_connected(
    cronofy: Cronofy, control: CronofyControl
) -> None:
    await control.change_settings(token_lifetime=3600)
    account = await control.create_account()
    grant = await cronofy.exchange_code(account.code, REDIRECT, NOON)
    assert grant.account.sub == account.sub
    assert (grant.account.profile_id, grant.account.profile_name) == (account.profile_id, account.profile.name)
    assert (grant.account.provider_name, grant.account.provider_service) == ("google", "google")
    assert grant.tokens.expires_at == NOON + timedelta(hours=1)
    assert grant.tokens.access
    assert grant.tokens.refresh
    assert await cronofy.calendars(grant.tokens.access)


async def test_a_code_works_once(cronofy: Cronofy, ann: Ann) -> None:
    with pytest.raises(MustReconnect) as failure:
        await cronofy.exchange_code(ann.account.code, REDIRECT, NOON)
    assert failure.value.reason is Reason.REAUTHORISE_NEEDED


async def test_a_code_is_bound_to_its_redirect_address(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    code = await control.issue_code(ann.account.sub, NewCode(redirect_uri=REDIRECT))
    with pytest.raises(MustReconnect):
        await cronofy.exchange_code(code, "https://elsewhere.example", NOON)


async def test_a_code_is_not_sent_twice_when_the_connection_breaks(cronofy: Cronofy, control: CronofyControl) -> None:
    account = await control.create_account()
    await control.set_fault(Reset(takes_effect=True), TOKENS)
    with pytest.raises(TryLater):
        await cronofy.exchange_code(account.code, REDIRECT, NOON)
    assert len(await control.requests(path="/oauth/token")) == 1
    with pytest.raises(MustReconnect):
        await cronofy.exchange_code(account.code, REDIRECT, NOON)


async def test_a_token_is_renewed(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.expire_tokens(ann.account.sub)
    with pytest.raises(TokenRejected):
        await cronofy.calendars(ann.token)
    fresh = await cronofy.refresh(ann.tokens, NOON)
    assert await cronofy.calendars(fresh.access)


async def test_a_refresh_token_that_changes_is_the_one_to_keep(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.change_settings(refresh_token_rotates=True)
    await control.expire_tokens(ann.account.sub)
    fresh = await cronofy.refresh(ann.tokens, NOON)
    assert fresh.refresh != ann.tokens.refresh
    assert (await cronofy.refresh(fresh, NOON)).access


@pytest.mark.parametrize("missing", [{}, {"refresh_token": None}, {"refresh_token": ""}, {"refresh_token": 7}])
async def test_without_a_new_refresh_token_the_old_one_is_kept(
    missing: Json, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead(status=200, body={"access_token": "new", "expires_in": 60, **missing}), TOKENS)
    assert await cronofy.refresh(ann.tokens, NOON) == Tokens("new", ann.tokens.refresh, NOON + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [(60, 60), (0, 0), (1.5, 1.5), (-60, 0), (None, 3600), ("60", 3600), (True, 3600), (1e300, 30 * 24 * 3600)],
)
async def test_whatever_is_said_of_a_tokens_life_it_has_an_end(
    expires_in: float | str | None, seconds: float, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead(status=200, body={"access_token": "new", "expires_in": expires_in}), TOKENS)
    assert (await cronofy.refresh(ann.tokens, NOON)).expires_at == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("body", [None, [], {}, {"access_token": None}, {"access_token": ""}, "text"])
async def test_an_answer_without_a_token_cannot_be_read(
    body: object, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead.model_validate({"status": 200, "body": body}), TOKENS)
    with pytest.raises(TryLater) as failure:
        await cronofy.refresh(ann.tokens, NOON)
    assert failure.value.reason is Reason.UNREADABLE_ANSWER


async def test_who_withdrew_the_authorization_must_connect_again(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.revoke(ann.account.sub)
    with pytest.raises(TokenRejected):
        await cronofy.calendars(ann.token)
    with pytest.raises(MustReconnect) as failure:
        await cronofy.refresh(ann.tokens, NOON)
    assert failure.value.reason is Reason.REAUTHORISE_NEEDED


@pytest.mark.parametrize("status", [400, 401])
async def test_an_invalid_grant_means_to_connect_again_whatever_its_status(
    status: int, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead(status=status, body={"error": "invalid_grant"}), TOKENS)
    with pytest.raises(MustReconnect):
        await cronofy.refresh(ann.tokens, NOON)


@pytest.mark.parametrize("status", [400, 401])
async def test_an_invalid_client_is_the_operators_and_not_the_users(
    status: int, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead(status=status, body={"error": "invalid_client"}), TOKENS)
    with pytest.raises(TryLater) as failure:
        await cronofy.refresh(ann.tokens, NOON)
    assert (failure.value.system, failure.value.reason) == (System.CRONOFY, Reason.NOT_AUTHENTICATED)


async def test_any_other_error_is_a_refusal_in_its_own_words(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead(status=400, body={"error": "unsupported_grant_type"}), TOKENS)
    with pytest.raises(Refused, match="unsupported_grant_type"):
        await cronofy.refresh(ann.tokens, NOON)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405, 418])
async def test_a_gateways_page_is_no_refusal(status: int, cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.set_fault(Instead(status=status, text="<h1>Access denied</h1>"), TOKENS)
    with pytest.raises(TryLater) as failure:
        await cronofy.refresh(ann.tokens, NOON)
    assert failure.value.reason is Reason.UNREADABLE_ANSWER


@pytest.mark.parametrize("active", [("new",), ("new", "old"), ("old", "new"), ("old",)])
async def test_while_a_secret_is_replaced_both_do(
    active: tuple[str, ...], http: HttpPool, sandbox: Running, control: CronofyControl
) -> None:
    await control.rotate_secrets(*active)
    cronofy = Cronofy(http, Application(sandbox.url, CLIENT_ID, ("new", "old")))
    account = await control.create_account()
    grant = await cronofy.exchange_code(account.code, REDIRECT, NOON)
    await cronofy.refresh(grant.tokens, NOON)
    await cronofy.revoke(grant.tokens)


async def test_a_secret_that_nobody_knows_uses_nothing_up(
    cronofy: Cronofy, sandbox: Running, http: HttpPool, control: CronofyControl
) -> None:
    account = await control.create_account()
    stranger = Cronofy(http, Application(sandbox.url, CLIENT_ID, ("wrong", "wrong as well")))
    with pytest.raises(TryLater):
        await stranger.exchange_code(account.code, REDIRECT, NOON)
    assert (await cronofy.exchange_code(account.code, REDIRECT, NOON)).tokens.access


async def test_what_is_given_up_is_given_up(cronofy: Cronofy, ann: Ann) -> None:
    await cronofy.revoke(ann.tokens)
    with pytest.raises(TokenRejected):
        await cronofy.calendars(ann.token)
    with pytest.raises(MustReconnect):
        await cronofy.refresh(ann.tokens, NOON)


async def test_what_is_given_up_can_be_given_up_again(cronofy: Cronofy, ann: Ann) -> None:
    await cronofy.revoke(ann.tokens)
    await cronofy.revoke(ann.tokens)
    await cronofy.revoke(replace(ann.tokens, refresh="unknown"))


async def test_renewing_and_giving_up_are_tried_again_when_the_connection_breaks(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Reset(takes_effect=True), TOKENS)
    await cronofy.refresh(ann.tokens, NOON)
    await control.set_fault(Reset(takes_effect=True), Match(path="/oauth/token/revoke"))
    await cronofy.revoke(ann.tokens)


async def test_an_application_does_not_show_its_secrets() -> None:
    assert SECRET not in repr(Application("https://api.cronofy.com", CLIENT_ID, (SECRET,)))
