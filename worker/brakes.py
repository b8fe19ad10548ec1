"""Orders about brakes: releasing or discarding deletions that are held back, letting frozen texts flow again.

They only mark the links and have both sides looked at anew: the event may be back, and so may the item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from events.items import ItemType
from events.link import ItemKey
from worker.core.brakes import resolved, unfrozen

if TYPE_CHECKING:
    from datetime import datetime

    from events.link import Verdict
    from events.orders import Order
    from worker.holding import Holding
    from worker.slice import Tools

_AT_ONCE: Final = 500


async def decide_on_held(tools: Tools, holding: Holding, order: Order, verdict: Verdict) -> datetime | None:
    """Say of deletions that are held back whether they are carried out. Returns when to try again.

    What was said of before is not found again.
    """
    inbound = {None: None, "from_calendar": True, "to_calendar": False}[_text(order, "direction")]
    now = tools.clock.now()
    while held := await tools.links.held_back(holding.id, inbound, _AT_ONCE):
        if await tools.links.save(holding.lease, [(link, resolved(link, verdict, now)) for link in held]):
            return now
        if len(held) < _AT_ONCE:
            break
    return None


async def unfreeze(tools: Tools, holding: Holding, order: Order) -> datetime | None:
    """Let the texts of one item flow again, or those of all. Returns when to try again."""
    kind, item_id = _text(order, "item_type"), _text(order, "item_id")
    key = None
    if kind is not None and item_id is not None:
        key = ItemKey(holding.integration.tenant_id, ItemType(kind), item_id, _text(order, "part_id"))
    now = tools.clock.now()
    frozen = [link for link in await tools.links.frozen(holding.id) if key in {None, link.item}]
    return now if await tools.links.save(holding.lease, [(link, unfrozen(link, now)) for link in frozen]) else None


def _text(order: Order, name: str) -> str | None:
    value = order.details.get(name)
    return value if isinstance(value, str) else None
