"""The log as the PSA platform reads it: a page at a time, for whoever looks into the integration's log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from events.failures import Refused
from events.items import ItemType
from events.journal import Result, Which
from events.outcomes import Direction, LogLine
from events.psa import ReadLogData
from events.reasons import Reason
from worker import outcomes

if TYPE_CHECKING:
    from datetime import datetime

    from events.orders import Order
    from worker.holding import Holding
    from worker.slice import Tools

_BYTES: Final = 128 * 1024
"""A page ends before a line that would make it larger, so that it is no larger than a message may be."""


async def tell_page(tools: Tools, holding: Holding, order: Order) -> datetime | None:
    """Carry out an order for a page. Raises `Refused` if the line behind which it is to begin is not there any more."""
    asked = _asked(holding, order)
    mark = None if asked.after is None else await tools.journal.mark(asked.after)
    if asked.after is not None and mark is None:
        raise Refused(Reason.GONE, "the line after which the page begins is not kept any more")
    found = await tools.journal.page(_which(asked), mark, asked.limit + 1)
    lines = _as_many_as_fit([outcomes.log_line(entry) for entry in found[: asked.limit]])
    more = lines[-1].id if len(lines) < len(found) else None
    told = outcomes.log_page(holding, order.revision, lines, more, tools.clock.now())
    await tools.outcomes.publish([told])
    return None


def _asked(holding: Holding, order: Order) -> ReadLogData:
    integration = holding.integration
    whose = {"tenant_id": integration.tenant_id, "user_id": integration.user_id, "integration_id": integration.id}
    return ReadLogData.model_validate({**order.details, **whose, "revision": max(0, order.revision)}, strict=False)


def _which(asked: ReadLogData) -> Which:
    item = None
    if asked.item_type is not None and asked.item_id is not None:
        item = ItemType(asked.item_type), asked.item_id, asked.part_id
    return Which(
        integration_id=asked.integration_id,
        item=item,
        run_id=asked.run_id or "",
        result=None if asked.result is None else Result(asked.result),
        direction=None if asked.direction is None else Direction(asked.direction),
        manual=asked.manual,
    )


def _as_many_as_fit(lines: list[LogLine]) -> list[LogLine]:
    size = 0
    for number, line in enumerate(lines):
        size += len(line.model_dump_json().encode())
        if number and size > _BYTES:
            return lines[:number]
    return lines
