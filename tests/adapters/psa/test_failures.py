"""Signing in, limits, outages, and answers that make no sense."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import pytest
import pytest_asyncio
from starlette.responses import JSONResponse, Response

from adapters.http.json import array, mapping
from adapters.http.pool import HttpPool
from adapters.http.serve import serve
from adapters.psa import client as client_module
from adapters.psa.client import Credentials, Psa
from events.failures import Malformed, RateLimited, System, TryLater
from events.items import ItemType
from events.link import ItemKey
from events.platform import Absent, AppointmentDraft, Created, Declined, Done, ItemChanges, ItemNow, MovedOn
from events.reasons import Reason
from sandbox.psa.api.faults import Delay, Fault, Hang, Refuse, Reset, Status
from tests.adapters.http.test_pool import Server
from tests.adapters.psa.conftest import Platform
from tests.sandbox.psa_running import TENANT, USER

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
AT = datetime(2026, 3, 12, 8, tzinfo=UTC)
KEY: Final = ItemKey(TENANT, ItemType.APPOINTMENT, "88120")
DRAFT: Final = AppointmentDraft("calsync:1", TENANT, USER, "Lunch", "", "", AT, AT, private=False, time_zone=None)
CALLS: Final[Mapping[str, Callable[[Psa], Awaitable[object]]]] = MappingProxyType({
    "read": lambda psa: psa.read(KEY),
    "find": lambda psa: psa.find(TENANT, "calsync:1"),
    "create": lambda psa: psa.create(DRAFT),
    "change": lambda psa: psa.change(KEY, 1, ItemChanges(subject="New")),
    "delete": lambda psa: psa.delete(KEY, 1),
})
EVERY_CALL: Final = pytest.mark.parametrize("call", CALLS)
CALENDAR: Final = "/v2/calendar/*"
SIGN_IN: Final = "/v2/security/authenticate"


async def failure_of(call: str, psa: Psa) -> TryLater:
    with pytest.raises(TryLater) as failure:
        await CALLS[call](psa)
    assert failure.value.system is System.PSA
    return failure.value


async def sign_ins(platform: Platform) -> int:
    return len(await platform.psa.requests(method="POST", path=SIGN_IN))


# Signing in


async def test_one_sign_in_serves_many_calls(psa: Psa, platform: Platform) -> None:
    for _ in range(3):
        await psa.find(TENANT, "calsync:1")
    assert await sign_ins(platform) == 1


async def test_every_tenant_has_a_token_of_its_own(psa: Psa, platform: Platform) -> None:
    await platform.psa.for_tenant(7).set_tenant(active=True)
    item = await platform.psa.create_item("todo", [USER])
    key = ItemKey(TENANT, ItemType.TODO, item.item_id)
    assert await psa.read(ItemKey(7, ItemType.TODO, item.item_id)) is None
    assert await psa.read(key) is not None
    assert await sign_ins(platform) == 2


@EVERY_CALL
async def test_an_expired_token_is_replaced_and_nobody_notices(call: str, psa: Psa, platform: Platform) -> None:
    await psa.find(TENANT, "calsync:1")
    platform.clock.advance(3601)
    await CALLS[call](psa)
    assert await sign_ins(platform) == 2


async def test_a_token_that_another_call_got_meanwhile_is_not_thrown_away(psa: Psa, platform: Platform) -> None:
    await psa.find(TENANT, "calsync:1")
    await platform.psa.revoke_tokens()
    await platform.psa.add_fault(Fault(effect=Delay(seconds=0.3), path=CALENDAR))
    await asyncio.gather(*(psa.find(TENANT, "calsync:1") for _ in range(2)))  # one hears late that its token is bad
    assert await sign_ins(platform) == 2


@EVERY_CALL
async def test_a_token_that_is_refused_at_once_is_an_outage(call: str, psa: Psa, platform: Platform) -> None:
    await platform.psa.change_settings(access_token_seconds=0)
    assert (await failure_of(call, psa)).reason is Reason.NOT_AUTHENTICATED
    assert await sign_ins(platform) == 2


@EVERY_CALL
async def test_credentials_that_are_refused_are_an_outage(call: str, http: HttpPool, platform: Platform) -> None:
    psa = Psa(http, Credentials(platform.url, "calsync", "wrong"))
    failure = await failure_of(call, psa)
    assert (failure.reason, failure.detail) == (Reason.NOT_AUTHENTICATED, "status 401")


async def test_a_tenant_that_is_signed_off_is_an_outage(psa: Psa, platform: Platform) -> None:
    await platform.psa.set_tenant(active=False)
    assert (await failure_of("read", psa)).reason is Reason.NOT_AUTHENTICATED
    await platform.psa.set_tenant(active=True)
    assert await psa.read(KEY) is None


async def test_an_outage_of_signing_in_is_an_outage(psa: Psa, platform: Platform) -> None:
    await platform.psa.add_fault(Fault(effect=Status(status=503, retry_after=9), path=SIGN_IN))
    failure = await failure_of("read", psa)
    assert (failure.reason, failure.retry_after) == (Reason.SERVER_ERROR, 9)
    assert await psa.read(KEY) is None


async def test_credentials_do_not_show_their_secret() -> None:
    assert "correct" not in repr(Credentials("https://api.psa.pulseway.com", "calsync", "correct"))


# Limits and outages


@EVERY_CALL
async def test_who_calls_too_often_is_told_when_to_come_back(call: str, psa: Psa, platform: Platform) -> None:
    await platform.psa.change_settings(calls_per_hour=0)
    failure = await failure_of(call, psa)
    assert isinstance(failure, RateLimited)
    assert failure.retry_after == 3600


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@EVERY_CALL
async def test_an_internal_error_is_an_outage(call: str, status: int, psa: Psa, platform: Platform) -> None:
    await platform.psa.add_fault(Fault(effect=Status(status=status), path=CALENDAR))
    assert (await failure_of(call, psa)).reason is Reason.SERVER_ERROR


@EVERY_CALL
async def test_a_connection_that_breaks_again_and_again_is_an_outage(call: str, psa: Psa, platform: Platform) -> None:
    await platform.psa.add_fault(Fault(effect=Reset(), path=CALENDAR, times=None))
    assert (await failure_of(call, psa)).reason is Reason.UNREACHABLE


@pytest.mark.parametrize("silent", [CALENDAR, SIGN_IN])
@EVERY_CALL
async def test_a_call_without_an_answer_comes_to_an_end(
    call: str, silent: str, psa: Psa, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "CALL_SECONDS", 0.3)
    await platform.psa.add_fault(Fault(effect=Hang(), path=silent, times=None))
    began = time.monotonic()
    assert (await failure_of(call, psa)).reason is Reason.UNREACHABLE
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("code", [0, 1, -1, 39999, 42900, 50000, 978001, 2**40])
@EVERY_CALL
async def test_a_failure_that_is_not_like_a_refusal_is_an_outage(
    call: str, code: int, psa: Psa, platform: Platform
) -> None:
    await platform.psa.add_fault(Fault(effect=Refuse(code=code, message="Out of order."), path=CALENDAR))
    failure = await failure_of(call, psa)
    assert (failure.reason, failure.detail) == (Reason.SERVER_ERROR, f"{code} Out of order.")


@pytest.mark.parametrize("code", [40000, 40300, 42200])
@pytest.mark.parametrize("call", ["create", "change", "delete"])
async def test_a_refusal_is_an_answer_in_words_for_the_user(call: str, code: int, psa: Psa, platform: Platform) -> None:
    refusal = Refuse(code=code, message="The\n timesheet is locked. ")
    await platform.psa.add_fault(Fault(effect=refusal, path=CALENDAR))
    assert await CALLS[call](psa) == Declined("The timesheet is locked.")


# Answers of any shape


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_server() -> AsyncGenerator[Server]:
    server = Server()
    async with serve(server) as server.url:
        yield server


@pytest.fixture
def server(running_server: Server) -> Server:
    """Answers whatever it is told to, after it was signed in to."""
    return running_server


def told(server: Server, http: HttpPool, body: object, status: int = 200) -> Psa:
    """Return a client whose next call is answered so."""
    tokens = JSONResponse({"success": True, "result": {"accessToken": "good"}})
    answer = Response(body, status) if isinstance(body, bytes) else JSONResponse(body, status)
    server.answers, server.asked, server.bodies = [tokens, answer], [], []
    return Psa(http, Credentials(server.url, "calsync", "correct"))


STATE: Final[Json] = {
    "itemType": "appointment",
    "itemId": "88120",
    "partId": None,
    "revision": 41,
    "deleted": False,
    "assignees": [5571],
    "item": {"id": 88120, "subject": "Lunch", "isPrivate": False, "resource": {"userId": 5571, "name": "Ann Lee"}},
}
NOW: Final = ItemNow(
    KEY,
    41,
    deleted=False,
    assignees=frozenset({5571}),
    item='{"id":88120,"subject":"Lunch","is_private":false,"resource":{"user_id":5571,"name":"Ann Lee"}}',
)


def in_camel_case(body: object) -> object:
    return body


def in_pascal_case(body: object) -> object:
    if named := mapping(body):
        return {name[0].upper() + name[1:]: in_pascal_case(inner) for name, inner in named.items()}
    return [in_pascal_case(inner) for inner in array(body)] or body


@pytest.mark.parametrize("spelt", [in_camel_case, in_pascal_case])
async def test_names_may_be_spelt_in_either_way(
    spelt: Callable[[object], object], server: Server, http: HttpPool
) -> None:
    good = spelt({"success": True, "error": None, "result": {**STATE, "created": False}})
    assert await told(server, http, good).read(KEY) == NOW
    assert await told(server, http, good).create(DRAFT) == Created(NOW, found=True)
    assert await told(server, http, good).change(KEY, 40, ItemChanges(subject="New")) == Done(NOW)
    gone = spelt({"success": False, "error": {"code": 40400, "message": "No."}})
    assert await told(server, http, gone).delete(KEY, 40) == Absent()
    late = spelt({"success": False, "error": {"code": 40900, "message": "Late."}, "result": STATE})
    assert await told(server, http, late).delete(KEY, 40) == MovedOn(NOW)


@pytest.mark.parametrize("status", [200, 400, 404, 409, 422])
async def test_an_envelope_counts_whatever_the_status_around_it(status: int, server: Server, http: HttpPool) -> None:
    refused = {"success": False, "error": {"code": 42200, "message": "No."}}
    assert await told(server, http, refused, status).create(DRAFT) == Declined("No.")


NONSENSE: Final[Mapping[str, object]] = MappingProxyType({
    "page": b"<h1>Maintenance</h1>",
    "nothing": b"",
    "truncated": b'{"success": true, "resu',
    "null": None,
    "list": [],
    "text": "success",
    "object": {},
    "no result": {"success": True},
    "null result": {"success": True, "result": None},
    "list result": {"success": True, "result": [STATE]},
    "other kind": {"success": True, "result": STATE | {"itemType": "invoice"}},
    "no id": {"success": True, "result": STATE | {"itemId": ""}},
    "number as id": {"success": True, "result": STATE | {"itemId": 88120}},
    "success as text": {"success": "true", "result": STATE},
    "no error": {"success": False},
    "text as error": {"success": False, "error": "No."},
    "text as code": {"success": False, "error": {"code": "42200"}},
    "moved on to nowhere": {"success": False, "error": {"code": 40900, "message": "Late."}},
    "deep": b'{"success": true, "result": ' + b"[" * 600 + b"]" * 600 + b"}",
})


@pytest.mark.parametrize("nonsense", NONSENSE)
@EVERY_CALL
async def test_an_answer_that_makes_no_sense_is_an_outage(
    call: str, nonsense: str, server: Server, http: HttpPool
) -> None:
    if nonsense == "moved on to nowhere" and call == "create":
        return  # there, it is a refusal like any other
    failure = await failure_of(call, told(server, http, NONSENSE[nonsense]))
    assert failure.reason in {Reason.UNREADABLE_ANSWER, Reason.SERVER_ERROR}


@pytest.mark.parametrize("status", [301, 400, 403, 404, 405])
@EVERY_CALL
async def test_a_gateways_page_is_an_outage_and_no_answer(
    call: str, status: int, server: Server, http: HttpPool
) -> None:
    failure = await failure_of(call, told(server, http, b"<h1>No</h1>", status))
    assert (failure.reason, failure.detail) == (Reason.UNREADABLE_ANSWER, f"status {status}")


async def test_success_with_a_status_that_denies_it_is_an_outage(server: Server, http: HttpPool) -> None:
    psa = told(server, http, {"success": True, "result": STATE}, 404)
    assert (await failure_of("read", psa)).reason is Reason.UNREADABLE_ANSWER


@pytest.mark.parametrize("body", [b"<h1>Welcome</h1>", {}, {"result": {}}, {"result": {"accessToken": 7}}])
async def test_a_sign_in_without_a_token_is_an_outage(body: object, server: Server, http: HttpPool) -> None:
    psa = told(server, http, {})
    server.answers = [Response(body) if isinstance(body, bytes) else JSONResponse(body)]
    assert (await failure_of("read", psa)).reason is Reason.NOT_AUTHENTICATED


BROKEN: Final[list[tuple[str, object]]] = [
    ("itemId", "8\x0012"),
    ("itemId", "8-8"),
    ("itemId", "8" * 65),
    ("itemId", "88121"),
    ("partId", "7"),
    ("partId", 7),
    ("revision", None),
    ("revision", "41"),
    ("revision", 40.5),
    ("revision", 2**64),
    ("revision", -1),
    ("deleted", "false"),
    ("deleted", None),
    ("assignees", None),
    ("assignees", [5571, "5572"]),
    ("assignees", [2**40]),
    ("item", None),
    ("item", "Lunch"),
    ("item", {"id": 88120, "subject": 7}),
    ("item", {"id": 88120, "start": "tomorrow, at s3cr3t"}),
]


@pytest.mark.parametrize(("part", "value"), BROKEN, ids=[f"{part} {value}"[:40] for part, value in BROKEN])
@pytest.mark.parametrize("call", ["read", "change", "delete"])
async def test_an_item_that_breaks_the_contract_is_this_items_trouble_and_no_outage(
    call: str, part: str, value: object, server: Server, http: HttpPool
) -> None:
    psa = told(server, http, {"success": True, "result": STATE | {part: value}})
    with pytest.raises(Malformed) as failure:
        await CALLS[call](psa)
    assert failure.value.reason is Reason.BREAKS_SCHEMA
    assert snake_of(part) in failure.value.detail
    assert "s3cr3t" not in failure.value.detail


@pytest.mark.parametrize(
    "odd",
    [*({part: value} for part, value in BROKEN), {"itemType": "leave_request"}, {"modifiedOn": "yesterday"}],
    ids=str,
)
@pytest.mark.parametrize("alone", [False, True], ids=["among others", "alone"])
async def test_an_item_that_breaks_the_contract_hides_no_other_of_a_list(
    odd: Json, server: Server, http: HttpPool, *, alone: bool
) -> None:
    rows = [STATE | odd] if alone else [STATE | odd, STATE | {"itemId": "88119"}]
    psa = told(server, http, {"success": True, "result": rows, "totalRecords": len(rows)})
    page = await psa.items((TENANT, USER), AT, AT, 1)
    assert page.total == len(rows)
    assert ("88119" in {item.key.item_id for item in page.items}) != alone


@pytest.mark.parametrize("rows", [["Lunch"], [{}], [{"itemType": "appointment"}, None]], ids=str)
async def test_a_list_of_something_else_is_an_outage(rows: object, server: Server, http: HttpPool) -> None:
    psa = told(server, http, {"success": True, "result": rows, "totalRecords": 1})
    with pytest.raises(TryLater) as failure:
        await psa.items((TENANT, USER), AT, AT, 1)
    assert failure.value.reason is Reason.UNREADABLE_ANSWER


def snake_of(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


@pytest.mark.parametrize("call", ["find", "create"])
async def test_what_is_found_or_created_is_an_appointment(call: str, server: Server, http: HttpPool) -> None:
    todo = STATE | {"itemType": "todo", "item": {"id": 88120, "description": "Call"}}
    with pytest.raises(Malformed, match="item_type"):
        await CALLS[call](told(server, http, {"success": True, "result": todo}))
