"""Reading for people: integrations without their secrets, for which no key is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.mongodb.codec import link_from_document
from adapters.mongodb.driver import Collection, Database, Document, aggregate, away
from adapters.mongodb.integration_codec import integration_from_document
from adapters.mongodb.links import COLLECTION as LINKS
from adapters.mongodb.understanding import all_understood, understood
from adapters.mongodb.wishes import COLLECTION, THERE, find_assignees
from events.integration import Assignee, Integration
from events.link import Link, LinkState

WITHOUT_SECRETS: Final = {
    "held.sealed": 0,
    "held.offered.sealed": 0,
    "held.retired.sealed": 0,
    "wanted.connect.sealed": 0,
}


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Deletions of one integration that wait for somebody to look at them."""

    integration_id: str
    tenant_id: int
    user_id: int
    reason: str
    count: int
    since: datetime


class Overview:
    """See the module. What it returns has no tokens and no code."""

    def __init__(self, database: Database) -> None:
        self._integrations: Collection = database[COLLECTION]
        self._links: Collection = database[LINKS]

    async def get(self, integration_id: str) -> Integration | None:
        """Return one integration."""
        with away():
            found = await self._integrations.find_one({"_id": integration_id, **THERE}, WITHOUT_SECRETS)
        return None if found is None else understood(found, lambda stored: integration_from_document(stored, None))

    async def page(self, tenant_id: int | None, user_id: int | None, after: str, limit: int) -> list[Integration]:
        """Return integrations of a tenant, of a user, or all of them, in order of their ids, after the given one."""
        query: Document = {"_id": {"$gt": after}, **THERE}
        query |= {} if tenant_id is None else {"tenant_id": tenant_id}
        query |= {} if user_id is None else {"user_id": user_id}
        with away():
            cursor = self._integrations.find(query, WITHOUT_SECRETS).sort([("_id", 1)]).limit(limit)
            found = await cursor.to_list(None)
        return [understood(document, lambda stored: integration_from_document(stored, None)) for document in found]

    async def assignees(self, users: Sequence[tuple[int, int]]) -> list[Assignee]:
        """Return the integrations of these users, given as (tenant id, user id)."""
        return await find_assignees(self._integrations, users)

    async def tenants_of(self, integration_ids: Sequence[str]) -> dict[str, int]:
        """Return whose integrations these are; those that do not exist are left out."""
        if not integration_ids:
            return {}
        with away():
            query = {"_id": {"$in": list(integration_ids)}, **THERE}
            found = await self._integrations.find(query, {"tenant_id": 1}).to_list(None)
        return {document["_id"]: document["tenant_id"] for document in found}

    async def held_back(self, tenant_id: int | None) -> list[HeldBack]:
        """Count deletions that are held back, by integration, the longest waiting first."""
        which: Document = {"integration_id": {"$gt": ""}, "state": LinkState.QUARANTINED.value}
        which |= {} if tenant_id is None else {"tenant_id": tenant_id}
        counting: list[Document] = [
            {"$match": which},
            {
                "$group": {
                    "_id": {name: f"${name}" for name in ("integration_id", "tenant_id", "user_id", "reason")},
                    "count": {"$sum": 1},
                    "since": {"$min": "$ending.at"},
                }
            },
            {"$sort": {"since": 1}},
        ]
        with away():
            found = await aggregate(self._links, counting)
        return [HeldBack(**document["_id"], count=document["count"], since=document["since"]) for document in found]

    async def braked(self, integration_id: str) -> list[Link]:
        """Return an integration's links whose deletion is held back, or which have frozen texts."""
        either: list[Document] = [{"state": LinkState.QUARANTINED.value}, {"frozen": {"$nin": [None, {}]}}]
        with away():
            cursor = self._links.find({"integration_id": integration_id, "$or": either}).sort([("_id", 1)])
            found = await cursor.to_list(None)
        return all_understood(found, link_from_document)

    async def link_states(self, integration_id: str) -> dict[str, int]:
        """Count an integration's links by their state."""
        counting: list[Document] = [
            {"$match": {"integration_id": integration_id}},
            {"$group": {"_id": "$state", "count": {"$sum": 1}}},
        ]
        with away():
            found = await aggregate(self._links, counting)
        return {document["_id"]: document["count"] for document in found}
