"""The collection `links`. Intake writes only `psa_seen`; the holder of the lease writes the rest.

Neither can overwrite the other: an observation is guarded by the item's revision, a save by the link's version and the
fence; and a save that finds a newer observation than the one it was decided on leaves the link due.

Every write names the link's integration beside its id: on a sharded cluster that is where it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

from bson import ObjectId
from pymongo import UpdateOne

from adapters.mongodb.codec import (
    STANDING,
    held_changes,
    item_to_document,
    link_from_document,
    link_to_document,
    psa_seen_to_document,
    standing_from_document,
    when_from_document,
)
from adapters.mongodb.driver import Collection, Database, Document, Query, aggregate, away, insert_new
from adapters.mongodb.understanding import LATER, all_understood
from events.content import When
from events.integration import Lease
from events.link import (
    ALIVE,
    CREATION,
    REFUSALS,
    ItemKey,
    Link,
    LinkState,
    Observed,
    PsaSeen,
    Standing,
    Tally,
    Verdict,
)
from events.reasons import Reason
from events.runs import FAILING, Totals

COLLECTION: Final = "links"
DELETED: Final = "deleted_items"
"""Deletions that overtook everything else about their items; kept for a week."""
_ALIVE: Final = sorted(state.value for state in ALIVE)


class Links:  # noqa: PLR0904 - one method for each question that is asked of links
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._collection: Collection = database[COLLECTION]
        self._deleted: Collection = database[DELETED]

    # Intake

    async def of_items(self, items: Sequence[ItemKey], references: Sequence[tuple[int, str]]) -> list[Standing]:
        """Return what links stand for these items, whosever they are, or were made under these (tenant, reference)s."""
        wanted = _standing_for(items)
        wanted += [
            {"tenant_id": tenant, "reference": {"$in": [name for other, name in references if other == tenant]}}
            for tenant in {tenant for tenant, _ in references}
        ]
        if not wanted:
            return []
        with away():
            found = await self._collection.find({"$or": wanted, **_NOT_A_TOMBSTONE}, STANDING).to_list(None)
        return all_understood(found, standing_from_document)

    async def observe(self, seen: Sequence[Observed], now: datetime) -> None:
        """Store observations of the PSA's side: the newest revision wins, and its link becomes due.

        A link that does not exist is made from `Observed.fresh`; one that has come to stand for another item is left
        alone.
        """
        fresh = [observed for observed in seen if observed.fresh is not None]
        there = await self._insert([observed.fresh for observed in fresh if observed.fresh], fence=0)
        updates = [observed for observed in seen if observed.fresh is None or observed.link_id in there]
        if updates:
            with away():
                await self._collection.bulk_write([_observe(observed, now) for observed in updates], ordered=False)

    async def remember_deleted(self, items: Mapping[ItemKey, int], now: datetime) -> None:
        """Remember for a while that items were deleted, at which revision, though nobody here knew them."""
        writes = [
            UpdateOne({"_id": _item_id(key)}, {"$max": {"revision": revision}, "$set": {"at": now}}, upsert=True)
            for key, revision in items.items()
        ]
        if writes:
            with away():
                await self._deleted.bulk_write(writes, ordered=False)

    async def deleted(self, items: Sequence[ItemKey]) -> dict[ItemKey, int]:
        """Return those of these items that are remembered as deleted, with the revision."""
        ids = {_item_id(key): key for key in items}
        with away():
            found = await self._deleted.find({"_id": {"$in": list(ids)}}).to_list(None)
        return {ids[document["_id"]]: document["revision"] for document in found}

    # The holder of the lease

    async def due(self, integration_id: str, now: datetime, limit: int) -> list[Link]:
        """Return links that are due, the longest waiting first."""
        query: Document = {"integration_id": integration_id, "due_at": {"$lte": now}}
        with away():
            found = await self._collection.find(query).sort([("due_at", 1)]).limit(limit).to_list(None)
        links = all_understood(found, link_from_document)
        if len(links) < len(found):
            await self._leave({document["_id"] for document in found} - {link.id for link in links}, query, now)
        return links

    async def look_again(self, integration_id: str, link_id: str, now: datetime) -> int | None:
        """Have a replayed link looked at again. Returns the version it has now; None if it does not exist."""
        with away():
            found = await self._collection.find_one_and_update(
                {"_id": link_id, "integration_id": integration_id},
                {"$set": {"due_at": now, "replayed": True}},
                projection={"version": 1},
                return_document=True,
            )
        return None if found is None else int(found["version"])

    async def copies(self, integration_id: str) -> dict[str, int]:
        """Count the events that we made and that are still there, by the type of their item."""
        ours = {"integration_id": integration_id, "event.event_id": {"$exists": True}, "calendar_base": {"$ne": None}}
        counting: list[Document] = [{"$match": ours}, {"$group": {"_id": "$item.type", "count": {"$sum": 1}}}]
        with away():
            found = await aggregate(self._collection, counting)
        return {document["_id"]: document["count"] for document in found if document["_id"]}

    async def page(self, integration_id: str, after: str, limit: int) -> list[Link]:
        """Return links of an integration in order of their ids, those after the given one."""
        # An id begins with its integration's and a slash; what comes after a slash is "0".
        span = {"$gt": after or f"{integration_id}/", "$lt": f"{integration_id}0"}
        query = {"_id": span, "integration_id": integration_id}
        with away():
            found = await self._collection.find(query).sort([("_id", 1)]).limit(limit).to_list(None)
        return all_understood(found, link_from_document)

    async def next_due(self, integration_id: str) -> datetime | None:
        """Return when the next link of an integration is due."""
        query = {"integration_id": integration_id, "due_at": {"$ne": None}}
        with away():
            found = await self._collection.find(query, {"due_at": 1}).sort([("due_at", 1)]).limit(1).to_list(None)
        return found[0]["due_at"] if found else None

    async def all_due(self, integration_id: str, now: datetime) -> None:
        """Have all links that wait for nothing judged anew, except those that are buried or were turned down."""
        turned_down = {"state": LinkState.BLOCKED.value, "reason": {"$in": [reason.value for reason in REFUSALS]}}
        not_those: list[Document] = [{"state": LinkState.BURIED.value}, turned_down]
        query: Query = {"integration_id": integration_id, "due_at": None, "$nor": not_those}
        with away():
            await self._collection.update_many(query, {"$set": {"due_at": now}})

    async def read_anew(self, integration_id: str, now: datetime) -> int:
        """Have all items read from the PSA, whatever was heard of them last. Returns how many there are."""
        query: Query = {
            "integration_id": integration_id,
            "item": {"$ne": None},
            "psa_seen.deleted": False,
            "state": {"$ne": LinkState.BURIED.value},
        }
        with away():
            result = await self._collection.update_many(query, {"$set": {"psa_seen.item": None, "due_at": now}})
        return result.matched_count

    async def series_ahead(self, integration_id: str, names: Sequence[str], now: datetime) -> dict[str, int]:
        """Return how many occurrences of these series are known, let in, and not over yet."""
        end = "calendar_seen.content.when.end"
        query: Document = {
            "integration_id": integration_id,
            "calendar_seen.series": {"$in": list(names), "$gt": ""},
            "calendar_seen.kept_out": None,
            "$or": [{end: {"$gt": now}}, {end: {"$gt": now.date().isoformat()}}],
        }
        counting = [{"$match": query}, {"$group": {"_id": "$calendar_seen.series", "count": {"$sum": 1}}}]
        with away():
            found = await aggregate(self._collection, counting)
        return {document["_id"]: document["count"] for document in found}

    async def by_ids(self, ids: Sequence[str]) -> dict[str, Link]:
        """Return those of these links that exist."""
        return {link.id: link for link in await self._find({"_id": {"$in": list(ids)}})} if ids else {}

    async def seen_before(self, digests: Mapping[str, str]) -> frozenset[str]:
        """Return those of these links that have seen just this, given by digest, and wait for nothing."""
        wanted = [id_ for id_, digest in digests.items() if digest]
        if not wanted:
            return frozenset()
        query: Query = {"_id": {"$in": wanted}, "calendar_asks": []}
        with away():
            found = await self._collection.find(query, {"calendar_seen.digest": 1}).to_list(None)
        seen = {document["_id"]: document.get("calendar_seen") for document in found}
        return frozenset(id_ for id_, shown in seen.items() if shown and shown.get("digest") == digests[id_])

    async def held_back(self, integration_id: str, inbound: bool | None, limit: int) -> list[Link]:
        """Return links whose deletion is held back; only those deleted in the calendar, or only the others."""
        which: Document = {} if inbound is None else {"calendar_seen.deleted": True if inbound else {"$ne": True}}
        query = {"integration_id": integration_id, "state": LinkState.QUARANTINED.value, **which}
        with away():
            found = await self._collection.find(query).sort([("_id", 1)]).limit(limit).to_list(None)
        return all_understood(found, link_from_document)

    async def frozen(self, integration_id: str) -> list[Link]:
        """Return links that have frozen texts."""
        return await self._find({"integration_id": integration_id, "frozen": {"$nin": [None, {}]}})

    async def whereabouts(self, integration_id: str) -> dict[str, When]:
        """Return when the events are that an integration's links have seen in the calendar, by the ids of the links."""
        query: Query = {"integration_id": integration_id, "calendar_seen.content": {"$ne": None}}
        with away():
            found = await self._collection.find(query, {"calendar_seen.content.when": 1}).to_list(None)
        return {one["_id"]: when_from_document(one["calendar_seen"]["content"]["when"]) for one in found}

    async def items_whereabouts(self, integration_id: str) -> dict[str, When]:
        """Return when the items are that the PSA should show, as last agreed, by the ids of their links."""
        query: Query = {
            "integration_id": integration_id,
            "state": {"$in": _ALIVE},
            "item": {"$ne": None},
            "psa_base": {"$ne": None},
            "psa_seen.item": {"$ne": None},
            "psa_seen.assigned": True,
        }
        with away():
            found = await self._collection.find(query, {"psa_base.when": 1}).to_list(None)
        return {one["_id"]: when_from_document(one["psa_base"]["when"]) for one in found}

    async def tally(self, integration_id: str, since: datetime) -> Tally:
        """Count an integration's deletions since a moment, and its links that are alive."""
        mine: Query = {"integration_id": integration_id}
        lately: list[Document] = [
            {"$match": {**mine, "ending.at": {"$gte": since}}},
            {"$group": {"_id": "$ending.verdict", "count": {"$sum": 1}}},
        ]
        with away():
            said = {one["_id"]: one["count"] for one in await aggregate(self._collection, lately)}
            alive = await aggregate(self._collection, [{"$match": {**mine, "state": {"$in": _ALIVE}}}, {"$count": "n"}])
        passed, held = said.get(Verdict.PASSED.value, 0), said.get(Verdict.HELD.value, 0)
        return Tally(passed, held, alive[0]["n"] if alive else 0)

    async def owners(self, integration_id: str, items: Sequence[ItemKey]) -> list[Link]:
        """Return the links of an integration that stand for these items, and those whose item is being created."""
        wanted = [*_standing_for(items), {"psa_asks.revision": CREATION}]
        return await self._find({"$or": [{"integration_id": integration_id, **one} for one in wanted]}) if items else []

    async def save(self, lease: Lease, changes: Sequence[tuple[Link, Link]]) -> frozenset[str]:
        """Save links, given as they were read and as they are to be. Returns the ids of those that were refused.

        Refused is what somebody else saved meanwhile, or whose fence is newer than ours.
        """
        if not changes:
            return frozenset()
        mark = ObjectId()
        saves = [_save(lease, before, after, mark) for before, after in changes]
        ids = [before.id for before, _ in changes]
        with away():
            if (await self._collection.bulk_write(saves, ordered=False)).matched_count == len(changes):
                return frozenset()
            saved = await self._collection.find({"_id": {"$in": ids}, "saved": mark}, {"_id": 1}).to_list(None)
        return frozenset(ids).difference(document["_id"] for document in saved)

    async def add(self, lease: Lease, links: Sequence[Link]) -> frozenset[str]:
        """Insert new links. Returns the ids of those that exist already."""
        return await self._insert(links, lease.fence)

    async def run_totals(self, integration_id: str, run_id: str) -> Totals:
        """Count what has come of the links that a run looked at."""
        mine: Document = {"integration_id": integration_id, "run.id": run_id}
        failing: Document = {"$gte": ["$attempts", FAILING]}
        still: Document = {"$cond": [failing, "failing", "pending"]}
        with away():
            rows = await aggregate(
                self._collection,
                [{"$match": mine}, {"$group": {"_id": {"$ifNull": ["$run.result", still]}, "count": {"$sum": 1}}}],
            )
        return Totals(**{row["_id"]: row["count"] for row in rows})

    async def hasten(self, integration_id: str, run_id: str, due_at: datetime) -> None:
        """Make due what a run left under way, if it is not due before."""
        query = {"integration_id": integration_id, "run.id": run_id, "run.result": None, "due_at": {"$gt": due_at}}
        with away():
            await self._collection.update_many(query, {"$set": {"due_at": due_at}})

    async def _find(self, query: Document) -> list[Link]:
        with away():
            found = await self._collection.find(query).to_list(None)
        return all_understood(found, link_from_document)

    async def _leave(self, ids: AbstractSet[str], query: Document, now: datetime) -> None:
        """Have links that make no sense wait, or they would be found due over and over again."""
        with away():
            await self._collection.update_many({"_id": {"$in": list(ids)}, **query}, {"$set": {"due_at": now + LATER}})

    async def _insert(self, links: Sequence[Link], fence: int) -> frozenset[str]:
        """Insert those links that do not exist. Returns the ids of those that do."""
        documents = [{**link_to_document(link), "fence": fence} for link in links]
        return frozenset(links[i].id for i in await insert_new(self._collection, documents))


