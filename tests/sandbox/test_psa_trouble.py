"""What goes wrong with calls of the calendar API: limits, and faults on demand or by seed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from sandbox.psa.api.faults import Delay, Fault, Hang, Refuse, Reset, Status, Thin
from tests.sandbox.psa_running import TIMED, USER, Running, refusal, running

QUERY = {"userId": str(USER), "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
NEW = {"externalReference": "calsync:1", "userId": USER, "subject": "Lunch", **TIMED}


async def listing(world: Running) -> httpx.Response:
    """Call without the judge: gateways and cut connections are in no document."""
    return await world.api.http.get("/v2/calendar/items", params=QUERY)


async def creating(world: Running) -> httpx.Response:
    return await world.api.http.post("/v2/calendar/appointments", json=NEW, timeout=0.3)


async def test_each_endpoint_may_be_called_so_often_within_an_hour() -> None:
    async with running() as world:
        await world.psa.change_settings(calls_per_hour=2)
        item = await world.psa.create_item("todo", [USER])
        statuses = [(await world.api.call("GET", "/v2/calendar/items", params=QUERY)).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert (await world.api.item("todo", item.item_id))["success"]  # another endpoint


async def test_one_who_called_too_often_is_told_when_to_come_back() -> None:
    async with running() as world:
        await world.psa.change_settings(calls_per_hour=1)
        await listing(world)
        world.clock.advance(600)
        refused = await world.api.call("GET", "/v2/calendar/items", params=QUERY)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3000")
        world.clock.advance(2999)
        assert (await listing(world)).status_code == 429
        world.clock.advance(1)
        await world.api.sign_in()
        assert (await listing(world)).status_code == 200


async def test_a_tenants_calls_are_its_own() -> None:
    async with running() as world:
        await world.psa.change_settings(calls_per_hour=1)
        await listing(world)
        await world.psa.for_tenant(7).set_tenant(active=True)
        world.api.tenant = 7
        await world.api.sign_in()
        assert (await listing(world)).status_code == 200


async def test_there_are_1500_calls_an_hour_unless_the_limit_is_lifted() -> None:
    async with running() as world:
        assert (await world.psa.settings()).calls_per_hour == 1500
        await world.psa.change_settings(calls_per_hour=0)
        assert (await listing(world)).status_code == 429
        assert (await world.psa.change_settings(calls_per_hour=None)).calls_per_hour is None
        assert (await listing(world)).status_code == 200


async def test_a_fault_strikes_so_often_and_is_then_forgotten() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Status(status=503, retry_after=7), times=2))
        answers = [await listing(world) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [503, 503, 200]
        assert answers[0].headers["Retry-After"] == "7"
        assert not await world.psa.faults()


@pytest.mark.parametrize(
    ("aim", "struck"),
    [
        ({"method": "GET"}, [500, 500, 200]),
        ({"method": "POST"}, [200, 200, 500]),
        ({"path": "/v2/calendar/items/*"}, [200, 500, 200]),
        ({"path": "/v2/calendar/appointments"}, [200, 200, 500]),
        ({"item_id": "88000"}, [200, 500, 200]),
        ({"item_id": "88000", "method": "POST"}, [200, 200, 200]),
    ],
)
async def test_a_fault_strikes_what_it_is_aimed_at(aim: dict[str, Any], struck: list[int]) -> None:
    async with running() as world:
        item = await world.psa.create_item("todo", [USER])
        assert item.item_id == "88000"
        await world.psa.add_fault(Fault(effect=Status(status=500), times=None, **aim))
        answers = [
            await listing(world),
            await world.api.http.get(f"/v2/calendar/items/todo/{item.item_id}"),
            await creating(world),
        ]
    assert [answer.status_code for answer in answers] == struck


async def test_of_several_faults_the_oldest_strikes() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Status(status=500)))
        await world.psa.add_fault(Fault(effect=Status(status=502)))
        assert [(await listing(world)).status_code for _ in range(3)] == [500, 502, 200]


async def test_an_outage_strikes_signing_in_too() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Status(status=503), path="/v2/security/*"))
        answer = await world.api.http.post("/v2/security/authenticate")
    assert answer.status_code == 503


async def test_a_call_can_be_refused_in_any_words() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Refuse(code=42200, message="The timesheet is locked."), method="POST"))
        answer = await world.api.create()
        assert refusal(answer) == 42200
        assert answer["error"]["message"] == "The timesheet is locked."
        assert not await world.psa.items(USER)


async def test_a_listing_can_lack_items_and_look_complete() -> None:
    async with running() as world:
        items = [await world.psa.create_item("todo", [USER]) for _ in range(4)]
        await world.psa.add_fault(Fault(effect=Thin(keep=0.5), times=None))
        answer = (await listing(world)).json()
        assert (len(answer["result"]), answer["totalRecords"]) == (2, 2)
        one = await world.api.http.get(f"/v2/calendar/items/todo/{items[3].item_id}")
        assert one.json()["result"]["itemId"] == items[3].item_id, "one by one, all are there"
        made = await world.api.http.post("/v2/calendar/appointments/bulk", json={"appointments": [NEW, NEW]})
        assert len(made.json()["result"]) == 2, "and what is no listing stays whole"


async def test_a_call_can_be_applied_although_it_fails() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Status(status=500), applied=True))
        assert (await creating(world)).status_code == 500
        assert [item.field("subject") for item in await world.psa.items(USER)] == ["Lunch"]
        assert (await world.api.create())["result"]["created"] is False


async def test_a_connection_can_be_cut_before_and_after_the_call_is_applied() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Reset()))
        with pytest.raises(httpx.RemoteProtocolError):
            await creating(world)
        assert not await world.psa.items(USER)
        await world.psa.add_fault(Fault(effect=Reset(), applied=True))
        with pytest.raises(httpx.RemoteProtocolError):
            await creating(world)
        assert len(await world.psa.items(USER)) == 1


async def test_a_call_can_be_applied_and_never_answered() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Hang(), applied=True))
        with pytest.raises(httpx.ReadTimeout):
            await creating(world)
        assert len(await world.psa.items(USER)) == 1


async def test_a_call_can_be_answered_late() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Delay(seconds=0.1)))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert (await listing(world)).status_code == 200
        assert loop.time() - begun >= 0.1


async def test_a_call_can_be_applied_at_once_and_answered_late() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Delay(seconds=0.01), applied=True))
        assert (await world.api.create())["result"]["created"]
        assert len(await world.psa.items(USER)) == 1


async def test_it_is_not_quiet_while_a_call_is_under_way() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Delay(seconds=0.3)))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listing(world))
            while (await world.psa.pending()).calls_under_way == 0:
                pass
            with pytest.raises(TimeoutError):
                await world.psa.wait_until_quiet(within=0.01)
        await world.psa.wait_until_quiet()


async def test_a_fault_of_some_probability_repeats_with_its_seed() -> None:
    async def statuses(seed: int) -> list[int]:
        async with running() as world:
            await world.psa.change_settings(seed=seed)
            await world.psa.add_fault(Fault(effect=Status(status=500), times=None, probability=0.5))
            return [(await listing(world)).status_code for _ in range(20)]

    first = await statuses(1)
    assert first == await statuses(1)
    assert set(first) == {200, 500}


async def test_faults_are_listed_with_how_often_they_struck_and_can_be_removed() -> None:
    async with running() as world:
        number = await world.psa.add_fault(Fault(effect=Status(status=500), times=3))
        await listing(world)
        (armed,) = await world.psa.faults()
        assert (armed.number, armed.struck) == (number, 1)
        await world.psa.remove_faults(number)
        await world.psa.add_fault(Fault(effect=Status(status=500), path="/none"))
        await world.psa.remove_faults()
        assert not await world.psa.faults()
        assert (await listing(world)).status_code == 200


@pytest.mark.parametrize(
    "body", ["{}", '{"effect":{"effect":"explode"}}', '{"effect":{"effect":"hang"},"times":0}', "{"]
)
async def test_a_fault_that_is_none_is_refused(body: str) -> None:
    async with running() as world:
        answer = await world.api.http.post("/_control/faults", content=body)
    assert answer.status_code == 400


async def test_every_request_is_on_record_with_secrets_masked() -> None:
    async with running() as world:
        tokens = (await world.api.sign_in())["result"]
        form = {name: tokens[name] for name in ("accessToken", "refreshToken")}
        await world.api.create()
        await world.api.call("POST", "/v2/security/refreshtoken", data=form)
        requests = await world.psa.requests(after=1)
        text = "".join(request.model_dump_json() for request in requests)
    assert [(request.number, request.method, request.path, request.status) for request in requests] == [
        (2, "POST", "/v2/security/authenticate", 200),
        (3, "POST", "/v2/calendar/appointments", 200),
        (4, "POST", "/v2/security/refreshtoken", 200),
    ]
    assert "clientSecret=***" in text
    assert not [secret for secret in ("correct", *form.values()) if secret in text]


async def test_requests_can_be_filtered_and_waited_for() -> None:
    async with running() as world:
        await world.api.create()
        await listing(world)
        assert [each.path for each in await world.psa.requests(method="GET")] == ["/v2/calendar/items"]
        assert [each.number for each in await world.psa.requests(path="/v2/calendar/*")] == [2, 3]
        assert (await world.psa.requests(after=2))[0].query == QUERY
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(world.psa.requests(after=3, within=10))
            await world.psa.pending()
            await listing(world)
        assert [each.number for each in waiting.result()] == [4]


async def test_a_request_that_was_never_answered_has_no_status_but_its_fault() -> None:
    async with running() as world:
        await world.psa.add_fault(Fault(effect=Reset()))
        with pytest.raises(httpx.RemoteProtocolError):
            await listing(world)
        (request,) = await world.psa.requests(after=1)
    assert (request.status, request.fault) == (None, "reset")


async def test_only_the_newest_requests_are_remembered() -> None:
    async with running() as world:
        await world.psa.change_settings(requests_kept=2)
        for _ in range(3):
            await listing(world)
        assert [request.number for request in await world.psa.requests()] == [3, 4]
