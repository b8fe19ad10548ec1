"""Weighing deletions before they are carried over: unusually many are held back, for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from events.failures import MustReconnect
from events.link import Ending, LinkState, Verdict
from events.outcomes import Direction
from events.reasons import Reason
from events.values import replace
from worker import outcomes
from worker.core.brakes import holds
from worker.core.plan import Weigh

if TYPE_CHECKING:
    from events.link import Link
    from worker.judging import Judged
    from worker.slice import Slice

_OF_THE_CALENDAR: Final = frozenset({Reason.CALENDAR_MISSING, Reason.CALENDAR_READ_ONLY})


async def weigh(work: Slice, judged: Sequence[Judged]) -> list[Judged]:
    """Let deletions pass or hold them back, all that came together alike. Returns the links with their next step.

    What is said of them is stored before anything is done, so that after a crash they count, and are not weighed again.
    """
    doubtful = [one for one in judged if isinstance(one.decision.action, Weigh)]
    if not doubtful:
        return list(judged)
    reason = await _reason_to_hold(work, doubtful)
    now, verdict = work.now(), Verdict.HELD if reason else Verdict.PASSED
    pairs: list[tuple[Link, Link]] = []
    for one in doubtful:
        ending = Ending(now, verdict, reason or one.decision.reason)
        pairs.append((one.stored, replace(one.link, ending=ending, state=LinkState.PENDING, due_at=now)))
    if reason is not None:
        await _tell(work, reason, doubtful)
    weighed = [work.judge(link, link) for link in await work.save(pairs)]
    return [one for one in judged if not isinstance(one.decision.action, Weigh)] + weighed


async def _reason_to_hold(work: Slice, doubtful: Sequence[Judged]) -> Reason | None:
    limits = work.policy.tenant.brakes
    tally = await work.tools.links.tally(work.holding.id, work.now() - timedelta(minutes=limits.deletions_minutes))
    if holds(limits, tally, len(doubtful)):
        return Reason.MANY_DELETIONS
    return await _trouble(work) if any(_is_inbound(one) for one in doubtful) else None


async def _trouble(work: Slice) -> Reason | None:
    """Return whether it is the calendar itself that vanished; asked before any event's deletion is believed.

    Raises `MustReconnect` if nothing can be said of it.
    """
    trouble = await work.calendar_trouble()
    if trouble is None or trouble in _OF_THE_CALENDAR:
        return trouble
    raise MustReconnect(trouble, "found out while weighing deletions")


def _is_inbound(one: Judged) -> bool:
    return one.decision.reason is not Reason.PSA_DELETED


async def _tell(work: Slice, reason: Reason, doubtful: Sequence[Judged]) -> None:
    at = work.occasion.at
    for direction in (Direction.FROM_CALENDAR, Direction.TO_CALENDAR):
        held = [one.link for one in doubtful if _is_inbound(one) is (direction is Direction.FROM_CALENDAR)]
        if held:
            told = outcomes.deletions_held(work.holding, reason, direction, held, at)
            await work.tools.outcomes.publish([told])