_NOT_A_TOMBSTONE: Final[Query] = {"reason": {"$ne": Reason.DELETED.value}}
"""What is left of a deleted integration hears of nothing any more."""


def _item_id(key: ItemKey) -> str:
    return f"{key.tenant_id}/{key}"


def _standing_for(items: Iterable[ItemKey]) -> list[Document]:
    """Return the alternatives of a query for links of these items: one for each tenant, which is quick to plan."""
    by_tenant: dict[int, list[Document | None]] = {}
    for key in items:
        by_tenant.setdefault(key.tenant_id, []).append(item_to_document(key))
    return [{"tenant_id": tenant, "item": {"$in": documents}} for tenant, documents in by_tenant.items()]


def _observe(observed: Observed, now: datetime) -> UpdateOne:
    seen = observed.seen
    older: Document = {"psa_seen.revision": {"$lt": seen.revision}}
    without_content: Document = {"psa_seen.revision": seen.revision, "psa_seen.item": None, "psa_seen.deleted": False}
    newer = [{"psa_seen": None}, older, *([without_content] if seen.item is not None else [])]
    standing: list[Document] = [{"item": item_to_document(observed.item)}]
    if observed.made_in is not None:
        standing.append({"item": None, "generation": observed.made_in})
    integration_id = observed.link_id.partition("/")[0]  # see `events.link.link_id`
    query = {
        "_id": observed.link_id,
        "integration_id": integration_id,
        "$and": [{"$or": standing}, {"$or": newer}],
        **_NOT_A_TOMBSTONE,
    }
    return UpdateOne(query, {"$set": {"psa_seen": psa_seen_to_document(seen), "due_at": now}})


