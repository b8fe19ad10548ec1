"""The same calendar is connected again after its integration was deleted, erased or lost: nothing is there twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import pytest

from events.items import ItemType
from events.outcomes import Configured, Connected, Deleted
from events.psa import SyncDirection
from sandbox.cronofy.control.event_messages import EventView
from sandbox.psa.client import PsaItem
from tests.stories.backfills import MONTH, ended, subjects, summaries
from tests.stories.days import at
from tests.stories.stage import PATIENCE, Linked, NotYet, Stage
from tests.stories.test_02_configure import previewed
from tests.stories.waiting import shows

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Gone(StrEnum):
    """What became of the former integration."""

    DELETED = "deleted"
    ERASED = "deleted, and everything about its user erased"
    LOST = "lost with the store; the PSA goes on under the same id"


class First(StrEnum):
    """What happens first after the calendar was connected again."""

    RETRIEVE = "retrieve"
    SEND = "send"
    BOTH = "both"
    ITEMS_EDITED = "the items are edited"
    EVENTS_EDITED = "the events are edited"


ALL_THERE: Final = Counter(["Dentist", "Review", "Standup"])
MATRIX: Final = [*((Gone.DELETED, first) for first in First), (Gone.ERASED, First.BOTH), (Gone.LOST, First.BOTH)]
"""What is recognised, is so by names that live on both sides: what is left in the store matters little."""


@dataclass(frozen=True)
class Case:
    """One user: an event typed in the calendar, an occurrence of a series typed there, and an item of the PSA."""

    gone: Gone
    first: First
    dana: Linked
    typed: EventView
    standup: EventView
    dentist: PsaItem
    """Made of the event that was typed."""
    meeting: PsaItem
    """Made of the occurrence."""
    item: PsaItem

    @property
    def name(self) -> str:
        return f"{self.gone}; {self.first}"


async def in_use(world: Stage, gone: Gone, first: First, user: int) -> Case:
    """Let a user work with a linked calendar until it holds something of every kind."""
    dana = await world.link(user)
    await world.cronofy.change_calendar(dana.calendar_id, unrestricted=True)
    await world.psa.list_calendars(dana.integration_id)
    typed = await world.cronofy.create_event(dana.calendar_id, summary="Dentist", start=at(9), end=at(10))
    standup = await world.cronofy.create_event(
        dana.calendar_id,
        summary="Standup",
        start=at(9, 1),
        end=at(10, 1),
        recurring=True,
        series_identifier=f"ser_{user}",
    )
    item = await world.psa.create_item(ItemType.APPOINTMENT, [user], subject="Review", start=at(12), end=at(13))
    await dana.event(item)
    made = [await dana.appointment(event) for event in (typed, standup)]
    return Case(gone, first, dana, typed, standup, made[0], made[1], item)


async def forgotten(world: Stage, case: Case) -> Case:
    """Let the former integration go, and connect the same calendar again."""
    dana, again = case.dana, f"again-{case.dana.user_id}"
    match case.gone:
        case Gone.DELETED:
            await world.psa.delete_integration(dana.integration_id)
            await world.psa.outcome(Deleted, integration_id=dana.integration_id, within=PATIENCE)
        case Gone.ERASED:
            await world.psa.erase_user(dana.user_id)
            await world.psa.outcome(Deleted, integration_id=dana.integration_id, within=PATIENCE)
        case Gone.LOST:
            await asyncio.to_thread(lose, world, dana)
            again = dana.integration_id
    # By now the former events are known to be older than the new connection.
    code = await world.cronofy.issue_code(dana.account.sub)
    told = len(await world.psa.outcomes(Configured.model_fields["type"].default, integration_id=again))
    await world.psa.connect(again, dana.user_id, code, time_zone="Europe/Berlin")
    await world.psa.configure(again, dana.calendar_id)
    await world.until(lambda: configured_again(world, again, told))
    return replace(case, dana=replace(dana, integration_id=again))


def lose(world: Stage, dana: Linked) -> None:
    world.store["integrations"].delete_many({"_id": dana.integration_id})
    world.store["links"].delete_many({"integration_id": dana.integration_id})


async def configured_again(world: Stage, integration_id: str, before: int) -> None:
    told = await world.psa.outcomes(Configured.model_fields["type"].default, integration_id=integration_id)
    if len(told) == before:
        raise NotYet(integration_id)


async def begin(world: Stage, case: Case) -> None:
    """Let happen what happens first."""
    match case.first:
        case First.RETRIEVE | First.SEND | First.BOTH:
            direction = SyncDirection[case.first.name]
            asked = {"retrieve": MONTH, "send": MONTH}
            asked = {name: span for name, span in asked.items() if direction in {name, SyncDirection.BOTH}}
            foreseen = (await previewed(world, case.dana, **asked)).totals
            assert (case.name, foreseen.created, foreseen.updated) == (case.name, 0, 0)
            pressed = await world.psa.sync_now(case.dana.integration_id, direction, MONTH)
            done = await ended(world, case.dana.integration_id, pressed.revision)
            assert (case.name, done.state, done.failed, done.created) == (case.name, "finished", 0, 0)
        case First.ITEMS_EDITED:
            for item in (case.dentist, case.meeting, case.item):
                await world.psa.edit_item(item, location="Room 2")
        case First.EVENTS_EDITED:
            (ours,) = [one for one in await case.dana.events() if one.event_id is not None]
            for event in (case.typed, case.standup, ours):
                await world.cronofy.edit_event(event, location="Room 2")


async def test_whatever_happens_first_nothing_is_there_twice_and_the_two_sides_follow_each_other_again(
    world: Stage,
) -> None:
    cases = await asyncio.gather(*(in_use(world, *one, 9201 + number) for number, one in enumerate(MATRIX)))
    await world.rest(still_for=0.1)
    await world.cronofy.advance(120)
    cases = await asyncio.gather(*(forgotten(world, case) for case in cases))
    await world.rest(still_for=0.1)
    await asyncio.gather(*(begin(world, case) for case in cases))
    await world.rest()
    found = {case.name: (await subjects(world, case.dana.user_id), await summaries(case.dana)) for case in cases}
    assert found == {case.name: (ALL_THERE, ALL_THERE) for case in cases}
    await asyncio.gather(*(follows(world, case) for case in cases))
    await world.rest()
    for case in cases:
        assert len(await case.dana.events()) == len(ALL_THERE), case.name


async def test_a_preview_before_anything_was_saved_foresees_that_both_sides_stay_as_they_are(world: Stage) -> None:
    dana = await world.link(9221)
    typed = await world.cronofy.create_event(dana.calendar_id, summary="Dentist", start=at(9), end=at(10))
    await dana.appointment(typed)
    await world.rest(still_for=0.1)
    await world.psa.delete_integration(dana.integration_id)
    await world.psa.outcome(Deleted, integration_id=dana.integration_id, within=PATIENCE)
    await world.cronofy.advance(120)
    again = replace(dana, integration_id="again-9221")
    await world.psa.connect(again.integration_id, dana.user_id, await world.cronofy.issue_code(dana.account.sub))
    await world.psa.outcome(Connected, integration_id=again.integration_id, within=PATIENCE)
    foreseen = await previewed(world, again, send=MONTH)
    assert (foreseen.totals.created, foreseen.totals.updated, foreseen.totals.deleted) == (0, 0, 0)


async def follows(world: Stage, case: Case) -> None:
    """Edit each side, and wait until the other shows it."""
    await world.psa.edit_item(case.item, subject="Review of the quarter")
    await case.dana.shows(case.item, summary="Review of the quarter")
    await world.cronofy.edit_event(case.typed, summary="Dentist, at last")
    await shows(world, case.dentist, subject="Dentist, at last")
    await world.cronofy.edit_event(case.standup, start=at(15, 1), end=at(16, 1))
    await shows(world, case.meeting, start=at(15, 1))
