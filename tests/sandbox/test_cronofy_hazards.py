"""Oddities of single events in answers."""

from __future__ import annotations

import pytest

from sandbox.cronofy.control.event_messages import EventFields
from tests.sandbox.conftest import ELEVEN, TEN, Caller, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def read(cronofy: Running, caller: Caller, hazard: str, probability: float = 1) -> list[Json]:
    fields = EventFields(start=TEN, end=ELEVEN, location="Room")
    await cronofy.control.create_known_events(caller.calendar_id, [fields] * 50)
    await cronofy.control.change_settings(hazards={hazard: probability})
    return await caller.read()


async def test_times_of_change_can_be_of_the_year_zero(cronofy: Running, caller: Caller) -> None:
    events = await read(cronofy, caller, "year_zero")
    assert {(event["created"], event["updated"]) for event in events} == {("0000-12-29T00:00:00Z",) * 2}


@pytest.mark.parametrize("name", ["location", "options", "organizer"])
async def test_optional_fields_can_be_missing(cronofy: Running, caller: Caller, name: str) -> None:
    assert not any(name in event for event in await read(cronofy, caller, f"no_{name}"))


async def test_values_can_be_new(cronofy: Running, caller: Caller) -> None:
    events = await read(cronofy, caller, "unknown_values")
    values = {event[name] for event in events for name in ("status", "transparency", "participation_status")}
    assert values == {"unheard_of"}


async def test_fields_can_be_new(cronofy: Running, caller: Caller) -> None:
    assert all("x_unheard_of" in event for event in await read(cronofy, caller, "extra_fields"))


async def test_the_status_can_have_its_old_name(cronofy: Running, caller: Caller) -> None:
    events = await read(cronofy, caller, "event_status")
    assert {event["event_status"] for event in events} == {"confirmed"}
    assert not any("status" in event for event in events)


async def test_an_event_that_looks_odd_looks_odd_every_time(cronofy: Running, caller: Caller) -> None:
    first = await read(cronofy, caller, "extra_fields", 0.5)
    assert 0 < sum("x_unheard_of" in event for event in first) < len(first)
    assert await caller.read() == first