def _save(lease: Lease, before: Link, after: Link, mark: ObjectId) -> UpdateOne:
    query = {
        "_id": before.id,
        "integration_id": before.integration_id,
        "version": before.version,
        "fence": {"$lte": lease.fence},
    }
    values: Document = {name: {"$literal": value} for name, value in held_changes(before, after).items()}
    told: Document = {"due_at": {"$literal": after.due_at}}
    unseen = _overtakes(before.psa_seen)
    turned = before.item is not None and after.item != before.item
    if turned or after.psa_seen != before.psa_seen:
        told["psa_seen"] = {"$literal": psa_seen_to_document(after.psa_seen)}
        unseen = {"$and": [unseen, _overtakes(after.psa_seen)]}
    if not turned:
        # Observed since it was read, and newer than what was decided on: it is kept, and due as intake left it.
        told = {name: {"$cond": [unseen, f"${name}", value]} for name, value in told.items()}
    # else it stands for another item now, and what was heard meanwhile was heard of the former.
    values |= told | {"version": before.version + 1, "fence": lease.fence, "saved": mark}
    return UpdateOne(query, [{"$set": values}])


def _overtakes(seen: PsaSeen | None) -> Document:
    """Return an expression: whether the stored observation is newer, or has the content that this one lacks."""
    stored, known = {"$ifNull": ["$psa_seen.revision", -1]}, seen.revision if seen else -1
    newer: Document = {"$gt": [stored, known]}
    if seen is None or seen.deleted or seen.item is not None:
        return newer
    filled = {"$ne": [{"$ifNull": ["$psa_seen.item", None]}, None]}
    return {"$or": [newer, {"$and": [{"$eq": [stored, known]}, filled]}]}
