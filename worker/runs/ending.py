"""Ending a run: its totals are counted, told and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.failures import Refused, Stale
from events.reasons import Reason
from events.runs import RunState
from events.values import replace
from worker import outcomes

if TYPE_CHECKING:
    from events.orders import Order
    from events.runs import Run
    from worker.holding import Holding
    from worker.slice import Tools


async def end(tools: Tools, holding: Holding, run: Run, state: RunState, reason: Reason | None) -> Run:
    """End a run. What it left under way goes on, as real time."""
    totals = await tools.links.run_totals(run.integration_id, run.id)
    now = tools.clock.now()
    await tools.links.hasten(run.integration_id, run.id, now)
    ended = replace(run, state=state, reason=reason, totals=totals, told_at=now, ended_at=now)
    await tools.outcomes.publish([outcomes.run_progress(holding, ended, now)])
    return await save(tools, holding, run, ended)


async def save(tools: Tools, holding: Holding, before: Run, after: Run) -> Run:
    """Save a run. Raises `Stale` if somebody else goes on with it."""
    saved = await tools.runs.save(holding.lease, before, after)
    if saved is None:
        raise Stale(Reason.LEASE_LOST)
    return saved


async def cancel_run(tools: Tools, holding: Holding, order: Order) -> None:
    """Carry out an order to end a run. One that has ended is left as it is. Raises `Refused` if there is none."""
    run = await tools.runs.get(str(order.details["run_id"]))
    if run is None or run.integration_id != holding.id:
        raise Refused(Reason.UNKNOWN_RUN)
    if not run.over:
        await end(tools, holding, run, RunState.CANCELLED, Reason.CANCELLED)
