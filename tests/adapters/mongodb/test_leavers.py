"""What is left of those who left: kept for a while, told on request, or erased; and known as erased all the same."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from adapters.mongodb.dead_letters import DeadLetters
from adapters.mongodb.driver import Database
from adapters.mongodb.figures import Figures
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.journal import Journal, kept_for
from adapters.mongodb.leavers import Leavers
from adapters.mongodb.overview import Overview
from adapters.mongodb.runs import Runs
from adapters.mongodb.vault import Vault, new_key
from adapters.mongodb.wishes import Wishes
from events.integration import LEFT, Assignee, DeletionWish, Held, Lease, Note, Taken, Tokens, Unknown
from events.orders import Order, OrderKind
from events.outcomes import ExportedData
from tests.adapters.mongodb.examples import ANN, BOB, HOUR, NOW, TENANT, after, connect, content, lease, link, linked
from tests.adapters.mongodb.examples import settings as wish
from tests.adapters.mongodb.subjects import IntegrationStore, Store, store_on
from tests.adapters.mongodb.test_journal import line
from tests.core.test_runs import RUN
from worker.dead_letters.reading import Dead, occurrence

SECRET = "never-to-be-told"
COLLECTIONS = ("links", "sync_log", "orders", "integrations")


async def peopled(store: Store) -> Lease:
    """Let Ann and Bob be there with everything. Returns Ann's lease."""
    leases: list[Lease] = []
    for whose in (BOB, ANN):
        await linked(store.integrations, whose)
        await store.integrations.want_connect(whose, connect(1, code=SECRET), NOW)
        taken = await store.integrations.take(whose.integration_id, "message", HOUR)
        assert isinstance(taken, Taken)
        await store.integrations.save(taken.lease, Note(Held(), Held(tokens=Tokens(SECRET, SECRET, NOW))))
        await store.links.add(lease(1), [link(whose=whose, calendar_base=content(f"of {whose.user_id}"))])
        await store.journal.write([line(whose.integration_id, integration_id=whose.integration_id)])
        own = f"{whose.integration_id}/1"
        await store.orders.place(Order(own, whose.integration_id, 1, OrderKind.AUTHORIZE, NOW))
        leases.append(taken.lease)
    return leases[-1]


async def erase(store: Store, held: Lease, revision: int = LEFT) -> None:
    """Erase everything about Ann, whose deletion of this revision was carried out."""
    await store.integrations.want_erasing(TENANT, ANN.user_id, NOW)
    await store.leavers.erase(held, revision, NOW, after(60))


async def told(store: Store, whose: Assignee) -> list[object]:
    """Return what is told of somebody: which records, and all that is in them."""
    records = [record async for page in store.leavers.told(whose.integration_id) for record in page]
    return [[record["record"] for record in records], repr(records)]


async def test_everything_about_a_user_is_told_and_no_secret(store: Store) -> None:
    await peopled(store)
    kinds, content_ = await told(store, ANN)
    assert kinds == ["integration", "link", "log", "order"]
    assert "of 7" in str(content_)
    assert "of 8" not in str(content_)
    assert SECRET not in str(content_)
    assert "sealed" not in str(content_)


async def test_a_number_that_is_none_is_told_as_text(opened: Database) -> None:
    """A sender may put it into a header, and what lies among the dead letters is kept whatever it is."""
    headers = {"x-score": math.nan, "x-least": -math.inf, "x-most": 1.5}
    dead = Dead(orjson.dumps({"data": {"integration_id": ANN.integration_id}}), headers, "m-1", {})
    await DeadLetters(opened, timedelta(days=90)).keep([occurrence(dead, NOW)], NOW)
    leavers = Leavers(opened, Vault([new_key()]))
    (told,) = [record async for page in leavers.told(ANN.integration_id) for record in page]
    assert told["record"] == "dead_letter"
    assert all(one in str(told) for one in ("'nan'", "'-inf'", "1.5"))
    whose = {"tenant_id": TENANT, "user_id": ANN.user_id, "integration_id": ANN.integration_id}
    told_to_the_psa = {**whose, "request_id": "export-1", "part": 1, "last": True, "records": (told,)}
    assert ExportedData.model_validate(told_to_the_psa).records == (told,)


async def test_of_what_is_erased_nothing_is_left_to_tell_and_of_others_everything(store: Store) -> None:
    held, of_bob = await peopled(store), await told(store, BOB)
    await erase(store, held)
    assert "of 7" not in repr(await told(store, ANN))
    assert await told(store, BOB) == of_bob
    assert [entry.integration_id for entry in await store.lines()] == [BOB.integration_id]
    assert await store.orders.open(ANN.integration_id) == []
    assert await store.links.page(ANN.integration_id, "", 9) == []


