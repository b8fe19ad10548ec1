"""The dead letters: kept once each, counted, found, and what became of their replays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pymongo import MongoClient

from adapters.mongodb import indexes
from adapters.mongodb.dead_letters import COLLECTION, DeadLetters, grouping
from adapters.mongodb.driver import Database
from events.letters import Act, Cursor, Deed, Kind, Place, Replay, Status, Verdict, Which
from tests.adapters.mongodb.subjects import KEEP
from tests.dead_letters.examples import NOW, failed, letter

EVERY = frozenset(Status)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def letters(opened: Database) -> DeadLetters:
    return DeadLetters(opened, KEEP)


async def ids(letters: DeadLetters, which: Which, after: Cursor | None = None, limit: int = 100) -> list[int]:
    return [int(one.id, 16) for one in await letters.page(which, after, limit)]


def replay(id_: str = "r-1", **more: Any) -> Replay:
    return Replay(id_, LATER, "ann", **more)


# Keeping


async def test_what_is_kept_comes_back_as_it_was(letters: DeadLetters) -> None:
    one = letter(history=(Act(Deed.KEPT, NOW),), replays=(replay(verdict=Verdict.STALE, detail="old"),))
    assert await letters.keep([failed(one)], NOW) == 1
    assert await letters.get(one.id) == one
    assert await letters.get("nobody") is None


async def test_whatever_headers_a_foreign_message_has_it_is_kept(letters: DeadLetters) -> None:
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"deeper": deep}
    odd: dict[str, Any] = {
        "": "no name", "a.b": 1, "$set": 2, "none": None, "yes": True, "bytes": b"\xff", "array": bytearray(b"\x00"),
        "large": 2**62, "time": NOW, "list": [1, "two", {"three": None}], "table": {"": [b"x"]}, "real": 1.5,
    }  # fmt: skip
    one = letter()
    headers = {**odd, "decimal": Decimal("1.25"), "larger": 2**70, "deep": deep, "lone": "\ud800"}
    await letters.keep([failed(replace(one, original=replace(one.original, headers=headers)))], NOW)
    found = await letters.get(one.id)
    assert found is not None
    assert {name: found.original.headers[name] for name in odd} == odd
    assert (found.original.headers["decimal"], found.original.headers["larger"]) == ("1.25", str(2**70))


async def test_the_same_occurrence_again_changes_nothing(letters: DeadLetters) -> None:
    await letters.keep([failed(letter())], NOW)
    before = await letters.get(letter().id)
    assert await letters.keep([failed(letter()), failed(letter())], LATER) == 0
    assert await letters.get(letter().id) == before


async def test_a_letter_that_fails_again_is_counted_and_tells_of_the_latest(letters: DeadLetters) -> None:
    again = letter(minutes=5, fingerprint="f2")
    await letters.keep([failed(letter()), failed(again, "o-2"), failed(again, "o-2")], NOW)
    found = await letters.get(again.id)
    assert found is not None
    assert (found.count, found.first_at, found.last_at) == (2, NOW, NOW + timedelta(minutes=5))
    assert (found.fingerprint, found.failure) == ("f2", again.failure)
    assert [act.deed for act in found.history] == [Deed.FAILED_AGAIN]
    assert found.history[0].why == "breaks_schema: no"


async def test_what_many_keep_at_once_is_counted_exactly(letters: DeadLetters) -> None:
    batches = [[failed(letter(n), f"o-{k}") for n in range(5) for k in (number, number + 1)] for number in range(6)]
    await asyncio.gather(*(letters.keep(batch, NOW) for batch in batches))
    assert [one.count for one in await letters.page(Which(), None, 10)] == [7] * 5


async def test_a_letter_that_was_over_is_open_again_when_it_fails_again(letters: DeadLetters) -> None:
    await letters.keep([failed(letter())], NOW)
    for number, over in enumerate((Status.RESOLVED, Status.DISCARDED, Status.REPLACED)):
        await letters.move(Which(ids=frozenset({letter().id})), over, Act(Deed.DISCARDED, NOW, "ann"))
        assert await ids(letters, Which(statuses=frozenset({over}))) == [1]
        await letters.keep([failed(letter(), f"again-{number}")], LATER)
        assert await ids(letters, Which(statuses=frozenset({Status.OPEN}))) == [1]


# Looking


async def test_pages_come_latest_first_and_each_letter_once(letters: DeadLetters) -> None:
    await letters.keep([failed(letter(n, minutes=n // 3)) for n in range(10)], NOW)
    seen: list[int] = []
    after: Cursor | None = None
    while page := await letters.page(Which(), after, 4):
        seen += [int(one.id, 16) for one in page]
        after = Cursor(page[-1].last_at, page[-1].id)
    assert seen == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]


async def test_lists_carry_nothing_large(letters: DeadLetters) -> None:
    await letters.keep([failed(letter())], NOW)
    (one,) = await letters.page(Which(), None, 1)
    assert (one.original.body, one.original.headers, one.history) == (b"", {}, ())


WHICH: dict[str, tuple[Which, list[int]]] = {
    "tenant": (Which(tenant_id=7), [2]),
    "integration": (Which(integration_id="int-3"), [3]),
    "item": (Which(item="todo/1"), [1]),
    "reason": (Which(reason="poison"), [3]),
    "fingerprint": (Which(fingerprint="f2"), [2, 1]),
    "queue": (Which(queue="elsewhere"), []),
    "ids": (Which(ids=frozenset({letter(2).id, "other"})), [2]),
    "since": (Which(since=NOW + timedelta(minutes=2)), [3, 2]),
    "until": (Which(until=NOW + timedelta(minutes=2)), [1]),
    "status": (Which(statuses=frozenset({Status.DISCARDED})), []),
    "both": (Which(tenant_id=1204, fingerprint="f2"), [1]),
}


@pytest.mark.parametrize(("which", "expected"), WHICH.values(), ids=WHICH)
async def test_letters_are_found_by_what_they_are_about(
    letters: DeadLetters, which: Which, expected: list[int]
) -> None:
    two, three = letter(2, 2, fingerprint="f2"), letter(3, 3)
    two = replace(two, subject=replace(two.subject, tenant_id=7))
    three = replace(three, failure=replace(three.failure, reason="poison"))
    await letters.keep([failed(one) for one in (letter(1, 1, fingerprint="f2"), two, three)], NOW)
    assert await ids(letters, which) == expected
    assert await letters.count(which) == len(expected)


async def test_groups_count_letters_and_failures_and_show_one(letters: DeadLetters) -> None:
    await letters.keep([failed(letter(n, minutes=-n * 60)) for n in range(3)], NOW)
    await letters.keep([failed(letter(9, fingerprint="f2")), failed(letter(1), "o-2")], NOW)
    first, second = await letters.groups(Which(), NOW + timedelta(minutes=30), 10)
    assert (first.fingerprint, first.letters, first.occurrences, first.last_hour) == ("f1", 3, 4, 2)
    assert (first.first_at, first.last_at) == (NOW - timedelta(hours=2), NOW)
    assert round(first.per_hour) == 2
    assert (second.fingerprint, second.letters, second.sample.id) == ("f2", 1, letter(9).id)
    assert await letters.groups(Which(tenant_id=5), NOW, 10) == []


# Replaying


async def test_letters_are_replayed_by_item_and_then_by_time(letters: DeadLetters) -> None:
    same = [replace(letter(n, minutes=-n), subject=letter(1).subject) for n in range(5, 9)]
    await letters.keep([failed(one) for one in [*same, letter(2), letter(1)]], NOW)
    found: list[int] = []
    place: Place | None = None
    while page := await letters.in_order(Which(), place, 2):
        found += [int(one.id, 16) for one in page]
        place = Place.of(page[-1])
    assert found == [8, 7, 6, 5, 1, 2]


async def test_that_a_replay_begins_is_written_down_once_and_returns_the_whole_letter(letters: DeadLetters) -> None:
    await letters.keep([failed(letter())], NOW)
    first = await letters.begin(letter().id, replay(), "fixed")
    assert first is not None
    assert (first.status, first.original.body, first.replays) == (Status.REPLAYED, b"{}", (replay(),))
    assert first.history == (Act(Deed.REPLAYED, LATER, "ann", "fixed"),)
    assert await letters.begin(letter().id, replay(), "fixed") == first, "after a crash it begins once more"


async def test_what_is_over_is_not_replayed_and_what_has_ended_does_not_begin_again(letters: DeadLetters) -> None:
    await letters.keep([failed(letter())], NOW)
    await letters.begin(letter().id, replay(), "")
    await letters.ended(letter().id, "r-1", Verdict.FAILED_AGAIN, "", LATER)
    assert await letters.begin(letter().id, replay(), "") is None
    await letters.move(Which(), Status.DISCARDED, Act(Deed.DISCARDED, NOW, "ann"))
    assert await letters.begin(letter().id, replay("r-2"), "") is None
    assert await letters.begin("nobody", replay(), "") is None


ENDINGS = [
    (Verdict.RESOLVED, Status.RESOLVED, Deed.RESOLVED),
    (Verdict.STALE, Status.RESOLVED, Deed.RESOLVED),
    (Verdict.FAILED_AGAIN, Status.OPEN, Deed.FAILED_AGAIN),
]


@pytest.mark.parametrize(("verdict", "status", "deed"), ENDINGS)
async def test_what_became_of_a_replay_is_written_down_once(
    letters: DeadLetters, verdict: Verdict, status: Status, deed: Deed
) -> None:
    await letters.keep([failed(letter())], NOW)
    await letters.begin(letter().id, replay(), "")
    for _ in range(2):
        await letters.ended(letter().id, "r-1", verdict, "so it was", LATER)
    found = await letters.get(letter().id)
    assert found is not None
    assert (found.status, found.replays[0].verdict, found.replays[0].ended_at) == (status, verdict, LATER)
    assert [act.deed for act in found.history] == [Deed.REPLAYED, deed]
    assert await letters.verdicts([(letter().id, "r-1")]) == {"r-1": (verdict, "so it was")}


async def test_a_replay_that_fails_again_opens_its_letter_and_only_that_replay_has_failed(letters: DeadLetters) -> None:
    await letters.keep([failed(letter())], NOW)
    for name in ("r-1", "r-2"):
        await letters.begin(letter().id, replay(name), "")
    await letters.keep([failed(letter(minutes=1), "o-2", replay="r-1")], LATER)
    assert await letters.verdicts([(letter().id, "r-1"), (letter().id, "r-2")]) == {
        "r-1": (Verdict.FAILED_AGAIN, "breaks_schema: no")
    }
    await letters.ended(letter().id, "r-2", Verdict.RESOLVED, "", LATER)
    found = await letters.get(letter().id)
    assert found is not None
    assert found.status is Status.OPEN, "it failed after it had been replayed, and that is not resolved"


async def test_an_item_that_fails_again_answers_all_its_replays(letters: DeadLetters) -> None:
    one = letter(kind=Kind.LINK)
    await letters.keep([failed(one)], NOW)
    await letters.begin(one.id, replay(), "")
    await letters.taken(one.id, "r-1", 3)
    await letters.taken(one.id, "r-1", 4)
    await letters.keep([failed(one, "o-2")], LATER)
    found = await letters.get(one.id)
    assert found is not None
    assert (found.status, found.replays[0].verdict) == (Status.OPEN, Verdict.FAILED_AGAIN)
    assert found.replays[0].taken_version == 3, "where the replay reached it first"


async def test_an_item_in_order_again_resolves_its_letter_though_nobody_replayed_it(letters: DeadLetters) -> None:
    one = letter(kind=Kind.LINK)
    await letters.keep([failed(one)], NOW)
    for _ in range(2):
        await letters.ended(one.id, "", Verdict.RESOLVED, "settled", LATER)
    found = await letters.get(one.id)
    assert found is not None
    assert (found.status, [act.deed for act in found.history]) == (Status.RESOLVED, [Deed.RESOLVED])


async def test_letters_of_links_are_looked_at_in_turn(letters: DeadLetters) -> None:
    await letters.keep([failed(letter(n, kind=Kind.LINK)) for n in range(3)] + [failed(letter(9))], NOW)
    first = await letters.unsettled(Status.OPEN, LATER, LATER, 2)
    second = await letters.unsettled(Status.OPEN, LATER, LATER, 2)
    assert sorted(int(one.id, 16) for one in first + second) == [0, 1, 2]
    assert await letters.unsettled(Status.OPEN, LATER, LATER, 2) == []
    assert await letters.unsettled(Status.REPLAYED, LATER, LATER, 2) == []


# Deciding


async def test_what_is_over_expires_and_what_is_restored_does_not(
    letters: DeadLetters, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    def expires_at() -> datetime | None:
        return (mongodb[database][COLLECTION].find_one({}) or {}).get("expires_at")

    await letters.keep([failed(letter())], NOW)
    discard = Act(Deed.DISCARDED, LATER, "ann", "test data")
    assert await letters.move(Which(), Status.DISCARDED, discard) == 1
    assert expires_at() == (LATER + KEEP).replace(tzinfo=None)
    assert await letters.move(Which(statuses=EVERY), Status.OPEN, Act(Deed.RESTORED, LATER, "ann")) == 1
    assert expires_at() is None
    found = await letters.get(letter().id)
    assert found is not None
    assert found.history == (discard, Act(Deed.RESTORED, LATER, "ann"))


async def test_an_edited_letter_stands_for_the_former_one(letters: DeadLetters) -> None:
    await letters.keep([failed(letter())], NOW)
    new = letter(2, replaces=letter().id)
    for _ in range(2):
        await letters.replace(letter().id, new, Act(Deed.EDITED, LATER, "ann"))
    old = await letters.get(letter().id)
    assert old is not None
    assert (old.status, old.replaced_by, len(old.history)) == (Status.REPLACED, new.id, 1)
    assert await letters.get(new.id) == new


async def test_a_line_is_added_to_the_history_of_many(letters: DeadLetters) -> None:
    await letters.keep([failed(letter(n)) for n in range(3)], NOW)
    await letters.tell([letter(0).id, letter(2).id], Act(Deed.SHOWN, NOW, "ann"))
    told = [(await letters.get(letter(n).id)) for n in range(3)]
    assert [len(one.history) for one in told if one] == [1, 0, 1]


# Indexes


async def test_lists_and_groups_are_answered_from_their_indexes(
    letters: DeadLetters, opened: Database, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    await indexes.apply(opened)
    await letters.keep([failed(letter(n)) for n in range(50)], NOW)
    collection = mongodb[database][COLLECTION]
    query = {"status": {"$in": ["open", "replayed"]}, "tenant_id": 1204}
    plan = collection.find(query).sort([("last_at", -1), ("_id", -1)]).explain()["queryPlanner"]["winningPlan"]
    assert "SORT_MERGE" in str(plan)
    assert "COLLSCAN" not in str(plan)
    for which in (Which(), Which(tenant_id=1204), Which(since=NOW)):
        pipeline = grouping(which, NOW, 10)
        told = mongodb[database].command("aggregate", COLLECTION, pipeline=pipeline, explain=True)
        plan = next(stage["$cursor"] for stage in told["stages"] if "$cursor" in stage)["queryPlanner"]["winningPlan"]
        assert "'FETCH'" not in str(plan), f"counted from the index alone: {plan}"
    order = [("lane", 1), ("first_at", 1), ("_id", 1)]
    plan = collection.find({"status": "open"}).sort(order).explain()["queryPlanner"]["winningPlan"]
    assert "in_order" in str(plan)
