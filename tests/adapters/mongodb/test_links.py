"""What the holder of the lease does with links: nothing is saved over somebody else's work."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from events.content import AllDay, Field, Timed
from events.integration import Assignee
from events.link import CREATION, CalendarAsk, CalendarSeen, ExternalEvent, Link, LinkState, PsaAsk, link_id
from events.reasons import Reason
from tests.adapters.mongodb.examples import (
    ANN,
    BOB,
    HOUR,
    NOW,
    after,
    content,
    item,
    lease,
    link,
    observed,
    seen,
    stored,
)
from tests.adapters.mongodb.subjects import LinkStore


async def put(links: LinkStore, *those: Link) -> None:
    assert await links.add(lease(1), those) == frozenset()


def settled(of: Link, **changes: Any) -> Link:
    """Return what the holder makes of a link."""
    done = replace(of, state=LinkState.SETTLED, reason=Reason.IN_SYNC, due_at=None, psa_base=content())
    return replace(done, **changes)


# Saving


async def test_what_is_saved_is_stored_with_the_next_version(links: LinkStore) -> None:
    of = link(due_at=NOW, version=4)
    await put(links, of)
    become = settled(of, message="$message", calendar_seen=CalendarSeen(content("$$NOW")), calendar_gone=NOW)
    assert await links.save(lease(1), [(of, become)]) == frozenset()
    assert await stored(links, of) == replace(become, version=5)


async def test_saving_nothing_refuses_nothing(links: LinkStore) -> None:
    assert await links.save(lease(1), []) == frozenset()
    assert await links.add(lease(1), []) == frozenset()


async def test_a_save_on_an_older_version_is_refused(links: LinkStore) -> None:
    of = link()
    await put(links, of)
    first = settled(of, message="first")
    await links.save(lease(1), [(of, first)])
    assert await links.save(lease(1), [(of, settled(of, message="second"))]) == {of.id}
    assert (await stored(links, of)).message == "first"


async def test_a_save_under_an_older_fence_is_refused(links: LinkStore) -> None:
    of = link()
    await put(links, of)
    await links.save(lease(3), [(of, settled(of, message="newer holder"))])
    now = await stored(links, of)
    assert await links.save(lease(2), [(now, settled(now, message="older holder"))]) == {of.id}
    assert await stored(links, of) == now


async def test_the_first_holder_can_save_what_intake_made(links: LinkStore) -> None:
    of = link(psa_seen=seen(1), due_at=NOW)
    await links.observe([observed(of, seen(1), fresh=of)], NOW)
    assert await links.save(lease(1), [(of, settled(of))]) == frozenset()


async def test_what_a_holder_added_an_older_one_cannot_save(links: LinkStore) -> None:
    of = link()
    await links.add(lease(5), [of])
    assert await links.save(lease(4), [(of, settled(of))]) == {of.id}
    assert await stored(links, of) == of


async def test_a_save_of_what_does_not_exist_is_refused_and_makes_nothing(links: LinkStore) -> None:
    assert await links.save(lease(1), [(link(), settled(link()))]) == {link().id}
    assert await links.by_ids([link().id]) == {}


async def test_those_that_are_refused_are_named_and_the_others_saved(links: LinkStore) -> None:
    those = [link(item(number)) for number in range(6)]
    await put(links, *those)
    await links.save(lease(1), [(of, settled(of, message="before")) for of in those[:2]])
    await links.save(lease(9), [(of, settled(of, message="newer")) for of in those[2:3]])
    late = [(of, settled(of, message="late")) for of in those]
    assert await links.save(lease(2), late) == {of.id for of in those[:3]}
    messages = [(await stored(links, of)).message for of in those]
    assert messages == ["before", "before", "newer", "late", "late", "late"]


async def test_of_many_who_save_at_once_one_is_not_refused(links: LinkStore) -> None:
    of = link()
    await put(links, of)
    attempts = [links.save(lease(2), [(of, settled(of, message=f"{n}"))]) for n in range(10)]
    saved = [n for n, refused in enumerate(await asyncio.gather(*attempts)) if not refused]
    assert str(saved[0]) == (await stored(links, of)).message
    assert (await stored(links, of)).version == 1


# Saving, while intake observes


async def test_a_save_keeps_an_observation_that_it_had_not_seen_and_stays_due(links: LinkStore) -> None:
    of = link(psa_seen=seen(1), due_at=NOW)
    await put(links, of)
    await links.observe([observed(of, seen(2))], after(1))
    assert await links.save(lease(1), [(of, settled(of))]) == frozenset()
    assert await stored(links, of) == settled(of, psa_seen=seen(2), due_at=after(1), version=1)


@pytest.mark.parametrize("revision", [2, 3])
async def test_a_save_that_knows_as_new_a_revision_as_was_observed_keeps_its_own(
    links: LinkStore, revision: int
) -> None:
    of = link(psa_seen=seen(1), due_at=NOW)
    await put(links, of)
    await links.observe([observed(of, seen(2))], after(1))
    become = settled(of, psa_seen=seen(revision, "answer"))
    assert await links.save(lease(1), [(of, become)]) == frozenset()
    assert await stored(links, of) == replace(become, version=1)


async def test_the_first_observation_of_all_is_kept_too(links: LinkStore) -> None:
    of = link(psa_seen=None)
    await put(links, of)
    await links.observe([observed(of, seen(0))], after(1))
    await links.save(lease(1), [(of, settled(of))])
    assert await stored(links, of) == settled(of, psa_seen=seen(0), due_at=after(1), version=1)


async def test_content_that_was_filled_in_meanwhile_is_kept(links: LinkStore) -> None:
    of = link(psa_seen=seen(1, None), due_at=NOW)
    await put(links, of)
    await links.observe([observed(of, seen(1, "content"))], after(1))
    await links.save(lease(1), [(of, replace(of, attempts=1, due_at=after(60)))])
    assert await stored(links, of) == replace(of, psa_seen=seen(1, "content"), due_at=after(1), attempts=1, version=1)


async def test_what_the_psa_answered_replaces_known_content_of_the_same_revision(links: LinkStore) -> None:
    of = link(psa_seen=seen(1, "content"), due_at=NOW)
    await put(links, of)
    absent = replace(seen(1, None), absent=True)
    await links.save(lease(1), [(of, settled(of, psa_seen=absent))])
    assert await stored(links, of) == settled(of, psa_seen=absent, version=1)


async def test_a_link_that_comes_to_stand_for_its_item_keeps_what_was_heard_of_it(links: LinkStore) -> None:
    creating = link(item=None, psa_asks=(PsaAsk(content(), frozenset(Field), content(), CREATION),))
    await put(links, creating)
    await links.observe([replace(observed(link(), seen(5), made_in=0))], after(1))
    made = settled(creating, item=item(1), psa_seen=seen(4))
    await links.save(lease(1), [(creating, made)])
    assert await stored(links, creating) == replace(made, psa_seen=seen(5), due_at=after(1), version=1)


@pytest.mark.parametrize("other", [item(2), None])
async def test_a_link_that_turns_to_another_item_forgets_what_was_heard_of_the_former(
    links: LinkStore, other: Any
) -> None:
    of = link(psa_seen=seen(1), due_at=NOW)
    await put(links, of)
    await links.observe([observed(of, seen(2))], after(1))
    become = settled(of, item=other, psa_seen=seen(1, "of another") if other else None, due_at=after(9))
    await links.save(lease(1), [(of, become)])
    assert await stored(links, of) == replace(become, version=1)


async def test_what_was_first_heard_of_the_former_item_is_forgotten_too(links: LinkStore) -> None:
    of = link(item(1), psa_seen=None)
    await put(links, of)
    await links.observe([observed(of, seen(2))], after(1))
    become = settled(of, item=item(2), due_at=after(9))
    await links.save(lease(1), [(of, become)])
    assert await stored(links, of) == replace(become, version=1)


async def test_intake_and_holder_who_write_at_once_both_get_through(links: LinkStore) -> None:
    those = [link(item(number), psa_seen=seen(1), due_at=NOW) for number in range(30)]
    await put(links, *those)
    refused, _ = await asyncio.gather(
        links.save(lease(1), [(of, settled(of)) for of in those]),
        links.observe([observed(of, seen(2)) for of in those], after(1)),
    )
    assert refused == frozenset()
    for of in those:
        assert await stored(links, of) == settled(of, psa_seen=seen(2), due_at=after(1), version=1)


# Adding


async def test_a_new_link_is_added_once(links: LinkStore) -> None:
    known, new = link(item(1), message="first"), link(item(2))
    await put(links, known)
    assert await links.add(lease(1), [replace(known, message="second"), new]) == {known.id}
    assert (await stored(links, known)).message == "first"
    assert await stored(links, new) == new


async def test_of_many_who_add_the_same_link_one_does(links: LinkStore) -> None:
    added = await asyncio.gather(*(links.add(lease(1), [link()]) for _ in range(10)))
    assert sorted(map(len, added)) == [0] + [1] * 9


# Finding


async def test_due_links_come_in_the_order_of_their_waiting(links: LinkStore) -> None:
    moments = [after(-1), None, after(-3), NOW, after(1), after(-2)]
    those = [link(item(number), due_at=at) for number, at in enumerate(moments)]
    await put(links, *those, link(item(1), BOB, due_at=after(-9)))
    due = await links.due(ANN.integration_id, NOW, 10)
    assert [of.due_at for of in due] == [after(-3), after(-2), after(-1), NOW]
    assert await links.due(ANN.integration_id, NOW, 2) == due[:2]
    assert await links.due(ANN.integration_id, NOW - HOUR, 10) == []


async def test_what_a_replay_has_looked_at_again_is_due_and_says_so(links: LinkStore) -> None:
    await put(links, link(item(1), due_at=None, version=3), link(item(1), BOB, due_at=None))
    assert await links.look_again(ANN.integration_id, link(item(1)).id, NOW) == 3
    assert await links.due(ANN.integration_id, NOW, 10) == [link(item(1), due_at=NOW, version=3, replayed=True)]
    assert await links.look_again(ANN.integration_id, link(item(2)).id, NOW) is None
    assert await links.look_again(ANN.integration_id, link(item(1), BOB).id, NOW) is None, "it is somebody else's"


async def test_the_next_due_moment_is_the_earliest(links: LinkStore) -> None:
    assert await links.next_due(ANN.integration_id) is None
    await put(links, link(item(1), due_at=None), link(item(1), BOB, due_at=NOW))
    assert await links.next_due(ANN.integration_id) is None
    await put(links, link(item(2), due_at=after(5)), link(item(3), due_at=after(3)))
    assert await links.next_due(ANN.integration_id) == after(3)


async def test_links_are_found_by_id_those_that_exist(links: LinkStore) -> None:
    await put(links, link(item(1)), link(item(2)))
    found = await links.by_ids([link(item(2)).id, link(item(3)).id, link(item(2)).id])
    assert found == {link(item(2)).id: link(item(2))}
    assert await links.by_ids([]) == {}


async def test_owners_are_an_integrations_links_for_these_items_and_those_under_creation(links: LinkStore) -> None:
    creating = replace(link(item(7)), item=None, psa_asks=(PsaAsk(content(), frozenset(Field), content(), CREATION),))
    changing = link(item(2), psa_asks=(PsaAsk(content(), frozenset(Field), content(), 3),))
    await put(links, creating, changing, link(item(1)), link(item(3)), link(item(1), BOB))
    owners = await links.owners(ANN.integration_id, [item(1), item(9)])
    assert {of.id for of in owners} == {creating.id, link(item(1)).id}
    assert await links.owners(ANN.integration_id, []) == [], "nothing was asked for"
    assert await links.owners("int_nobody", [item(1)]) == []


async def test_only_what_was_seen_just_so_and_waits_for_nothing_needs_no_second_look(links: LinkStore) -> None:
    same, other, waiting, unread = (link(item(number)) for number in range(1, 5))
    same, other = (replace(of, calendar_seen=CalendarSeen(content(), digest="d1")) for of in (same, other))
    ask = CalendarAsk(content(), frozenset(), None, None, NOW)
    waiting = replace(waiting, calendar_seen=CalendarSeen(content(), digest="d1"), calendar_asks=(ask,))
    await put(links, same, other, waiting, unread)
    digests = {same.id: "d1", other.id: "d2", waiting.id: "d1", unread.id: "d1", "int_ann/unknown": "d1"}
    assert await links.seen_before(digests) == {same.id}
    assert await links.seen_before({same.id: ""}) == frozenset()
    assert await links.seen_before({}) == frozenset()


# Series


async def test_what_a_series_has_ahead_is_counted_without_what_is_over_withheld_or_somebody_elses(
    links: LinkStore,
) -> None:
    def occurrence(number: int, days: int = 0, whose: Assignee = ANN, **parts: Any) -> Link:
        event = ExternalEvent("cal_1", f"evt_{number}")
        when = AllDay(NOW.date(), NOW.date() + timedelta(days=days)) if days else Timed(NOW, NOW + HOUR)
        seen = replace(CalendarSeen(replace(content(), when=when), series="daily", event_uid=event.event_uid), **parts)
        own = link_id(whose.integration_id, event)
        return replace(link(whose=whose), id=own, event=event, item=None, calendar_seen=seen)

    await put(
        links,
        *(occurrence(number) for number in range(3)),
        occurrence(3, days=2),
        occurrence(4, series="weekly"),
        occurrence(5, kept_out=Reason.SERIES_TOO_LONG),
        occurrence(6, series=""),
        occurrence(7, content=None, deleted=True),
        occurrence(8, whose=BOB),
    )
    names = ["daily", "weekly", "none"]
    assert await links.series_ahead(ANN.integration_id, names, NOW) == {"daily": 4, "weekly": 1}
    assert await links.series_ahead(ANN.integration_id, names, NOW + HOUR) == {"daily": 1}
    assert await links.series_ahead(ANN.integration_id, ["weekly"], NOW) == {"weekly": 1}


async def test_all_items_of_an_integration_can_be_read_anew_those_that_are_gone_excepted(links: LinkStore) -> None:
    known, waiting = settled(link(item(1), psa_seen=seen(3))), link(item(2), psa_seen=seen(1), due_at=after(1))
    gone, buried = link(item(3), psa_seen=seen(2, deleted=True)), link(item(4), psa_seen=seen(1))
    others = link(item(5), BOB, psa_seen=seen(1))
    await put(links, known, waiting, gone, replace(buried, state=LinkState.BURIED), others)
    assert await links.read_anew(ANN.integration_id, NOW) == 2
    found = [await stored(links, one) for one in (known, waiting, gone, buried, others)]
    assert [one.psa_seen and one.psa_seen.revision for one in found] == [3, 1, 2, 1, 1]
    lacking = [one.psa_seen is not None and one.psa_seen.item is None for one in found]
    assert [(lacks, one.due_at) for lacks, one in zip(lacking[:2], found, strict=False)] == [(True, NOW), (True, NOW)]
    assert (found[2], found[3].due_at, found[4]) == (gone, None, others)
