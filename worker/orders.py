"""Carrying out orders, under the lease: one handler for each kind.

A handler writes neither side: it changes what is stored, and the loop or a run does the rest. So orders are carried
out whatever the state of the connection; only a preview reads both sides. It must be safe to repeat
after a crash at any await, and

- returns None when it has finished, or when to go on;
- raises `Refused` with the reason to refuse the order.

Either way the PSA platform is told when the order is closed. One that keeps failing for a reason nobody foresaw is
refused as well: it must not keep everything else of its integration waiting for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from events.calendar import Provider
from events.failures import Refused, SyncError
from events.integration import Grant
from events.link import Verdict
from events.orders import Order, OrderKind
from events.reasons import Reason
from worker import outcomes
from worker.brakes import decide_on_held, unfreeze
from worker.conflicts import restore
from worker.logbook import tell_page
from worker.runs.beginning import begin_sync
from worker.runs.ending import cancel_run
from worker.runs.previewing import preview
from worker.runs.undoing import begin_undo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from events.integration import SettingsWish
    from worker.holding import Holding
    from worker.slice import Slice, Tools


_TRIED_FOR: Final = timedelta(minutes=2)
"""For so long an order is tried whose failure nobody foresaw. By then its message was tried as often as any."""
_ALSO_WHEN_DELETED: Final = frozenset({OrderKind.EXPORT, OrderKind.READ_LOG})
"""What is kept can be read for as long as it is kept."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What orders are carried out with."""

    tools: Tools
    holding: Holding
    pretend: Callable[[SettingsWish], Awaitable[Slice]]
    """Gives the work under settings that are not saved, to look and judge with."""


async def carry_out(desk: Desk, orders: Sequence[Order]) -> datetime | None:
    """Carry out an integration's open orders, the oldest first. Returns when one of them has to be gone on with."""
    again: list[datetime] = []
    for order in orders:
        refusal: Refused | None = None
        try:
            go_on_at = await _carry_out(desk, order)
        except Refused as error:
            go_on_at, refusal = None, error
        except SyncError:
            raise
        except Exception:
            if desk.tools.clock.now() - order.at >= _TRIED_FOR:
                await _close(desk, order, Refused(Reason.BUG))
            raise  # for the log; whoever tries again finds it closed
        if go_on_at is not None:
            again.append(go_on_at)
            continue
        await _close(desk, order, refusal)
    return min(again, default=None)


async def _close(desk: Desk, order: Order, refusal: Refused | None) -> None:
    told = outcomes.order_closed(desk.holding, order, refusal, desk.tools.clock.now())
    await desk.tools.outcomes.publish([told])
    await desk.tools.orders.close(desk.holding.lease, order)


async def _carry_out(desk: Desk, order: Order) -> datetime | None:  # noqa: C901, PLR0912 - one case for each kind
    if desk.holding.integration.wanted.deletion is not None and order.kind not in _ALSO_WHEN_DELETED:
        raise Refused(Reason.DELETED)
    match order.kind:
        case OrderKind.AUTHORIZE:
            return await _authorize(desk, order)
        case OrderKind.RESOLVE_ACCOUNT:
            return await _resolve_account(desk, order)
        case OrderKind.EXPORT:
            return await _export(desk, order)
        case OrderKind.COUNT_COPIES:
            return await _count_copies(desk, order)
        case OrderKind.READ_LOG:
            return await tell_page(desk.tools, desk.holding, order)
        case OrderKind.RELEASE_DELETIONS:
            return await decide_on_held(desk.tools, desk.holding, order, Verdict.RELEASED)
        case OrderKind.DISCARD_DELETIONS:
            return await decide_on_held(desk.tools, desk.holding, order, Verdict.DISCARDED)
        case OrderKind.UNFREEZE:
            return await unfreeze(desk.tools, desk.holding, order)
        case OrderKind.RESTORE:
            return await restore(desk.tools, desk.holding, order)
        case OrderKind.PREVIEW:
            return await preview(desk.tools, desk.holding, order, desk.pretend)
        case OrderKind.SYNC:
            return await begin_sync(desk.tools, desk.holding, order)
        case OrderKind.UNDO_RUN:
            return await begin_undo(desk.tools, desk.holding, order)
        case OrderKind.CANCEL_RUN:
            await cancel_run(desk.tools, desk.holding, order)
            return None


async def _authorize(desk: Desk, order: Order) -> datetime | None:
    details, provider = order.details, order.details.get("provider")
    chosen = None if provider is None else Provider(str(provider))
    url = desk.tools.portal.address(str(details["redirect_uri"]), str(details["state"]), chosen)
    told = outcomes.authorization(desk.holding, order.revision, url, desk.tools.clock.now())
    await desk.tools.outcomes.publish([told])
    return None


async def _resolve_account(desk: Desk, order: Order) -> datetime | None:
    held, at = desk.holding.held, desk.tools.clock.now()
    if held.offered is None:
        raise Refused(Reason.NOTHING_TO_ANSWER)
    if not order.details["adopt"]:
        # The former account is asked how it is; perhaps it still works.
        await desk.holding.save(offered=None, retired=(*held.retired, held.offered), probe_at=at)
        return None
    former = [Grant(held.account, held.tokens)] if held.account and held.tokens else []
    await desk.holding.save(
        account=held.offered.account,
        tokens=held.offered.tokens,
        offered=None,
        retired=(*held.retired, *former),
        calendars=(),
        channel_id=None,
        probe_at=at,
    )
    return None


async def _count_copies(desk: Desk, order: Order) -> datetime | None:
    by_type = await desk.tools.links.copies(desk.holding.id)
    told = outcomes.copies_counted(desk.holding, order.revision, by_type, desk.tools.clock.now())
    await desk.tools.outcomes.publish([told])
    return None


_RECORDS: Final = 100
"""In one part of an export. A link can hold two texts in several versions, and a message 256 KiB."""
_BYTES: Final = 128 * 1024


async def _export(desk: Desk, order: Order) -> datetime | None:
    """Tell everything, a part at a time. Begun anew after a crash, whoever listens may get parts twice."""
    holding, request_id = desk.holding, str(order.details["request_id"])
    part, records = 1, list[Mapping[str, JsonValue]]()
    async for page in desk.tools.leavers.told(holding.id):
        for record in page:
            if records and (len(records) >= _RECORDS or len(json.dumps([*records, record])) > _BYTES):
                told = outcomes.exported(holding, request_id, part, records, desk.tools.clock.now(), last=False)
                await desk.tools.outcomes.publish([told])
                part, records = part + 1, []
            records.append(record)
    told = outcomes.exported(holding, request_id, part, records, desk.tools.clock.now(), last=True)
    await desk.tools.outcomes.publish([told])
    return None
