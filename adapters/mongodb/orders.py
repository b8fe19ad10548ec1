"""The collection `orders`. An order that was closed is kept for a while, so that its event may come again."""

from __future__ import annotations

from typing import Final

from adapters.mongodb.driver import Collection, Database, Document, away, insert_new
from events.integration import Lease
from events.orders import Order, OrderKind

COLLECTION: Final = "orders"
_KINDS: Final = frozenset(OrderKind)


class Orders:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._collection: Collection = database[COLLECTION]

    async def place(self, order: Order) -> bool:
        """Store an order. False if it was stored before; it may be closed already."""
        return not await insert_new(self._collection, [order_to_document(order)])

    async def open(self, integration_id: str) -> list[Order]:
        """Return what is to be done, in order of revision. Kinds that a newer worker brought are left to it."""
        query = {"integration_id": integration_id, "open": True}
        with away():
            found = await self._collection.find(query).sort([("revision", 1), ("_id", 1)]).to_list(None)
        return [order_from_document(document) for document in found if document["kind"] in _KINDS]

    async def close(self, lease: Lease, order: Order) -> bool:
        """Close an order that was carried out or refused. False if a later holder of the lease has closed it."""
        query = {"_id": order.id, "fence": {"$lte": lease.fence}}
        closing: Document = {"open": False, "fence": lease.fence, "details": {}}
        update: Document = {"$set": closing, "$currentDate": {"closed_at": True}}
        with away():
            result = await self._collection.update_one(query, update)
        return result.matched_count > 0


def order_to_document(order: Order) -> Document:
    """Return the document of an open order."""
    return {
        "_id": order.id,
        "integration_id": order.integration_id,
        "revision": order.revision,
        "kind": order.kind.value,
        "at": order.at,
        "details": dict(order.details),
        "open": True,
        "fence": 0,
    }


def order_from_document(document: Document) -> Order:
    """Return the order that a document holds."""
    return Order(
        id=document["_id"],
        integration_id=document["integration_id"],
        revision=document["revision"],
        kind=OrderKind(document["kind"]),
        at=document["at"],
        details=document["details"],
    )
