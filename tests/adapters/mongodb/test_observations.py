"""What intake saw of items: the part of a link that intake writes, and items nobody here knew."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from events.items import ItemType
from events.link import ExternalEvent, ItemKey, Link, Origin, PsaSeen, external_reference, link_id, standing_of
from tests.adapters.mongodb.examples import (
    ANN,
    BOB,
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

CREATING = replace(
    link(),
    id=link_id(ANN.integration_id, ExternalEvent("cal_1", "evt_1")),
    event=ExternalEvent("cal_1", "evt_1"),
    origin=Origin.CALENDAR,
    item=None,
    generation=2,
)
"""An event whose appointment is being created for the third time."""


async def put(links: LinkStore, *those: Link) -> None:
    assert await links.add(lease(1), those) == frozenset()


# Observing


async def test_the_newest_revision_wins_in_any_order_and_twice(links: LinkStore) -> None:
    for number, order in enumerate(itertools.permutations((1, 2, 3))):
        of = link(item(number))
        await put(links, of)
        for revision in (*order, *order):
            await links.observe([observed(of, seen(revision, f"item {revision}"))], NOW)
        assert (await stored(links, of)).psa_seen == seen(3, "item 3")


async def test_the_newest_revision_wins_among_many_at_once(links: LinkStore) -> None:
    of = link()
    await put(links, of)
    await asyncio.gather(*(links.observe([observed(of, seen(revision))], NOW) for revision in range(20)))
    assert (await stored(links, of)).psa_seen == seen(19)


async def test_the_newest_revision_wins_within_one_batch(links: LinkStore) -> None:
    of = link()
    await put(links, of)
    await links.observe([observed(of, seen(revision)) for revision in (2, 3, 1)], NOW)
    assert (await stored(links, of)).psa_seen == seen(3)


async def test_the_content_of_the_known_revision_fills_in_what_was_to_be_read(links: LinkStore) -> None:
    of = link()
    await put(links, of)
    await links.observe([observed(of, seen(4, None))], NOW)
    await links.observe([observed(of, seen(3, "older"))], NOW)
    await links.observe([observed(of, seen(4, "content"))], NOW)
    await links.observe([observed(of, seen(4, "another"))], NOW)
    await links.observe([observed(of, seen(4, None))], NOW)
    assert (await stored(links, of)).psa_seen == seen(4, "content")


async def test_a_deletion_is_not_filled_in(links: LinkStore) -> None:
    of = link()
    await put(links, of)
    await links.observe([observed(of, seen(4, None, deleted=True))], NOW)
    await links.observe([observed(of, seen(4, "content"))], NOW)
    assert (await stored(links, of)).psa_seen == seen(4, None, deleted=True)


async def test_hearing_once_more_that_something_is_to_be_read_is_no_news(links: LinkStore) -> None:
    of = link(psa_seen=seen(4, None), due_at=after(1))
    await put(links, of)
    await links.observe([observed(of, seen(4, None))], after(5))
    assert await stored(links, of) == of


async def test_what_is_observed_makes_its_link_due_and_no_other(links: LinkStore) -> None:
    mine, other = link(item(1)), link(item(2))
    await put(links, mine, other)
    await links.observe([observed(mine, seen(1))], after(5))
    assert (await stored(links, mine)).due_at == after(5)
    assert await stored(links, other) == other


async def test_what_is_no_news_changes_nothing(links: LinkStore) -> None:
    of = link(psa_seen=seen(5), due_at=None)
    await put(links, of)
    await links.observe([observed(of, seen(5)), observed(of, seen(4, None, deleted=True))], NOW)
    assert await stored(links, of) == of


async def test_observing_touches_nothing_else_of_the_link(links: LinkStore) -> None:
    of = link(psa_seen=seen(5), psa_base=content(), version=3, attempts=2)
    await put(links, of)
    await links.observe([observed(of, seen(6))], NOW)
    assert await stored(links, of) == replace(of, psa_seen=seen(6), due_at=NOW)


async def test_observing_what_has_no_link_makes_none(links: LinkStore) -> None:
    await links.observe([observed(link(), seen(1))], NOW)
    await links.observe([], NOW)
    assert await links.by_ids([link().id]) == {}


# Making links


async def test_a_fresh_link_is_made_once_and_then_observed(links: LinkStore) -> None:
    fresh = link(psa_seen=seen(2), due_at=NOW)
    await links.observe([observed(fresh, seen(2), fresh=fresh)], NOW)
    assert await stored(links, fresh) == fresh
    older, newer = replace(fresh, psa_seen=seen(1)), replace(fresh, psa_seen=seen(3))
    await links.observe([observed(older, seen(1), fresh=older)], after(1))
    assert await stored(links, fresh) == fresh
    await links.observe([observed(newer, seen(3), fresh=newer)], after(2))
    assert await stored(links, fresh) == replace(fresh, psa_seen=seen(3), due_at=after(2))


async def test_of_many_who_make_the_same_link_at_once_the_newest_revision_wins(links: LinkStore) -> None:
    for number in range(5):
        fresh = [link(item(number), psa_seen=seen(revision), due_at=NOW) for revision in range(8)]
        await asyncio.gather(
            *(links.observe([observed(one, one.psa_seen, fresh=one)], NOW) for one in fresh if one.psa_seen)
        )
        assert await stored(links, fresh[0]) == fresh[7]


async def test_fresh_links_known_ones_and_old_news_go_together_in_one_batch(links: LinkStore) -> None:
    fresh, known, quiet = link(item(1)), link(item(2)), link(item(3), psa_seen=seen(9))
    await put(links, known, quiet)
    batch = [
        observed(fresh, seen(1), fresh=replace(fresh, psa_seen=seen(1), due_at=NOW)),
        observed(known, seen(1), fresh=replace(known, psa_seen=seen(1), due_at=NOW)),
        observed(quiet, seen(8), fresh=replace(quiet, psa_seen=seen(8), due_at=NOW)),
    ]
    await links.observe(batch, NOW)
    assert (await stored(links, fresh)).psa_seen == (await stored(links, known)).psa_seen == seen(1)
    assert await stored(links, quiet) == quiet


# Which item a link stands for


async def test_a_link_that_stands_for_another_item_is_left_alone(links: LinkStore) -> None:
    of = link(item(1))
    await put(links, of)
    others = [item(2), item(1, tenant_id=9), replace(item(1), part_id="p"), replace(item(1), item_type=ItemType.TODO)]
    for other in others[:1] + others[2:]:
        await links.observe([replace(observed(of, seen(1)), item=other)], NOW)
    assert await stored(links, of) == of


@pytest.mark.parametrize(("made_in", "heard"), [(2, True), (1, False), (None, False)])
async def test_news_of_an_appointment_under_creation_counts_in_its_own_generation(
    links: LinkStore, made_in: int | None, *, heard: bool
) -> None:
    await put(links, CREATING)
    news = replace(observed(link(), seen(1), made_in=made_in), link_id=CREATING.id)
    await links.observe([news], NOW)
    assert (await stored(links, CREATING)).psa_seen == (seen(1) if heard else None)


async def test_once_the_appointment_is_known_its_generation_opens_no_door(links: LinkStore) -> None:
    made = replace(CREATING, item=item(1))
    await put(links, made)
    await links.observe([replace(observed(link(item(2)), seen(1), made_in=2), link_id=made.id)], NOW)
    assert (await stored(links, made)).psa_seen is None
    await links.observe([replace(observed(link(item(1)), seen(1), made_in=2), link_id=made.id)], NOW)
    assert (await stored(links, made)).psa_seen == seen(1)


# Whom an item concerns


async def test_all_links_of_an_item_are_found_whosever_they_are(links: LinkStore) -> None:
    anns, bobs, other = link(item(1)), link(item(1), BOB), link(item(2))
    abroad = link(item(1, tenant_id=2), replace(BOB, integration_id="int_abroad", tenant_id=2))
    part = link(replace(item(1), part_id="7"))
    await put(links, anns, bobs, other, abroad, part)

    async def found(*keys: ItemKey) -> set[str]:
        return {one.id for one in await links.of_items(keys, [])}

    assert await found(item(1)) == {anns.id, bobs.id}
    assert await found(item(1, tenant_id=2)) == {abroad.id}
    assert await found(replace(item(1), part_id="7")) == {part.id}
    assert await found(item(1, tenant_id=3), item(9)) == set()
    assert await found(item(1), item(2), item(1)) == {anns.id, bobs.id, other.id}
    assert await found() == set()


async def test_a_link_is_found_by_its_reference_in_every_generation_and_in_its_own_tenant(links: LinkStore) -> None:
    await put(links, CREATING, link(item(5)))
    reference = external_reference(ANN.user_id, CREATING.event)
    assert await links.of_items([], [(ANN.tenant_id, reference)]) == [standing_of(CREATING)]
    assert await links.of_items([], [(2, reference), (ANN.tenant_id, "calsync:another")]) == []


async def test_a_link_that_is_found_in_two_ways_is_found_once(links: LinkStore) -> None:
    of = replace(CREATING, item=item(1))
    await put(links, of)
    reference = external_reference(ANN.user_id, CREATING.event)
    assert await links.of_items([item(1)], [(ANN.tenant_id, reference)]) == [standing_of(of)]


# Deletions that overtook everything else


async def test_the_highest_revision_of_a_remembered_deletion_is_kept(links: LinkStore) -> None:
    for revision in (3, 5, 4):
        await links.remember_deleted({item(1): revision, item(2): 1}, NOW)
    await links.remember_deleted({}, NOW)
    assert await links.deleted([item(1), item(2), item(3)]) == {item(1): 5, item(2): 1}
    assert await links.deleted([]) == {}


async def test_deletions_of_items_that_only_look_alike_are_not_confused(links: LinkStore) -> None:
    key = ItemKey(1, ItemType.TASK, "1", "2")
    await links.remember_deleted({key: 1}, NOW)
    others = [replace(key, tenant_id=11), replace(key, part_id=None), replace(key, item_type=ItemType.TODO)]
    assert await links.deleted([*others, ItemKey(1, ItemType.TASK, "1-2"), key]) == {key: 1}


async def test_many_deletions_at_once_leave_the_highest_revision(links: LinkStore) -> None:
    await asyncio.gather(*(links.remember_deleted({item(1): revision}, NOW) for revision in range(20)))
    assert await links.deleted([item(1)]) == {item(1): 19}


def test_observations_differ_in_what_they_say() -> None:
    assert seen(1) != PsaSeen(1, deleted=False, assigned=False, item="{}", at=NOW)
