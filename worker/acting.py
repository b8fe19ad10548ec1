"""Carrying out decisions: looks and writes at the PSA first, then the calendar's writes in batches.

Each effect has three steps: the intention is saved; right before the effect it is made sure that the work is still
ours and wanted; the result is saved. A crash anywhere repeats the effect, and repeating is harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from events.failures import MustReconnect
from events.integration import Status
from events.link import Link
from events.values import replace
from worker import telling
from worker.at_calendar import put_and_remove, rehome
from worker.at_psa import NEEDS_LOOK, PSA_WRITES, look_and_write
from worker.core import record
from worker.core.plan import Await, LetBe, PutEvent, Quarantine, Rehome, RemoveEvent, Weigh
from worker.core.undoing import let_be
from worker.weighing import weigh

if TYPE_CHECKING:
    from worker.judging import Judged
    from worker.slice import Slice

_ROUNDS: Final = 6
"""Steps that one link can need of the PSA in a row: read, change, be refused, read, change. More is a quarrel."""
_NEEDS_PSA: Final = (*NEEDS_LOOK, *PSA_WRITES)

Pair = tuple[Link, Link]
"""A link as it is stored, and as it has become since."""


async def advance(work: Slice, pairs: Sequence[Pair]) -> None:
    """Bring links as far as they can be brought now, and save every one of them."""
    judged = work.judge_all(pairs)
    for _ in range(_ROUNDS):
        judged = await _weighed(work, judged)
        steps = [one for one in judged if isinstance(one.decision.action, _NEEDS_PSA)]
        if not steps or work.psa_away or work.over:
            break
        judged = [one for one in judged if not isinstance(one.decision.action, _NEEDS_PSA)]
        judged += await look_and_write(work, steps)
    judged = await _weighed(work, judged)
    writes = [one for one in judged if isinstance(one.decision.action, PutEvent | RemoveEvent)]
    await _conclude(work, [one for one in judged if not isinstance(one.decision.action, PutEvent | RemoveEvent)])
    await _conclude(work, await put_and_remove(work, writes))


async def _weighed(work: Slice, judged: Sequence[Judged]) -> list[Judged]:
    weighed = await weigh(work, judged)
    held = work.holding.held
    if held.status is not Status.CONNECTED:
        # It is not the events that vanished, but their calendar.
        await _conclude(work, [one for one in weighed if isinstance(one.decision.action, Quarantine)])
        raise MustReconnect(held.reason, "found out while weighing deletions")
    return weighed


async def _conclude(work: Slice, judged: Sequence[Judged]) -> None:
    pairs: list[Pair] = []
    for one in judged:
        stored, link = await _concluded(work, one)
        if link != stored:
            if (blocked := telling.concluded(work.report, stored, link, work.occasion)) is not None:
                work.park(link, blocked, one.trace)
            pairs.append((stored, link))
    await work.save(pairs)


async def _concluded(work: Slice, one: Judged) -> Pair:
    match one.decision.action:
        case Rehome():
            return await rehome(work, one)
        case LetBe():
            return one.stored, let_be(one.link, one.decision.reason, work.now())
        case Await():
            next_look = record.next_look(one.link, work.now(), work.tools.timing)
            return one.stored, work.under_way(replace(one.link, due_at=next_look))
        case action if isinstance(action, (*_NEEDS_PSA, PutEvent, RemoveEvent, Weigh)):
            return one.stored, replace(one.link, due_at=work.psa_away or work.now())
        case _:
            return one.stored, record.concluded(one.link, one.decision, one.psa)
