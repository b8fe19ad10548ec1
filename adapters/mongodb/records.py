"""Reading what is known of an item or an event, for people who ask why. See `worker.explaining.ports.Records`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from adapters.mongodb.codec import item_to_document, link_from_document
from adapters.mongodb.dead_letters import DeadLetters
from adapters.mongodb.driver import Collection, Database, Document, aggregate, away
from adapters.mongodb.journal import COLLECTION as LOG
from adapters.mongodb.journal import entry_from_document
from adapters.mongodb.links import COLLECTION as LINKS
from adapters.mongodb.links import Links
from adapters.mongodb.overview import Overview
from adapters.mongodb.runs import Runs
from adapters.mongodb.tenants import Tenants
from adapters.mongodb.understanding import all_understood
from adapters.mongodb.wishes import COLLECTION as INTEGRATIONS
from events.integration import Assignee, Integration
from events.journal import Entry
from events.letters import Letter, Which
from events.link import ItemKey, Link
from events.runs import Run
from events.tenant import TenantSettings

_MANY: Final = 200
"""Links of one item or event that are told of at most."""


class Records:
    """See the module. What it returns has no tokens."""

    def __init__(self, database: Database) -> None:
        self._overview = Overview(database)
        self._tenants = Tenants(database)
        self._letters = DeadLetters(database, timedelta())
        self._runs = Runs(database)
        self._deleted = Links(database)
        self._integrations: Collection = database[INTEGRATIONS]
        self._links: Collection = database[LINKS]
        self._log: Collection = database[LOG]

    async def integration(self, integration_id: str) -> Integration | None:
        """Return one integration."""
        return await self._overview.get(integration_id)

    async def assignees(self, users: Sequence[tuple[int, int]]) -> list[Assignee]:
        """Return the integrations of these users, given as (tenant id, user id)."""
        return await self._overview.assignees(users)

    async def tenant_ids(self) -> list[int]:
        """Return the tenants that have integrations. Their index is skipped through, not read."""
        skipping: list[Document] = [{"$sort": {"tenant_id": 1}}, {"$group": {"_id": "$tenant_id"}}]
        with away():
            found = await aggregate(self._integrations, skipping)
        return sorted(document["_id"] for document in found)

    async def has_integrations(self, tenant_id: int) -> bool:
        """Whether a tenant has any."""
        with away():
            return await self._integrations.find_one({"tenant_id": tenant_id}, {"_id": 1}) is not None

    async def tenant(self, tenant_id: int) -> TenantSettings:
        """Return what a tenant has decided."""
        return (await self._tenants.get(tenant_id)).settings

    async def links_of_items(self, items: Sequence[ItemKey]) -> list[Link]:
        """Return the links of items, whosever they are."""
        if not items:
            return []
        tenants = sorted({key.tenant_id for key in items})
        documents = [item_to_document(key) for key in {(k.item_type, k.item_id, k.part_id): k for k in items}.values()]
        return await self._found({"tenant_id": {"$in": tenants}, "item": {"$in": documents}})

    async def links_of_event(self, event_uid: str, integration_id: str) -> list[Link]:
        """Return the links of an event that its user made; of any integration, if its id is empty."""
        mine: Document = {"integration_id": integration_id} if integration_id else {}
        return await self._found({"event.event_uid": event_uid, **mine})

    async def _found(self, query: Document) -> list[Link]:
        with away():
            found = await self._links.find(query).sort([("_id", 1)]).limit(_MANY).to_list(None)
        return all_understood(found, link_from_document)

    async def link(self, link_id: str) -> Link | None:
        """Return one link."""
        return (await self._deleted.by_ids([link_id])).get(link_id)

    async def entries(self, link_id: str, limit: int) -> list[Entry]:
        """Return the newest lines of the log about a link, the oldest first."""
        with away():
            cursor = self._log.find({"link_id": link_id}).sort([("at", -1), ("_id", -1)]).limit(limit)
            found = await cursor.to_list(None)
        return all_understood(found, entry_from_document)[::-1]

    async def letters(self, tenant_id: int, item: str, limit: int) -> list[Letter]:
        """Return dead letters about an item that nobody has dealt with yet."""
        return await self._letters.page(Which(tenant_id=tenant_id, item=item), None, limit)

    async def runs(self, integration_id: str, limit: int) -> list[Run]:
        """Return the newest runs of an integration."""
        return await self._runs.page(integration_id, limit)

    async def deleted(self, items: Sequence[ItemKey]) -> dict[ItemKey, int]:
        """Return which of these items are remembered as deleted, though nobody knew them."""
        return await self._deleted.deleted(items)
