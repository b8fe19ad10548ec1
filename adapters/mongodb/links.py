"""The collection `links`. Intake writes only `psa_seen`; the holder of the lease writes the rest.

Neither can overwrite the other: an observation is guarded by the item's revision, a save by the link's version and the
fence; and a save that finds a newer observation than the one it was decided on leaves the link due.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError
from pymongo.results import BulkWriteResult

from adapters.mongodb.codec import (
    held_part,
    item_to_document,
    link_from_document,
    link_to_document,
    psa_seen_to_document,
)
from adapters.mongodb.driver import Collection, Database, Document, away
from events.failures import System, TryLater
from events.integration import Lease
from events.link import ItemKey, Link, Observed
from events.reasons import Reason

COLLECTION: Final = "links"
DELETED: Final = "deleted_items"
"""Deletions that overtook everything else about their items; kept for a week."""


class Links:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._collection: Collection = database[COLLECTION]
        self._deleted: Collection = database[DELETED]

    # Intake

    async def of_items(self, items: Sequence[ItemKey], references: Sequence[tuple[int, str]]) -> list[Link]:
        """Return all links of these items, whosever they are, and those made under these (tenant, reference)s."""
        wanted: list[Document] = [{"tenant_id": key.tenant_id, "item": item_to_document(key)} for key in items]
        wanted += [{"tenant_id": tenant, "reference": reference} for tenant, reference in references]
        return await self._find({"$or": wanted}) if wanted else []

    async def observe(self, seen: Sequence[Observed], now: datetime) -> None:
        """Store observations of the PSA's side: the newest revision wins, and its link becomes due.

        A link that does not exist is made from `Observed.fresh`; one that has come to stand for another item is left
        alone.
        """
        fresh = [observed for observed in seen if observed.fresh is not None]
        if fresh:
            made = await self._bulk([_insert(observed.fresh) for observed in fresh if observed.fresh])
            fresh = [observed for i, observed in enumerate(fresh) if i not in made]  # somebody else was quicker
        updates = [observed for observed in seen if observed.fresh is None] + fresh
        if updates:
            await self._bulk([_observe(observed, now) for observed in updates])

    async def remember_deleted(self, items: Mapping[ItemKey, int], now: datetime) -> None:
        """Remember for a while that items were deleted, at which revision, though nobody here knew them."""
        if items:
            await self._bulk_into(
                self._deleted,
                [
                    UpdateOne(
                        {"_id": _item_id(key)}, {"$max": {"revision": revision}, "$set": {"at": now}}, upsert=True
                    )
                    for key, revision in items.items()
                ],
            )

    async def deleted(self, items: Sequence[ItemKey]) -> dict[ItemKey, int]:
        """Return those of these items that are remembered as deleted, with the revision."""
        ids = {_item_id(key): key for key in items}
        with away():
            found = await self._deleted.find({"_id": {"$in": list(ids)}}).to_list(None)
        return {ids[document["_id"]]: document["revision"] for document in found}

    # The holder of the lease

    async def due(self, integration_id: str, now: datetime, limit: int) -> list[Link]:
        """Return links that are due, the longest waiting first."""
        query = {"integration_id": integration_id, "due_at": {"$lte": now}}
        with away():
            found = await self._collection.find(query).sort([("due_at", 1)]).limit(limit).to_list(None)
        return [link_from_document(document) for document in found]

    async def next_due(self, integration_id: str) -> datetime | None:
        """Return when the next link of an integration is due."""
        query = {"integration_id": integration_id, "due_at": {"$ne": None}}
        with away():
            found = await self._collection.find(query, {"due_at": 1}).sort([("due_at", 1)]).limit(1).to_list(None)
        return found[0]["due_at"] if found else None

    async def by_ids(self, ids: Sequence[str]) -> dict[str, Link]:
        """Return those of these links that exist."""
        return {link.id: link for link in await self._find({"_id": {"$in": list(ids)}})} if ids else {}

    async def owners(self, integration_id: str, items: Sequence[ItemKey]) -> list[Link]:
        """Return the links of an integration that stand for these items, and those whose item is being created."""
        standing = {"item": {"$in": [item_to_document(key) for key in items]}}
        creating = {"psa_asks.revision": -1}
        return await self._find({"integration_id": integration_id, "$or": [standing, creating]}) if items else []

    async def save(self, lease: Lease, changes: Sequence[tuple[Link, Link]]) -> frozenset[str]:
        """Save links, given as they were read and as they are to be. Returns the ids of those that were refused.

        Refused is what somebody else saved meanwhile, or whose fence is newer than ours.
        """
        if not changes:
            return frozenset()
        saves = [_save(lease, before, after) for before, after in changes]
        if (await self._bulk_into(self._collection, saves)).matched_count == len(changes):
            return frozenset()
        return await self._refused(lease, changes)

    async def add(self, lease: Lease, links: Sequence[Link]) -> frozenset[str]:
        """Insert new links. Returns the ids of those that exist already."""
        made = await self._bulk([_insert(link, lease.fence) for link in links]) if links else frozenset[int]()
        return frozenset(link.id for i, link in enumerate(links) if i not in made)

    # Reading for people

    async def page(self, query: Document, after: str, limit: int) -> list[Link]:
        """Return links in order of their ids, after the given one."""
        with away():
            found = (
                await self._collection
                .find({**query, "_id": {"$gt": after}})
                .sort([("_id", 1)])
                .limit(limit)
                .to_list(None)
            )
        return [link_from_document(document) for document in found]

    async def _find(self, query: Document) -> list[Link]:
        with away():
            found = await self._collection.find(query).to_list(None)
        return [link_from_document(document) for document in found]

    async def _bulk(self, writes: Sequence[UpdateOne]) -> frozenset[int]:
        """Carry out writes and return the positions of those that inserted."""
        return frozenset((await self._bulk_into(self._collection, writes)).upserted_ids or ())

    @staticmethod
    async def _bulk_into(collection: Collection, writes: Sequence[UpdateOne]) -> BulkWriteResult:
        try:
            with away():
                return await collection.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            raise _unless_passing(error) from error

    async def _refused(self, lease: Lease, changes: Sequence[tuple[Link, Link]]) -> frozenset[str]:
        ids = [before.id for before, _ in changes]
        with away():
            found = await self._collection.find({"_id": {"$in": ids}}, {"version": 1, "fence": 1}).to_list(None)
        now = {document["_id"]: (document["version"], document.get("fence")) for document in found}
        return frozenset(before.id for before, _ in changes if now.get(before.id) != (before.version + 1, lease.fence))


def _item_id(key: ItemKey) -> str:
    return f"{key.tenant_id}/{key}"


def _insert(link: Link, fence: int = 0) -> UpdateOne:
    document = link_to_document(link)
    del document["_id"]
    return UpdateOne({"_id": link.id}, {"$setOnInsert": {**document, "fence": fence}}, upsert=True)


def _observe(observed: Observed, now: datetime) -> UpdateOne:
    seen = observed.seen
    older: Document = {"psa_seen.revision": {"$lt": seen.revision}}
    without_content: Document = {"psa_seen.revision": seen.revision, "psa_seen.item": None, "psa_seen.deleted": False}
    newer = [{"psa_seen": None}, older, *([without_content] if seen.item is not None else [])]
    standing: list[Document] = [{"item": item_to_document(observed.item)}]
    if observed.made_in is not None:
        standing.append({"item": None, "generation": observed.made_in})
    query = {"_id": observed.link_id, "$and": [{"$or": standing}, {"$or": newer}]}
    return UpdateOne(query, {"$set": {"psa_seen": psa_seen_to_document(seen), "due_at": now}})


def _save(lease: Lease, before: Link, after: Link) -> UpdateOne:
    query = {"_id": before.id, "version": before.version, "fence": {"$lte": lease.fence}}
    values: Document = {name: {"$literal": value} for name, value in held_part(after).items()}
    seen, due = {"$literal": psa_seen_to_document(after.psa_seen)}, {"$literal": after.due_at}
    if after.item == before.item or before.item is None:
        known = before.psa_seen.revision if before.psa_seen else -1
        told = after.psa_seen.revision if after.psa_seen else -1
        stored: Document = {"$ifNull": ["$psa_seen.revision", -1]}
        values["psa_seen"] = {"$cond": [{"$gt": [stored, told]}, "$psa_seen", seen]}
        # Observed since it was read, and newer than what was decided on: it stays due as intake left it.
        unseen = {"$and": [{"$gt": [stored, known]}, {"$gt": [stored, told]}]}
        values["due_at"] = {"$cond": [unseen, "$due_at", due]}
    else:
        values |= {"psa_seen": seen, "due_at": due}  # it stands for another item now: what was seen is of the former
    values |= {"version": before.version + 1, "fence": lease.fence}
    return UpdateOne(query, [{"$set": values}])


def _unless_passing(error: BulkWriteError) -> Exception:
    details: Any = error.details or {}
    problems: Iterable[dict[str, Any]] = details.get("writeErrors", [])
    if details.get("writeConcernErrors") or all(
        problem.get("code") in {112, 91, 189, 11600, 10107} for problem in problems
    ):
        return TryLater(System.STORE, Reason.UNREACHABLE, "a write was not carried out in time")
    return error
