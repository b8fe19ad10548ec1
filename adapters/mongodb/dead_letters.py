"""The collection `dead_letters`: whatever failed for good, until a person or time has dealt with it.

Every write can be repeated: what is kept again under the same occurrence changes nothing, and the end of a replay is
written down once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import UpdateOne

from adapters.mongodb.driver import Collection, Database, Document, aggregate, away, insert_new
from adapters.mongodb.letter_codec import (
    SLIM,
    act_to_document,
    failure_to_document,
    letter_from_document,
    letter_to_document,
    occurrence_to_document,
    replay_to_document,
    which_to_query,
)
from adapters.mongodb.understanding import all_understood, understood
from events.letters import (
    OVER,
    Act,
    Cursor,
    Deed,
    Group,
    Kind,
    Letter,
    Occurrence,
    Place,
    Replay,
    Status,
    Verdict,
    Which,
)

COLLECTION: Final = "dead_letters"
_HISTORY: Final = 200
_OCCURRENCES: Final = 200
"""So many failures of a letter are told apart from deliveries of the same one. More than a keeper holds unacked."""
_REPLAYS: Final = 50


class DeadLetters:
    """See the module. `keep`: how long a letter is kept when it is over."""

    def __init__(self, database: Database, keep: timedelta) -> None:
        self._collection: Collection = database[COLLECTION]
        self._keep = keep

    # Keeping

    async def keep(self, occurrences: Sequence[Occurrence], now: datetime) -> int:
        """Keep what failed. Returns how many letters are new; the others count one failure more."""
        known = await insert_new(self._collection, [occurrence_to_document(one) for one in occurrences])
        again = [_again(occurrences[position], now) for position in sorted(known)]
        if again:
            with away():
                await self._collection.bulk_write(again, ordered=True)
        return len(occurrences) - len(known)

    # Looking

    async def get(self, letter_id: str) -> Letter | None:
        """Return a letter with all there is of it."""
        with away():
            found = await self._collection.find_one({"_id": letter_id}, {"occurrences": 0})
        return None if found is None else understood(found, letter_from_document)

    async def page(self, which: Which, after: Cursor | None, limit: int) -> list[Letter]:
        """Return letters without their bodies, the latest failure first."""
        query = which_to_query(which)
        if after is not None:
            behind = [{"last_at": {"$lt": after.at}}, {"last_at": after.at, "_id": {"$lt": after.id}}]
            query = {"$and": [query, {"last_at": {"$lte": after.at}}, {"$or": behind}]}
        with away():
            cursor = self._collection.find(query, SLIM).sort([("last_at", -1), ("_id", -1)]).limit(limit)
            found = await cursor.to_list(None)
        return all_understood(found, letter_from_document)

    async def count(self, which: Which) -> int:
        """Count letters."""
        with away():
            return await self._collection.count_documents(which_to_query(which))

    async def groups(self, which: Which, now: datetime, limit: int) -> list[Group]:
        """Return groups of letters by fingerprint, the largest first."""
        with away():
            found = await aggregate(self._collection, grouping(which, now, limit))
            ids = [document["sample"] for document in found]
            samples = await self._collection.find({"_id": {"$in": ids}}, SLIM).to_list(None)
        by_id = {letter.id: letter for letter in all_understood(samples, letter_from_document)}
        return [
            Group(
                fingerprint=document["_id"],
                letters=document["letters"],
                occurrences=document["occurrences"],
                first_at=document["first_at"],
                last_at=document["last_at"],
                last_hour=document["last_hour"],
                sample=by_id[document["sample"]],
            )
            for document in found
            if document["sample"] in by_id
        ]

    # Replaying

    async def in_order(self, which: Which, after: Place | None, limit: int) -> list[Letter]:
        """Return letters as they are replayed: by what they are about, then by time. Without their bodies."""
        query = which_to_query(which)
        if after is not None:
            behind: list[Document] = [
                {"lane": {"$gt": after.lane}},
                {"lane": after.lane, "first_at": {"$gt": after.at}},
                {"lane": after.lane, "first_at": after.at, "_id": {"$gt": after.id}},
            ]
            query = {"$and": [query, {"lane": {"$gte": after.lane}}, {"$or": behind}]}
        order = [("lane", 1), ("first_at", 1), ("_id", 1)]
        with away():
            found = await self._collection.find(query, SLIM).sort(order).limit(limit).to_list(None)
        return all_understood(found, letter_from_document)

    async def begin(self, letter_id: str, replay: Replay, why: str) -> Letter | None:
        """Write down that a letter is about to be published again, and return it. None if it is over meanwhile.

        Writing the same replay down again changes nothing.
        """
        with away():
            begun = {"_id": letter_id, "replays": {"$elemMatch": {"id": replay.id, "verdict": None}}}
            found = await self._collection.find_one(begun, {"occurrences": 0})
            if found is None:
                over = [status.value for status in OVER]
                query = {"_id": letter_id, "status": {"$nin": over}, "replays.id": {"$ne": replay.id}}
                update = {
                    "$set": {"status": Status.REPLAYED.value},
                    "$push": {
                        "replays": {"$each": [replay_to_document(replay)], "$slice": -_REPLAYS},
                        **_told(Act(Deed.REPLAYED, replay.at, replay.who, why)),
                    },
                }
                found = await self._collection.find_one_and_update(
                    query, update, projection={"occurrences": 0}, return_document=True
                )
        return None if found is None else understood(found, letter_from_document)

    async def taken(self, letter_id: str, replay: str, version: int) -> None:
        """Note that a replay has reached its link, which had this version then."""
        query = {"_id": letter_id, "replays": {"$elemMatch": {"id": replay, "taken_version": None}}}
        with away():
            await self._collection.update_one(query, {"$set": {"replays.$.taken_version": version}})

    async def ended(self, letter_id: str, replay: str, verdict: Verdict, detail: str, now: datetime) -> None:
        """Note what became of a replay, if that is not known yet. An empty `replay` stands for all of which it is not.

        The letter is over, unless it has failed anew since it was replayed.
        """
        unknown: Document = {"r.verdict": None} | ({"r.id": replay} if replay else {})
        values: Document = {
            "replays.$[r].verdict": verdict.value,
            "replays.$[r].detail": detail,
            "replays.$[r].ended_at": now,
        }
        over = Status.OPEN if verdict is Verdict.FAILED_AGAIN else Status.RESOLVED
        deed = Deed.FAILED_AGAIN if verdict is Verdict.FAILED_AGAIN else Deed.RESOLVED
        concerned: Document = {"_id": letter_id}
        if replay:
            concerned["replays"] = {"$elemMatch": {"id": replay, "verdict": None}}
        resolve = {"status": over.value, **({} if over is Status.OPEN else {"expires_at": now + self._keep})}
        known: Document = {"$push": _told(Act(deed, now, why=detail))}
        writes = [
            UpdateOne(
                {**concerned, "status": {"$in": [Status.REPLAYED.value, *([] if replay else [Status.OPEN.value])]}},
                {"$set": {**resolve, **values}, **known},
                array_filters=[unknown],
            ),
            UpdateOne(concerned, {"$set": values}, array_filters=[unknown]),
        ]
        with away():
            await self._collection.bulk_write(writes, ordered=True)

    async def verdicts(self, replays: Sequence[tuple[str, str]]) -> dict[str, tuple[Verdict, str]]:
        """Return what is known of replays, given as letter and replay, by the replay."""
        wanted = {replay for _, replay in replays}
        query = {"_id": {"$in": [letter for letter, _ in replays]}}
        with away():
            found = await self._collection.find(query, {"replays": 1}).to_list(None)
        return {
            one["id"]: (Verdict(one["verdict"]), one["detail"])
            for document in found
            for one in document["replays"]
            if one["id"] in wanted and one["verdict"]
        }

    async def unsettled(self, status: Status, before: datetime, now: datetime, limit: int) -> list[Letter]:
        """Return letters of links that were not compared with their links since `before`, and note that they are."""
        query = {"kind": Kind.LINK.value, "status": status.value, "checked_at": {"$lt": before}}
        with away():
            cursor = self._collection.find(query, SLIM)
            found = await cursor.sort([("checked_at", 1)]).limit(limit).to_list(None)
            if found:
                ids = [document["_id"] for document in found]
                await self._collection.update_many({"_id": {"$in": ids}}, {"$set": {"checked_at": now}})
        return all_understood(found, letter_from_document)

    # Deciding

    async def move(self, which: Which, into: Status, act: Act) -> int:
        """Move letters into another status. Returns how many."""
        expires = {"expires_at": act.at + self._keep} if into in OVER else {}
        update: Document = {"$set": {"status": into.value, **expires}, "$push": _told(act)}
        if not expires:
            update["$unset"] = {"expires_at": ""}
        with away():
            return (await self._collection.update_many(which_to_query(which), update)).modified_count

    async def tell(self, letter_ids: Sequence[str], act: Act) -> None:
        """Add a line to the history of letters."""
        with away():
            await self._collection.update_many({"_id": {"$in": list(letter_ids)}}, {"$push": _told(act)})

    async def replace(self, letter_id: str, by: Letter, act: Act) -> None:
        """Let an edited letter stand for another one."""
        await insert_new(self._collection, [letter_to_document(by)])
        update = {
            "$set": {"status": Status.REPLACED.value, "replaced_by": by.id, "expires_at": act.at + self._keep},
            "$push": _told(act),
        }
        with away():
            await self._collection.update_one({"_id": letter_id, "replaced_by": ""}, update)


def grouping(which: Which, now: datetime, limit: int) -> list[Document]:
    """Return the aggregation that counts groups. It asks for nothing that is not in the index `groups`."""
    recent = {"$gte": ["$last_at", now - timedelta(hours=1)]}
    return [
        {"$match": which_to_query(which)},
        {
            "$group": {
                "_id": "$fingerprint",
                "letters": {"$sum": 1},
                "occurrences": {"$sum": "$count"},
                "first_at": {"$min": "$first_at"},
                "last_at": {"$max": "$last_at"},
                "last_hour": {"$sum": {"$cond": [recent, 1, 0]}},
                "sample": {"$max": "$_id"},
            }
        },
        {"$sort": {"letters": -1, "_id": 1}},
        {"$limit": limit},
    ]


def _told(act: Act) -> dict[str, Any]:
    return {"history": {"$each": [act_to_document(act)], "$slice": -_HISTORY}}


def _again(one: Occurrence, now: datetime) -> UpdateOne:
    """Count one failure more, unless it is counted; the letter is open again, whatever was decided before."""
    letter = one.letter
    detail = f"{letter.failure.reason}: {letter.failure.detail}"[:500]
    unknown: Document = {"r.verdict": None} | ({"r.id": one.replay} if letter.kind is Kind.MESSAGE else {})
    return UpdateOne(
        {"_id": letter.id, "occurrences": {"$ne": one.id}},
        {
            "$inc": {"count": 1},
            "$min": {"first_at": letter.first_at},
            "$max": {"last_at": letter.last_at},
            "$set": {
                "status": Status.OPEN.value,
                "failure": failure_to_document(letter.failure),
                "reason": letter.failure.reason,
                "fingerprint": letter.fingerprint,
                "checked_at": now,
                "replays.$[r].verdict": Verdict.FAILED_AGAIN.value,
                "replays.$[r].detail": detail,
                "replays.$[r].ended_at": now,
            },
            "$unset": {"expires_at": ""},
            "$push": {
                "occurrences": {"$each": [one.id], "$slice": -_OCCURRENCES},
                **_told(Act(Deed.FAILED_AGAIN, now, why=detail)),
            },
        },
        array_filters=[unknown],
    )
