"""Beginning a run: an order for one is refused, joins the run under way, waits for its end, or begins a run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from events.failures import Refused
from events.integration import Status
from events.psa import Range
from events.reasons import Reason
from events.runs import Run, RunKind, RunTrigger, Span
from worker import outcomes
from worker.core.runs import PAUSE, days, does, first_phase
from worker.projection.times import midnight, zone

if TYPE_CHECKING:
    from datetime import datetime

    from events.orders import Order
    from worker.holding import Holding
    from worker.slice import Tools

ASK_AGAIN: Final = timedelta(seconds=15)
_RANGE: Final[TypeAdapter[Range | None]] = TypeAdapter(Range | None)


async def begin_sync(tools: Tools, holding: Holding, order: Order) -> datetime | None:
    """Carry out an order for a run. Returns when to ask again, if it has to wait for another one.

    `order.details`: `trigger`, and a range under `retrieve` and `send`, or null. Raises `Refused`.
    """
    trigger = RunTrigger(str(order.details["trigger"]))
    now = tools.clock.now()
    if trigger is RunTrigger.SAVED and not _in_force(holding):
        return now + ASK_AGAIN  # what was ticked when the settings were saved begins once they are in force
    run = _run(holding, order, trigger, now)
    known = await tools.runs.get(order.id)
    if known is not None:
        return None
    if (reason := await _obstacle(tools, holding, run)) is not None:
        await tools.outcomes.publish([outcomes.run_refused(holding, run, reason, now)])
        raise Refused(reason)
    other = await tools.runs.under_way(holding.id)
    if other is None:
        run = await tools.runs.begin(holding.lease, run)
    elif does(other, run.retrieve, run.send):
        run = other
    else:
        return now + ASK_AGAIN
    await tools.outcomes.publish([outcomes.run_progress(holding, run, now, asked_by=order.revision)])
    return None


def _in_force(holding: Holding) -> bool:
    settings = holding.integration.wanted.settings
    return settings is not None and holding.held.configured_revision == settings.revision


async def _obstacle(tools: Tools, holding: Holding, run: Run) -> Reason | None:
    if (reason := not_at_work(holding)) is not None:
        return reason
    latest = await tools.runs.latest(holding.id)
    if latest is None or not latest.over or run.trigger is RunTrigger.SAVED:
        return None
    soon = run.started_at - latest.started_at < PAUSE
    return Reason.TOO_SOON if soon and does(latest, run.retrieve, run.send) else None


def not_at_work(holding: Holding) -> Reason | None:
    """Return why no run can take place at all."""
    wanted, held = holding.integration.wanted, holding.held
    if wanted.settings is None:
        return Reason.NOT_CONFIGURED
    if not wanted.active:
        return Reason.INACTIVE
    if held.status is not Status.CONNECTED:
        return held.reason
    return None if _in_force(holding) else Reason.NOT_CONFIGURED


def _run(holding: Holding, order: Order, trigger: RunTrigger, now: datetime) -> Run:
    integration = holding.integration
    settings = integration.wanted.settings
    asked = (_RANGE.validate_python(order.details.get(name), strict=False) for name in ("retrieve", "send"))
    retrieve, send = (span_asked(holding, range_, now) for range_ in asked)
    return Run(
        id=order.id,
        integration_id=integration.id,
        tenant_id=integration.tenant_id,
        user_id=integration.user_id,
        kind=RunKind.SYNC,
        trigger=trigger,
        revision=order.revision,
        epoch=integration.epoch,
        calendar_id=settings.calendar_id if settings else "",
        retrieve=retrieve,
        send=send,
        started_at=now,
        phase=first_phase(send),
    )


def span_asked(holding: Holding, asked: Range | None, now: datetime) -> Span | None:
    """Return the span of a range, in days of the user's zone."""
    if asked is None:
        return None
    back, ahead = days(asked.past, asked.future)
    where = zone(holding.held.time_zone)
    today = now.astimezone(where).date()
    return Span(midnight(today - timedelta(days=back), where), midnight(today + timedelta(days=ahead), where))
