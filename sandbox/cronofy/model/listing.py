"""Reads that are handed out page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.clock import Chance
from sandbox.cronofy.model import ids
from sandbox.cronofy.model.event import Event
from sandbox.cronofy.model.reading import Query

Kind = Literal["events", "free_busy"]


@dataclass(frozen=True, slots=True)
class Listing:
    """The outcome of one read, as it was when its first page was asked for."""

    kind: Kind
    sub: str
    query: Query
    events: list[Event]
    size: int
    page_ids: tuple[str, ...]
    """Of the second page and later ones."""
    expires: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """One page of it. `next_id`: of the page after this one."""

    query: Query
    events: list[Event]
    number: int
    total: int
    next_id: str | None


class Listings:
    """All reads that have further pages and have not expired."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._pages: dict[str, tuple[Listing, int]] = {}  # oldest first

    def open(self, kind: Kind, sub: str, query: Query, events: list[Event], size: int, expires: datetime) -> Page:
        """Keep the outcome of a read and return its first page."""
        further = max(0, (len(events) - 1) // size)
        page_ids = tuple(ids.page_id(self._chance) for _ in range(further))
        listing = Listing(kind, sub, query, events, size, page_ids, expires)
        self._pages.update({page_id: (listing, number) for number, page_id in enumerate(page_ids, start=2)})
        return _page(listing, 1)

    def page(self, kind: Kind, sub: str, page_id: str, now: datetime) -> Page | None:
        """Find a later page. None: no such page, or it has expired."""
        self._forget_expired(now)
        listing, number = self._pages.get(page_id, (None, 0))
        if listing is None or listing.kind != kind or listing.sub != sub:
            return None
        return _page(listing, number)

    def expire(self) -> None:
        """Let every page expire."""
        self._pages.clear()

    def _forget_expired(self, now: datetime) -> None:
        while self._pages:
            oldest = next(iter(self._pages))
            if self._pages[oldest][0].expires > now:
                return
            del self._pages[oldest]


def _page(listing: Listing, number: int) -> Page:
    first = (number - 1) * listing.size
    total = len(listing.page_ids) + 1
    next_id = listing.page_ids[number - 1] if number < total else None
    return Page(listing.query, listing.events[first : first + listing.size], number, total, next_id)
