"""Which indexes exist, and why; and how to compare and create them.

On a sharded cluster, `integrations` is sharded by its hashed `_id`, `links` and `sync_log` by the hashed
`integration_id`; an `_id` of these two belongs to one integration, so it stays unique. The rest is small and stays
whole. Who has a link to an item is asked of all shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from pymongo import ASCENDING, DESCENDING, IndexModel

from adapters.mongodb.driver import Database, away
from events.commands import Cause
from events.link import CREATION, LinkState
from events.runs import RunState

_NEWEST_FIRST: Final = (("at", DESCENDING), ("_id", DESCENDING))
_GROUPED_FROM: Final = ("status", "tenant_id", "fingerprint", "last_at", "first_at", "count", "_id")
_LETTERS_BY: Final = {
    "latest": (),
    "of_fingerprint": (("fingerprint", ASCENDING),),
    "of_tenant": (("tenant_id", ASCENDING),),
    "of_integration": (("integration_id", ASCENDING),),
    "of_item": (("item", ASCENDING),),
    "of_reason": (("reason", ASCENDING),),
}

_LEFT: Final = IndexModel([("expires_at", ASCENDING)], name="left", expireAfterSeconds=0, sparse=True)
"""What is left of a deleted integration, was erased, or was heard of people, goes with its time."""

INDEXES: Final[dict[str, tuple[IndexModel, ...]]] = {
    "integrations": (
        IndexModel([("tenant_id", ASCENDING), ("user_id", ASCENDING)], name="of_user"),
        IndexModel([("due_at", ASCENDING)], name="due", sparse=True),
        # What people look for on pages.
        IndexModel([("user_id", ASCENDING), ("_id", ASCENDING)], name="of_user_anywhere"),
        IndexModel([("held.status", ASCENDING), ("_id", ASCENDING)], name="of_status"),
        IndexModel([("held.account.profile_name", ASCENDING)], name="of_profile", sparse=True),
        IndexModel([("held.account.sub", ASCENDING)], name="of_account", sparse=True),
        # Nearly always empty: those whose user connected another account and has not been answered.
        IndexModel([("held.offered.account.sub", ASCENDING)], name="of_offered_account", sparse=True),
        _LEFT,
    ),
    "links": (
        IndexModel([("integration_id", ASCENDING), ("due_at", ASCENDING)], name="due"),
        IndexModel([("tenant_id", ASCENDING), ("item", ASCENDING)], name="of_item"),
        IndexModel([("tenant_id", ASCENDING), ("reference", ASCENDING)], name="of_reference"),
        # Only events that their users made: who asks why about one knows its id, and perhaps not whose it is.
        IndexModel(
            [("event.event_uid", ASCENDING)],
            name="of_event",
            partialFilterExpression={"event.event_uid": {"$exists": True}},
        ),
        # Only events that are one of a series.
        IndexModel(
            [("integration_id", ASCENDING), ("calendar_seen.series", ASCENDING)],
            name="of_series",
            partialFilterExpression={"calendar_seen.series": {"$gt": ""}},
        ),
        # The few that end, or ended: what the brake on deletions counts.
        IndexModel(
            [("integration_id", ASCENDING), ("ending.at", ASCENDING)],
            name="ending",
            partialFilterExpression={"ending.at": {"$exists": True}},
        ),
        # Usually empty: deletions that a brake holds back.
        IndexModel(
            [("integration_id", ASCENDING), ("_id", ASCENDING)],
            name="quarantined",
            partialFilterExpression={"state": LinkState.QUARANTINED.value},
        ),
        # Few: what a person must look at.
        IndexModel(
            [("integration_id", ASCENDING)],
            name="blocked",
            partialFilterExpression={"state": LinkState.BLOCKED.value},
        ),
        # Nearly always empty: those whose item is being created at this moment.
        IndexModel(
            [("integration_id", ASCENDING)],
            name="creating",
            partialFilterExpression={"psa_asks.revision": CREATION},
        ),
        IndexModel(
            [("integration_id", ASCENDING), ("run.id", ASCENDING), ("run.result", ASCENDING)],
            name="of_run",
            partialFilterExpression={"run.id": {"$gt": ""}},
        ),
        _LEFT,
    ),
    "sync_log": (
        IndexModel(_NEWEST_FIRST, name="newest_first"),
        IndexModel([("integration_id", ASCENDING), *_NEWEST_FIRST], name="of_integration"),
        IndexModel([("item", ASCENDING), *_NEWEST_FIRST], name="of_item"),
        IndexModel([("link_id", ASCENDING)], name="of_link"),
        IndexModel(
            [("run_id", ASCENDING), *_NEWEST_FIRST], name="of_run", partialFilterExpression={"run_id": {"$gt": ""}}
        ),
        IndexModel(
            [("integration_id", ASCENDING), *_NEWEST_FIRST],
            name="manual",
            partialFilterExpression={"trigger": Cause.RUN.value},
        ),
        IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
    ),
    "deleted_items": (IndexModel([("at", ASCENDING)], name="expiry", expireAfterSeconds=7 * 24 * 3600),),
    "orders": (
        # Nearly always empty: what is to be done and is not done yet.
        IndexModel(
            [("integration_id", ASCENDING), ("revision", ASCENDING)],
            name="open",
            partialFilterExpression={"open": True},
        ),
        IndexModel([("closed_at", ASCENDING)], name="expiry", expireAfterSeconds=90 * 24 * 3600),
        _LEFT,
    ),
    "dead_letters": (
        # Lists ask for a few statuses, the latest first; each of them is one stretch of the index.
        *(
            IndexModel([("status", ASCENDING), *named, ("last_at", DESCENDING), ("_id", DESCENDING)], name=name)
            for name, named in _LETTERS_BY.items()
        ),
        # All that groups are counted from, so that no letter need be read.
        IndexModel(
            [(name, ASCENDING) for name in _GROUPED_FROM],
            name="groups",
        ),
        IndexModel([("lane", ASCENDING), ("first_at", ASCENDING), ("_id", ASCENDING)], name="in_order"),
        IndexModel([("kind", ASCENDING), ("status", ASCENDING), ("checked_at", ASCENDING)], name="unsettled"),
        IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
    ),
    "history": (IndexModel([("at", ASCENDING)], name="expiry", expireAfterSeconds=8 * 24 * 3600),),
    "replay_jobs": (IndexModel([("created_at", DESCENDING)], name="newest_first"),),
    "operator_actions": (IndexModel(_NEWEST_FIRST, name="newest_first"),),
    "runs": (
        IndexModel([("integration_id", ASCENDING), ("started_at", DESCENDING)], name="of_integration"),
        IndexModel(
            [("integration_id", ASCENDING), ("started_at", ASCENDING)],
            name="under_way",
            partialFilterExpression={"state": RunState.RUNNING.value},
        ),
        _LEFT,
    ),
    "erased": (_LEFT,),
    "heard": (_LEFT,),
}


@dataclass(frozen=True, slots=True)
class Lacking:
    """An index that is not there, or not as it is needed. `remedy`: what to do."""

    collection: str
    name: str
    old: bool

    @property
    def subject(self) -> str:
        """Which index."""
        return f"index {self.collection}.{self.name}"

    @property
    def problem(self) -> str:
        """What is wrong with it."""
        return "is of a former version" if self.old else "does not exist"

    @property
    def remedy(self) -> str:
        """What to do. An index is never dropped unasked: to build it anew takes long when there is much."""
        apply_it = "run `calsync topology apply`"
        return f"drop it (`db.{self.collection}.dropIndex('{self.name}')`), then {apply_it}" if self.old else apply_it


async def check(database: Database) -> list[Lacking]:
    """Return the indexes that do not exist, or differ from what is needed. Raises `TryLater` if the store is away."""
    lacking: list[Lacking] = []
    for collection, indexes in INDEXES.items():
        with away():
            there = await database[collection].index_information()
        for index in indexes:
            name: str = index.document["name"]
            if name not in there or _essence(there[name]) != _essence(index.document):
                lacking.append(Lacking(collection, name, old=name in there))
    return lacking


async def apply(database: Database) -> list[Lacking]:
    """Create what is missing. Returns what exists and differs, and stays as it is."""
    old = [each for each in await check(database) if each.old]
    for collection, indexes in INDEXES.items():
        kept = {each.name for each in old if each.collection == collection}
        wanted = [index for index in indexes if index.document["name"] not in kept]
        if wanted:
            with away():
                await database[collection].create_indexes(wanted)
    return old


def _essence(index: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what makes an index what it is; the server tells the direction of a key as a float now and then."""
    keys = index["key"]
    pairs = cast("Iterable[tuple[str, float]]", keys.items() if isinstance(keys, Mapping) else keys)
    return (
        [(name, int(direction)) for name, direction in pairs],
        bool(index.get("sparse")),
        bool(index.get("unique")),
        index.get("partialFilterExpression"),
        index.get("expireAfterSeconds"),
    )
