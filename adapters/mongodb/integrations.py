"""The collection `integrations`: what is wanted, what is the case, and the lease.

The lease is on server time and belongs to a message: its redelivery enters again at once, with the next fence, so a
crash costs no waiting, and whoever still works under the old fence can save nothing.

The mark `rerun` says that something has come in since the lease was last taken. Whatever makes an integration due sets
it in the same update, so that a release cannot wipe out a due time that its holder has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from adapters.mongodb.driver import Collection, Database, Document, away
from adapters.mongodb.integration_codec import (
    connect_to_document,
    held_to_document,
    integration_from_document,
    settings_to_document,
)
from adapters.mongodb.understanding import LATER, say, understood
from events.failures import Malformed, Misconfigured, NotUnderstood
from events.integration import (
    Assignee,
    Busy,
    ConnectWish,
    Held,
    Integration,
    Lease,
    Lost,
    Note,
    Released,
    ReleaseResult,
    SettingsWish,
    Taken,
    TakeResult,
    Unknown,
)
from events.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.mongodb.vault import Vault

COLLECTION: Final = "integrations"


class Integrations:
    """See the module. `monotonic`: seconds of a clock that is never set, to know when a lease has run out."""

    def __init__(self, database: Database, vault: Vault, monotonic: Callable[[], float]) -> None:
        self._collection: Collection = database[COLLECTION]
        self._vault = vault
        self._monotonic = monotonic

    # Intake: what is wanted, and hints

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

    async def expect(self, whose: Assignee, due_at: datetime) -> None:
        """Make sure that the integration is known, and due. Raises `Malformed` if it belongs to somebody else."""
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

    async def _want(self, whose: Assignee, part: str, document: Document, due_at: datetime, *, epoch: int = 1) -> bool:
        revision = f"wanted.{part}.revision"
        newer = {"$or": [{revision: {"$exists": False}}, {revision: {"$lt": document["revision"]}}]}
        query = {"_id": whose.integration_id, "tenant_id": whose.tenant_id, "user_id": whose.user_id, **newer}
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
            found = await self._collection.find_one({"_id": whose.integration_id}, {"tenant_id": 1, "user_id": 1})
        if found and (found["tenant_id"], found["user_id"]) != (whose.tenant_id, whose.user_id):
            raise Malformed(Reason.BREAKS_SCHEMA, "integration_id belongs to another tenant or user")

    async def tenants(self, ids: Sequence[int]) -> frozenset[int]:
        """Return those of these tenants that have any integration."""
        with away():
            found = [await self._collection.find_one({"tenant_id": id_}, {"tenant_id": 1}) for id_ in ids]
        return frozenset(document["tenant_id"] for document in found if document)

    async def assignees(self, users: Sequence[tuple[int, int]]) -> list[Assignee]:
        """Return the integrations of these users, given as (tenant id, user id). Users without one are left out."""
        if not users:
            return []
        query = {"$or": [{"tenant_id": tenant, "user_id": {"$in": ids}} for tenant, ids in _by_tenant(users).items()]}
        with away():
            found = await self._collection.find(query, {"tenant_id": 1, "user_id": 1}).to_list(None)
        return [Assignee(document["_id"], document["tenant_id"], document["user_id"]) for document in found]

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

    # The lease

    async def take(self, integration_id: str, owner: str, length: timedelta) -> TakeResult:
        """Take the lease for `owner`, a message's id; or leave a mark with whoever holds it. One atomic update.

        Either way it is due when the lease runs out: should its holder die, and its message be lost, the sweeper finds
        it. Raises `NotUnderstood` if a newer version has written it, `Misconfigured` if no key fits; it is left alone
        then, and due later.
        """
        began = self._monotonic()
        free: Document = {"$or": [{"$lte": ["$lease.until", "$$NOW"]}, {"$eq": ["$lease.owner", {"$literal": owner}]}]}
        taken = {
            "owner": {"$literal": owner},
            "fence": {"$add": [{"$ifNull": ["$lease.fence", 0]}, 1]},
            "until": _from_now(length),
        }
        lease: Document = {"$cond": [free, taken, "$lease"]}
        due: Document = {"$cond": [free, _from_now(length), {"$min": ["$due_at", "$lease.until"]}]}
        update = [{"$set": {"lease": lease, "rerun": {"$not": [free]}, "due_at": due}}]
        with away():
            found = await self._collection.find_one_and_update({"_id": integration_id}, update, return_document=True)
        if found is None:
            return Unknown()
        if found["lease"]["owner"] != owner:
            return Busy()
        try:
            return self._taken(found, began + length.total_seconds())
        except (NotUnderstood, Misconfigured) as error:
            say(error)
            await self._leave(integration_id, found["lease"]["fence"])
            raise

    async def _leave(self, integration_id: str, fence: int) -> None:
        """Give back what cannot be worked on here, for others and for later."""
        update = {"lease.owner": None, "lease.until": None, "due_at": _from_now(LATER)}
        with away():
            await self._collection.update_one({"_id": integration_id, "lease.fence": fence}, [{"$set": update}])

    def _taken(self, document: Document, deadline: float) -> Taken:
        lease = document["lease"]
        integration = self._read(document)
        return Taken(Lease(integration.id, lease["owner"], lease["fence"], integration.epoch, deadline), integration)

    def _read(self, document: Document) -> Integration:
        return understood(document, lambda stored: integration_from_document(stored, self._vault))

    async def extend(self, lease: Lease, length: timedelta) -> Taken | Lost:
        """Keep the lease for longer. The answer shows whether the settings changed meanwhile."""
        began = self._monotonic()
        with away():
            found = await self._collection.find_one_and_update(
                _held_by(lease), [{"$set": {"lease.until": _from_now(length)}}], return_document=True
            )
        return Lost() if found is None else self._taken(found, began + length.total_seconds())

    async def current(self, lease: Lease) -> bool:
        """Whether the lease is still ours and the settings are those it was taken under. Asked before every effect."""
        with away():
            found = await self._collection.find_one({**_held_by(lease), "epoch": lease.epoch}, {"_id": 1})
        return found is not None

    async def save(self, lease: Lease, note: Note) -> bool:
        """Write down what the holder has found out. False if the lease is no longer ours."""
        if note.says_nothing:
            return True
        with away():
            result = await self._collection.update_one(_held_by(lease), [{"$set": self._noted(lease, note)}])
        return result.matched_count > 0

    def _noted(self, lease: Lease, note: Note) -> Document:
        changes = held_to_document(lease.integration_id, note.after, self._vault, known=note.before)
        document: Document = {f"held.{name}": {"$literal": value} for name, value in changes.items()}
        if note.served is not None:
            later = {"$gt": ["$signals.requested", note.served.requested]}
            document |= {
                "signals.served": note.served.requested,
                "signals.profile_checked": note.served.profile_check,
                "signals.changes_since": {"$cond": [later, "$signals.changes_since", "$$REMOVE"]},
            }
        return document

    async def release(self, lease: Lease, note: Note, due_at: datetime | None, length: timedelta) -> ReleaseResult:
        """Write down a note and give the lease back, due again at `due_at`; or keep it, if a mark says to run again."""
        noted = self._noted(lease, note)
        freed: Document = {"lease.owner": None, "lease.until": None}
        due: Any = due_at if due_at is not None else "$$REMOVE"
        with away():
            result = await self._collection.update_one(
                {**_held_by(lease), "rerun": False}, [{"$set": {**noted, **freed, "due_at": due}}]
            )
            if result.matched_count:
                return Released()
            began = self._monotonic()
            again = [{"$set": {**noted, "rerun": False, "lease.until": _from_now(length)}}]
            found = await self._collection.find_one_and_update(_held_by(lease), again, return_document=True)
        return Lost() if found is None else self._taken(found, began + length.total_seconds())

    async def give_way(self, lease: Lease, note: Note, due_at: datetime) -> Released | Lost:
        """Write down a note and give the lease back, due again at `due_at` for whatever a mark may say."""
        freed: Document = {"lease.owner": None, "lease.until": None, "rerun": False, "due_at": due_at}
        with away():
            result = await self._collection.update_one(
                _held_by(lease), [{"$set": {**self._noted(lease, note), **freed}}]
            )
        return Released() if result.matched_count else Lost()

    async def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[str]:
        """Return integrations that are due while nobody works on them, the longest waiting first.

        They are due again at `again_at`, should nobody hear of it. Nobody else who asks gets the same ones until then.
        """
        query = {"due_at": {"$lte": now}, "$expr": {"$lte": ["$lease.until", "$$NOW"]}}
        claim = {"due_at": again_at, "claim": ObjectId()}
        with away():
            found = await self._collection.find(query, {"_id": 1}).sort([("due_at", 1)]).limit(limit).to_list(None)
            ids: list[str] = [document["_id"] for document in found]
            if not ids:
                return []
            named = {"_id": {"$in": ids}}
            if (await self._collection.update_many({**query, **named}, {"$set": claim})).modified_count == len(ids):
                return ids
            # Others were quicker with some of them.
            ours = await self._collection.find({**named, "claim": claim["claim"]}, {"_id": 1}).to_list(None)
        return [id_ for id_ in ids if {"_id": id_} in ours]

    # Reading

    async def get(self, integration_id: str) -> Integration | None:
        """Return one integration."""
        with away():
            found = await self._collection.find_one({"_id": integration_id})
        return None if found is None else self._read(found)


def _held_by(lease: Lease) -> Document:
    return {"_id": lease.integration_id, "lease.fence": lease.fence, "lease.owner": lease.owner}


def _from_now(length: timedelta) -> Document:
    return {"$add": ["$$NOW", int(length.total_seconds() * 1000)]}


def _by_tenant(users: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    by_tenant: dict[int, list[int]] = {}
    for tenant, user in users:
        by_tenant.setdefault(tenant, []).append(user)
    return by_tenant
