"""Which indexes there are, and that what is asked often uses them.

How a query was carried out is read from the server's own profile of the adapter's real operations.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pymongo import MongoClient

from adapters.mongodb import indexes
from adapters.mongodb.driver import Database, Driver, open_database
from adapters.mongodb.figures import Figures
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.journal import Journal, kept_for
from adapters.mongodb.links import Links
from adapters.mongodb.overview import Overview
from events.content import Field
from events.integration import Assignee
from events.items import ItemType
from events.journal import Mark, Which
from events.link import CREATION, Link, PsaAsk
from tests.adapters.mongodb.examples import (
    ANN,
    HOUR,
    NOW,
    after,
    content,
    item,
    lease,
    link,
    linked,
    observed,
    seen,
    settings,
)
from tests.adapters.mongodb.subjects import KEEP, VAULT
from tests.adapters.mongodb.test_journal import line
from tests.services import fresh_database

OTHERS = 300
"""So many documents that have nothing to do with what is asked."""

Blocking = MongoClient[dict[str, Any]]


@pytest.fixture
def database(mongodb: Blocking) -> Generator[str]:
    """The name of a database of the test's own: one that was only emptied keeps its indexes."""
    yield from fresh_database(mongodb)


# Missing and made


async def test_what_is_missing_is_named_and_made_and_then_nothing_is(opened: Database) -> None:
    expected = {f"index {name}.{index.document['name']}" for name, those in indexes.INDEXES.items() for index in those}
    found = await indexes.check(opened)
    assert {each.subject for each in found} == expected
    assert {(each.problem, each.remedy) for each in found} == {("does not exist", "run `calsync topology apply`")}
    await indexes.apply(opened)
    assert await indexes.check(opened) == []


async def test_making_them_twice_is_harmless(opened: Database, mongodb: Blocking, database: str) -> None:
    await indexes.apply(opened)
    before = mongodb[database]["links"].index_information()
    await indexes.apply(opened)
    assert mongodb[database]["links"].index_information() == before


async def test_one_of_a_former_version_is_named_and_stays_as_it_is(
    opened: Database, mongodb: Blocking, database: str
) -> None:
    mongodb[database]["sync_log"].create_index([("expires_at", 1)], name="expiry")  # it would never expire anything
    (old,) = await indexes.apply(opened)
    assert (old.subject, old.problem) == ("index sync_log.expiry", "is of a former version")
    assert old.remedy == "drop it (`db.sync_log.dropIndex('expiry')`), then run `calsync topology apply`"
    assert await indexes.check(opened) == [old]  # all others were made
    mongodb[database]["sync_log"].drop_index("expiry")
    assert await indexes.apply(opened) == []
    assert await indexes.check(opened) == []


async def test_one_that_was_dropped_is_missed_and_made_again(
    opened: Database, mongodb: Blocking, database: str
) -> None:
    await indexes.apply(opened)
    mongodb[database]["links"].drop_index("due")
    assert [each.subject for each in await indexes.check(opened)] == ["index links.due"]
    await indexes.apply(opened)
    assert await indexes.check(opened) == []


# Used


@dataclass
class Profile:
    """What the server did."""

    mongodb: Blocking
    name: str
    operations: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @contextlib.contextmanager
    def recording(self) -> Generator[None]:
        database = self.mongodb[self.name]
        database.command("profile", 2)
        try:
            yield
        finally:
            database.command("profile", 0)
        profiled = database["system.profile"].find({"appName": "calsync"})
        self.operations = [one for one in profiled if "system.profile" not in one["ns"]]
        database["system.profile"].drop()


@dataclass(frozen=True)
class Adapter:
    integrations: Integrations
    links: Links
    journal: Journal
    overview: Overview
    figures: Figures


CREATING = replace(link(item(5)), item=None, psa_asks=(PsaAsk(content(), frozenset(Field), content(), CREATION),))
MINE = link(item(1), due_at=NOW)


@pytest.fixture
async def adapter(mongodb_url: str, database: str) -> AsyncGenerator[Adapter]:
    """The adapter over collections in which most has nothing to do with Ann."""
    async with open_database(Driver.PYMONGO, mongodb_url, database) as opened:
        await indexes.apply(opened)
        adapter = Adapter(
            Integrations(opened, VAULT, lambda: 0.0),
            Links(opened),
            Journal(opened, kept_for(KEEP)),
            Overview(opened),
            Figures(opened),
        )
        await linked(adapter.integrations)
        await adapter.links.add(lease(1), [MINE, CREATING, *(link(item(100 + n)) for n in range(OTHERS))])
        await adapter.links.add(lease(1), [of_somebody_else(n) for n in range(OTHERS)])
        await adapter.journal.write([line("ann"), *(of_another(n) for n in range(OTHERS))])
        yield adapter


@pytest.fixture
async def crowd(adapter: Adapter) -> None:
    """Integrations of others, who rest."""
    for number in range(50):
        await linked(adapter.integrations, Assignee(f"int_{number}", 100 + number % 3, number), after(600))


def of_somebody_else(number: int) -> Link:
    whose = Assignee(f"int_{number % 7}", ANN.tenant_id if number % 2 else 9, 100 + number)
    return link(item(1000 + number, whose.tenant_id), whose, due_at=NOW)


