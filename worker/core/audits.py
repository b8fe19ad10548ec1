"""When calendar and PSA are looked at unasked, in which parts, and what makes such a look suspicious.

Looks are spread by a hash of the integration's id, so that they neither herd nor move with restarts.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from events.content import Timed
from events.integration import Audit, DeepLook, Stock
from events.values import replace

if TYPE_CHECKING:
    from events.content import When

LIGHT: Final = timedelta(hours=8)
"""How often what changed lately is read again, and the far edge of what the calendar service shows."""
DEEP: Final = timedelta(hours=24)
"""How often everything is read."""
PAST: Final = timedelta(days=42)
FUTURE: Final = timedelta(days=201)
"""What the calendar service shows of events that are not ours. Source: cronofy.md, 5.1."""
EDGE: Final = timedelta(days=2)
"""How much of the far edge is read: more than slides in between two looks."""
_MARGIN: Final = timedelta(days=1)
"""An event so near an end of what was read may be on either side of it."""
_PART: Final = 1000
"""So many known events make a part of a deep look, after which its position is saved."""
_AGAIN: Final = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
"""When to look again after a suspicious look; then daily."""
_FIRST: Final = timedelta(hours=4)
"""Within this the PSA's items are listed for the first time: 1,500 calls an hour are for all users of a tenant."""
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def next_slot(integration_id: str, period: timedelta, now: datetime) -> datetime:
    """Return the next of an integration's own moments, one in each period."""
    drawn = hashlib.sha256(f"{integration_id}/{period}".encode()).digest()[:4]
    # As fine as the store keeps time, or the slot that is kept would be a little before itself, and its own next one.
    offset = timedelta(milliseconds=int.from_bytes(drawn) * (period // timedelta(milliseconds=1)) >> 32)
    begun = (now - _EPOCH - offset) // period
    return _EPOCH + offset + period * (begun + 1)


def planned(audit: Audit, integration_id: str, now: datetime) -> Audit:
    """Return when to look, for an integration for which that was not said yet."""
    light_at = audit.light_at or next_slot(integration_id, LIGHT, now)
    # The first listing says what there was before, of which nobody has told, and nobody need tell.
    stock = audit.stock if audit.stock.at else replace(audit.stock, at=next_slot(integration_id, _FIRST, now))
    deep_at = audit.deep_at or next_slot(integration_id, DEEP, now)
    return replace(audit, light_at=light_at, deep_at=deep_at, stock=stock)


def upcoming(audit: Audit) -> datetime | None:
    """Return when to look next."""
    moments = (audit.light_at, audit.deep_at, audit.stock.at)
    return min((moment for moment in moments if moment is not None), default=None)


def begin(known: int, now: datetime) -> DeepLook:
    """Begin a deep look at as many events. Its span and its parts are fixed from now on."""
    now = now.replace(microsecond=0)
    return DeepLook(now, now - PAST, now + FUTURE, parts=max(1, -(-known // _PART)))


def resumed(look: DeepLook | None, known: int, now: datetime) -> DeepLook:
    """Go on with a look that is under way, unless so much time has passed that it says nothing of today."""
    return look if look is not None and now - look.began < DEEP else begin(known, now)


def part(look: DeepLook) -> tuple[datetime, datetime]:
    """Return the span of the part that is next."""
    length = (look.end - look.start) / look.parts
    return look.start + length * look.done, look.start + length * (look.done + 1)


def is_within(when: When, start: datetime, end: datetime) -> bool:
    """Whether an event lies so well within a span that a read of it must show it."""
    if isinstance(when, Timed):
        return start + _MARGIN <= when.start and when.end <= end - _MARGIN
    return (start + 2 * _MARGIN).date() <= when.start and when.end <= (end - 2 * _MARGIN).date()


def is_suspicious(known: int, shown: int) -> bool:
    """Whether a look shows so little of what is known that it says nothing about the rest."""
    return known > 0 and 2 * shown < known


def doubted(audit: Audit, integration_id: str, now: datetime) -> Audit:
    """Return when to look again after a suspicious look."""
    times = audit.suspicious
    again = now + _AGAIN[times] if times < len(_AGAIN) else next_slot(integration_id, DEEP, now)
    return replace(audit, look=None, suspicious=times + 1, deep_at=again)


def done(audit: Audit, integration_id: str, now: datetime) -> Audit:
    """Return when to look again after a complete look."""
    return replace(audit, look=None, suspicious=0, deep_at=next_slot(integration_id, DEEP, now))


# The PSA's items


def taking(stock: Stock, known: int, now: datetime) -> Stock:
    """Go on with a listing, or begin one."""
    look = resumed(stock.look, known, now)
    return stock if look is stock.look else replace(stock, look=look, newest=None)


def listed(stock: Stock, newest: datetime | None) -> Stock:
    """Return how far a listing has come after one more part, and the newest change that this part showed."""
    assert stock.look is not None
    stamps = [moment for moment in (stock.newest, newest) if moment]
    return replace(stock, look=replace(stock.look, done=stock.look.done + 1), newest=max(stamps, default=None))


def taken(stock: Stock, integration_id: str, now: datetime, *, nothing_there: bool) -> Stock:
    """Return when to list again after a complete listing; the first one says from when on nothing may be unknown."""
    until = stock.until or stock.newest or (_EPOCH if nothing_there else None)
    return Stock(at=_next_stock(integration_id, now), until=until)


def stock_doubted(stock: Stock, integration_id: str, now: datetime) -> Stock:
    """Return when to list again after a suspicious listing."""
    times = stock.suspicious
    again = now + _AGAIN[times] if times < len(_AGAIN) else _next_stock(integration_id, now)
    return replace(stock, at=again, look=None, newest=None, suspicious=times + 1)


def _next_stock(integration_id: str, now: datetime) -> datetime:
    return next_slot(f"{integration_id}/psa", DEEP, now)  # not when the calendar is read
