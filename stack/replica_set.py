"""A MongoDB replica set of one member: transactions and majority writes as in production, on one server."""

from __future__ import annotations

from typing import Final

from pymongo import MongoClient
from pymongo.errors import PyMongoError

NAME: Final = "calsync"


def is_primary(host: str, port: int) -> bool:
    """Return whether the server takes writes. One that is new is made a replica set first."""
    client: MongoClient[dict[str, object]] = MongoClient(
        host, port, directConnection=True, serverSelectionTimeoutMS=500, connectTimeoutMS=500, socketTimeoutMS=5000
    )
    with client:
        try:
            hello = client.admin.command("hello")
            if not hello["isWritablePrimary"]:
                members = [{"_id": 0, "host": f"{host}:{port}"}]
                client.admin.command("replSetInitiate", {"_id": NAME, "members": members})
            return bool(hello["isWritablePrimary"])
        except PyMongoError:  # it is not listening yet, or a replica set already that has not elected itself yet
            return False
