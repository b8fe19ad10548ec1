"""Going on with the run under way: a page at a time, real time first, as long as the slice lasts.

Where the run stands is saved after each page. Whatever happens before that makes it deal with the same page again, and
that is harmless: everything in it is observed, decided and done as always.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from events.failures import RateLimited, System, TryLater
from events.lanes import Lane
from events.reasons import Reason
from events.runs import Phase, Position, RunState, RunTrigger
from events.values import replace
from worker import outcomes
from worker.core.runs import verdict
from worker.reconcile import due_first, reconcile
from worker.runs.ending import end, save
from worker.runs.reading import read_page
from worker.runs.sending import send_page
from worker.runs.undoing import take_back_page

if TYPE_CHECKING:
    from datetime import datetime

    from events.link import Link
    from events.runs import Run
    from worker.slice import Slice, Tools

TURN: Final = 10.0
"""Seconds after which a run gives way, so that hints which have come in meanwhile are followed."""
READ_BACK: Final = timedelta(minutes=10)
"""What a run writes it reads back by itself; should it not get so far, it is looked for after this."""
_TELL_EVERY: Final = timedelta(seconds=5)
_LOOK_AGAIN: Final = timedelta(seconds=5)
_HASTENED: Final = Position(page="hastened")
"""Everything was looked at, and all that is still under way is due."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was under way and due when it was looked for."""

    run: Run | None
    due: list[Link]


async def find(tools: Tools, integration_id: str) -> Found:
    """Look what there is to go on with."""
    return Found(*await tools.together(tools.runs.under_way(integration_id), due_first(tools, integration_id)))


async def bring_to_rest(work: Slice, found: Found) -> datetime | None:
    """Reconcile, and go on with the run under way in turns. Returns when there is more to do; None if nothing waits."""
    ends = work.tools.clock.monotonic() + TURN
    run = None if found.run is None else await _to_go_on_with(work, found.run)
    work.run_id = run.id if run is not None and not run.over else ""
    due_at = await reconcile(work, found.due)
    if run is not None and not run.over:
        # Or a worker that takes over from a dead one would look once more for all that the run has written so far.
        await work.holding.save()
    while run is not None and not run.over:
        if work.over or work.tools.clock.monotonic() >= ends:
            return work.now()
        taken = await _step(work, run)
        due_at = await reconcile(work)
        if not isinstance(taken, _Waits):
            run = taken
            continue
        return min(taken.until, due_at or taken.until)
    return due_at if run is None else work.now()  # somebody may have waited for its end


@dataclass(frozen=True, slots=True)
class _Waits:
    """The run cannot go on before a moment."""

    until: datetime


async def _to_go_on_with(work: Slice, run: Run) -> Run:
    """Return the run under way as it goes on: under new settings, but not with another calendar."""
    if run.calendar_id != work.policy.calendar_id:
        return await end(work.tools, work.holding, run, RunState.CANCELLED, Reason.CALENDAR_REPLACED)
    epoch = work.holding.integration.epoch
    return run if run.epoch == epoch else await _save(work, run, replace(run, epoch=epoch))


async def _step(work: Slice, run: Run) -> Run | _Waits:
    """Take one step. An outage of the PSA, or our own allowance, makes the run wait, and nothing else."""
    if run.phase is Phase.SETTLE:
        return await _settle(work, run)
    if work.psa_away:
        return _Waits(work.psa_away)
    try:
        with work.in_run(_lane(run), READ_BACK):
            phase, position = await _page(work, run)
        if not work.psa_away:
            return await _told(work, run, replace(run, phase=phase, position=position))
    except RateLimited as error:
        if error.system is System.PSA:
            await work.psa_is_away(error)
        return _Waits(work.now() + timedelta(seconds=error.retry_after or 1.0))
    except TryLater as error:
        if error.system is not System.PSA:
            raise
        await work.psa_is_away(error)
    return _Waits(work.psa_away or work.now())


async def _page(work: Slice, run: Run) -> tuple[Phase, Position]:
    match run.phase:
        case Phase.SEND:
            return await send_page(work, run)
        case Phase.READ:
            return await read_page(work, run)
        case Phase.TAKE_BACK:
            return await take_back_page(work, run)
        case Phase.SETTLE:
            return run.phase, run.position


def _lane(run: Run) -> Lane:
    return Lane.ASKED if run.trigger is RunTrigger.ASKED else Lane.BACKFILL


async def _settle(work: Slice, run: Run) -> Run | _Waits:
    """Wait until everything has come to rest; but not for items that fail again and again."""
    if run.position != _HASTENED:
        await work.tools.links.hasten(run.integration_id, run.id, work.now())
        return await _save(work, run, replace(run, position=_HASTENED))
    totals = await work.tools.links.run_totals(run.integration_id, run.id)
    if totals.pending:
        await _told(work, run, run)
        return _Waits(work.now() + _LOOK_AGAIN)
    state, reason = verdict(totals)
    return await end(work.tools, work.holding, run, state, reason)


async def _told(work: Slice, before: Run, run: Run) -> Run:
    """Save how far a run has come, and tell of it now and then."""
    now = work.now()
    if run.told_at is None or now - run.told_at >= _TELL_EVERY:
        totals = await work.tools.links.run_totals(run.integration_id, run.id)
        run = replace(run, totals=totals, told_at=now)
        await work.tools.outcomes.publish([outcomes.run_progress(work.holding, run, now)])
    return await _save(work, before, run)


async def _save(work: Slice, before: Run, after: Run) -> Run:
    return await save(work.tools, work.holding, before, after)
