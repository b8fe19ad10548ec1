"""Which indexes exist, and why; and how to compare and create them.

On a sharded cluster, `integrations` is sharded by its hashed `_id`, `links` and `sync_log` by the hashed
`integration_id`; an `_id` of these two belongs to one integration, so it stays unique. The rest is small and stays
whole. Who has a link to an item is asked of all shards.
"""

from __future__ import annotations

from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from adapters.mongodb.driver import Database, away
from events.link import CREATION

_NEWEST_FIRST: Final = (("at", DESCENDING), ("_id", DESCENDING))

INDEXES: Final[dict[str, tuple[IndexModel, ...]]] = {
    "integrations": (
        IndexModel([("tenant_id", ASCENDING), ("user_id", ASCENDING)], name="of_user"),
        IndexModel([("due_at", ASCENDING)], name="due", sparse=True),
    ),
    "links": (
        IndexModel([("integration_id", ASCENDING), ("due_at", ASCENDING)], name="due"),
        IndexModel([("tenant_id", ASCENDING), ("item", ASCENDING)], name="of_item"),
        IndexModel([("tenant_id", ASCENDING), ("reference", ASCENDING)], name="of_reference"),
        # Nearly always empty: those whose item is being created at this moment.
        IndexModel(
            [("integration_id", ASCENDING)],
            name="creating",
            partialFilterExpression={"psa_asks.revision": CREATION},
        ),
    ),
    "sync_log": (
        IndexModel(_NEWEST_FIRST, name="newest_first"),
        IndexModel([("integration_id", ASCENDING), *_NEWEST_FIRST], name="of_integration"),
        IndexModel([("item", ASCENDING), *_NEWEST_FIRST], name="of_item"),
        IndexModel(
            [("run_id", ASCENDING), *_NEWEST_FIRST], name="of_run", partialFilterExpression={"run_id": {"$gt": ""}}
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
    ),
    "dead_letters": (IndexModel([("fingerprint", ASCENDING), ("last_at", DESCENDING)], name="of_fingerprint"),),
    "runs": (IndexModel([("integration_id", ASCENDING), ("started_at", DESCENDING)], name="of_integration"),),
}


async def missing(database: Database) -> list[str]:
    """Return the indexes that do not exist, as `collection.index`."""
    lacking: list[str] = []
    for collection, indexes in INDEXES.items():
        with away():
            there = await database[collection].index_information()
        lacking += [
            f"{collection}.{index.document['name']}" for index in indexes if index.document["name"] not in there
        ]
    return lacking


async def apply(database: Database) -> None:
    """Create what is missing."""
    for collection, indexes in INDEXES.items():
        with away():
            await database[collection].create_indexes(list(indexes))
