"""The sync log: a line for each thing that was done, however often its writing was repeated."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient

from adapters.mongodb.driver import Database
from adapters.mongodb.journal import COLLECTION, Journal, kept_for
from events.commands import Cause
from events.items import ItemType
from events.journal import Act, Entry, Mark, Result, Which
from events.link import ItemKey
from events.outcomes import Direction
from events.reasons import Reason
from tests.adapters.mongodb.examples import ANN, BOB, NOW, after, item
from tests.adapters.mongodb.subjects import KEEP, Store


def line(id_: str, minutes: float = 0, **more: Any) -> Entry:
    entry = Entry(
        id=id_,
        at=after(minutes),
        tenant_id=ANN.tenant_id,
        integration_id=ANN.integration_id,
        trigger=Cause.PSA_EVENT,
        direction=Direction.TO_CALENDAR,
        act=Act.UPDATE,
        result=Result.DONE,
        reason=Reason.PSA_CHANGED,
        item=item(1),
    )
    return replace(entry, **more)


@pytest.fixture
def journal(opened: Database) -> Journal:
    return Journal(opened, kept_for(KEEP))


async def ids(journal: Journal, which: Which, **more: Any) -> list[str]:
    return [entry.id for entry in await journal.page(which, more.get("before"), more.get("limit", 100))]


# Writing


async def test_what_is_written_twice_is_one_line_and_the_first_stays(store: Store) -> None:
    assert await store.journal.write([line("1", message="first")]) == 1
    assert await store.journal.write([line("1", message="second"), line("2")]) == 1
    assert await store.journal.write([]) == 0
    assert {entry.id: entry.message for entry in await store.lines()} == {"1": "first", "2": ""}


async def test_what_is_twice_in_one_batch_is_one_line(store: Store) -> None:
    assert await store.journal.write([line("1"), line("1"), line("2")]) == 2
    assert sorted(entry.id for entry in await store.lines()) == ["1", "2"]


async def test_what_many_write_at_once_is_one_line(store: Store) -> None:
    await asyncio.gather(*(store.journal.write([line(str(n)) for n in range(10)]) for _ in range(5)))
    assert len(await store.lines()) == 10


async def test_a_line_expires_when_it_was_kept_for_as_long_as_it_should(
    journal: Journal, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    await journal.write([line("1")])
    stored = mongodb[database][COLLECTION].find_one({"_id": "1"}) or {}
    assert stored["expires_at"] == (NOW + KEEP).replace(tzinfo=None), "the blocking client knows no zones"


async def test_what_was_written_before_is_kept_for_as_long_as_is_decided_afterwards(
    opened: Database, journal: Journal, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    await journal.write([line("1"), line("2", 5), line("bob", integration_id=BOB.integration_id)])
    await Journal(opened, kept_for(KEEP / 2)).keep_anew(ANN.integration_id, ANN.tenant_id, after(60))
    stored = mongodb[database][COLLECTION].find({}).sort("_id", 1)
    assert [one["expires_at"] - one["at"] for one in stored] == [KEEP / 2, KEEP / 2, KEEP]


# Reading


async def test_lines_come_newest_first_page_by_page(journal: Journal) -> None:
    await journal.write([line(str(minutes), minutes) for minutes in (2, 0, 3, 1)])
    assert await ids(journal, Which()) == ["3", "2", "1", "0"]
    assert await ids(journal, Which(), limit=2) == ["3", "2"]
    assert await ids(journal, Which(), limit=2, before=Mark(after(2))) == ["1", "0"]
    assert await ids(journal, Which(), before=Mark(after(0))) == []


async def test_lines_of_one_moment_come_in_an_order_that_stays(journal: Journal) -> None:
    await journal.write([line(name) for name in "bca"])
    assert await ids(journal, Which()) == ["c", "b", "a"]


async def test_no_line_is_lost_or_repeated_between_pages_though_all_are_of_one_moment(journal: Journal) -> None:
    """Integrations are worked on at the same time, so moments are shared."""
    await journal.write([line(name, integration_id=f"int_{name}") for name in "bdace"] + [line("0", -1), line("1", 1)])
    seen: list[str] = []
    mark: Mark | None = None
    while page := await journal.page(Which(), mark, 2):
        seen += [entry.id for entry in page]
        mark = await journal.mark(seen[-1])
        assert mark == Mark(page[-1].at, seen[-1])
    assert seen == ["1", "e", "d", "c", "b", "a", "0"]
    assert await journal.mark("long gone") is None


async def test_lines_are_found_by_what_they_are_about(journal: Journal) -> None:
    task = ItemKey(2, ItemType.TASK, "1", "2")
    await journal.write([
        line("ann"),
        line("bob", integration_id=BOB.integration_id, direction=Direction.FROM_CALENDAR, result=Result.FAILED),
        line("run", run_id="run_1", item=None, trigger=Cause.RUN),
        line("task", tenant_id=2, integration_id="int_abroad", item=task),
        line("other", tenant_id=2, integration_id="int_abroad", item=replace(task, part_id=None)),
    ])
    found = {
        name: set(await ids(journal, which))
        for name, which in {
            "integration": Which(integration_id=BOB.integration_id),
            "run": Which(run_id="run_1"),
            "manual": Which(manual=True),
            "to the PSA": Which(direction=Direction.FROM_CALENDAR),
            "failed": Which(result=Result.FAILED),
            "manual, of somebody else": Which(integration_id=BOB.integration_id, manual=True),
            "tenant": Which(tenant_id=2),
            "item": Which(item=(ItemType.APPOINTMENT, "1", None)),
            "part": Which(item=(ItemType.TASK, "1", "2")),
            "both": Which(integration_id=ANN.integration_id, item=(ItemType.APPOINTMENT, "1", None)),
            "nothing": Which(tenant_id=9),
        }.items()
    }
    assert found == {
        "integration": {"bob"},
        "run": {"run"},
        "manual": {"run"},
        "to the PSA": {"bob"},
        "failed": {"bob"},
        "manual, of somebody else": set(),
        "tenant": {"task", "other"},
        "item": {"ann", "bob"},
        "part": {"task"},
        "both": {"ann"},
        "nothing": set(),
    }


# Redacting


async def test_what_was_told_of_a_link_that_turned_private_is_forgotten(store: Store) -> None:
    ours = line("1", link_id="int_ann/1", title="Clinic", lost=(("summary", "Doctor"), ("when", "then")))
    await store.journal.write([
        ours,
        replace(ours, id="2", link_id="int_ann/2"),
        replace(ours, id="3", integration_id=BOB.integration_id),
    ])
    await store.journal.redact(ANN.integration_id, ["int_ann/1", "int_ann/9"])
    await store.journal.redact(ANN.integration_id, ["int_ann/1"])
    found = {entry.id: entry for entry in await store.lines()}
    blank = (("summary", ""), ("when", ""))
    assert found["1"] == line("1", link_id="int_ann/1", title=None, lost=blank, hidden=True)
    assert (found["2"].title, found["2"].hidden) == ("Clinic", False)
    assert (found["3"].title, found["3"].hidden) == ("Clinic", False)


async def test_an_entry_is_found_by_its_id_as_long_as_it_is_kept(store: Store) -> None:
    await store.journal.write([line("1", lost=(("summary", "Mine"),))])
    assert await store.journal.find("1") == line("1", lost=(("summary", "Mine"),))
    assert await store.journal.find("2") is None
