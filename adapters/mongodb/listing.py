"""Lists of integrations for people, page by page, quick however many there are.

Every query is led by an index and reads about as much as it shows; counts stop at a limit, and say so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adapters.mongodb.driver import Collection, Database, Document, aggregate, away
from adapters.mongodb.integration_codec import integration_from_document
from adapters.mongodb.links import COLLECTION as LINKS
from adapters.mongodb.overview import WITHOUT_SECRETS
from adapters.mongodb.understanding import all_understood
from adapters.mongodb.wishes import COLLECTION as INTEGRATIONS
from events.integration import Integration, Status
from events.link import LinkState

_MOST: Final = 5_000
"""So many links of one page of integrations are counted."""
_LIMIT_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Sought:
    """Which integrations are looked for; what is not given matches anything. `name`: how an id or account begins."""

    name: str = ""
    tenant_id: int | None = None
    user_id: int | None = None
    status: Status | None = None

    def queries(self, after: str) -> list[Document]:
        """Return queries for those behind an id, each led by one index."""
        behind: Document = {"_id": {"$gt": after}}
        query: Document = {}
        if self.tenant_id is not None:
            query["tenant_id"] = self.tenant_id
        if self.user_id is not None:
            query["user_id"] = self.user_id
        if self.status is not None:
            query["held.status"] = self.status.value
        if not self.name:
            return [behind | query]
        begins: Document = {"$regex": f"^{re.escape(self.name)}"}
        return [{"_id": {**behind["_id"], **begins}, **query}, {**behind, "held.account.profile_name": begins, **query}]


@dataclass(frozen=True, slots=True)
class Load:
    """What an integration has to do. `complete`: False if there may be more than was counted."""

    pending: int = 0
    failed: int = 0
    complete: bool = True


class Listing:
    """See the module. What it returns has no tokens."""

    def __init__(self, database: Database) -> None:
        self._integrations: Collection = database[INTEGRATIONS]
        self._links: Collection = database[LINKS]

    async def page(self, sought: Sought, after: str, limit: int) -> list[Integration]:
        """Return integrations in order of their ids, those behind the given one."""
        found: dict[str, Document] = {}
        for query in sought.queries(after):
            with away():
                cursor = self._integrations.find(query, WITHOUT_SECRETS).sort([("_id", 1)]).limit(limit)
                found |= {document["_id"]: document for document in await cursor.to_list(None)}
        documents = [found[id_] for id_ in sorted(found)[:limit]]
        return all_understood(documents, lambda document: integration_from_document(document, None))

    async def loads(self, integration_ids: Sequence[str]) -> dict[str, Load]:
        """Count what waits and what failed, of each of these integrations."""
        if not integration_ids:
            return {}
        pending, all_pending = await self._counts(integration_ids, {"due_at": {"$type": "date"}})
        failed, all_failed = await self._counts(integration_ids, {"state": LinkState.BLOCKED.value})
        complete = all_pending and all_failed
        return {id_: Load(pending.get(id_, 0), failed.get(id_, 0), complete) for id_ in integration_ids}

    async def _counts(self, ids: Sequence[str], which: Document) -> tuple[dict[str, int], bool]:
        counting: list[Document] = [
            {"$match": {"integration_id": {"$in": list(ids)}, **which}},
            {"$limit": _MOST},
            {"$group": {"_id": "$integration_id", "count": {"$sum": 1}}},
        ]
        with away():
            found = await aggregate(self._links, counting, _LIMIT_MS)
        counts: dict[str, int] = {document["_id"]: document["count"] for document in found}
        return counts, sum(counts.values()) < _MOST
