"""Looking through all links once: after settings came into force, and when the integration is deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from events.values import replace
from worker.core.revise import arrives_until, is_concerned, is_elsewhere, tombstone

if TYPE_CHECKING:
    from events.link import Link
    from worker.slice import Slice

_PAGE: Final = 500


async def revise(work: Slice) -> None:
    """Make due what the settings concern. Done again from the beginning, should it not come to its end."""
    policy = work.policy

    def due(link: Link) -> Link:
        if is_elsewhere(link, policy.calendar_id):
            _wait_for_arrivals(work, link)
        return replace(link, due_at=work.now()) if is_concerned(link, policy) else link

    if await _each(work, due):
        work.holding.note(revising=False)


async def bury(work: Slice) -> bool:
    """Leave nothing of all links but tombstones. False if it did not come to its end."""

    def buried(link: Link) -> Link:
        _wait_for_arrivals(work, link)
        return tombstone(link)

    return await _each(work, buried)


async def bury_late(work: Slice) -> None:
    """Bury what intake has observed just while everything was being buried."""
    while late := await work.tools.links.due(work.holding.id, work.now(), _PAGE):
        await work.save([(link, tombstone(link)) for link in late])


async def _each(work: Slice, change: Callable[[Link], Link]) -> bool:
    after = ""
    while page := await work.tools.links.page(work.holding.id, after, _PAGE):
        changed = [(link, new) for link in page if (new := change(link)) != link]
        await work.holding.save()  # until when something may still arrive is known before it is forgotten
        await work.save(changed)
        if work.over:
            return False
        after = page[-1].id
    return True


def _wait_for_arrivals(work: Slice, link: Link) -> None:
    """Note until when what was asked of a calendar that is left behind may still arrive there."""
    moments = (arrives_until(link, work.tools.timing), work.holding.held.clear_after)
    work.holding.note(clear_after=max((moment for moment in moments if moment is not None), default=None))
