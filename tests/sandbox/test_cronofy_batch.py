"""Up to fifty writes in one request."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.sandbox.conftest import ELEVEN, TEN, Caller, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


def upsert(caller: Caller, event_id: str, calendar_id: str | None = None, **fields: object) -> Json:
    data = {"event_id": event_id, "summary": "Visit", "start": TEN, "end": ELEVEN, **fields}
    return {"method": "POST", "relative_url": caller.events_path(calendar_id), "data": data}


def delete(caller: Caller, **ids: str) -> Json:
    return {"method": "DELETE", "relative_url": caller.events_path(), "data": ids}


async def send(caller: Caller, *entries: Json) -> list[Json]:
    response = await caller.post("/v1/batch", {"batch": list(entries)})
    assert response.status_code == 207, response.text
    answers: list[Json] = response.json()["batch"]
    return answers


async def test_every_entry_has_its_own_answer_in_order(cronofy: Running, caller: Caller) -> None:
    answers = await send(
        caller,
        upsert(caller, "a"),
        upsert(caller, "b", summary=None),
        upsert(caller, "c", "cal_guess"),
        delete(caller, event_id="d"),
        delete(caller, event_uid="evt_external_0"),
    )
    assert [answer["status"] for answer in answers] == [202, 422, 404, 202, 404]
    assert answers[0] == {"status": 202}
    assert answers[1]["data"]["errors"]["summary"][0]["key"] == "errors.required"
    await cronofy.control.run_until_quiet()
    assert [event.event_id for event in await cronofy.control.events(caller.calendar_id)] == ["a"]


async def test_entries_are_applied_in_order(cronofy: Running, caller: Caller) -> None:
    await send(caller, upsert(caller, "a", summary="Old"), delete(caller, event_id="a"), upsert(caller, "a"))
    await cronofy.control.run_until_quiet()
    (tally,) = await cronofy.control.tallies()
    assert (tally.creates, tally.deletes) == (2, 1)
    assert [event.summary for event in await cronofy.control.events(caller.calendar_id)] == ["Visit"]


async def test_paths_may_be_encoded(cronofy: Running, caller: Caller) -> None:
    entry = upsert(caller, "a") | {"relative_url": f"/v1/calendars/{quote(caller.calendar_id, safe='')}/events"}
    assert "%40" in entry["relative_url"]
    assert await send(caller, entry) == [{"status": 202}]
    (request,) = await cronofy.control.requests(path="/v1/batch")
    assert (request.operation, request.status, request.entries) == ("run_batch", 207, (202,))


async def test_fifty_entries_are_the_most(caller: Caller) -> None:
    entries = [upsert(caller, f"item-{number}") for number in range(51)]
    assert len(await send(caller, *entries[:50])) == 50
    response = await caller.post("/v1/batch", {"batch": entries})
    assert response.status_code == 422
    assert response.json()["errors"]["batch"][0]["key"] == "errors.too_many"


@pytest.mark.parametrize(
    "batch",
    [
        None,
        [],
        "everything",
        [1],
        [{"method": "GET", "relative_url": "/v1/calendars/cal_1/events", "data": {}}],
        [{"method": "POST", "relative_url": "/v1/events", "data": {}}],
        [{"method": "POST", "relative_url": "https://elsewhere.example/v1/calendars/cal_1/events", "data": {}}],
        [{"method": "POST", "relative_url": "/v1/calendars/cal_1/events"}],
    ],
)
async def test_a_batch_of_anything_else_is_refused_as_a_whole(caller: Caller, batch: object) -> None:
    assert (await caller.post("/v1/batch", {"batch": batch})).status_code == 422
