"""Restoring what lost a conflict: the value is brought into the PSA as if its user had entered it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.content import Field, Value, value_of
from events.failures import Refused
from events.journal import Result
from events.reasons import Reason
from events.values import replace
from worker.core.brakes import let_flow
from worker.core.ownership import writable

if TYPE_CHECKING:
    from datetime import datetime

    from events.journal import Entry
    from events.link import Link
    from events.orders import Order
    from worker.holding import Holding
    from worker.slice import Tools


async def restore(tools: Tools, holding: Holding, order: Order) -> datetime | None:
    """Leave with the item's link which values are wanted back. Returns when to try again.

    Raises `Refused` if there is no such conflict, or its values cannot be had back.
    """
    entry = await tools.journal.find(str(order.details["conflict_id"]))
    if entry is None or entry.integration_id != holding.id or entry.result is not Result.CONFLICT or not entry.link_id:
        raise Refused(Reason.NO_SUCH_CONFLICT)
    link = (await tools.links.by_ids([entry.link_id])).get(entry.link_id)
    if link is None or link.item is None or link.psa_seen is None:
        raise Refused(Reason.NO_SUCH_CONFLICT)
    if link.psa_seen.deleted or not link.psa_seen.assigned:
        raise Refused(Reason.PSA_DELETED if link.psa_seen.deleted else Reason.UNASSIGNED)
    if entry.hidden:
        raise Refused(Reason.REDACTED)
    now = tools.clock.now()
    values = _values(entry, link, order)
    wanted = replace(let_flow(link, values), restoring=link.restoring | values, due_at=now)
    return now if await tools.links.save(holding.lease, [(link, wanted)]) else None


def _values(entry: Entry, link: Link, order: Order) -> dict[Field, Value]:
    assert link.item is not None
    chosen = order.details.get("field")
    lost = {Field(name): text for name, text in entry.lost if chosen in {None, name}}
    if not lost:
        raise Refused(Reason.NO_SUCH_CONFLICT)
    values = {name: value_of(name, text) for name, text in lost.items() if name in writable(link.item.item_type)}
    if not values:
        raise Refused(Reason.PSA_OWNS_FIELD)
    return values
