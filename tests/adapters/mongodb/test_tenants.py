"""What a tenant decides: the newest settings count, for all its integrations, until there are newer ones."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from adapters.mongodb.driver import Database
from adapters.mongodb.journal import Journal
from adapters.mongodb.tenants import Tenants as RealTenants
from events.integration import Assignee, Integration
from events.items import ItemType
from events.link import LinkState
from events.reasons import Reason
from events.tenant import (
    FieldMapping,
    Override,
    Owner,
    PrivateInbound,
    PrivateOutbound,
    Sending,
    Tenant,
    TenantSettings,
)
from tests.adapters.mongodb.examples import ANN, BOB, HOUR, NOW, TENANT, after, item, lease, link, linked, stored, taken
from tests.adapters.mongodb.subjects import KEEP, Store
from tests.adapters.mongodb.test_journal import line
from tests.memory.steps import MemoryClock, Stepper
from worker.ports import Tenants
from worker.tenants import TenantCache

DONE = TenantSettings(remove_when_done=True)
EVERYTHING = TenantSettings(
    ownership={
        ItemType.APPOINTMENT: Override(summary=Owner.PSA, private=Owner.BOTH, deletable=False),
        ItemType.SERVICE_CALL: Override(when=Owner.PSA),
    },
    private_inbound=PrivateInbound.NOT_IMPORTED,
    private_outbound=PrivateOutbound.BUSY,
    mapping={ItemType.SERVICE_CALL: FieldMapping(location=Sending.LEFT_OUT)},
    remove_when_done=True,
    log_keep_days=30,
)


@pytest.fixture
def tenants(store: Store) -> Tenants:
    return store.tenants


async def known(store: Store, whose: Assignee = ANN) -> Integration:
    found = await store.integrations.get(whose.integration_id)
    assert found is not None
    return found


async def test_a_tenant_that_never_decided_anything_has_every_default(tenants: Tenants) -> None:
    assert await tenants.get(TENANT) == Tenant(TENANT, TenantSettings(), revision=-1, version=0)


async def test_everything_that_can_be_set_comes_back_as_it_was_set(tenants: Tenants) -> None:
    configured = await tenants.configure(TENANT, 3, EVERYTHING)
    assert configured == Tenant(TENANT, EVERYTHING, revision=3, version=1)
    assert await tenants.get(TENANT) == configured
    assert await tenants.get(TENANT + 1) == Tenant(TENANT + 1)


async def test_the_platforms_newest_settings_count_in_any_order_and_twice(tenants: Tenants) -> None:
    for tenant_id, order in enumerate(itertools.permutations((1, 2, 3))):
        for revision in (*order, *order):
            answer = await tenants.configure(tenant_id, revision, TenantSettings(log_keep_days=revision))
            assert answer == await tenants.get(tenant_id)
        found = await tenants.get(tenant_id)
        assert (found.revision, found.settings.log_keep_days) == (3, 3)


async def test_the_version_grows_with_every_change_and_with_nothing_else(tenants: Tenants) -> None:
    versions = [(await tenants.configure(TENANT, revision, DONE)).version for revision in (1, 1, 2, 1)]
    amended = await tenants.amend(await tenants.get(TENANT), EVERYTHING)
    assert amended is not None
    assert [*versions, amended.version] == [1, 1, 2, 2, 3]


async def test_settings_that_come_at_the_same_moment_leave_the_newest(tenants: Tenants) -> None:
    await asyncio.gather(
        *(tenants.configure(TENANT, number, TenantSettings(log_keep_days=number)) for number in range(1, 9))
    )
    found = await tenants.get(TENANT)
    assert (found.revision, found.settings.log_keep_days) == (8, 8)


async def test_what_an_operator_sets_counts_until_the_platforms_next_settings(tenants: Tenants) -> None:
    await tenants.configure(TENANT, 7, DONE)
    await tenants.amend(await tenants.get(TENANT), EVERYTHING)
    assert (await tenants.configure(TENANT, 7, DONE)).settings == EVERYTHING
    assert (await tenants.configure(TENANT, 8, DONE)).settings == DONE


async def test_an_operator_may_be_the_first_to_set_anything(tenants: Tenants) -> None:
    assert await tenants.amend(Tenant(TENANT), EVERYTHING) == Tenant(TENANT, EVERYTHING, revision=-1, version=1)
    assert (await tenants.configure(TENANT, 0, DONE)).settings == DONE


async def test_an_operator_who_looked_at_older_settings_changes_nothing(tenants: Tenants) -> None:
    for looked_at in (await tenants.get(TENANT), await tenants.configure(TENANT, 1, DONE)):
        await tenants.configure(TENANT, looked_at.revision + 2, DONE)
        assert await tenants.amend(looked_at, EVERYTHING) is None
        assert (await tenants.get(TENANT)).settings == DONE


# Spreading the word


async def test_all_integrations_of_the_tenant_hear_of_it_become_due_and_begin_a_new_epoch(store: Store) -> None:
    carl = Assignee("int_carl", TENANT + 1, 9)
    for whose in (ANN, BOB, carl):
        await linked(store.integrations, whose, after(60))
    epoch = (await known(store)).epoch
    await store.tenants.spread(Tenant(TENANT, DONE, 1, version=4), NOW)
    for whose in (ANN, BOB):
        found = await known(store, whose)
        assert (found.wanted.tenant_version, found.epoch, found.due_at) == (4, epoch + 1, NOW)
    assert (await known(store, carl)).wanted.tenant_version == 0


async def test_word_that_is_known_already_changes_nothing(store: Store) -> None:
    await linked(store.integrations)
    await store.tenants.spread(Tenant(TENANT, DONE, 2, version=4), after(60))
    before = await known(store)
    for version in (3, 4):
        await store.tenants.spread(Tenant(TENANT, DONE, 2, version), NOW)
    assert await known(store) == before


async def test_whoever_works_on_an_integration_works_on_it_once_more(store: Store) -> None:
    await linked(store.integrations)
    held = await taken(store.integrations)
    await store.tenants.spread(Tenant(TENANT, DONE, 1, version=1), NOW)
    assert not await store.integrations.current(held.lease)
    again = await store.integrations.extend(held.lease, HOUR)
    assert getattr(again, "integration", None) is not None


async def test_all_links_can_be_made_due_but_those_that_wait_are_buried_or_were_turned_down(store: Store) -> None:
    states = {number: link(item(number), state=state) for number, state in enumerate(LinkState)}
    waiting = link(item(99), due_at=after(60))
    refused = link(item(97), state=LinkState.BLOCKED, reason=Reason.CALENDAR_REFUSED)
    others = link(item(98), whose=BOB)
    await store.links.add(lease(1), [*states.values(), waiting, refused, others])
    await store.links.all_due(ANN.integration_id, NOW)
    due = {one.state for one in states.values() if (await stored(store.links, one)).due_at == NOW}
    assert due == set(LinkState) - {LinkState.BURIED}
    assert (await stored(store.links, waiting)).due_at == after(60)
    assert (await stored(store.links, others)).due_at is None
    assert (await stored(store.links, refused)).due_at is None


# Remembering


def cache(tenants: Tenants) -> tuple[TenantCache, MemoryClock]:
    clock = MemoryClock(Stepper(by_hand=False))
    return TenantCache(tenants, clock, KEEP), clock


async def test_settings_are_remembered_for_a_moment_and_then_looked_up_anew(tenants: Tenants) -> None:
    remembered, clock = cache(tenants)
    await remembered.of(TENANT)
    await tenants.configure(TENANT, 1, DONE)
    assert (await remembered.of(TENANT)).settings == TenantSettings()
    clock.advance(6)
    assert (await remembered.of(TENANT)).settings == DONE


async def test_whoever_has_heard_of_newer_settings_gets_them_at_once(tenants: Tenants) -> None:
    remembered, _ = cache(tenants)
    await remembered.of(TENANT)
    version = (await tenants.configure(TENANT, 1, DONE)).version
    assert (await remembered.of(TENANT, version)).settings == DONE


async def test_each_tenant_keeps_its_log_for_as_long_as_it_has_decided(opened: Database) -> None:
    tenants = RealTenants(opened)
    remembered, _ = cache(tenants)
    await tenants.configure(TENANT, 1, TenantSettings(log_keep_days=30))
    await Journal(opened, remembered.keeps_until).write([line("ours"), line("theirs", tenant_id=TENANT + 1)])
    documents = {one["_id"]: one for one in await opened["sync_log"].find({}).to_list(None)}
    ours, theirs = documents["ours"], documents["theirs"]
    assert (ours["expires_at"] - ours["at"]).days == 30
    assert theirs["expires_at"] - theirs["at"] == KEEP
