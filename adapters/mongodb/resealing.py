"""Sealing anew, under the key in front, all secrets that lie in the store, while workers go on.

Each value is changed only if it is still the one that was read, so a token that a worker refreshes meanwhile is never
lost: the worker seals it under its own key in front, and it is looked at once more. What is sealed under the key in
front already is left alone; so it can be broken off and begun anew at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from adapters.mongodb.driver import Collection, Database, Document, away
from adapters.mongodb.wishes import COLLECTION
from events.failures import Misconfigured

if TYPE_CHECKING:
    from adapters.mongodb.vault import Vault

_PAGE: Final = 100
_TRIES: Final = 5
"""How often an integration is looked at whose secrets change under our hands."""
_SECRETS: Final = {
    "wanted.connect.sealed": 1,
    "held.sealed": 1,
    "held.offered.sealed": 1,
    "held.retired.sealed": 1,
}
"""Everywhere that `adapters.mongodb.integration_codec` seals something."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """What came of it. The rest was sealed under the key in front already."""

    renewed: int = 0
    """How many secrets were sealed anew."""
    left: int = 0
    """How many integrations are left, because their secrets changed under our hands every time."""
    unopened: tuple[str, ...] = ()
    """Integrations with a secret that no key opens."""

    def __add__(self, other: Resealed) -> Resealed:
        return Resealed(self.renewed + other.renewed, self.left + other.left, self.unopened + other.unopened)


class _Fate(Enum):
    CURRENT = auto()
    RENEWED = auto()
    CHANGED = auto()
    UNOPENED = auto()


class Resealing:
    """See the module."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._integrations: Collection = database[COLLECTION]
        self._vault = vault

    async def run(self) -> Resealed:
        """Seal everything anew that is not sealed under the key in front."""
        total, after = Resealed(), ""
        while page := await self._page(after):
            for document in page:
                total += await self._integration(document)
            after = page[-1]["_id"]
        return total

    async def _page(self, after: str) -> list[Document]:
        with away():
            cursor = self._integrations.find({"_id": {"$gt": after}}, _SECRETS).sort([("_id", 1)]).limit(_PAGE)
            return await cursor.to_list(None)

    async def _integration(self, document: Document) -> Resealed:
        owner: str = document["_id"]
        seen, renewed = document, 0
        for _ in range(_TRIES):
            done = [await self._secret(owner, path, sealed) for path, sealed in _sealed(seen)]
            renewed += done.count(_Fate.RENEWED)
            if _Fate.CHANGED not in done:
                unopened = (owner,) if _Fate.UNOPENED in done else ()
                return Resealed(renewed, unopened=unopened)
            with away():
                seen = await self._integrations.find_one({"_id": owner}, _SECRETS) or {}
        return Resealed(renewed, left=1)

    async def _secret(self, owner: str, path: str, sealed: bytes) -> _Fate:
        try:
            fresh = self._vault.reseal(owner, sealed)
        except Misconfigured:
            return _Fate.UNOPENED
        if fresh is None:
            return _Fate.CURRENT
        return _Fate.RENEWED if await self._swap(owner, path, sealed, fresh) else _Fate.CHANGED

    async def _swap(self, owner: str, path: str, sealed: bytes, fresh: bytes) -> bool:
        with away():
            result = await self._integrations.update_one({"_id": owner, path: sealed}, {"$set": {path: fresh}})
        return result.matched_count > 0


def _sealed(document: Document) -> Iterator[tuple[str, bytes]]:
    """Return where an integration has secrets, and each as it lies there."""
    wanted: Document = document.get("wanted") or {}
    held: Document = document.get("held") or {}
    if wanted.get("connect"):
        yield "wanted.connect.sealed", wanted["connect"]["sealed"]
    if held.get("sealed") is not None:
        yield "held.sealed", held["sealed"]
    if held.get("offered"):
        yield "held.offered.sealed", held["offered"]["sealed"]
    for position, grant in enumerate(held.get("retired", ())):
        yield f"held.retired.{position}.sealed", grant["sealed"]
