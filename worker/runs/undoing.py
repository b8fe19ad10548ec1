"""Undoing a run, which is a run of its own: the links that the former wrote to are marked; the loop does the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from events.failures import Refused
from events.link import RunMark
from events.reasons import Reason
from events.runs import Phase, Position, Run, RunKind, RunTrigger
from events.values import replace
from worker import outcomes
from worker.core.runs import onward
from worker.core.undoing import marked_for_undoing
from worker.runs.beginning import ASK_AGAIN, not_at_work

if TYPE_CHECKING:
    from datetime import datetime

    from events.link import Link
    from events.orders import Order
    from worker.holding import Holding
    from worker.slice import Slice, Tools

_PAGE: Final = 200


async def begin_undo(tools: Tools, holding: Holding, order: Order) -> datetime | None:
    """Carry out an order to take a run back. Returns when to ask again, while another one is under way.

    Raises `Refused`.
    """
    if await tools.runs.get(order.id) is not None:
        return None
    former, now = await tools.runs.get(str(order.details["run_id"])), tools.clock.now()
    run = _run(holding, order, now)
    if (reason := _obstacle(holding, former)) is not None:
        await tools.outcomes.publish([outcomes.run_refused(holding, run, reason, now)])
        raise Refused(reason)
    if await tools.runs.under_way(holding.id) is not None:
        return now + ASK_AGAIN
    run = await tools.runs.begin(holding.lease, run)
    await tools.outcomes.publish([outcomes.run_progress(holding, run, now)])
    return None


def _obstacle(holding: Holding, former: Run | None) -> Reason | None:
    if former is None or former.integration_id != holding.id or former.kind is RunKind.UNDO:
        return Reason.UNKNOWN_RUN
    if not former.over:
        return Reason.RUN_UNDER_WAY
    if former.calendar_id != holding.held.calendar_id:
        return Reason.CALENDAR_REPLACED
    return not_at_work(holding)


def _run(holding: Holding, order: Order, now: datetime) -> Run:
    integration = holding.integration
    return Run(
        id=order.id,
        integration_id=integration.id,
        tenant_id=integration.tenant_id,
        user_id=integration.user_id,
        kind=RunKind.UNDO,
        trigger=RunTrigger.ASKED,
        revision=order.revision,
        epoch=integration.epoch,
        calendar_id=holding.held.calendar_id,
        retrieve=None,
        send=None,
        started_at=now,
        phase=Phase.TAKE_BACK,
        of_run=str(order.details["run_id"]),
    )


async def take_back_page(work: Slice, run: Run) -> tuple[Phase, Position]:
    """Mark a page of links. Returns where the run goes on. Both sides are looked at before anything is taken back."""
    page = await work.tools.links.page(work.holding.id, run.position.page, _PAGE)
    if not page:
        return onward(run)
    marked = [(link, new) for link in page if (new := _marked(work, run, link)) is not link]
    await work.save(marked)
    return run.phase, Position(page=page[-1].id)


def _marked(work: Slice, run: Run, link: Link) -> Link:
    if link.run is not None and link.run.run_id == run.id:
        return link  # by a former attempt that did not come to the end of its page
    wanted = marked_for_undoing(link, run.of_run, work.now())
    if wanted is link:
        return link
    # What the run had brought in, though it was older than the link to the calendar, comes in again if it is edited.
    return replace(wanted, run=RunMark(run.id, retrieve=link.run is not None and link.run.retrieve))
