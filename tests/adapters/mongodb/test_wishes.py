"""What users want, and hints: the part of an integration that intake writes."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from events.failures import Malformed
from events.integration import Assignee, Integration, Note, Signals
from events.reasons import Reason
from tests.adapters.mongodb.examples import ANN, BOB, NOW, after, connect, linked, settings, taken
from tests.adapters.mongodb.subjects import IntegrationStore


async def known(integrations: IntegrationStore, whose: Assignee = ANN) -> Integration:
    found = await integrations.get(whose.integration_id)
    assert found is not None
    return found


# Wishes


async def test_the_newest_wish_wins_in_any_order_and_twice(integrations: IntegrationStore) -> None:
    for number, order in enumerate(itertools.permutations((1, 2, 3))):
        whose = replace(ANN, integration_id=f"int_{number}")
        for revision in (*order, *order):
            await integrations.want_connect(whose, connect(revision, code=f"code {revision}"), NOW)
            await integrations.want_settings(whose, settings(revision, calendar_id=f"cal_{revision}"), NOW)
            await integrations.want_active(whose, revision, NOW, active=revision != 3)
            await integrations.want_calendars(whose, revision, NOW)
        wanted = (await known(integrations, whose)).wanted
        assert wanted.connect == connect(3, code="code 3")
        assert wanted.settings == settings(3, calendar_id="cal_3")
        assert (wanted.active, wanted.active_revision) == (False, 3)
        assert wanted.list_calendars_revision == 3


async def test_each_kind_of_wish_has_a_revision_of_its_own(integrations: IntegrationStore) -> None:
    assert await integrations.want_settings(ANN, settings(9), NOW)
    assert await integrations.want_connect(ANN, connect(0), NOW)
    assert await integrations.want_active(ANN, 0, NOW, active=False)
    assert await integrations.want_calendars(ANN, 0, NOW)


async def test_a_wish_as_new_as_the_known_one_is_no_news_and_changes_nothing(integrations: IntegrationStore) -> None:
    await integrations.want_connect(ANN, connect(5), after(5))
    await integrations.want_settings(ANN, settings(5), after(5))
    await integrations.want_active(ANN, 5, after(5), active=True)
    await integrations.want_calendars(ANN, 5, after(5))
    before = await known(integrations)
    for revision in (4, 5):
        assert not await integrations.want_connect(ANN, connect(revision, code="other"), NOW)
        assert not await integrations.want_settings(ANN, settings(revision, calendar_id="other"), NOW)
        assert not await integrations.want_active(ANN, revision, NOW, active=False)
        assert not await integrations.want_calendars(ANN, revision, NOW)
    assert await known(integrations) == before


async def test_every_newer_wish_begins_a_new_epoch(integrations: IntegrationStore) -> None:
    await integrations.want_settings(ANN, settings(1), NOW)
    epochs = [(await known(integrations)).epoch]
    await integrations.want_settings(ANN, settings(2), NOW)
    epochs.append((await known(integrations)).epoch)
    await integrations.want_connect(ANN, connect(1), NOW)
    epochs.append((await known(integrations)).epoch)
    await integrations.want_active(ANN, 1, NOW, active=False)
    epochs.append((await known(integrations)).epoch)
    assert epochs == [1, 2, 3, 4]


async def test_wanting_the_list_of_calendars_begins_no_new_epoch(integrations: IntegrationStore) -> None:
    await integrations.want_calendars(ANN, 1, NOW)
    await integrations.want_calendars(ANN, 2, NOW)
    assert (await known(integrations)).epoch == 0


async def test_a_wish_makes_the_integration_due_and_a_later_one_does_not_put_it_off(
    integrations: IntegrationStore,
) -> None:
    await integrations.want_settings(ANN, settings(1), after(1))
    await integrations.want_settings(ANN, settings(2), after(2))
    assert (await known(integrations)).due_at == after(1)


async def test_wishes_that_arrive_together_are_all_kept(integrations: IntegrationStore) -> None:
    for number in range(10):
        whose = replace(ANN, integration_id=f"int_{number}")
        news = await asyncio.gather(
            integrations.want_connect(whose, connect(1), NOW),
            integrations.want_settings(whose, settings(1), NOW),
            integrations.want_active(whose, 1, NOW, active=False),
            integrations.want_calendars(whose, 1, NOW),
        )
        found = await known(integrations, whose)
        assert all(news)
        assert (found.wanted.connect, found.wanted.settings) == (connect(1), settings(1))
        assert (found.wanted.active_revision, found.wanted.list_calendars_revision) == (1, 1)
        assert found.epoch == 3


async def test_of_the_same_wish_taken_by_many_at_once_one_is_news(integrations: IntegrationStore) -> None:
    news = await asyncio.gather(*(integrations.want_settings(ANN, settings(1), NOW) for _ in range(10)))
    assert sorted(news) == [False] * 9 + [True]


@pytest.mark.parametrize("stranger", [replace(ANN, tenant_id=2), replace(ANN, user_id=99)])
@pytest.mark.parametrize("revision", [1, 2])
async def test_an_integration_of_another_owner_is_refused(
    integrations: IntegrationStore, stranger: Assignee, revision: int
) -> None:
    await integrations.want_settings(ANN, settings(1), NOW)
    before = await known(integrations)
    with pytest.raises(Malformed) as refused:
        await integrations.want_settings(stranger, settings(revision, calendar_id="cal_stolen"), NOW)
    assert refused.value.reason is Reason.BREAKS_SCHEMA
    with pytest.raises(Malformed):
        await integrations.want_connect(stranger, connect(revision), NOW)
    assert await known(integrations) == before


async def test_a_code_is_forgotten_once_it_was_used(integrations: IntegrationStore) -> None:
    await integrations.want_connect(ANN, connect(1), NOW)
    took = await taken(integrations)
    held = took.integration.held
    await integrations.save(took.lease, Note(held, replace(held, connected_revision=1)))
    assert (await known(integrations)).wanted.connect == connect(1, code="")


async def test_what_nobody_made_is_not_there(integrations: IntegrationStore) -> None:
    assert await integrations.get("int_nobody") is None


# Whom an item concerns


async def test_assignees_are_the_integrations_of_these_users_of_these_tenants(integrations: IntegrationStore) -> None:
    abroad = Assignee("int_abroad", tenant_id=2, user_id=ANN.user_id)
    second = Assignee("int_ann_2", ANN.tenant_id, ANN.user_id)
    for whose in (ANN, BOB, abroad, second):
        await linked(integrations, whose)
    assert {a.integration_id for a in await integrations.assignees([(1, 7)])} == {"int_ann", "int_ann_2"}
    assert await integrations.assignees([(2, 7), (2, 8), (3, 1)]) == [abroad]
    assert await integrations.assignees([(1, 8), (1, 8)]) == [BOB]
    assert await integrations.assignees([]) == []


async def test_tenants_are_those_with_any_integration(integrations: IntegrationStore) -> None:
    await linked(integrations, ANN)
    await linked(integrations, BOB)
    await linked(integrations, Assignee("int_abroad", tenant_id=2, user_id=1))
    assert await integrations.tenants([1, 2, 3]) == {1, 2}
    assert await integrations.tenants([3]) == frozenset()
    assert await integrations.tenants([]) == frozenset()


# Hints


async def test_what_is_marked_becomes_due_and_is_never_put_off(integrations: IntegrationStore) -> None:
    await linked(integrations, ANN, after(5))
    await linked(integrations, BOB, after(5))
    await integrations.mark_due([ANN.integration_id, "int_nobody"], after(3))
    await integrations.mark_due([ANN.integration_id], after(9))
    await integrations.mark_due([], after(1))
    assert (await known(integrations, ANN)).due_at == after(3)
    assert (await known(integrations, BOB)).due_at == after(5)
    assert await integrations.get("int_nobody") is None


async def test_notifications_are_counted_and_the_earliest_change_is_kept(integrations: IntegrationStore) -> None:
    await linked(integrations, now=after(60))
    for since in (after(3), None, after(1), after(2)):
        assert await integrations.note_change(ANN.integration_id, since, after(10))
    found = await known(integrations)
    assert found.signals == Signals(requested=4, changes_since=after(1))
    assert found.due_at == after(10)


async def test_a_hint_about_the_profile_is_counted_apart(integrations: IntegrationStore) -> None:
    await linked(integrations, now=after(60))
    assert await integrations.note_profile(ANN.integration_id, after(10))
    assert await integrations.note_profile(ANN.integration_id, after(20))
    found = await known(integrations)
    assert found.signals == Signals(profile_check=2)
    assert found.due_at == after(10)


async def test_a_hint_about_nobody_is_said_to_be_one_and_makes_nobody(integrations: IntegrationStore) -> None:
    assert not await integrations.note_change("int_nobody", NOW, NOW)
    assert not await integrations.note_profile("int_nobody", NOW)
    assert await integrations.get("int_nobody") is None


async def test_no_hint_is_lost_among_many_at_once(integrations: IntegrationStore) -> None:
    await linked(integrations)
    moments = [after(minutes) for minutes in range(20)]
    await asyncio.gather(*(integrations.note_change(ANN.integration_id, since, NOW) for since in moments))
    assert (await known(integrations)).signals == Signals(requested=20, changes_since=moments[0])
