"""What the store does for an integration that ends: wishes, tombstones, accounts in use, and links page by page."""

from __future__ import annotations

from dataclasses import replace

from events.content import Content
from events.integration import LEFT, Account, Assignee, DeletionWish, Grant, Held, Note, Tokens
from events.items import ItemType
from events.link import ExternalEvent, ItemKey, Origin, link_id
from tests.adapters.mongodb.examples import (
    ANN,
    BOB,
    HOUR,
    NOW,
    TENANT,
    after,
    connect,
    content,
    item,
    lease,
    link,
    linked,
    observed,
    seen,
    settings,
    stored,
    taken,
)
from tests.adapters.mongodb.subjects import IntegrationStore, LinkStore
from worker.core.revise import tombstone

GONE = DeletionWish(5)


async def wish_of(integrations: IntegrationStore, whose: Assignee = ANN) -> DeletionWish | None:
    found = await integrations.get(whose.integration_id)
    assert found is not None
    return found.wanted.deletion


# Wishes


async def test_a_deletion_is_wanted_once_and_the_newest_counts(integrations: IntegrationStore) -> None:
    await linked(integrations)
    assert await integrations.want_deletion(ANN, GONE, NOW)
    assert not await integrations.want_deletion(ANN, GONE, NOW)
    assert not await integrations.want_deletion(ANN, DeletionWish(4, remove_events=True), NOW)
    assert await wish_of(integrations) == GONE
    assert await integrations.want_deletion(ANN, DeletionWish(6, remove_events=True), NOW)
    assert await wish_of(integrations) == DeletionWish(6, remove_events=True)


async def test_whoever_is_about_to_be_deleted_is_nobodys_assignee(integrations: IntegrationStore) -> None:
    await linked(integrations)
    await linked(integrations, BOB)
    await integrations.want_deletion(ANN, GONE, NOW)
    assert await integrations.assignees([(TENANT, ANN.user_id), (TENANT, BOB.user_id)]) == [BOB]


async def test_a_deletion_ends_the_epoch_and_what_is_configured_afterwards_does_not_undo_it(
    integrations: IntegrationStore, ann: str
) -> None:
    held = await taken(integrations)
    await integrations.want_deletion(ANN, GONE, NOW)
    assert not await integrations.current(held.lease)
    await integrations.want_settings(ANN, settings(9), NOW)
    await integrations.want_connect(ANN, connect(10), NOW)
    assert await wish_of(integrations) == GONE
    assert ann


async def test_a_user_who_leaves_takes_along_all_own_integrations_and_nobody_elses(
    integrations: IntegrationStore,
) -> None:
    second = replace(ANN, integration_id="int_ann_2")
    elsewhere = Assignee("int_other", TENANT + 1, ANN.user_id)
    for one in (ANN, second, BOB, elsewhere):
        await linked(integrations, one, after(9))
    left = DeletionWish(LEFT)
    assert await integrations.want_leaving(TENANT, ANN.user_id, left, NOW) == 2
    assert await integrations.want_leaving(TENANT, ANN.user_id, left, NOW) == 0
    assert [await wish_of(integrations, one) for one in (ANN, second, BOB, elsewhere)] == [left, left, None, None]
    due = await integrations.claim_due(after(1), after(2), 10)
    assert sorted(due) == [ANN.integration_id, second.integration_id]


async def test_a_tenant_that_leaves_takes_along_everybody_but_keeps_what_was_asked_for_before(
    integrations: IntegrationStore,
) -> None:
    await linked(integrations)
    await linked(integrations, BOB)
    await integrations.want_deletion(ANN, DeletionWish(5, remove_events=True), NOW)
    assert await integrations.want_leaving(TENANT, None, DeletionWish(LEFT), NOW) == 1
    assert await wish_of(integrations) == DeletionWish(5, remove_events=True)
    assert await wish_of(integrations, BOB) == DeletionWish(LEFT)


# Accounts


async def connected(integrations: IntegrationStore, whose: Assignee, held: Held) -> None:
    await linked(integrations, whose)
    result = await integrations.take(whose.integration_id, "message", HOUR)
    await integrations.save(result.lease, Note(Held(), held))  # type: ignore[union-attr]


def account(sub: str) -> Account:
    return Account(sub, f"pro_{sub}", "", "google", "gsuite")


async def test_an_account_is_in_use_while_another_integration_has_it_or_was_offered_it(
    integrations: IntegrationStore,
) -> None:
    await connected(integrations, ANN, Held(account=account("acc_1")))
    assert not await integrations.uses_account("acc_1", ANN.integration_id)
    assert await integrations.uses_account("acc_1", BOB.integration_id)
    await connected(integrations, BOB, Held(offered=Grant(account("acc_2"), Tokens("a", "r", NOW))))
    assert await integrations.uses_account("acc_2", ANN.integration_id)


async def test_whoever_is_about_to_be_deleted_needs_no_account(integrations: IntegrationStore) -> None:
    await connected(integrations, ANN, Held(account=account("acc_1")))
    await integrations.want_deletion(ANN, GONE, NOW)
    assert not await integrations.uses_account("acc_1", BOB.integration_id)


# Links


async def test_links_can_be_looked_through_page_by_page(links: LinkStore) -> None:
    mine = sorted((link(item(number)) for number in range(5)), key=lambda one: one.id)
    neighbours = [link(whose=replace(ANN, integration_id=f"int_ann{end}")) for end in ("0", "-2", ".")]
    await links.add(lease(1), [*mine, link(whose=BOB), *neighbours])
    assert await links.page(ANN.integration_id, "", 3) == mine[:3]
    assert await links.page(ANN.integration_id, mine[2].id, 3) == mine[3:]
    assert await links.page(ANN.integration_id, mine[4].id, 3) == []


async def test_only_events_of_ours_that_are_there_are_counted_as_copies(links: LinkStore) -> None:
    there: Content = content()
    todo = link(ItemKey(TENANT, ItemType.TODO, "9"), calendar_base=there)
    event = ExternalEvent("cal_1", "evt_1")
    theirs = replace(
        link(item(7), calendar_base=there), id=link_id(ANN.integration_id, event), event=event, origin=Origin.CALENDAR
    )
    never_sent, of_bob = link(item(3)), link(whose=BOB, calendar_base=there)
    ours = [link(item(1), calendar_base=there), link(item(2), calendar_base=there), todo]
    await links.add(lease(1), [*ours, never_sent, theirs, of_bob])
    assert await links.copies(ANN.integration_id) == {"appointment": 2, "todo": 1}


async def test_a_tombstone_hears_of_nothing_any_more(links: LinkStore) -> None:
    one = link(psa_seen=seen(1), calendar_base=content())
    await links.add(lease(1), [one])
    await links.save(lease(1), [(one, tombstone(one))])
    assert await links.of_items([item()], [(TENANT, one.reference)]) == []
    await links.observe([observed(one, seen(9))], after(1))
    kept = await stored(links, one)
    assert (kept.psa_seen, kept.due_at, kept.calendar_base) == (None, None, None)
