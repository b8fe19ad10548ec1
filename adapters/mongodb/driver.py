"""The driver, chosen by a setting, reduced to what both have in common.

Motor is past its end of life (final end 2027-05-14); PyMongo's own client does the same. The two differ in three
places, all of them here: the class, `close`, and `aggregate`. Neither's calls are cut off with whoever waits for them.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Generator, Mapping, Sequence
from datetime import UTC
from enum import StrEnum
from typing import Any, Final, Protocol, cast

import pymongo
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.results import BulkWriteResult, InsertManyResult, UpdateResult
from pymongo.write_concern import WriteConcern

from adapters.mongodb.uncut import Calls, Uncut
from events.failures import Misconfigured, System, TryLater
from events.reasons import Reason

Document = dict[str, Any]
Query = Mapping[str, Any]
Pipeline = Sequence[Mapping[str, Any]]


class Driver(StrEnum):
    """Which client to use."""

    MOTOR = "motor"
    PYMONGO = "pymongo"


class Cursor(Protocol):
    """The result of a `find`."""

    def sort(self, key_or_list: Sequence[tuple[str, int]]) -> Cursor:
        """Order it."""
        ...

    def limit(self, limit: int) -> Cursor:
        """Cut it."""
        ...

    def to_list(self, length: int | None = None) -> Awaitable[list[Document]]:
        """Read it."""
        ...


class Collection(Protocol):
    """What the adapter uses of a collection."""

    def find(self, query: Query, projection: Query | None = None) -> Cursor:
        """Find documents."""
        ...

    def find_one(self, query: Query, projection: Query | None = None) -> Awaitable[Document | None]:
        """Find one document."""
        ...

    def find_one_and_update(
        self,
        query: Query,
        update: Query | Pipeline,
        *,
        projection: Query | None = ...,
        return_document: bool = ...,
        upsert: bool = ...,
    ) -> Awaitable[Document | None]:
        """Change one document and return it."""
        ...

    def update_one(self, query: Query, update: Query | Pipeline, *, upsert: bool = ...) -> Awaitable[UpdateResult]:
        """Change one document."""
        ...

    def update_many(self, query: Query, update: Query | Pipeline) -> Awaitable[UpdateResult]:
        """Change many documents."""
        ...

    def count_documents(self, query: Query, *, limit: int = ...) -> Awaitable[int]:
        """Count documents."""
        ...

    def insert_many(self, documents: Sequence[Document], *, ordered: bool = ...) -> Awaitable[InsertManyResult]:
        """Insert documents."""
        ...

    def bulk_write(self, requests: Sequence[Any], *, ordered: bool = ...) -> Awaitable[BulkWriteResult]:
        """Carry out many writes."""
        ...

    def with_options(self, *, write_concern: WriteConcern) -> Collection:
        """Return the collection with other guarantees."""
        ...

    def create_indexes(self, indexes: Sequence[pymongo.IndexModel]) -> Awaitable[list[str]]:
        """Create what is missing of these indexes."""
        ...

    def index_information(self) -> Awaitable[Mapping[str, Any]]:
        """Return the indexes by name."""
        ...


class Database(Protocol):
    """What the adapter uses of a database."""

    def __getitem__(self, name: str) -> Collection:
        """Return a collection."""
        ...

    def command(self, command: str | Mapping[str, Any]) -> Awaitable[Document]:
        """Run a command."""
        ...


_TIMES: Final = CodecOptions[Document](tz_aware=True, tzinfo=UTC)
"""Python's own UTC: whatever asks the driver's for its offset, as comparing and storing do, runs Python code for it."""
_OPTIONS: Final[dict[str, Any]] = {
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 15_000,
    "maxPoolSize": 50,
    "appname": "calsync",
}


@contextlib.asynccontextmanager
async def open_database(driver: Driver, url: str, name: str) -> AsyncGenerator[Database, None]:
    """Open a database. Writes wait for a majority of the replica set and its journals; reads see only such writes.

    Whatever the URL says of that is overruled, and so is reading from secondaries, which may not have heard yet of who
    holds a lease. Nothing is sent before the first operation. Raises `Misconfigured` if the URL makes no sense.
    """
    try:
        client: Any = AsyncIOMotorClient(url, **_OPTIONS) if driver is Driver.MOTOR else _pymongo(url)
    except (PyMongoError, ValueError, OSError) as error:
        raise Misconfigured(Reason.BAD_SETTINGS, f"the MongoDB URL is not valid: {type(error).__name__}") from error
    calls = Calls()
    try:
        # A wait without a bound would hold the lease for ever while a member is down.
        concern = WriteConcern(w="majority", j=True, wtimeout=10_000)
        reading = {"read_concern": ReadConcern("majority"), "read_preference": ReadPreference.PRIMARY}
        opened = client.get_database(name, codec_options=_TIMES, write_concern=concern, **reading)
        yield cast("Database", opened if driver is Driver.MOTOR else Uncut(opened, calls))
    finally:
        try:
            closed = client.close()
            if closed is not None:
                await closed
        finally:
            await calls.end()


def _pymongo(url: str) -> pymongo.AsyncMongoClient[Document]:
    return pymongo.AsyncMongoClient(url, **_OPTIONS)


async def aggregate(collection: Collection, pipeline: Pipeline, limit_ms: int | None = None) -> list[Document]:
    """Run an aggregation to its end. `limit_ms`: for how long the server may work on it.

    Motor returns the cursor at once, PyMongo has to be awaited for it.
    """
    options: dict[str, int] = {} if limit_ms is None else {"maxTimeMS": limit_ms}
    cursor: Any = cast("Any", collection).aggregate(pipeline, **options)
    if hasattr(cursor, "__await__"):
        cursor = await cursor
    results: list[Document] = await cursor.to_list(None)
    return results


_PASSING_CODES: Final = frozenset({
    6, 7, 89, 91, 133, 189, 202, 262, 9001, 10107, 11600, 11602, 13435, 13436,  # away, stepping down, shutting down
    64, 100, 134,  # a majority could not be had in time
    112,  # write conflict
    43, 175, 237, 11601,  # cut off in the middle: by an operator, a failover, a change of indexes
    50,  # time limit
})  # fmt: skip
_LOCKED_OUT: Final = frozenset({13, 18, 391, 8000})
_DUPLICATE: Final = 11000


@contextlib.contextmanager
def away() -> Generator[None, None, None]:
    """Turn the driver's words for "the server is not there now", or lets nobody in, into `TryLater`.

    A URL was found to make sense when it was opened. What the driver finds wrong with it later is what the name service
    said of it: a name that cannot be resolved now.

    After one the write may have happened or not: everything here may be repeated.
    """
    try:
        yield
    except (ConfigurationError, ConnectionFailure, NetworkTimeout, ExecutionTimeout, WriteConcernError) as error:
        untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error) or "certificate verify failed" in str(error)
        reason = Reason.NOT_TRUSTED if untrusted else Reason.UNREACHABLE
        raise TryLater(System.STORE, reason, type(error).__name__) from error
    except BulkWriteError as error:
        codes = _codes(error)
        if _unconfirmed(error) or codes & _PASSING_CODES:
            raise TryLater(System.STORE, Reason.UNREACHABLE, f"codes {sorted(codes)}") from None
        # Its own words quote whole documents, which have no place in a log.
        raise OperationFailure(f"a bulk write failed with codes {sorted(codes)}", min(codes, default=None)) from None
    except OperationFailure as error:
        if error.code in _LOCKED_OUT:  # a password is changed on one side first: no fault of any message
            raise TryLater(System.STORE, Reason.NOT_AUTHENTICATED, f"code {error.code}") from error
        if error.code in _PASSING_CODES or error.has_error_label("RetryableWriteError"):
            raise TryLater(System.STORE, Reason.UNREACHABLE, f"code {error.code}") from error
        raise


def _codes(error: BulkWriteError) -> frozenset[int]:
    problems: list[dict[str, Any]] = (error.details or {}).get("writeErrors", [])
    return frozenset(problem["code"] for problem in problems)


def _unconfirmed(error: BulkWriteError) -> bool:
    """Whether writes were carried out, but not by a majority in time."""
    return bool((error.details or {}).get("writeConcernErrors"))


async def insert_new(collection: Collection, documents: Sequence[Document]) -> frozenset[int]:
    """Insert those documents whose id is not there yet. Returns the positions of the others, which stay as they are."""
    if not documents:
        return frozenset()
    with away():
        try:
            await collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if _unconfirmed(error) or _codes(error) - {_DUPLICATE}:
                raise
            problems: list[dict[str, Any]] = (error.details or {})["writeErrors"]
            return frozenset(problem["index"] for problem in problems)
    return frozenset()


async def ping(database: Database) -> None:
    """Raise `TryLater` unless the server answers."""
    with away():
        await database.command("ping")


async def drop(database: Database) -> None:
    """Delete the whole database. For the short-lived ones of demonstrations."""
    with away():
        await database.command("dropDatabase")
