"""What is looked up for somebody who asks why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from adapters.mongodb.driver import Database
from adapters.mongodb.indexes import apply
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.journal import Journal, kept_for
from adapters.mongodb.links import Links
from adapters.mongodb.records import Records
from adapters.mongodb.wishes import COLLECTION
from events.commands import Cause
from events.integration import Assignee
from events.journal import Act, Entry, Result
from events.link import ExternalEvent, ItemKey, link_id
from events.outcomes import Direction
from events.reasons import Reason
from tests.adapters.mongodb.examples import ANN, BOB, NOW, TENANT, item, lease, link, linked
from tests.adapters.mongodb.subjects import VAULT

ABROAD = Assignee("int_abroad", tenant_id=2, user_id=9)


async def test_links_are_found_by_item_by_event_and_by_id(opened: Database) -> None:
    records, links = Records(opened), Links(opened)
    outside = ExternalEvent("cal_1", "evt_1")
    theirs = replace(link(item(3)), id=link_id(ANN.integration_id, outside), event=outside, item=None)
    await links.add(lease(1), [link(item(1)), link(item(1), BOB), link(item(2)), theirs])
    same_elsewhere = ItemKey(2, item(1).item_type, item(1).item_id)
    found = await records.links_of_items([item(1), same_elsewhere])
    assert [one.integration_id for one in found] == [ANN.integration_id, BOB.integration_id]
    assert await records.links_of_items([]) == []
    assert [one.id for one in await records.links_of_event("evt_1", "")] == [theirs.id]
    assert await records.links_of_event("evt_1", BOB.integration_id) == []
    assert await records.link(theirs.id) is not None
    assert await records.link("none") is None


async def test_tenants_are_those_with_integrations(opened: Database) -> None:
    integrations, records = Integrations(opened, VAULT, lambda: 0.0), Records(opened)
    for whose in (BOB, ABROAD, ANN):
        await linked(integrations, whose)
    assert await records.tenant_ids() == [1, 2]
    assert await records.has_integrations(TENANT)
    assert not await records.has_integrations(3)
    assert [one.integration_id for one in await records.assignees([(2, 9)])] == ["int_abroad"]
    assert await records.integration("int_ann") is not None


async def test_lines_about_a_link_are_told_in_order_the_newest_ones(opened: Database) -> None:
    journal, records = Journal(opened, kept_for(timedelta(days=1))), Records(opened)
    lines = [
        Entry(
            f"{n}",
            NOW + timedelta(minutes=n),
            TENANT,
            ANN.integration_id,
            Cause.DUE,
            Direction.NONE,
            Act.SKIP,
            Result.SKIPPED,
            Reason.IN_SYNC,
            link_id="link" if n else "other",
        )
        for n in (3, 1, 2, 0)
    ]
    await journal.write(lines)
    assert [entry.id for entry in await records.entries("link", 2)] == ["2", "3"]


async def test_every_look_uses_an_index(opened: Database) -> None:
    await apply(opened)
    for collection, query in (
        ("links", {"tenant_id": {"$in": [1]}, "item": {"$in": [None]}}),
        ("links", {"event.event_uid": "evt"}),
        ("sync_log", {"link_id": "link"}),
        (COLLECTION, {"tenant_id": 1}),
    ):
        plan = await opened.command({"explain": {"find": collection, "filter": query}, "verbosity": "queryPlanner"})
        assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"]), query
