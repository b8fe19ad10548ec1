"""What each status means, for each call; and what the network does to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

import pytest

from adapters.cronofy.client import Cronofy, Query
from adapters.http import pool as pool_module
from events.calendar import PutEventWrite
from events.failures import Gone, MustReconnect, RateLimited, Refused, SyncError, System, TokenRejected, TryLater
from events.link import ManagedEvent
from events.reasons import Reason
from sandbox.cronofy.api.faults import Effect, Hold, Instead, Match, Reset, Truncate
from sandbox.cronofy.client import CronofyControl
from sandbox.cronofy.control.account_messages import NewAccount
from tests.adapters.cronofy.conftest import Ann
from tests.sandbox.conftest import NOON, REDIRECT

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLBACK: Final = "https://relay.example/ann"
V1: Final = Match(path="/v1/*")


def visit(ann: Ann) -> PutEventWrite:
    start, end = datetime(2026, 3, 10, 10, tzinfo=UTC), datetime(2026, 3, 10, 11, tzinfo=UTC)
    event = ManagedEvent(ann.calendar_id, "item-1")
    return PutEventWrite(event, start, end, "Visit", "", "", private=False, busy=True, time_zone=None)


async def read_a_next_page(cronofy: Cronofy, ann: Ann) -> object:
    return await cronofy.next_page(ann.token, f"{cronofy._url}/v1/events/pages/any")  # pyright: ignore[reportPrivateUsage] - what Cronofy would name


CALLS: Final[Mapping[str, Callable[[Cronofy, Ann], Awaitable[object]]]] = MappingProxyType({
    "userinfo": lambda cronofy, ann: cronofy.userinfo(ann.token),
    "calendars": lambda cronofy, ann: cronofy.calendars(ann.token),
    "first_page": lambda cronofy, ann: cronofy.first_page(ann.token, Query()),
    "next_page": read_a_next_page,
    "batch": lambda cronofy, ann: cronofy.batch(ann.token, [visit(ann)]),
    "create_channel": lambda cronofy, ann: cronofy.create_channel(ann.token, CALLBACK, [ann.calendar_id]),
    "channels": lambda cronofy, ann: cronofy.channels(ann.token),
})
EVERY_CALL: Final = pytest.mark.parametrize("call", CALLS)


async def failure_of(call: str, cronofy: Cronofy, ann: Ann) -> SyncError:
    with pytest.raises(SyncError) as failure:
        await CALLS[call](cronofy, ann)
    return failure.value


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (302, TryLater, Reason.UNREADABLE_ANSWER),
        (400, Refused, Reason.CALENDAR_REFUSED),
        (401, TokenRejected, Reason.NOT_AUTHENTICATED),
        (402, Refused, Reason.PLAN_LACKS_FEATURE),
        (403, Refused, Reason.MISSING_SCOPE),
        (404, Gone, Reason.GONE),
        (405, Refused, Reason.CALENDAR_REFUSED),
        (410, Gone, Reason.GONE),
        (422, Refused, Reason.CALENDAR_REFUSED),
        (423, MustReconnect, Reason.PROVIDER_ERROR),
        (429, RateLimited, Reason.RATE_LIMITED),
        (500, TryLater, Reason.SERVER_ERROR),
        (502, TryLater, Reason.SERVER_ERROR),
        (503, TryLater, Reason.SERVER_ERROR),
        (504, TryLater, Reason.SERVER_ERROR),
    ],
)
@EVERY_CALL
async def test_every_status_has_its_failure(
    call: str, status: int, kind: type[SyncError], reason: Reason, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead(status=status), V1)
    failure = await failure_of(call, cronofy, ann)
    assert (type(failure), failure.reason) == (kind, reason)
    assert len([request for request in await control.requests(path="/v1/") if request.fault]) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_who_is_told_when_to_come_back_remembers_it(
    status: int, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead(status=status, headers={"retry-after": "17"}), V1)
    failure = await failure_of("calendars", cronofy, ann)
    assert isinstance(failure, TryLater)
    assert (failure.system, failure.retry_after) == (System.CRONOFY, 17)


@EVERY_CALL
async def test_a_connection_that_breaks_once_is_not_noticed(
    call: str, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Reset(takes_effect=True), V1)
    if call == "next_page":  # this one does not exist
        assert isinstance(await failure_of(call, cronofy, ann), Gone)
    else:
        await CALLS[call](cronofy, ann)


@pytest.mark.parametrize("effect", [Reset(), Truncate()], ids=["reset", "truncate"])
@EVERY_CALL
async def test_a_connection_that_breaks_again_and_again_is_an_outage(
    call: str, effect: Effect, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(effect, V1, count=None)
    failure = await failure_of(call, cronofy, ann)
    assert (type(failure), failure.reason) == (TryLater, Reason.UNREACHABLE)


@EVERY_CALL
async def test_a_call_without_an_answer_comes_to_an_end(
    call: str, cronofy: Cronofy, ann: Ann, control: CronofyControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "CALL_SECONDS", 0.2)
    await control.set_fault(Hold(), V1, count=None)
    failure = await failure_of(call, cronofy, ann)
    assert (type(failure), failure.reason) == (TryLater, Reason.UNREACHABLE)


NONSENSE: Final[Mapping[str, Effect]] = MappingProxyType({
    "garbled": Instead(status=200, text='{"events": [<html>'),
    "page": Instead(status=200, text="<h1>Maintenance</h1>"),
    "nothing": Instead(status=200),
    "null": Instead(status=200, text="null"),
    "list": Instead(status=200, body=[]),
    "object": Instead(status=200, body={}),
    "nulls": Instead(
        status=200, body=dict.fromkeys(["events", "calendars", "channels", "channel", "batch", "cronofy.data"])
    ),
    "objects": Instead(
        status=200, body={name: {} for name in ["events", "calendars", "channels", "channel", "batch", "cronofy.data"]}
    ),
})


@pytest.mark.parametrize("nonsense", NONSENSE)
@EVERY_CALL
async def test_an_answer_that_makes_no_sense_is_an_outage_and_never_an_empty_list(
    call: str, nonsense: str, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(NONSENSE[nonsense], V1)
    failure = await failure_of(call, cronofy, ann)
    assert (type(failure), failure.reason) == (TryLater, Reason.UNREADABLE_ANSWER)


# As the sandbox itself fails


async def test_an_expired_token_is_rejected(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.expire_tokens(ann.account.sub)
    assert isinstance(await failure_of("first_page", cronofy, ann), TokenRejected)


async def test_a_missing_scope_is_a_refusal(cronofy: Cronofy, control: CronofyControl) -> None:
    account = await control.create_account(given=NewAccount(scope="create_event"))
    token = (await cronofy.exchange_code(account.code, REDIRECT, NOON)).tokens.access
    with pytest.raises(Refused) as failure:
        await cronofy.first_page(token, Query())
    assert failure.value.reason is Reason.MISSING_SCOPE


async def test_too_many_requests_are_limited(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.change_settings(requests_per_minute=1, retry_after=True)
    await cronofy.calendars(ann.token)
    with pytest.raises(RateLimited) as failure:
        await cronofy.calendars(ann.token)
    assert failure.value.retry_after is not None
    assert 0 < failure.value.retry_after <= 60


async def test_a_refusal_says_which_field_breaks_which_rule(
    cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    said = '{"errors": {"tzid": [{"key": "errors.tzid_unrecognized", "description": "TZID not recognized"}]}}'
    await control.set_fault(Instead(status=422, text=said), V1)
    assert (await failure_of("first_page", cronofy, ann)).detail == "422 tzid: TZID not recognized"
