"""The collection `tenants`: one document for each tenant that has decided something; and word of it in `integrations`.

It is small and stays whole on a sharded cluster.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import TypeAdapter
from pymongo.errors import DuplicateKeyError

from adapters.mongodb.driver import Collection, Database, Document, away
from adapters.mongodb.wishes import COLLECTION as INTEGRATIONS
from events.tenant import Tenant, TenantSettings

COLLECTION: Final = "tenants"
_WANTED: Final = "wanted.tenant_version"
_SETTINGS: Final = TypeAdapter(TenantSettings)


class Tenants:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._collection: Collection = database[COLLECTION]
        self._integrations: Collection = database[INTEGRATIONS]

    async def get(self, tenant_id: int) -> Tenant:
        """Return a tenant; one that never decided anything has every default."""
        with away():
            found = await self._collection.find_one({"_id": tenant_id})
        return Tenant(tenant_id) if found is None else _tenant(found)

    async def configure(self, tenant_id: int, revision: int, settings: TenantSettings) -> Tenant:
        """Store what the PSA platform says, if it is newer than what it said before. Returns what counts now."""
        query = {"_id": tenant_id, "revision": {"$lt": revision}}
        update = {"$set": {"revision": revision, "settings": _document(settings)}, "$inc": {"version": 1}}
        with away():
            try:
                await self._collection.update_one(query, update, upsert=True)
            except DuplicateKeyError:
                # It is there: with settings as new, or made at this very moment by somebody else.
                await self._collection.update_one(query, update)
        return await self.get(tenant_id)

    async def amend(self, known: Tenant, settings: TenantSettings) -> Tenant | None:
        """Store what an operator says; the platform's next settings overrule it. None if it has changed meanwhile."""
        query = {"_id": known.id, "version": known.version}
        update = {"$set": {"revision": known.revision, "settings": _document(settings)}, "$inc": {"version": 1}}
        with away():
            try:
                changed = await self._collection.find_one_and_update(
                    query, update, upsert=known.version == 0, return_document=True
                )
            except DuplicateKeyError:
                return None
        return None if changed is None else _tenant(changed)

    async def spread(self, tenant: Tenant, due_at: datetime) -> None:
        """Have all integrations of a tenant work under these settings: a new epoch for those that knew older ones."""
        older = [{_WANTED: {"$exists": False}}, {_WANTED: {"$lt": tenant.version}}]
        update = {"$set": {_WANTED: tenant.version, "rerun": True}, "$inc": {"epoch": 1}, "$min": {"due_at": due_at}}
        with away():
            await self._integrations.update_many({"tenant_id": tenant.id, "$or": older}, update)


def _document(settings: TenantSettings) -> Document:
    document: Document = _SETTINGS.dump_python(settings, mode="json", exclude_none=True)
    return document


def _tenant(document: Document) -> Tenant:
    settings = _SETTINGS.validate_python(document["settings"])
    return Tenant(document["_id"], settings, document["revision"], document["version"])
