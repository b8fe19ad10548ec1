"""What becomes of everything that is known about an integration when its user has left: kept a while, told, or erased.

Nothing is deleted by a command: what is erased loses its content at once, and what is left of it (its name) goes with
its time to live, within a minute. That an integration was erased is remembered for as long as late messages may name
it, by keyed hashes of its id (`adapters.mongodb.wishes`).
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import JsonValue
from pymongo import UpdateOne

from adapters.mongodb import dead_letters, journal, links, orders, runs
from adapters.mongodb.driver import Collection, Database, Document, away
from adapters.mongodb.wishes import COLLECTION, ERASED, find_erased
from events.integration import Lease

if TYPE_CHECKING:
    from adapters.mongodb.vault import Vault

_KEPT: Final = {
    "link": links.COLLECTION,
    "log": journal.COLLECTION,
    "order": orders.COLLECTION,
    "run": runs.COLLECTION,
    "dead_letter": dead_letters.COLLECTION,
}
"""Where things about an integration are, by what they are called in an export."""
_UNTOLD: Final = frozenset({"sealed", "fence", "saved", "claim", "lease", "expires_at"})
"""Secrets, and what is of no meaning to anybody but the worker."""
_PAGE: Final = 200


class Leavers:
    """See the module."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def retire(self, lease: Lease, until: datetime) -> None:
        """Keep what is left of a deleted integration until then and no longer."""
        for name in (links.COLLECTION, orders.COLLECTION, runs.COLLECTION):
            with away():
                await self._database[name].update_many(
                    {"integration_id": lease.integration_id}, {"$set": {"expires_at": until}}
                )
        await self._integration(lease, {"$set": {"expires_at": until}})

    async def erase(self, lease: Lease, revision: int, now: datetime, forgotten_at: datetime) -> None:
        """Erase everything about an integration, and the integration last. Its id is known as erased until then.

        `revision`: of the deletion that was answered. If a later one is wanted meanwhile the integration itself stays,
        for somebody to answer that.
        """
        kept = {"expires_at": forgotten_at, "revision": revision}
        marks = [
            UpdateOne({"_id": name}, {"$set": kept}, upsert=True)
            for name in self._vault.fingerprints(lease.integration_id)
        ]
        with away():
            await self._database[ERASED].bulk_write(marks, ordered=False)
        await self._empty(lease.integration_id, now)
        answered = {"wanted.deletion.revision": revision}
        await self._integration(lease, [{"$replaceWith": {"_id": "$_id", "expires_at": now}}], answered)

    async def erase_late(self, integration_id: str, now: datetime) -> None:
        """Erase what came in about an integration just while it was being erased. Nothing, if it never was."""
        if await find_erased(self._database[ERASED], self._vault, integration_id) is not None:
            await self._empty(integration_id, now)

    async def _empty(self, integration_id: str, now: datetime) -> None:
        emptied = [{"$replaceWith": {"_id": "$_id", "integration_id": "$integration_id", "expires_at": now}}]
        for name in _KEPT.values():
            with away():
                await self._database[name].update_many({"integration_id": integration_id}, emptied)

    async def _integration(
        self, lease: Lease, update: Document | Sequence[Document], only: Document | None = None
    ) -> None:
        held = {"_id": lease.integration_id, "lease.fence": lease.fence, "lease.owner": lease.owner, **(only or {})}
        with away():
            await self._database[COLLECTION].update_one(held, cast("Any", update))

    async def told(self, integration_id: str) -> AsyncIterator[list[Mapping[str, JsonValue]]]:
        """Tell everything that is kept about an integration, except secrets, page by page; itself first."""
        with away():
            found = await self._database[COLLECTION].find_one({"_id": integration_id})
        if found is not None:
            yield [_plain("integration", found)]
        for kind, name in _KEPT.items():
            async for page in _pages(self._database[name], integration_id):
                yield [_plain(kind, document) for document in page]


async def _pages(collection: Collection, integration_id: str) -> AsyncIterator[list[Document]]:
    after: Document = {}
    while True:
        query = {"integration_id": integration_id, **after}
        with away():
            page = await collection.find(query).sort([("_id", 1)]).limit(_PAGE).to_list(None)
        if not page:
            return
        yield page
        after = {"_id": {"$gt": page[-1]["_id"]}}


def _plain(kind: str, document: Document) -> Mapping[str, JsonValue]:
    told = cast("dict[str, JsonValue]", _json({name: value for name, value in document.items() if name != "_id"}))
    return {**told, "record": kind, "id": str(document["_id"])}


def _json(value: object) -> JsonValue:
    match value:
        case dict():
            named = cast("dict[str, object]", value)
            return {name: _json(inner) for name, inner in named.items() if name not in _UNTOLD}
        case list():
            return [_json(inner) for inner in cast("list[object]", value)]
        case datetime():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return str(value)  # JSON has no such number, and a header of a dead letter may
        case str() | int() | float() | bool() | None:
            return value
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return str(value)
