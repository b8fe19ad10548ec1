"""Lists for people: page by page, quick however many there are."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from adapters.mongodb.driver import Database
from adapters.mongodb.indexes import apply
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.links import Links
from adapters.mongodb.listing import Listing, Load, Sought
from adapters.mongodb.wishes import COLLECTION
from events.integration import Account, Assignee, Status
from events.link import LinkState
from tests.adapters.mongodb.examples import ANN, BOB, NOW, item, lease, link, linked
from tests.adapters.mongodb.subjects import VAULT

ABROAD = Assignee("int_abroad", tenant_id=2, user_id=ANN.user_id)


async def test_integrations_are_found_by_what_people_know_of_them(opened: Database) -> None:
    integrations, listing = Integrations(opened, VAULT, lambda: 0.0), Listing(opened)
    for whose in (BOB, ABROAD, ANN):
        await linked(integrations, whose)
    account = asdict(Account("acc", "pro", "ann@example.com", "google", "gsuite"))
    known = {"$set": {"held.account": account, "held.status": "connected"}}
    await opened[COLLECTION].update_one({"_id": ANN.integration_id}, known)

    async def ids(after: str = "", limit: int = 10, **sought: Any) -> list[str]:
        return [found.id for found in await listing.page(Sought(**sought), after, limit)]

    assert await ids() == ["int_abroad", "int_ann", "int_bob"]
    assert await ids(limit=2) == ["int_abroad", "int_ann"]
    assert await ids(after="int_ann") == ["int_bob"]
    assert await ids(name="int_a") == ["int_abroad", "int_ann"]
    assert await ids(name="ann@") == ["int_ann"]
    assert await ids(name=".*") == []
    assert await ids(tenant_id=1) == ["int_ann", "int_bob"]
    assert await ids(tenant_id=1, user_id=8) == ["int_bob"]
    assert await ids(status=Status.CONNECTED) == ["int_ann"]


async def test_what_waits_and_what_failed_is_counted_for_each_on_a_page(opened: Database) -> None:
    links, listing = Links(opened), Listing(opened)
    states = [(LinkState.SETTLED, None), (LinkState.BLOCKED, None), (LinkState.PENDING, NOW)]
    mine = [replace(link(item(n)), state=state, due_at=due) for n, (state, due) in enumerate(states)]
    await links.add(lease(1), mine)
    assert await listing.loads([ANN.integration_id, BOB.integration_id]) == {
        ANN.integration_id: Load(1, 1),
        BOB.integration_id: Load(0, 0),
    }
    assert await listing.loads([]) == {}


@pytest.mark.parametrize(
    "sought",
    [
        Sought(),
        Sought(status=Status.CONNECTED),
        Sought("int_00"),
        Sought("user7@"),
        Sought(tenant_id=3),
        Sought(user_id=1000),
        Sought(tenant_id=0, user_id=1000),
    ],
)
async def test_a_page_reads_about_as_much_as_it_shows(opened: Database, sought: Sought) -> None:
    await apply(opened)
    many = [
        {
            "_id": f"int_{n:05}",
            "tenant_id": n % 40,
            "user_id": n,
            "held": {"status": "connected" if n % 2 else "not_connected", "account": {"profile_name": f"user{n}@"}},
        }
        for n in range(2_000)
    ]
    await opened[COLLECTION].insert_many(many)
    for query in sought.queries("int_00010"):
        find = {"find": COLLECTION, "filter": query, "sort": {"_id": 1}, "limit": 25}
        plan = await opened.command({"explain": find, "verbosity": "executionStats"})
        assert plan["executionStats"]["totalDocsExamined"] <= 100, query
