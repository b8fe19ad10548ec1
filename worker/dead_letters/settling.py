"""Finding out what has become of items among the dead letters: their links say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from events.letters import Letter, Status, Verdict
from events.link import Link, LinkState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.ports import Letters, Links

AT_REST: Final = frozenset({LinkState.SETTLED, LinkState.BURIED, LinkState.DETACHED, LinkState.IGNORED})
_REPLAYED_EVERY: Final = timedelta(seconds=1)
_OPEN_EVERY: Final = timedelta(minutes=1)
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Ended:
    """What has become of a letter. An empty `replay` stands for all of its replays."""

    letter_id: str
    replay: str
    verdict: Verdict
    detail: str


def ended(letter: Letter, link: Link | None) -> Ended | None:
    """Compare a letter of a link with the link; None while it is not known what becomes of it."""
    replay = letter.replays[-1] if letter.replays else None
    unheard = replay is not None and replay.verdict is None
    if link is None:
        return Ended(letter.id, "", Verdict.STALE, "the link is gone")
    if link.due_at is not None:
        return None
    if link.state in AT_REST:
        return Ended(letter.id, "", Verdict.RESOLVED, f"{link.state}: {link.reason}")
    blocked = link.state is LinkState.BLOCKED and unheard
    if blocked and replay and replay.taken_version is not None and link.version > replay.taken_version:
        return Ended(letter.id, replay.id, Verdict.FAILED_AGAIN, f"{link.reason}: {link.message}"[:500])
    return None


async def settle_links(letters: Letters, links: Links, now: datetime) -> int:
    """Look at links of letters: of replayed ones often, of open ones now and then. Returns how many ended."""
    some = await letters.unsettled(Status.REPLAYED, now - _REPLAYED_EVERY, now, _AT_ONCE)
    some += await letters.unsettled(Status.OPEN, now - _OPEN_EVERY, now, _AT_ONCE)
    found = await links.by_ids([letter.subject.link_id for letter in some])
    return await _note(letters, [ended(letter, found.get(letter.subject.link_id)) for letter in some], now)


async def _note(letters: Letters, endings: Sequence[Ended | None], now: datetime) -> int:
    known = [one for one in endings if one is not None]
    for one in known:
        await letters.ended(one.letter_id, one.replay, one.verdict, one.detail, now)
    return len(known)
