"""What each driver guarantees, and what becomes of its failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)
from pymongo.write_concern import WriteConcern

from adapters.mongodb.driver import Collection, Database, Driver, away, drop, insert_new, open_database, ping
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.journal import Journal, kept_for
from adapters.mongodb.links import Links
from events.failures import Misconfigured, System, TryLater
from events.integration import Taken
from events.reasons import Reason
from tests.adapters.mongodb.examples import (
    ANN,
    HOUR,
    NOW,
    item,
    lease,
    link,
    linked,
    observed,
    seen,
    settings,
    taken,
)
from tests.adapters.mongodb.subjects import KEEP, VAULT
from tests.adapters.mongodb.test_journal import line

# Guarantees


@pytest.mark.parametrize("driver", Driver)
@pytest.mark.parametrize("url", ["mongodb://db.example/", "mongodb://db.example/?w=0&readPreference=secondary"])
async def test_writes_wait_for_a_majority_and_reads_see_nothing_less(driver: Driver, url: str) -> None:
    async with open_database(driver, url, "calsync") as database:
        for name in ("integrations", "links", "sync_log"):
            handle: Any = database[name]
            assert handle.write_concern.document == {"w": "majority", "j": True, "wtimeout": 10_000}
            assert handle.read_concern.document == {"level": "majority"}
            assert handle.read_preference.mongos_mode == "primary", "a secondary may not know who holds a lease"


async def test_what_is_asked_of_the_server_says_so(
    opened: Database, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    mongodb[database].command("profile", 2)
    await Integrations(opened, VAULT, lambda: 0.0).take(ANN.integration_id, "message", HOUR)
    await Integrations(opened, VAULT, lambda: 0.0).get(ANN.integration_id)
    written = mongodb[database]["system.profile"].find_one({"command.findAndModify": "integrations"}) or {}
    read = mongodb[database]["system.profile"].find_one({"command.find": "integrations"}) or {}
    mongodb[database].command("profile", 0)
    assert written["command"]["writeConcern"] == {"w": "majority", "j": True, "wtimeout": 10_000}
    assert read["command"]["readConcern"]["level"] == "majority"


async def test_a_holder_counts_from_before_it_asked(
    opened: Database, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    """The server grants the lease later than that, so that nobody believes in a lease that has run out."""

    def monotonic() -> float:
        stored = mongodb[database]["integrations"].find_one({}) or {}
        return 1000.0 if "lease" in stored else 5.0

    integrations = Integrations(opened, VAULT, monotonic)
    await linked(integrations)
    assert (await taken(integrations, length=HOUR)).lease.deadline == 5 + 3600


async def test_a_database_is_found_again_and_dropped(
    opened: Database, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    await ping(opened)
    await insert_new(opened["some"], [{"_id": 1}])
    assert mongodb[database]["some"].count_documents({}) == 1
    await drop(opened)
    assert mongodb[database]["some"].count_documents({}) == 0


@pytest.mark.parametrize("driver", Driver)
@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://db.example/",
        "mongodb://",
        "mongodb://db.example:port/",
        "mongodb://db.example:99999/",
        "mongodb://user:s3cret:more@db.example/",
        "mongodb://db.example/?tls=true&tlsCAFile=/nonexistent",
    ],
)
async def test_a_url_that_makes_no_sense_is_refused_without_being_quoted(driver: Driver, url: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        async with open_database(driver, url, "calsync"):
            pass
    assert refused.value.reason is Reason.BAD_SETTINGS
    assert "s3cret" not in str(refused.value)


# Inserting


async def test_documents_that_are_there_stay_as_they_are_and_are_named(
    opened: Database, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    assert await insert_new(opened["some"], [{"_id": 1, "by": "first"}]) == frozenset()
    again = [{"_id": id_, "by": "second"} for id_ in (0, 1, 2, 1)]
    assert await insert_new(opened["some"], again) == {1, 3}
    assert await insert_new(opened["some"], []) == frozenset()
    stored = {document["_id"]: document["by"] for document in mongodb[database]["some"].find()}
    assert stored == {0: "second", 1: "first", 2: "second"}


# Failures


@pytest.mark.parametrize("driver", Driver)
async def test_whoever_is_not_let_in_tries_later(driver: Driver, mongodb_url: str) -> None:
    there = urlsplit(mongodb_url)
    stranger = there._replace(netloc=f"stranger:s3cret@{there.netloc.rpartition('@')[2]}").geturl()
    async with open_database(driver, stranger, "calsync") as database:
        with pytest.raises(TryLater) as failed:
            await ping(database)
    assert (failed.value.system, failed.value.reason) == (System.STORE, Reason.NOT_AUTHENTICATED)


@pytest.mark.parametrize("driver", Driver)
async def test_calls_that_are_cut_off_while_no_server_is_there_stop_nobody_else(driver: Driver) -> None:
    """Those who wait for a server look up every half a second: it is then that they are cut off here."""
    loop = asyncio.get_running_loop()
    async with open_database(driver, "mongodb://127.0.0.1:1/?replicaSet=none", "none") as database:
        for _ in range(4):
            calls = [loop.create_task(_pinged(database)) for _ in range(100)]
            for place, call in enumerate(calls):
                loop.call_later(0.498 + place / 3000, call.cancel)
            ended, waiting = await asyncio.wait(calls, timeout=3)
            assert not waiting
            assert all(call.cancelled() for call in ended)
    assert not _still_running(), "an event loop that ends would cut them off, and never come to its end"


def _still_running() -> list[str]:
    return [repr(task) for task in asyncio.all_tasks() - {asyncio.current_task()}]


async def _pinged(database: Database) -> None:
    await database.command("ping")


@dataclass(frozen=True)
class Demanding:
    """A database whose writes want to be confirmed by more servers than there are."""

    database: Database

    def __getitem__(self, name: str) -> Collection:
        return self.database[name].with_options(write_concern=WriteConcern(w=50, wtimeout=1000))


Write = Callable[[Database], Awaitable[object]]
KNOWN, NEW = link(item(1)), link(item(2))
WRITES: dict[str, Write] = {
    "a wish": lambda to: Integrations(to, VAULT, lambda: 0.0).want_settings(ANN, settings(1), NOW),
    "a lease": lambda to: Integrations(to, VAULT, lambda: 0.0).take(ANN.integration_id, "message", HOUR),
    "a mark": lambda to: Integrations(to, VAULT, lambda: 0.0).mark_due([ANN.integration_id], NOW),
    "an observation": lambda to: Links(to).observe([observed(KNOWN, seen(1))], NOW),
    "a new link": lambda to: Links(to).observe([observed(NEW, seen(1), fresh=NEW)], NOW),
    "a link of the holder": lambda to: Links(to).add(lease(1), [NEW]),
    "a saved link": lambda to: Links(to).save(lease(1), [(KNOWN, KNOWN)]),
    "a deletion": lambda to: Links(to).remember_deleted({item(1): 1}, NOW),
    "a line of the log": lambda to: Journal(to, kept_for(KEEP)).write([line("1")]),
}


@pytest.mark.parametrize("write", WRITES)
async def test_what_a_majority_does_not_confirm_is_tried_again_and_then_there_once(
    opened: Database, mongodb: MongoClient[dict[str, Any]], database: str, write: str
) -> None:
    integrations = Integrations(opened, VAULT, lambda: 0.0)
    await linked(integrations)
    await Links(opened).add(lease(1), [KNOWN])
    with pytest.raises(TryLater) as failed:
        await WRITES[write](cast("Database", Demanding(opened)))
    assert failed.value.system is System.STORE
    await WRITES[write](opened)
    counted = {name: mongodb[database][name].count_documents({}) for name in ("integrations", "sync_log")}
    assert counted == {"integrations": 1, "sync_log": int(write == "a line of the log")}
    assert mongodb[database]["links"].count_documents({}) in {1, 2}
    assert isinstance(await integrations.take(ANN.integration_id, "message", HOUR), Taken)


def bulk(*codes: int, unconfirmed: bool = False) -> BulkWriteError:
    errors = [{"index": n, "code": code, "op": {"summary": "private words"}} for n, code in enumerate(codes)]
    concerns = [{"code": 64, "errmsg": "waiting for replication timed out"}] if unconfirmed else []
    return BulkWriteError({"writeErrors": errors, "writeConcernErrors": concerns})


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("connection closed"),
        NetworkTimeout("timed out"),
        ServerSelectionTimeoutError("no servers"),
        NotPrimaryError("not primary"),
        ExecutionTimeout("operation exceeded time limit", 50),
        WriteConcernError("no majority", 100),
        WTimeoutError("waiting for replication timed out", 64),
        OperationFailure("interrupted at shutdown", 11600),
        OperationFailure("no primary behind this router", 133),
        OperationFailure("cursor not found", 43),
        OperationFailure("something new", 99999, {"errorLabels": ["RetryableWriteError"]}),
        bulk(unconfirmed=True),
        bulk(11000, unconfirmed=True),
        bulk(112),
        bulk(91, 2),
    ],
    ids=str,
)
def test_a_server_that_is_not_there_now_is_tried_later(error: PyMongoError) -> None:
    with pytest.raises(TryLater) as failed, away():
        raise error
    assert (failed.value.system, failed.value.reason) == (System.STORE, Reason.UNREACHABLE)


@pytest.mark.parametrize("driver", Driver)
async def test_a_name_that_cannot_be_resolved_just_now_is_an_outage(driver: Driver) -> None:
    async with open_database(driver, "mongodb+srv://a.b.invalid/", "calsync") as database:
        with pytest.raises(TryLater) as failed:
            await ping(database)
    assert (failed.value.system, failed.value.reason) == (System.STORE, Reason.UNREACHABLE)


@pytest.mark.parametrize("error", [OperationFailure("bad query", 2), DuplicateKeyError("twice", 11000)], ids=str)
def test_a_mistake_of_ours_is_no_outage(error: PyMongoError) -> None:
    with pytest.raises(type(error)), away():
        raise error


def test_a_failed_bulk_write_quotes_no_documents() -> None:
    with pytest.raises(OperationFailure) as failed, away():
        raise bulk(2, 17280)
    assert failed.value.code == 2
    shown = failed.getrepr(chain=True)
    assert "private words" not in str(failed.value)
    assert "BulkWriteError" not in str(shown.reprcrash)
    assert failed.value.__suppress_context__
