"""Point 15: nobody is ever mailed because of us: asserted on every request that goes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from pydantic import JsonValue

from events.items import ItemType
from sandbox.cronofy.control.event_messages import PersonFields
from sandbox.cronofy.model.settings import Service
from tests.stories.days import at, stamp
from tests.stories.stage import Stage
from tests.stories.waiting import is_deleted, shows

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAILING = {
    "attendees",
    "invite",
    "remove",
    "reject",
    "reminders",
    "reminders_create_only",
    "conferencing",
    "subscriptions",
}
GUESTS = [
    PersonFields(email=f"{name}@contoso.example", display_name=name, status="needs_action") for name in ("ann", "bob")
]


def keys(value: JsonValue) -> Iterator[str]:
    """Yield the names of all fields, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


@pytest.mark.parametrize("provider", [Service.GOOGLE, Service.EXCHANGE])
async def test_no_request_names_anybody_and_nobody_gets_mail(world: Stage, provider: Service) -> None:
    user_id = 501 if provider is Service.GOOGLE else 502
    dana = await world.link(user_id, provider=provider)
    meeting = await world.cronofy.create_event(
        dana.calendar_id, summary="Kick-off", attendees=GUESTS, organizer=GUESTS[0], start=at(9), end=at(10)
    )
    made = await dana.appointment(meeting)
    call = await world.psa.create_item(
        ItemType.SERVICE_CALL, [user_id], start=at(11), end=at(12), contact={"id": 1, "name": "Ann Lee", "phone": "1"}
    )
    event = await dana.event(call)
    # The user invites somebody to our event; then both sides are edited, moved and deleted.
    event = await world.cronofy.edit_event(event, attendees=GUESTS)
    await world.psa.move_item(call, at(13), at(14))
    await dana.shows(call, start=stamp(at(13)))
    await world.psa.edit_item(call, description="More about it")
    await world.cronofy.edit_event(meeting, start=at(15), end=at(16))
    await shows(world, made, start=at(15))
    await world.psa.delete_item(call)
    await dana.gone(call)
    await world.cronofy.delete_event(meeting)
    await is_deleted(world, made)
    sent = [one for one in await world.cronofy.requests() if one.method != "GET"]
    assert any(one.path == "/v1/batch" for one in sent)
    named = {name for one in sent for name in keys(cast("JsonValue", one.body))}
    assert not named & MAILING
    assert await world.cronofy.mails() == []


async def test_that_somebody_accepts_or_declines_is_no_news(world: Stage) -> None:
    dana = await world.link(503)
    meeting = await world.cronofy.create_event(
        dana.calendar_id, summary="Kick-off", attendees=GUESTS, start=at(9), end=at(10)
    )
    made = await dana.appointment(meeting)
    await dana.rest(still_for=0.1)
    before, writes = await world.psa.history(made), await world.writes()
    answered = [PersonFields(email="ann@contoso.example", display_name="ann", status="accepted"), GUESTS[1]]
    await world.cronofy.edit_event(meeting, attendees=answered)
    await dana.rest()
    assert await world.psa.history(made) == before
    assert await world.writes() == writes
