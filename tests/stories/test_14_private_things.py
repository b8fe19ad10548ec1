"""Point 14: what is private stays so: the PSA learns that the time is taken, and forgets what it knew."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bson import json_util

from events.items import ItemType
from events.psa import TenantOptions
from events.tenant import PrivateInbound, PrivateOutbound
from tests.stories.days import at, stamp
from tests.stories.stage import Stage
from tests.stories.waiting import shows

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def kept_of(world: Stage, integration_id: str) -> str:
    """Return all that the store and the log keep of an integration's items, as text."""

    def look() -> list[dict[str, Any]]:
        return [
            one for name in ("links", "sync_log") for one in world.store[name].find({"integration_id": integration_id})
        ]

    return json_util.dumps(await asyncio.to_thread(look))


async def test_of_a_private_event_the_psa_learns_only_that_the_time_is_taken(world: Stage) -> None:
    dana = await world.link(401)
    event = await world.cronofy.create_event(
        dana.calendar_id,
        summary="Clinic",
        description="Results",
        location="Ward 3",
        private=True,
        start=at(9),
        end=at(10),
    )
    made = await dana.appointment(event)
    assert (made.field("subject"), made.field("description"), made.field("location")) == ("Private", "", "")
    assert (made.field("is_private"), made.field("start")) == (True, at(9))
    kept = await kept_of(world, dana.integration_id)
    assert not any(word in kept for word in ("Clinic", "Results", "Ward 3"))


async def test_an_event_that_turns_private_takes_back_what_was_known_and_one_that_turns_public_tells_again(
    world: Stage,
) -> None:
    dana = await world.link(402)
    event = await world.cronofy.create_event(
        dana.calendar_id, summary="Doctor", description="Bring papers", start=at(9), end=at(10)
    )
    made = await dana.appointment(event)
    await world.told(dana.integration_id, title="Doctor")
    await world.cronofy.edit_event(event, private=True)
    await shows(world, made, subject="Private", is_private=True, description="")
    await dana.rest(still_for=0.1)
    kept = await kept_of(world, dana.integration_id)
    assert not any(word in kept for word in ("Doctor", "Bring papers"))
    await world.cronofy.edit_event(event, private=False)
    await shows(world, made, subject="Doctor", is_private=False, description="Bring papers")


async def test_a_lost_value_is_not_kept_once_its_item_is_private(world: Stage) -> None:
    dana = await world.link(403)
    item = await world.psa.create_item(ItemType.APPOINTMENT, [403], subject="Review", start=at(9), end=at(10))
    event = await dana.event(item)
    await dana.rest(still_for=0.1)
    await world.psa.deactivate(dana.integration_id)
    await dana.rest(still_for=0.1)
    await world.cronofy.edit_event(event, summary="By the calendar")
    await world.psa.edit_item(item, subject="By the PSA")
    await world.psa.activate(dana.integration_id)
    await world.told(dana.integration_id, result="conflict", lost=[["summary", "By the calendar"]])
    await world.psa.edit_item(item, is_private=True)
    await dana.shows(item, private=True)
    line = await world.told(dana.integration_id, result="conflict", hidden=True)
    assert (line["title"], line["lost"]) == (None, [["summary", ""]])


async def test_a_tenant_can_have_private_events_in_full_or_not_at_all(world: Stage) -> None:
    await world.psa.configure_tenant(TenantOptions(private_inbound=PrivateInbound.FULL))
    dana = await world.link(404)
    event = await world.cronofy.create_event(dana.calendar_id, summary="Clinic", private=True, start=at(9), end=at(10))
    made = await dana.appointment(event)
    assert (made.field("subject"), made.field("is_private")) == ("Clinic", True)
    # From then on nothing of it is kept, not even what was there before.
    await world.psa.configure_tenant(TenantOptions(private_inbound=PrivateInbound.NOT_IMPORTED))
    await shows(world, made, subject="Private")
    await world.cronofy.create_event(dana.calendar_id, summary="Lawyer", private=True, start=at(11), end=at(12))
    await world.told(dana.integration_id, reason="private_not_imported")
    assert [item.field("subject") for item in await world.psa.items(404)] == ["Private"]
    await world.psa.configure_tenant(TenantOptions())


async def test_a_tenant_can_hide_the_text_of_private_items_from_the_calendar(world: Stage) -> None:
    await world.psa.configure_tenant(TenantOptions(private_outbound=PrivateOutbound.BUSY))
    dana = await world.link(405)
    item = await world.psa.create_item(
        ItemType.APPOINTMENT, [405], subject="Salaries", description="Figures", is_private=True, start=at(9), end=at(10)
    )
    event = await dana.shows(item, summary="Busy", private=True, start=stamp(at(9)))
    assert (event.description, event.location or "") == ("", "")
    # What is written over it there is not taken for a new title; a new time is.
    await world.cronofy.edit_event(event, summary="Mine", start=at(11), end=at(12))
    await shows(world, item, subject="Salaries", start=at(11))
    # Public again, or no longer to be hidden: the text comes back.
    await world.psa.edit_item(item, is_private=False)
    await dana.shows(item, summary="Salaries", private=False)
    await world.psa.edit_item(item, is_private=True)
    await dana.shows(item, summary="Busy", private=True)
    await world.psa.configure_tenant(TenantOptions())
    await dana.shows(item, summary="Salaries", private=True)
