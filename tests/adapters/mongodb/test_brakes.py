"""What brakes and audits ask of the links: the memory of both is what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from events.content import AllDay, Field
from events.link import CalendarSeen, Ending, Freeze, Link, LinkState, Tally, Verdict
from events.reasons import Reason
from tests.adapters.mongodb.examples import ANN, BOB, HOUR, NOW, after, content, item, lease, link, seen
from tests.adapters.mongodb.subjects import LinkStore

WINDOW = timedelta(hours=1)


def said(verdict: Verdict, minutes_ago: float = 0) -> Ending:
    return Ending(after(-minutes_ago), verdict, Reason.MANY_DELETIONS)


async def put(links: LinkStore, *those: Link) -> None:
    assert await links.add(lease(1), those) == frozenset()


def numbered(number: int, **parts: Any) -> Link:
    return link(item(number), **parts)


async def test_deletions_of_late_are_counted_by_what_was_said_of_them(links: LinkStore) -> None:
    await put(
        links,
        numbered(1, state=LinkState.BURIED, ending=said(Verdict.PASSED, 10)),
        numbered(2, state=LinkState.DETACHED, ending=said(Verdict.PASSED, 60)),
        numbered(3, state=LinkState.BURIED, ending=said(Verdict.PASSED, 61)),
        numbered(4, state=LinkState.QUARANTINED, ending=said(Verdict.HELD)),
        numbered(5, state=LinkState.PENDING, ending=said(Verdict.RELEASED)),
        numbered(6, state=LinkState.SETTLED),
        numbered(7, state=LinkState.BLOCKED),
        numbered(8, state=LinkState.IGNORED),
        link(item(9), BOB, state=LinkState.SETTLED, ending=said(Verdict.PASSED)),
    )
    assert await links.tally(ANN.integration_id, NOW - WINDOW) == Tally(gone=2, held=1, alive=4)
    assert await links.tally("nobody's", NOW - WINDOW) == Tally(0, 0, 0)


async def test_what_is_held_back_is_found_by_where_it_was_deleted(links: LinkStore) -> None:
    deleted, there = CalendarSeen(None, deleted=True), CalendarSeen(content())
    held = {"state": LinkState.QUARANTINED, "ending": said(Verdict.HELD)}
    inbound = [numbered(number, calendar_seen=deleted, **held) for number in (1, 2)]
    outbound = [numbered(3, calendar_seen=there, **held), numbered(4, **held)]
    await put(links, *inbound, *outbound, numbered(5, state=LinkState.SETTLED, calendar_seen=deleted))
    ids = ANN.integration_id
    assert await links.held_back(ids, inbound=True, limit=10) == inbound
    assert await links.held_back(ids, inbound=False, limit=10) == outbound
    assert await links.held_back(ids, inbound=None, limit=3) == [*inbound, outbound[0]]
    assert await links.held_back(BOB.integration_id, inbound=None, limit=10) == []


async def test_links_with_frozen_texts_are_found(links: LinkStore) -> None:
    cold = numbered(1, frozen={Field.SUMMARY: Freeze(NOW + HOUR, frozenset({"a", "b"}))})
    await put(links, cold, numbered(2))
    assert await links.frozen(ANN.integration_id) == [cold]


async def test_what_the_calendar_showed_is_known_by_its_time(links: LinkStore) -> None:
    day = AllDay(NOW.date(), NOW.date() + timedelta(days=1))
    timed, whole = numbered(1, calendar_seen=CalendarSeen(content())), content()
    all_day = numbered(2, calendar_seen=CalendarSeen(replace(whole, when=day)))
    await put(links, timed, all_day, numbered(3), numbered(4, calendar_seen=CalendarSeen(None, deleted=True)))
    assert await links.whereabouts(ANN.integration_id) == {timed.id: whole.when, all_day.id: day}


async def test_when_items_are_that_the_psa_should_show_is_known_and_no_others(links: LinkStore) -> None:
    day = AllDay(NOW.date(), NOW.date() + timedelta(days=1))
    agreed, whole = content(), replace(content(), when=day)
    timed = numbered(1, psa_base=agreed, psa_seen=seen(1))
    all_day = numbered(2, psa_base=whole, psa_seen=seen(1))
    others = [
        numbered(3, psa_seen=seen(1)),
        numbered(4, psa_base=agreed, psa_seen=seen(2, None)),
        numbered(5, psa_base=agreed, psa_seen=seen(2, assigned=False)),
        numbered(6, psa_base=agreed, psa_seen=seen(2), state=LinkState.BURIED),
    ]
    await put(links, timed, all_day, *others)
    assert await links.items_whereabouts(ANN.integration_id) == {timed.id: agreed.when, all_day.id: day}
