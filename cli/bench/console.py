"""Many integrations: how long each page of the console takes."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, cast

import httpx

from adapters.mongodb.driver import Database

TENANTS: Final = 200
LINKS_EACH: Final = 5
LINES_EACH: Final = 5
BUSY_LINES: Final = 20_000
"""In the log of the one integration that people look at most."""
_BATCH: Final = 2_000
_TIMES: Final = 20

Document = dict[str, Any]
PATTERNS: Final = ("integrations", "links", "sync_log")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one integration that works has in the store, for others to be made like it."""

    integration: Document
    link: Document
    line: Document

    @classmethod
    async def of(cls, database: Database) -> Pattern:
        """Read it. There must be one integration, with an item in sync."""
        found = [await database[name].find_one({}) for name in PATTERNS]
        assert all(found), "there is no integration with an item in sync"
        return cls(*cast("list[Document]", found))

    def integrations(self, count: int) -> Iterator[Document]:
        """Make integrations of many tenants, one of fifty without a connection, none of them with work to do."""
        held: Document = self.integration["held"]
        for n in range(count):
            account = held["account"] | {"profile_name": f"user{n}@example.com", "sub": f"sub_{n}"}
            status = {"status": "not_connected", "reason": "reauthorise_needed"} if n % 50 == 0 else {}
            yield self.integration | {
                "_id": name(n), "tenant_id": n % TENANTS, "user_id": n, "due_at": None,
                "held": held | {"account": account} | status,
            }  # fmt: skip

    def links(self, count: int) -> Iterator[Document]:
        """Make links, one of a hundred blocked."""
        for n in range(count):
            for part in range(LINKS_EACH):
                blocked = {"state": "blocked"} if (n + part) % 100 == 0 else {}
                yield self.link | blocked | {
                    "_id": f"{name(n)}/psa-{part}", "integration_id": name(n), "tenant_id": n % TENANTS,
                    "item": self.link["item"] | {"id": f"{n}-{part}"}, "due_at": None,
                }  # fmt: skip

    def lines(self, count: int) -> Iterator[Document]:
        """Make lines of the log: some of each, many of the first."""
        now = datetime.now(UTC)  # noqa: TID251 - a measurement
        for n in range(count):
            for part in range(BUSY_LINES if n == 0 else LINES_EACH):
                yield self.line | {
                    "_id": f"{n}-{part}", "integration_id": name(n), "tenant_id": n % TENANTS,
                    "item": self.line["item"] | {"id": f"{n}-{part % LINKS_EACH}"},
                    "link_id": f"{name(n)}/psa-{part % LINKS_EACH}",
                    "at": now - timedelta(seconds=n % 86_400 + part), "expires_at": now + timedelta(days=90),
                }  # fmt: skip


def name(number: int) -> str:
    """Return the id of an integration."""
    return f"many-{number:06}"


async def fill(database: Database, count: int) -> int:
    """Store so many integrations, with what belongs to them. Returns how many documents that are."""
    pattern = await Pattern.of(database)
    stored = 0
    made = (pattern.integrations(count), pattern.links(count), pattern.lines(count))
    for collection, documents in zip(PATTERNS, made, strict=True):
        while batch := list(islice(documents, _BATCH)):
            await database[collection].insert_many(batch, ordered=False)
            stored += len(batch)
    return stored


def pages(count: int) -> Mapping[str, str]:
    """Return what people look at, and where it is."""
    some = count // 2
    return {
        "integrations": "/",
        "integrations, from the middle": f"/?after={name(some)}",
        "of a tenant": "/?tenant=77",
        "of a user": f"/?user={some}",
        "not connected": "/?status=not_connected",
        "not connected, of a tenant": "/?status=not_connected&tenant=50",
        "by the beginning of an id": "/?name=many-0777",
        "by the beginning of an account": f"/?name=user{some}",
        "by what nobody is called": "/?name=nobody",
        "one integration": f"/integrations/{name(some)}",
        "one with a long log": f"/integrations/{name(0)}",
        "its failures": f"/integrations/{name(0)}?result=failed",
        "an item explained": f"/explain?about={name(some)}/psa-1",
        "dead letters": "/letters",
        "charts of a day": "/charts",
    }


@dataclass(frozen=True, slots=True)
class Quickness:
    """How long a page takes, in milliseconds, and how large it is, in bytes."""

    median: float
    slowest: float
    size: int


async def look(http: httpx.AsyncClient, path: str) -> Quickness:
    """Open a page many times, one after the other."""
    took: list[float] = []
    size = 0
    for _ in range(_TIMES):
        began = time.perf_counter()
        answer = await http.get(f"/console{path}")
        answer.raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
        size = len(answer.content)
    return Quickness(statistics.median(took), max(took), size)


async def together(http: httpx.AsyncClient, paths: Sequence[str]) -> float:
    """Open pages at the same time; return how long all of them took, in milliseconds."""
    began = time.perf_counter()
    for answer in await asyncio.gather(*(http.get(f"/console{path}") for path in paths)):
        answer.raise_for_status()
    return (time.perf_counter() - began) * 1000
