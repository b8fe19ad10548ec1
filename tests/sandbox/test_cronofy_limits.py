"""How many requests the application may make."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import SLOW, Caller, Running, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

STRICT = SLOW.model_copy(update={"requests_per_second": 5, "requests_per_minute": 20})


async def burst(caller: Caller, count: int) -> int:
    """Return how many requests got through."""
    return sum([(await caller.get("/v1/userinfo")).status_code == 200 for _ in range(count)])


async def test_the_documented_limits_are_the_defaults(cronofy: Running) -> None:
    settings = await cronofy.control.reset_settings()
    assert (settings.requests_per_second, settings.requests_per_minute) == (50, 500)


async def test_too_many_requests_in_a_second_are_refused() -> None:
    async with running(STRICT) as cronofy:
        caller = await cronofy.connect()
        assert await burst(caller, 10) == 5
        response = await caller.get("/v1/userinfo")
        assert (response.status_code, response.content) == (429, b"")
        assert "retry-after" not in response.headers
        await cronofy.control.advance(1)
        assert await burst(caller, 10) == 5


async def test_too_many_requests_in_a_minute_are_refused() -> None:
    async with running(STRICT) as cronofy:
        caller = await cronofy.connect()
        for _ in range(4):
            assert await burst(caller, 5) == 5
            await cronofy.control.advance(1)
        assert await burst(caller, 5) == 1  # 20, and what four seconds gave back
        await cronofy.control.advance(60)
        assert await burst(caller, 5) == 5


async def test_all_accounts_share_the_limits() -> None:
    async with running(STRICT) as cronofy:
        first, second = await cronofy.connect(), await cronofy.connect()
        assert await burst(first, 3) + await burst(second, 5) == 5


@pytest.mark.parametrize(("counted", "through"), [(False, 5), (True, 1)])
async def test_a_batch_counts_once_or_by_its_entries(*, counted: bool, through: int) -> None:
    settings = STRICT.model_copy(update={"batch_counts_entries": counted})
    async with running(settings) as cronofy:
        caller = await cronofy.connect()
        entries = [{"method": "DELETE", "relative_url": caller.events_path(), "data": {"event_id": "a"}}] * 3
        statuses = [(await caller.post("/v1/batch", {"batch": entries})).status_code for _ in range(6)]
        assert statuses == [207] * through + [429] * (6 - through)


async def test_a_refusal_can_say_when_to_come_back() -> None:
    async with running(STRICT.model_copy(update={"retry_after": True})) as cronofy:
        caller = await cronofy.connect()
        await burst(caller, 5)
        assert (await caller.get("/v1/userinfo")).headers["retry-after"] == "1"


async def test_the_control_endpoints_have_no_limit(cronofy: Running) -> None:
    await cronofy.control.change_settings(requests_per_second=1, requests_per_minute=1)
    for _ in range(5):
        await cronofy.control.now()


async def test_new_limits_start_out_unused() -> None:
    async with running(STRICT) as cronofy:
        caller = await cronofy.connect()
        await burst(caller, 6)
        await cronofy.control.change_settings(requests_per_second=7, requests_per_minute=70)
        assert await burst(caller, 10) == 7