async def test_what_is_erased_can_be_neither_read_nor_worked_on(store: Store) -> None:
    await erase(store, await peopled(store))
    assert await store.integrations.get(ANN.integration_id) is None
    assert isinstance(await store.integrations.take(ANN.integration_id, "message", HOUR), Unknown)
    assert await store.integrations.assignees([(TENANT, ANN.user_id)]) == []
    assert await store.integrations.of_user(TENANT, ANN.user_id) == []


async def test_late_messages_do_not_bring_back_what_was_erased(store: Store) -> None:
    await erase(store, await peopled(store))
    assert not await store.integrations.want_settings(ANN, wish(9), NOW)
    assert not await store.integrations.want_connect(ANN, connect(9), NOW)
    await store.integrations.expect(ANN, NOW)
    assert await store.integrations.assignees([(TENANT, ANN.user_id)]) == []
    again = replace(ANN, integration_id="int_ann_anew")
    assert await store.integrations.want_settings(again, wish(1), NOW), "who comes back connects anew"


async def test_what_came_in_while_everything_was_being_erased_is_erased_too(store: Store) -> None:
    await erase(store, await peopled(store))
    for whose in (ANN, BOB):
        late = link(whose=whose, item=None, calendar_base=content(f"late, of {whose.user_id}"))
        await store.links.add(lease(1), [replace(late, id=f"{late.id}-late")])
        await store.leavers.erase_late(whose.integration_id, NOW)
    assert "late" not in repr([one.calendar_base for one in await store.links.page(ANN.integration_id, "", 9)])
    assert len(await store.links.page(BOB.integration_id, "", 9)) == 2, "who was never erased keeps everything"


async def test_whoever_lost_the_lease_erases_no_integration(store: Store) -> None:
    held = await peopled(store)
    await erase(store, replace(held, fence=held.fence - 1))
    assert await store.integrations.get(ANN.integration_id) is not None, "its holder will see to it"


async def test_erasing_is_wanted_once_and_keeps_what_was_asked_for_before(integrations: IntegrationStore) -> None:
    await linked(integrations)
    await linked(integrations, BOB)
    await integrations.want_deletion(ANN, DeletionWish(5, remove_events=True), NOW)
    assert await integrations.want_erasing(TENANT, ANN.user_id, NOW) == 1
    assert await integrations.want_erasing(TENANT, ANN.user_id, NOW) == 0
    assert await integrations.want_erasing(TENANT, BOB.user_id, NOW) == 1
    ann, bob = [await integrations.get(whose.integration_id) for whose in (ANN, BOB)]
    assert ann is not None
    assert bob is not None
    assert ann.wanted.deletion == DeletionWish(5, remove_events=True, erase=True)
    assert bob.wanted.deletion == DeletionWish(LEFT, erase=True)


async def test_what_is_to_be_erased_is_erased_though_a_deletion_comes_later_and_copies_go_if_that_wants_it(
    integrations: IntegrationStore,
) -> None:
    await linked(integrations)
    assert await integrations.want_erasing(TENANT, ANN.user_id, NOW) == 1
    wished: list[DeletionWish | None] = []
    for later in (DeletionWish(5), DeletionWish(6, remove_events=True), DeletionWish(7)):
        assert await integrations.want_deletion(ANN, later, NOW)
        assert not await integrations.want_deletion(ANN, later, NOW)
        ann = await integrations.get(ANN.integration_id)
        wished.append(ann.wanted.deletion if ann else None)
    removing = [DeletionWish(number, remove_events=True, erase=True) for number in (6, 7)]
    assert wished == [DeletionWish(5, erase=True), *removing]


async def test_of_what_was_erased_it_is_known_with_which_deletion(store: Store) -> None:
    held = await peopled(store)
    await store.integrations.want_deletion(ANN, DeletionWish(5), NOW)
    await erase(store, held, revision=5)
    assert await store.integrations.erased(ANN.integration_id) == 5
    assert await store.integrations.erased(BOB.integration_id) is None


async def test_a_deletion_that_comes_while_everything_is_erased_is_answered_before_all_is_gone(store: Store) -> None:
    held = await peopled(store)
    for revision in (5, 6):
        await store.integrations.want_deletion(ANN, DeletionWish(revision), NOW)
    await erase(store, held, revision=5)
    ann = await store.integrations.get(ANN.integration_id)
    assert ann is not None, "nobody has answered the second"
    assert ann.wanted.deletion == DeletionWish(6, erase=True)
    assert await store.integrations.want_deletion(ANN, DeletionWish(7), NOW), "there is somebody to answer the third"
    await erase(store, held, revision=7)
    assert await store.integrations.get(ANN.integration_id) is None
    assert await store.integrations.erased(ANN.integration_id) == 7


