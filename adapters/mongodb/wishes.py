"""What intake writes into the collection `integrations`: what is wanted, and hints. The newest revision wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pymongo.errors import DuplicateKeyError

from adapters.mongodb.driver import Collection, Database, Document, away
from adapters.mongodb.integration_codec import connect_to_document, held_to_document, settings_to_document
from events.failures import Malformed
from events.integration import LEFT, Assignee, ConnectWish, DeletionWish, Held, SettingsWish
from events.reasons import Reason

if TYPE_CHECKING:
    from adapters.mongodb.vault import Vault


COLLECTION: Final = "integrations"
THERE: Final = {"tenant_id": {"$exists": True}}
"""Part of a query: what was erased is empty until it goes with its time to live."""
ERASED: Final = "erased"
"""Keyed hashes of the ids of integrations that were erased, so that a late message brings none of them back."""

HEARD: Final = "heard"
"""Names of events about people that were carried out."""


class Wishes:
    """See the module."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._collection: Collection = database[COLLECTION]
        self._erased: Collection = database[ERASED]
        self._heard: Collection = database[HEARD]
        self._vault = vault

    async def want_connect(self, whose: Assignee, wish: ConnectWish, due_at: datetime) -> bool:
        """Store a newer authorization. False if one as new is known."""
        document = connect_to_document(whose.integration_id, wish, self._vault)
        return await self._want(whose, "connect", document, due_at)

    async def want_settings(self, whose: Assignee, wish: SettingsWish, due_at: datetime) -> bool:
        """Store newer settings. False if ones as new are known."""
        return await self._want(whose, "settings", settings_to_document(wish), due_at)

    async def want_active(self, whose: Assignee, revision: int, due_at: datetime, *, active: bool) -> bool:
        """Store a newer position of the Active toggle."""
        return await self._want(whose, "active", {"revision": revision, "value": active}, due_at)

    async def want_calendars(self, whose: Assignee, revision: int, due_at: datetime) -> bool:
        """Store a newer wish to see the list of calendars."""
        return await self._want(whose, "list_calendars", {"revision": revision}, due_at, epoch=0)

    async def want_deletion(self, whose: Assignee, wish: DeletionWish, due_at: datetime) -> bool:
        """Store that the integration is not wanted any more. A later connection or configuration changes nothing.

        False if a wish as new is known. If everything is to be erased already nothing takes that back, and copies are
        removed before if either asks for it.
        """
        if await self._want(whose, "deletion", asdict(wish), due_at, unless="wanted.deletion.erase"):
            return True
        erasing = {"wanted.deletion.erase": True, "wanted.deletion.revision": {"$lt": wish.revision}}
        removing = {"wanted.deletion.remove_events": True} if wish.remove_events else {}
        update = {
            "$set": {"wanted.deletion.revision": wish.revision, **removing, "rerun": True},
            "$inc": {"epoch": 1},
            "$min": {"due_at": due_at},
        }
        with away():
            result = await self._collection.update_one({"_id": whose.integration_id, **erasing}, update)
        return result.modified_count > 0

    async def want_leaving(self, tenant_id: int, user_id: int | None, wish: DeletionWish, due_at: datetime) -> int:
        """Store that no integration of a user is wanted any more, or of a whole tenant. Returns how many that concerns.

        Those whose deletion is wanted already are left as they are.
        """
        whose: Document = {"tenant_id": tenant_id} | ({} if user_id is None else {"user_id": user_id})
        update = {
            "$set": {"wanted.deletion": asdict(wish), "rerun": True},
            "$inc": {"epoch": 1},
            "$min": {"due_at": due_at},
        }
        with away():
            result = await self._collection.update_many({**whose, "wanted.deletion": None}, update)
        return result.modified_count

    async def want_erasing(self, tenant_id: int, user_id: int, due_at: datetime) -> int:
        """Store that nothing is to be known of a user any more. Returns how many integrations that newly concerns."""
        whose = {"tenant_id": tenant_id, "user_id": user_id, "wanted.deletion.erase": {"$ne": True}}
        wish = {"$mergeObjects": [asdict(DeletionWish(LEFT)), "$wanted.deletion", {"erase": True}]}
        update = {
            "wanted.deletion": wish,
            "rerun": True,
            "epoch": {"$add": ["$epoch", 1]},
            "due_at": {"$min": ["$due_at", due_at]},
        }
        with away():
            result = await self._collection.update_many(whose, [{"$set": update}])
        return result.modified_count

    async def heard(self, event: str) -> bool:
        """Whether an event about people was carried out before."""
        with away():
            return await self._heard.find_one({"_id": event}, {"_id": 1}) is not None

    async def remember(self, event: str, until: datetime) -> None:
        """Remember until then that an event about people was carried out."""
        with away():
            await self._heard.update_one({"_id": event}, {"$set": {"expires_at": until}}, upsert=True)

    async def of_user(self, tenant_id: int, user_id: int) -> list[Assignee]:
        """Return all integrations of a user, also those that are deleted."""
        with away():
            found = await self._collection.find({"tenant_id": tenant_id, "user_id": user_id}, {"_id": 1}).to_list(None)
        return [Assignee(document["_id"], tenant_id, user_id) for document in found]

    async def _is_erased(self, integration_id: str) -> bool:
        """Whether there was such an integration and nothing is to be known of it any more."""
        with away():
            found = await self._collection.find_one({"_id": integration_id}, {"tenant_id": 1})
        if found is not None:
            return "tenant_id" not in found
        return await self.erased(integration_id) is not None

    async def erased(self, integration_id: str) -> int | None:
        """Return the revision of the deletion with which an integration was erased; None if it was not."""
        return await find_erased(self._erased, self._vault, integration_id)

    async def expect(self, whose: Assignee, due_at: datetime) -> None:
        """Make sure that the integration is known, and due. Raises `Malformed` if it belongs to somebody else."""
        if await self._is_erased(whose.integration_id):
            return
        query = {"_id": whose.integration_id, "tenant_id": whose.tenant_id, "user_id": whose.user_id}
        update = {
            "$set": {"rerun": True},
            "$min": {"due_at": due_at},
            "$setOnInsert": {"epoch": 0, "held": held_to_document(whose.integration_id, Held(), self._vault)},
        }
        with away():
            try:
                await self._collection.update_one(query, update, upsert=True)
            except DuplicateKeyError:
                known = (await self._collection.update_one(query, update)).matched_count > 0
            else:
                known = True
        if not known:
            await self._check_owner(whose)

    async def _want(
        self,
        whose: Assignee,
        part: str,
        document: Document,
        due_at: datetime,
        *,
        epoch: int = 1,
        unless: str | None = None,
    ) -> bool:
        if await self._is_erased(whose.integration_id):
            return False
        revision = f"wanted.{part}.revision"
        newer = {"$or": [{revision: {"$exists": False}}, {revision: {"$lt": document["revision"]}}]}
        query: Document = {"_id": whose.integration_id, "tenant_id": whose.tenant_id, "user_id": whose.user_id, **newer}
        if unless is not None:
            query[unless] = {"$ne": True}
        update = {
            "$set": {f"wanted.{part}": document, "rerun": True},
            "$inc": {"epoch": epoch},
            "$min": {"due_at": due_at},
            "$setOnInsert": {"held": held_to_document(whose.integration_id, Held(), self._vault)},
        }
        with away():
            try:
                await self._collection.update_one(query, update, upsert=True)
            except DuplicateKeyError:
                # It is there, perhaps only now: made by another wish that came in at the same moment.
                known = (await self._collection.update_one(query, update)).matched_count == 0
            else:
                known = False
        if known:
            await self._check_owner(whose)
        return not known

    async def _check_owner(self, whose: Assignee) -> None:
        with away():
            there = {"_id": whose.integration_id, **THERE}
            found = await self._collection.find_one(there, {"tenant_id": 1, "user_id": 1})
        if found and (found["tenant_id"], found["user_id"]) != (whose.tenant_id, whose.user_id):
            raise Malformed(Reason.BREAKS_SCHEMA, "integration_id belongs to another tenant or user")

    async def tenants(self, ids: Sequence[int]) -> frozenset[int]:
        """Return those of these tenants that have any integration."""
        with away():
            found = [await self._collection.find_one({"tenant_id": id_}, {"tenant_id": 1}) for id_ in ids]
        return frozenset(document["tenant_id"] for document in found if document)

    async def assignees(self, users: Sequence[tuple[int, int]]) -> list[Assignee]:
        """Return the integrations of these users, given as (tenant id, user id). Users without one are left out.

        So is what is deleted, or about to be.
        """
        return await find_assignees(self._collection, users)

    async def mark_due(self, integration_ids: Sequence[str], due_at: datetime) -> None:
        """Make them due, for the sweeper to find should the wake-up get lost."""
        if integration_ids:
            update = {"$min": {"due_at": due_at}, "$set": {"rerun": True}}
            with away():
                await self._collection.update_many({"_id": {"$in": list(integration_ids)}}, update)

    async def note_change(self, integration_id: str, changes_since: datetime | None, due_at: datetime) -> bool:
        """Note that the calendar changed. False if there is no such integration."""
        earliest: Document = {"due_at": due_at}
        if changes_since is not None:
            earliest["signals.changes_since"] = changes_since
        return await self._note(integration_id, {"$inc": {"signals.requested": 1}, "$min": earliest})

    async def note_profile(self, integration_id: str, due_at: datetime) -> bool:
        """Note that the profile's connection may have changed. False if there is no such integration."""
        return await self._note(integration_id, {"$inc": {"signals.profile_check": 1}, "$min": {"due_at": due_at}})

    async def _note(self, integration_id: str, update: Document) -> bool:
        with away():
            result = await self._collection.update_one({"_id": integration_id}, {**update, "$set": {"rerun": True}})
        return result.matched_count > 0


async def find_erased(erased: Collection, vault: Vault, integration_id: str) -> int | None:
    """Return what `Wishes.erased` does."""
    with away():
        mark = await erased.find_one({"_id": {"$in": vault.fingerprints(integration_id)}})
    return None if mark is None else int(mark.get("revision", LEFT))


async def find_assignees(collection: Collection, users: Sequence[tuple[int, int]]) -> list[Assignee]:
    """Return the integrations of these users. See `Wishes.assignees`."""
    if not users:
        return []
    named = [{"tenant_id": tenant, "user_id": {"$in": ids}} for tenant, ids in _by_tenant(users).items()]
    query = {"$or": named, "wanted.deletion": None}
    with away():
        found = await collection.find(query, {"tenant_id": 1, "user_id": 1}).to_list(None)
    return [Assignee(document["_id"], document["tenant_id"], document["user_id"]) for document in found]


def _by_tenant(users: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    by_tenant: dict[int, list[int]] = {}
    for tenant, user in users:
        by_tenant.setdefault(tenant, []).append(user)
    return by_tenant
