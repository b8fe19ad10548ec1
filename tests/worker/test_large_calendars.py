"""A calendar that is too large to be read through at once: an event in it is looked for a part at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from adapters.cronofy.client import Query
from events.calendar import CalendarEvent, Page
from events.failures import Gone, System, TryLater
from events.items import ItemType
from events.link import ExternalEvent
from events.reasons import Reason
from tests.memory.calendar import CALENDAR_ID
from tests.memory.platform import stamp
from tests.memory.store import MemoryIntegrations
from tests.simulation.world import INTEGRATION, NOON, USER, World
from tests.worker.accessing import access_to

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("items", [3, 7], ids=["one is missing", "three are missing"])
def test_an_event_that_was_not_shown_is_looked_for_in_one_slice_after_another_and_not_made_again(
    world: World, items: int
) -> None:
    for _ in range(items):
        world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", start=stamp(NOON), end=stamp(NOON + HOUR))
    world.settle()
    world.clock.advance(600)
    world.look_again()
    world.settle()  # so that what changed lately does not show them
    hidden = [event.event_uid for event in world.calendar.live()][: items // 2]
    world.calendar.hidden.update(hidden)
    world.calendar.pages, world.calendar.page_takes = 8, 20.0
    before = len(world.calendar.applied)
    world.pass_a_day()
    rounds = len(world.calendar.walked) // 8
    assert rounds >= len(hidden)
    assert world.calendar.walked == [*range(8)] * rounds, "each goes on where it has been left"
    assert len(world.calendar.applied) == before
    assert world.integrations.rows[INTEGRATION].integration.held.search is None


@dataclass
class Pages:
    """A calendar service with a listing of many pages. `expired`: those that are gone."""

    count: int = 5
    expired: set[str] = field(default_factory=set)
    circle: bool = False
    asked: list[str] = field(default_factory=list)
    of: list[tuple[str, ...]] = field(default_factory=list)

    async def first_page(self, token: str, query: Query) -> Page:
        del token
        self.of.append(query.calendar_ids)
        return self._page(0)

    async def next_page(self, token: str, url: str) -> Page:
        del token
        if url in self.expired:
            raise Gone(Reason.GONE, "404")
        return self._page(int(url))

    def _page(self, number: int) -> Page:
        self.asked.append(str(number))
        following = (number + 1) % self.count if self.circle else number + 1
        last = following >= self.count
        return Page((CalendarEvent(CALENDAR_ID, f"evt_{number}", None),), None if last else str(following), None)


class Plenty:
    """An allowance that is never used up."""

    async def spend(self, requests: int, lane: object) -> float:
        del requests, lane
        return 0.0

    async def refused(self, retry_after: float | None) -> None:
        raise AssertionError(retry_after)


def plenty(_: MemoryIntegrations) -> Plenty:
    return Plenty()


async def test_a_look_that_is_interrupted_goes_on_with_the_next_page() -> None:
    pages = Pages()
    access, wanted = await access_to(pages, plenty), ExternalEvent(CALENDAR_ID, "evt_4")
    first = await access.look_for(wanted, None, "", lambda: len(pages.asked) >= 3)
    assert (first.event, first.goes_on) == (None, "3")
    then = await access.look_for(wanted, None, "3", lambda: True)
    assert (then.event, then.goes_on) == (None, "4"), "it comes further, however little time there is"
    found = await access.look_for(wanted, None, "4", lambda: True)
    assert (found.event and found.event.event_uid, found.goes_on) == ("evt_4", None)
    assert pages.asked == ["0", "1", "2", "3", "4"]


async def test_a_page_that_has_expired_meanwhile_makes_the_look_begin_anew() -> None:
    pages = Pages(expired={"3"}, count=3)
    access = await access_to(pages, plenty)
    nowhere = await access.look_for(ExternalEvent(CALENDAR_ID, "evt_9"), None, "3", lambda: False)
    assert (nowhere.event, nowhere.goes_on, pages.asked) == (None, None, ["0", "1", "2"])


async def test_a_calendar_is_read_whether_or_not_it_is_the_one_that_is_saved() -> None:
    """Whoever previews other settings, or the first, reads the calendar that these name."""
    pages = Pages()
    await (await access_to(pages, plenty)).first_page("cal_other", None)
    assert pages.of == [("cal_other",)]


async def test_pages_that_lead_in_a_circle_end_a_look() -> None:
    access = await access_to(Pages(circle=True), plenty)
    with pytest.raises(TryLater) as refused:
        await access.look_for(ExternalEvent(CALENDAR_ID, "evt_9"), None, "", lambda: False)
    assert (refused.value.system, refused.value.reason) == (System.CRONOFY, Reason.UNREADABLE_ANSWER)
