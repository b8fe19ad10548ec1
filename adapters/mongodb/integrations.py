"""The collection `integrations`: what is wanted, what is the case, and the lease.

What intake writes of it is in `adapters.mongodb.wishes`.

The lease is on server time and belongs to a message: its redelivery enters again at once, with the next fence, so a
crash costs no waiting, and whoever still works under the old fence can save nothing.

The mark `rerun` says that something has come in since the lease was last taken. Whatever makes an integration due sets
it in the same update, so that a release cannot wipe out a due time that its holder has not seen.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from adapters.mongodb.driver import Database, Document, away
from adapters.mongodb.integration_codec import (
    held_to_document,
    integration_from_document,
    signals_from_document,
)
from adapters.mongodb.understanding import LATER, say, understood
from adapters.mongodb.wishes import THERE, Wishes
from events.failures import Misconfigured, NotUnderstood
from events.integration import (
    Busy,
    Integration,
    Lease,
    Lost,
    Note,
    Released,
    ReleaseResult,
    Signals,
    Status,
    Taken,
    TakeResult,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.mongodb.vault import Vault


class Integrations(Wishes):
    """See the module. `monotonic`: seconds of a clock that is never set, to know when a lease has run out."""

    def __init__(self, database: Database, vault: Vault, monotonic: Callable[[], float]) -> None:
        super().__init__(database, vault)
        self._monotonic = monotonic

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
            found = await self._collection.find_one_and_update(
                {"_id": integration_id, **THERE}, update, return_document=True
            )
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

    async def current(self, lease: Lease) -> Signals | None:
        """Return the hints that are there by now. None if the lease is not ours any more, or other settings are wanted.

        Asked before every effect.
        """
        with away():
            found = await self._collection.find_one({**_held_by(lease), "epoch": lease.epoch}, {"signals": 1})
        return None if found is None else signals_from_document(found.get("signals", {}))

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

    async def abandon(self, integration_id: str, owner: str) -> bool:
        """Give back what a message still holds that is set aside. False if it holds nothing.

        It is due when the lease would have run out, as if its worker had died; at once if there is a mark.
        """
        freed: Document = {"lease.owner": None, "lease.until": None, "rerun": False}
        due: Document = {"due_at": {"$cond": ["$rerun", "$$NOW", "$due_at"]}}
        with away():
            result = await self._collection.update_one(
                {"_id": integration_id, "lease.owner": owner}, [{"$set": {**due, **freed}}]
            )
        return result.matched_count > 0

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

    async def rouse(self, now: datetime) -> int:
        """Have those looked at that work and of which nothing is due: a former version may have left them like that.

        Whoever has looked at one says when it is to be looked at next. Returns how many they were.
        """
        forgotten: Document = {
            "due_at": None,
            "held.status": Status.CONNECTED.value,
            "wanted.settings": {"$ne": None},
            "wanted.active.value": {"$ne": False},
            "wanted.deletion": None,
        }
        with away():
            return (await self._collection.update_many(forgotten, {"$set": {"due_at": now}})).modified_count

    async def uses_account(self, sub: str, except_id: str) -> bool:
        """Whether another integration needs this account of the calendar service."""
        named = {"$or": [{"held.account.sub": sub}, {"held.offered.account.sub": sub}]}
        query = {**named, "_id": {"$ne": except_id}, "wanted.deletion": None}
        with away():
            return await self._collection.find_one(query, {"_id": 1}) is not None

    # Reading

    async def get(self, integration_id: str) -> Integration | None:
        """Return one integration."""
        with away():
            found = await self._collection.find_one({"_id": integration_id, **THERE})
        return None if found is None else self._read(found)


def _held_by(lease: Lease) -> Document:
    return {"_id": lease.integration_id, "lease.fence": lease.fence, "lease.owner": lease.owner}


def _from_now(length: timedelta) -> Document:
    return {"$add": ["$$NOW", int(length.total_seconds() * 1000)]}
