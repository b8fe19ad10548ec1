"""What operators see and do, on a real broker and a real store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from pymongo import MongoClient

from adapters.mongodb.driver import Database, Driver, open_database
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.journal import Journal, kept_for
from adapters.mongodb.orders import Orders
from adapters.mongodb.runs import Runs
from adapters.mongodb.vault import Vault, new_key
from events.addresses import INTEGRATIONS_QUEUE, PSA_ITEMS_QUEUE
from events.commands import Cause
from events.integration import LEFT, Assignee, DeletionWish, Held, Note, Taken, Tokens
from events.items import ItemType
from events.journal import Result
from events.link import ItemKey
from events.orders import Order, OrderKind
from events.outcomes import Direction
from events.runs import Phase, Run, RunKind, RunState, RunTrigger, Span, Totals
from stack.native.places import PROJECT
from tests.adapters.mongodb.examples import ANN, BOB, HOUR, NOW, after, connect, settings
from tests.adapters.mongodb.subjects import VAULT
from tests.adapters.mongodb.test_journal import line
from tests.cli.conftest import WHOLE, Calsync, Ran

T = TypeVar("T")
EXAMPLES = sorted((PROJECT / "examples/psa.events").glob("*.json"))


@pytest.fixture
def here(vhost: str, mongodb_url: str, database: str) -> Mapping[str, str]:
    """Where broker and store are."""
    return {
        "CALSYNC_RABBITMQ_URL": vhost,
        "CALSYNC_MONGODB_URL": mongodb_url,
        "CALSYNC_MONGODB_DATABASE": database,
    }


@pytest.fixture
def stored(mongodb_url: str, database: str) -> Callable[[Callable[[Database], Awaitable[T]]], T]:
    """Put something into the store."""

    async def work(what: Callable[[Database], Awaitable[T]]) -> T:
        async with open_database(Driver.PYMONGO, mongodb_url, database) as opened:
            return await what(opened)

    return lambda what: asyncio.run(work(what))


Put = Callable[[Callable[[Database], Awaitable[object]]], object]


def rows(out: str) -> list[dict[str, Any]]:
    return [orjson.loads(one) for one in out.splitlines()]


# Topology


def test_what_is_missing_is_named_then_made_and_then_nothing_is_missing(
    calsync: Calsync, here: Mapping[str, str]
) -> None:
    told = calsync("topology", "check", **here)
    assert told.code == 1
    assert f"queue {PSA_ITEMS_QUEUE}: does not exist" in told.out
    assert "calsync topology apply" in told.out
    for _ in range(2):
        assert calsync("topology", "apply", **here).code == 0
    assert calsync("topology", "check", **here).code == 0


# Publishing


def test_every_example_is_published_to_the_queue_it_is_for(
    calsync: Calsync, here: Mapping[str, str], management: httpx.Client
) -> None:
    refused = calsync("publish", str(EXAMPLES[0]), **here)
    assert refused.code == 2
    assert "calsync topology apply" in refused.err
    assert calsync("topology", "apply", **here).code == 0
    told = calsync("publish", *map(str, EXAMPLES), **here)
    assert (told.code, told.err) == (0, "")
    assert len(told.out.splitlines()) == len(EXAMPLES)
    vhost = urlsplit(here["CALSYNC_RABBITMQ_URL"]).path.lstrip("/")
    counts = {queue: _waiting(management, vhost, queue) for queue in (PSA_ITEMS_QUEUE, INTEGRATIONS_QUEUE)}
    assert sum(counts.values()) == len(EXAMPLES)
    assert min(counts.values()) > 5


def _waiting(management: httpx.Client, vhost: str, queue: str) -> int:
    """Count what waits, by taking it and putting it back."""
    wanted = {"count": 1000, "ackmode": "ack_requeue_true", "encoding": "auto"}
    return len(management.post(f"/queues/{vhost}/{queue}/get", json=wanted).raise_for_status().json())


def test_what_breaks_its_contract_is_published_when_one_insists(
    calsync: Calsync, here: Mapping[str, str], tmp_path: Path, management: httpx.Client
) -> None:
    assert calsync("topology", "apply", **here).code == 0
    bodies = [b"{", b'{"type": "psa.calendar_item.changed.v9"}', orjson.dumps({"type": "x" * 300, "id": 7})]
    files = [tmp_path / f"{number}.json" for number in range(len(bodies))]
    for file, body in zip(files, bodies, strict=True):
        file.write_bytes(body)
    told = calsync("publish", "--unchecked", *map(str, files), **here)
    assert (told.code, told.err) == (0, "")
    vhost = urlsplit(here["CALSYNC_RABBITMQ_URL"]).path.lstrip("/")
    assert _waiting(management, vhost, PSA_ITEMS_QUEUE) == len(bodies)


# Integrations


async def _two_integrations(opened: Database) -> None:
    integrations = Integrations(opened, VAULT, time.monotonic)
    for whose in (ANN, BOB, Assignee("int_abroad", 2, 9)):
        await integrations.want_connect(whose, connect(1, code="code-of-somebody"), NOW)
    await integrations.want_settings(ANN, settings(2), NOW)
    took = await integrations.take(ANN.integration_id, "message", HOUR)
    assert isinstance(took, Taken)
    held = replace(Held(), tokens=Tokens("token-of-somebody", "refresh-of-somebody", NOW), last_sync=NOW)
    await integrations.save(took.lease, Note(Held(), held))


def test_integrations_are_listed_by_tenant_and_user_and_page(
    calsync: Calsync, here: Mapping[str, str], stored: Put
) -> None:
    stored(_two_integrations)

    def listed(*words: str) -> list[str]:
        return [row["integration_id"] for row in rows(calsync("integrations", "list", "--json", *words, **here).out)]

    assert listed() == ["int_abroad", "int_ann", "int_bob"]
    assert listed("--tenant", "1") == ["int_ann", "int_bob"]
    assert listed("--tenant", "1", "--user", "8") == ["int_bob"]
    assert listed("--limit", "2") == ["int_abroad", "int_ann"]
    assert listed("--after", "int_ann") == ["int_bob"]
    table = calsync("integrations", "list", "--limit", "2", **here).out
    assert "--after int_ann" in table
    assert "not_connected" in table


def test_one_integration_is_shown_without_its_secrets(calsync: Calsync, here: Mapping[str, str], stored: Put) -> None:
    stored(_two_integrations)
    told = calsync("integrations", "show", "int_ann", **here)
    assert told.code == 0
    assert "of-somebody" not in told.out
    (shown,) = rows(calsync("integrations", "show", "int_ann", "--json", **here).out)
    assert (shown["tenant_id"], shown["calendar"], shown["last_sync"]) == (1, "cal_1", "2026-03-09 08:00:00Z")
    unknown = calsync("integrations", "show", "int_nobody", **here)
    assert (unknown.code, unknown.out) == (1, "")
    assert "int_nobody" in unknown.err


def test_both_sides_of_integrations_are_rechecked(
    calsync: Calsync, here: Mapping[str, str], stored: Put, mongodb_url: str, database: str
) -> None:
    stored(_two_integrations)
    told = calsync("integrations", "recheck", "--all", "--future", "3_months", **here)
    assert (told.code, told.out.splitlines()) == (
        0,
        ["0 items of 3 integrations are read anew, and a run looks for what is not known."],
    )
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        orders = list(client[database]["orders"].find())
    assert [one["details"]["send"]["future"] for one in orders] == ["3_months"] * 3
    for words in ([], ["int_ann", "--all"], ["int_nobody"]):
        assert calsync("integrations", "recheck", *words, **here).code == 1


# Runs


async def _runs(opened: Database) -> None:
    integrations = Integrations(opened, VAULT, time.monotonic)
    await integrations.want_settings(ANN, settings(2), NOW)
    took = await integrations.take(ANN.integration_id, "message", HOUR)
    assert isinstance(took, Taken)
    totals = Totals(created=2, failed=1)
    await Runs(opened).begin(took.lease, a_run("int_ann/3", state=RunState.FINISHED, totals=totals, ended_at=after(9)))
    await Runs(opened).begin(took.lease, a_run("int_ann/4", started_at=after(1)))
    await Runs(opened).begin(took.lease, a_run("int_bob/3", BOB, started_at=after(2)))


def a_run(run_id: str, whose: Assignee = ANN, **parts: Any) -> Run:
    span = Span(NOW, after(60))
    begun = Run(
        id=run_id,
        integration_id=whose.integration_id,
        tenant_id=whose.tenant_id,
        user_id=whose.user_id,
        kind=RunKind.SYNC,
        trigger=RunTrigger.ASKED,
        revision=3,
        epoch=1,
        calendar_id="cal_1",
        retrieve=None,
        send=span,
        started_at=NOW,
        phase=Phase.SEND,
    )
    return replace(begun, **parts)


def test_runs_are_listed_and_shown(calsync: Calsync, here: Mapping[str, str], stored: Put) -> None:
    stored(_runs)

    def listed(*words: str) -> list[str]:
        return [row["run_id"] for row in rows(calsync("runs", "list", "--json", *words, **here).out)]

    assert listed() == ["int_bob/3", "int_ann/4", "int_ann/3"]
    assert listed("--integration", "int_ann", "--limit", "1") == ["int_ann/4"]
    assert "finished" in calsync("runs", "list", **here).out
    (shown,) = rows(calsync("runs", "show", "int_ann/3", "--json", **here).out)
    assert (shown["state"], shown["created"], shown["failed"], shown["retrieve"]) == ("finished", 2, 1, "")
    assert "calsync log --run int_ann/4" in calsync("runs", "show", "int_ann/4", **here).out
    unknown = calsync("runs", "show", "int_ann/9", **here)
    assert (unknown.code, "int_ann/9" in unknown.err) == (1, True)


def test_runs_are_started_ended_and_taken_back_by_orders(
    calsync: Calsync, here: Mapping[str, str], stored: Put
) -> None:
    stored(_runs)
    typed = [
        ("start", "int_ann", "--direction", "send", "--past", "1_week"),
        ("cancel", "int_ann/4"),
        ("undo", "int_ann/3"),
    ]
    for words in typed:
        assert calsync("runs", *words, **here).code == 0
    assert calsync("runs", "undo", "int_ann/9", **here).code == 1
    assert calsync("runs", "start", "int_nobody", **here).code == 1
    given: list[Order] = []

    async def look(opened: Database) -> None:
        given.extend(await Orders(opened).open("int_ann"))

    stored(look)
    assert {order.kind: dict(order.details) for order in given} == {
        OrderKind.SYNC: {"trigger": "asked", "retrieve": None, "send": {"past": "1_week", "future": "1_month"}},
        OrderKind.CANCEL_RUN: {"run_id": "int_ann/4"},
        OrderKind.UNDO_RUN: {"run_id": "int_ann/3"},
    }


# The log

CALL = ItemKey(1, ItemType.SERVICE_CALL, "70551")
PART = ItemKey(1, ItemType.TASK, "5120", "77")


async def _log(opened: Database) -> None:
    await Journal(opened, kept_for(timedelta(days=365 * 90))).write([
        line("call", 5, item=CALL, title="[bold]Leak[/bold]"),
        line("part", 4, item=PART),
        line("bob", 3, integration_id="int_bob", direction=Direction.FROM_CALENDAR, result=Result.FAILED),
        line("abroad", 2, tenant_id=2, item=None),
        line("run", 1, run_id="run-1", trigger=Cause.RUN, attempt=3),
        *(line(f"tie-{n}", 0) for n in range(3)),
    ])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), ["call", "part", "bob", "abroad", "run", "tie-2", "tie-1", "tie-0"]),
        (("--item", "service_call/70551"), ["call"]),
        (("--item", "task/5120/77"), ["part"]),
        (("--item", "task/5120"), []),
        (("--integration", "int_bob"), ["bob"]),
        (("--tenant", "2"), ["abroad"]),
        (("--run", "run-1"), ["run"]),
        (("--manual",), ["run"]),
        (("--manual", "--integration", "int_bob"), []),
        (("--direction", "from_calendar"), ["bob"]),
        (("--result", "failed"), ["bob"]),
        (("--before", f"{after(1):%Y-%m-%dT%H:%M:%S}"), ["tie-2", "tie-1", "tie-0"]),
        (("--limit", "1"), ["call"]),
        (("--after", "tie-2"), ["tie-1", "tie-0"]),
        (("--after", "tie-0"), []),
    ],
    ids=str,
)
def test_the_log_is_searched(
    calsync: Calsync, here: Mapping[str, str], stored: Put, words: tuple[str, ...], found: list[str]
) -> None:
    stored(_log)
    told = calsync("log", "--json", *words, **here)
    assert (told.code, [row["id"] for row in rows(told.out)]) == (0, found)


def test_the_log_is_read_page_by_page(calsync: Calsync, here: Mapping[str, str], stored: Put) -> None:
    stored(_log)
    page = calsync("log", "--limit", "6", **here).out
    assert "done (3)" in page, "at which attempt"
    assert "[bold]Leak" in page, "what users write is never taken for markup"
    assert page.splitlines()[-1] == "There may be more: --after 'tie-2'"
    gone = calsync("log", "--after", "long-gone", **here)
    assert (gone.code, "long-gone" in gone.err) == (1, True)


@pytest.mark.parametrize("words", [("--item", "70551"), ("--item", "dance/7"), ("--before", "x"), ("--limit", "0")])
def test_senseless_filters_are_refused(calsync: Calsync, here: Mapping[str, str], words: tuple[str, ...]) -> None:
    assert calsync("log", *words, **here).code == 2


def test_one_begins_before_a_moment_or_after_a_line(calsync: Calsync, here: Mapping[str, str]) -> None:
    assert calsync("log", "--before", "2026-03-09", "--after", "tie-1", **here).code == 2


# Keys


def test_keys_are_rotated_and_what_no_key_opens_is_named(
    calsync: Calsync, here: Mapping[str, str], stored: Put
) -> None:
    old, new, lost = new_key(), new_key(), new_key()

    def with_code(whose: Assignee, key: str) -> Callable[[Database], Awaitable[object]]:
        return lambda database: Integrations(database, Vault([key]), time.monotonic).want_connect(
            whose, connect(1), NOW
        )

    def rotate(*keys: str) -> Ran:
        return calsync("keys", "rotate", **here, CALSYNC_ENCRYPTION_KEYS=",".join(keys))

    stored(with_code(ANN, old))
    first, again, alone = rotate(new, old), rotate(new, old), rotate(new)
    assert [one.out.split(" ", 1)[0] for one in (first, again, alone)] == ["1", "0", "0"]
    assert {one.code for one in (first, again, alone)} == {0}
    stored(with_code(BOB, lost))
    told = rotate(new, old)
    assert (told.code, BOB.integration_id in told.err, ANN.integration_id in told.err) == (1, True, False)


# Users


def test_what_is_kept_about_a_user_is_written_line_by_line_without_secrets(
    calsync: Calsync, here: Mapping[str, str], stored: Put
) -> None:
    async def linked(database: Database) -> None:
        integrations = Integrations(database, VAULT, time.monotonic)
        await integrations.want_settings(ANN, settings(1), NOW)
        await integrations.want_connect(ANN, connect(2, code="never-to-be-told"), NOW)
        await Journal(database, kept_for(HOUR)).write([line("one", integration_id=ANN.integration_id)])

    stored(linked)
    told = calsync("users", "export", str(ANN.tenant_id), str(ANN.user_id), **here)
    assert [row["record"] for row in rows(told.out)] == ["integration", "log"]
    assert "never-to-be-told" not in told.out
    nobody = calsync("users", "export", str(BOB.tenant_id), str(BOB.user_id), **here)
    assert (nobody.code, nobody.out) == (1, "")


def test_erasing_a_user_is_left_to_a_worker_and_asked_twice(
    calsync: Calsync, here: Mapping[str, str], stored: Put
) -> None:
    async def linked(database: Database) -> None:
        await Integrations(database, VAULT, time.monotonic).want_settings(ANN, settings(1), NOW)

    async def wanted(database: Database) -> object:
        found = await Integrations(database, VAULT, time.monotonic).get(ANN.integration_id)
        return found and found.wanted.deletion

    stored(linked)
    whose = (str(ANN.tenant_id), str(ANN.user_id))
    assert calsync("users", "erase", *whose, **here).code == 130, "nobody said yes"
    assert stored(wanted) is None
    told = calsync("users", "erase", *whose, "--yes", **here)
    assert (told.code, told.out.split(" ", 1)[0]) == (0, "1")
    assert stored(wanted) == DeletionWish(LEFT, erase=True)


def test_the_address_for_granting_access_is_written(calsync: Calsync) -> None:
    words = ("--redirect-uri", "https://psa.example/back", "--state", "x y", "--provider", "icloud")
    told = calsync("integrations", "authorize", *words, **WHOLE)
    assert told.out.startswith("https://app.cronofy.com/oauth/authorize?response_type=code&client_id=the-client&")
    assert told.out.rstrip().endswith("state=x%20y&avoid_linking=true&provider_name=apple")