async def test_an_event_about_people_is_remembered_once_it_was_carried_out(integrations: IntegrationStore) -> None:
    assert not await integrations.heard("psa 1")
    for _ in range(2):
        await integrations.remember("psa 1", after(60))
    assert await integrations.heard("psa 1")
    assert not await integrations.heard("psa 2")


async def test_a_user_may_have_several_integrations_whether_or_not_they_are_deleted(
    integrations: IntegrationStore,
) -> None:
    second = replace(ANN, integration_id="int_ann_2")
    for whose in (ANN, second, BOB):
        await linked(integrations, whose)
    await integrations.want_deletion(second, DeletionWish(5), NOW)
    found = await integrations.of_user(TENANT, ANN.user_id)
    assert sorted(found, key=lambda one: one.integration_id) == [ANN, second]


# What only a server has: empty documents, which go with their time to live


async def test_what_is_erased_has_no_content_at_once_and_goes_with_its_time(opened: Database) -> None:
    store = store_on(opened)
    await erase(store, await peopled(store))
    for name in COLLECTIONS:
        (emptied,) = await opened[name].find({"expires_at": NOW}).to_list(None)
        assert emptied.keys() <= {"_id", "integration_id", "expires_at"}
    assert await Overview(opened).get(ANN.integration_id) is None
    assert [one.id for one in await Overview(opened).page(TENANT, None, "", 9)] == [BOB.integration_id]
    # As its time to live does it.
    await opened["integrations"].update_one({"_id": ANN.integration_id}, [{"$replaceWith": {"_id": "$_id"}}])
    assert not await store.integrations.want_settings(ANN, wish(9), NOW)


async def test_a_wish_that_comes_in_at_the_very_moment_of_erasing_changes_nothing(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_yet(*_: object) -> bool:
        return False

    store = store_on(opened)
    await erase(store, await peopled(store))
    monkeypatch.setattr(Wishes, "_is_erased", not_yet)
    assert not await store.integrations.want_settings(ANN, wish(9), NOW)
    assert not await store.integrations.want_deletion(ANN, DeletionWish(9), NOW)
    await store.integrations.expect(ANN, NOW)
    assert await store.integrations.get(ANN.integration_id) is None


async def test_what_was_erased_hinders_nobody_who_looks_at_everything(opened: Database) -> None:
    store, runs = store_on(opened), Runs(opened)
    held = await peopled(store)
    mine = replace(RUN, integration_id=ANN.integration_id)
    await runs.begin(held, mine)
    await erase(store, held)
    assert (await runs.page("", 9), await runs.get(mine.id)) == ([], None)
    assert await Overview(opened).tenants_of([ANN.integration_id, BOB.integration_id]) == {BOB.integration_id: TENANT}
    assert sum((await Figures(opened).standings(NOW)).counts.values()) == 1
    journal = Journal(opened, kept_for(HOUR))
    assert [await journal.find(ANN.integration_id), await journal.mark(ANN.integration_id)] == [None, None]


async def test_an_id_that_was_erased_is_known_by_keyed_hashes_only_also_after_a_new_key(opened: Database) -> None:
    old, new = new_key(), new_key()
    before = Integrations(opened, Vault([old]), time.monotonic)
    taken = await before.take(await linked(before), "message", HOUR)
    assert isinstance(taken, Taken)
    await before.want_erasing(TENANT, ANN.user_id, NOW)
    await Leavers(opened, Vault([old])).erase(taken.lease, LEFT, NOW, after(60))
    (mark,) = await opened["erased"].find({}).to_list(None)
    assert ANN.integration_id not in repr(mark)
    rotated = Integrations(opened, Vault([new, old]), time.monotonic)
    assert not await rotated.want_settings(ANN, wish(9), NOW)


async def test_what_is_left_of_a_deleted_integration_goes_in_time(opened: Database) -> None:
    store = store_on(opened)
    await store.leavers.retire(await peopled(store), after(60))
    for name in ("links", "orders", "integrations"):
        kept = {document["_id"]: document.get("expires_at") for document in await opened[name].find({}).to_list(None)}
        assert {at for id_, at in kept.items() if ANN.integration_id in id_} == {after(60)}
        assert {at for id_, at in kept.items() if BOB.integration_id in id_} == {None}
