"""What goes wrong on demand, and which requests it hits."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from sandbox.cronofy.api.faults import Forget, Garble, Hold, Instead, Match, Reset, Thin, Truncate
from sandbox.cronofy.control.event_messages import EventFields
from tests.sandbox.conftest import ELEVEN, TEN, Caller, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What can go wrong


async def test_an_answer_can_be_replaced(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Instead(status=503, body={"error": "down"}, headers={"retry-after": "7"}))
    response = await caller.upsert()
    assert (response.status_code, response.json()) == (503, {"error": "down"})
    assert response.headers["retry-after"] == "7"
    assert (await cronofy.control.pending()).writes == ()


async def test_a_page_of_a_proxy_is_no_json(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Instead(status=502, text="<h1>Bad Gateway</h1>"))
    response = await caller.get("/v1/calendars")
    assert (response.status_code, response.text) == (502, "<h1>Bad Gateway</h1>")
    assert response.headers["content-type"].startswith("text/html")


async def test_a_replaced_answer_may_hide_that_the_request_took_effect(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Instead(status=500, takes_effect=True))
    assert (await caller.upsert()).status_code == 500
    assert len((await cronofy.control.pending()).writes) == 1


@pytest.mark.parametrize("takes_effect", [True, False])
async def test_a_connection_can_be_reset(cronofy: Running, caller: Caller, *, takes_effect: bool) -> None:
    await cronofy.control.set_fault(Reset(takes_effect=takes_effect))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await caller.upsert()
    assert len((await cronofy.control.pending()).writes) == takes_effect
    (request,) = await cronofy.control.requests(path="/v1")
    assert (request.status, request.fault) == (None, "reset")


async def test_an_answer_can_be_withheld_although_the_request_took_effect(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Hold())
    headers = {"authorization": f"Bearer {caller.tokens['access_token']}"}
    body = {"event_id": "item-1", "summary": "Visit", "start": TEN, "end": ELEVEN}
    with pytest.raises(httpx.ReadTimeout):
        await cronofy.http.post(caller.events_path(), json=body, headers=headers, timeout=0.05)
    assert len((await cronofy.control.pending()).writes) == 1


async def test_an_answer_can_break_off(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Truncate())
    with pytest.raises(httpx.RemoteProtocolError):
        await caller.get("/v1/calendars")
    assert (await caller.get("/v1/calendars")).status_code == 200


async def test_an_answer_can_be_garbled(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Garble())
    response = await caller.get("/v1/events", tzid="Etc/UTC")
    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()


async def test_an_accepted_write_can_be_forgotten(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Forget())
    assert (await caller.upsert("lost")).status_code == 202
    await caller.upsert("kept")
    await cronofy.control.run_until_quiet()
    assert [event.event_id for event in await cronofy.control.events(caller.calendar_id)] == ["kept"]


@pytest.mark.parametrize(("keep", "least", "most"), [(0, 0, 0), (0.5, 20, 80)])
async def test_a_read_can_miss_events_and_look_complete(
    cronofy: Running, caller: Caller, keep: float, least: int, most: int
) -> None:
    fields = [EventFields(start=TEN, end=ELEVEN) for _ in range(100)]
    await cronofy.control.create_known_events(caller.calendar_id, fields)
    await cronofy.control.set_fault(Thin(keep=keep))
    assert least <= len(await caller.read()) <= most
    assert len(await caller.read()) == 100


async def test_an_answer_can_be_slow(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(delay=30)
    async with asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(caller.get("/v1/calendars"))
        while not await cronofy.control.requests(path="/v1/calendars"):
            pass  # it has not arrived yet
        assert not slow.done()
        await cronofy.control.advance(30)
    assert slow.result().status_code == 200


async def test_who_does_not_wait_for_a_slow_answer_holds_nobody_up(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(delay=30)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await caller.get("/v1/calendars")
    assert (await caller.get("/v1/calendars")).status_code == 200


# Which requests it hits


async def statuses(caller: Caller, count: int) -> list[int]:
    return [(await caller.get("/v1/calendars")).status_code for _ in range(count)]


@pytest.mark.parametrize(("count", "hit"), [(1, 1), (2, 2), (None, 4)])
async def test_a_rule_acts_as_often_as_it_says(cronofy: Running, caller: Caller, count: int | None, hit: int) -> None:
    await cronofy.control.set_fault(Instead(status=500), count=count)
    assert await statuses(caller, 4) == [500] * hit + [200] * (4 - hit)


async def test_a_rule_can_act_by_chance(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Instead(status=500), count=None, probability=0.5)
    assert set(await statuses(caller, 20)) == {200, 500}


async def test_rules_can_be_listed_and_taken_back(cronofy: Running, caller: Caller) -> None:
    first = await cronofy.control.set_fault(Instead(status=500), count=3)
    second = await cronofy.control.set_fault(Instead(status=501), count=None)
    assert await statuses(caller, 1) == [500]
    assert [(rule.number, rule.left) for rule in await cronofy.control.faults()] == [(first, 2), (second, None)]
    await cronofy.control.clear_fault(first)
    assert await statuses(caller, 1) == [501]
    await cronofy.control.clear_faults()
    assert await statuses(caller, 1) == [200]


@pytest.mark.parametrize(
    ("match", "status"),
    [
        (Match(), 500),
        (Match(method="POST"), 500),
        (Match(method="GET"), 202),
        (Match(path="/v1/calendars/*/events"), 500),
        (Match(path="/v1/calendars"), 202),
        (Match(operation="write_event"), 500),
        (Match(operation="run_batch"), 202),
        (Match(event_id="item-1"), 500),
        (Match(event_id="item-2"), 202),
        (Match(event_uid="evt_external_1"), 202),
        (Match(calendar_id="cal_other"), 202),
        (Match(sub="acc_other"), 202),
        (Match(says="summary"), 500),
        (Match(says="location"), 202),
    ],
)
async def test_a_rule_hits_what_it_matches(cronofy: Running, caller: Caller, match: Match, status: int) -> None:
    await cronofy.control.set_fault(Instead(status=500), match)
    assert (await caller.upsert()).status_code == status


async def test_a_rule_can_be_for_one_account_or_calendar(cronofy: Running, caller: Caller) -> None:
    other = await cronofy.connect()
    await cronofy.control.set_fault(Instead(status=500), Match(sub=other.account.sub), count=None)
    assert (await caller.upsert()).status_code == 202
    assert (await other.upsert()).status_code == 500
    await cronofy.control.clear_faults()
    await cronofy.control.set_fault(Instead(status=500), Match(calendar_id=other.calendar_id))
    assert (await other.upsert()).status_code == 500


async def test_tokens_and_unknown_paths_can_go_wrong_too(cronofy: Running) -> None:
    await cronofy.control.set_fault(Instead(status=503), Match(operation="exchange_token"))
    assert (await cronofy.token(grant_type="refresh_token")).status_code == 503
    await cronofy.control.set_fault(Instead(status=503), Match(path="/v2/*"))
    assert (await cronofy.http.get("/v2/nothing")).status_code == 503


# Single entries of a batch


async def batch(caller: Caller, *event_ids: str) -> list[int]:
    entries = [
        {
            "method": "POST",
            "relative_url": caller.events_path(),
            "data": {"event_id": event_id, "summary": "Visit", "start": TEN, "end": ELEVEN},
        }
        for event_id in event_ids
    ]
    response = await caller.post("/v1/batch", {"batch": entries})
    return [entry["status"] for entry in response.json()["batch"]]


async def test_one_entry_of_a_batch_can_go_wrong(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Instead(status=500), Match(event_id="b"))
    await cronofy.control.set_fault(Forget(), Match(event_id="c"))
    await cronofy.control.set_fault(Instead(status=502, takes_effect=True), Match(event_id="d"))
    assert await batch(caller, "a", "b", "c", "d") == [202, 500, 202, 502]
    await cronofy.control.run_until_quiet()
    assert [event.event_id for event in await cronofy.control.events(caller.calendar_id)] == ["a", "d"]


async def test_a_broken_connection_is_nothing_that_happens_to_an_entry(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Reset(), Match(operation="write_event"))
    assert await batch(caller, "a") == [202]
    with pytest.raises(httpx.HTTPError):
        await caller.upsert()


async def test_a_batch_can_go_wrong_as_a_whole(cronofy: Running, caller: Caller) -> None:
    await cronofy.control.set_fault(Instead(status=500), Match(operation="run_batch"))
    assert (await caller.post("/v1/batch", {"batch": []})).status_code == 500