def of_another(number: int) -> Any:
    of = item(1000 + number)
    return line(f"{number}", number / 60, integration_id=f"int_{number % 7}", item=of, run_id=f"{number % 3 or ''}")


Ask = Callable[[Adapter], Awaitable[object]]
HOT: dict[str, tuple[Ask, int]] = {
    "links that are due": (lambda to: to.links.due(ANN.integration_id, after(1), 500), 1),
    "when the next link is due": (lambda to: to.links.next_due(ANN.integration_id), 1),
    "links of items": (lambda to: to.links.of_items([item(n) for n in range(50)], []), 1),
    "links of references": (lambda to: to.links.of_items([], [(1, f"calsync:{n}") for n in range(50)]), 0),
    "links of both": (lambda to: to.links.of_items([item(n) for n in range(50)], [(1, MINE.reference)]), 2),
    "links by ids": (lambda to: to.links.by_ids([MINE.id, "int_ann/none"]), 1),
    "owners": (lambda to: to.links.owners(ANN.integration_id, [item(1), item(2)]), 2),
    "observing": (lambda to: to.links.observe([observed(MINE, seen(1))], NOW), 1),
    "making a link": (lambda to: to.links.observe([observed(MINE, seen(2), fresh=MINE)], NOW), 1),
    "saving": (lambda to: to.links.save(lease(1), [(MINE, MINE)]), 1),
    "saving late": (lambda to: to.links.save(lease(0), [(MINE, MINE)]), 2),
    "remembering a deletion": (lambda to: to.links.remember_deleted({item(1): 1}, NOW), 0),
    "remembered deletions": (lambda to: to.links.deleted([item(1), item(2)]), 1),
    "assignees": (lambda to: to.integrations.assignees([(1, 7), (2, 7), (2, 8)]), 1),
    "tenants": (lambda to: to.integrations.tenants([1, 2]), 1),
    "marking": (lambda to: to.integrations.mark_due([ANN.integration_id], NOW), 1),
    "a notification": (lambda to: to.integrations.note_change(ANN.integration_id, None, NOW), 1),
    "a wish": (lambda to: to.integrations.want_settings(ANN, settings(5), NOW), 2),
    "taking": (lambda to: to.integrations.take(ANN.integration_id, "message", HOUR), 1),
    "sweeping": (lambda to: to.integrations.claim_due(NOW, after(1), 100), 2),
    "the log of an integration": (lambda to: to.journal.page(Which(integration_id=ANN.integration_id), None, 50), 1),
    "the log of an item": (lambda to: to.journal.page(Which(item=(ItemType.APPOINTMENT, "1", None)), None, 50), 1),
    "what a series has ahead": (lambda to: to.links.series_ahead(ANN.integration_id, ["daily"], NOW), 0),
    "redacting the log of a link": (lambda to: to.journal.redact(ANN.integration_id, ["int_ann/none"]), 0),
    "the log of a run": (lambda to: to.journal.page(Which(run_id="1"), Mark(after(1), "1"), 5), 5),
    "what people asked for": (lambda to: to.journal.page(Which(ANN.integration_id, manual=True), None, 5), 5),
    "the log": (lambda to: to.journal.page(Which(), Mark(after(1)), 5), 5),
    "how many deletions are held back": (lambda to: to.figures.held_back(), 0),
    "what waits": (lambda to: to.figures.waiting(after(1)), 51 + 1 + OTHERS),
    "how links stand": (lambda to: to.overview.link_states(ANN.integration_id), 2 + OTHERS),
}


@pytest.mark.usefixtures("crowd")
async def test_what_is_asked_often_looks_at_nothing_that_is_not_asked_for(
    adapter: Adapter, mongodb: Blocking, database: str
) -> None:
    profile = Profile(mongodb, database)
    for name, (ask, few) in HOT.items():
        with profile.recording():
            await ask(adapter)
        assert profile.operations, name
        plans = [one.get("planSummary", "") for one in profile.operations]
        assert not any("COLLSCAN" in plan for plan in plans), (name, plans)
        assert not any(one.get("hasSortStage") for one in profile.operations), (name, "sorts in memory")
        examined = sum(one.get("docsExamined", 0) for one in profile.operations)
        assert examined <= few, (name, plans)


async def test_every_write_to_a_link_names_the_shard_it_goes_to(
    adapter: Adapter, mongodb: Blocking, database: str
) -> None:
    """The shard key is the hashed id of the integration; a router sends a write without it everywhere, or refuses."""
    profile = Profile(mongodb, database)
    fresh = link(item(2), psa_seen=seen(1), due_at=NOW)
    with profile.recording():
        await adapter.links.observe([observed(MINE, seen(1)), observed(fresh, seen(1), fresh=fresh)], NOW)
        await adapter.links.save(lease(1), [(fresh, fresh)])
        await adapter.links.add(lease(1), [link(item(3))])
    writes = [one for one in profile.operations if one["op"] in {"update", "insert"}]
    updates = [one["command"]["q"] for one in writes if one["op"] == "update"]
    assert [query["integration_id"] for query in updates] == [ANN.integration_id] * 2
    assert not any(one["command"].get("upsert") for one in writes)
    assert {one["op"] for one in writes} == {"update", "insert"}
