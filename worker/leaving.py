"""The end of an integration: copies removed if asked for, channel closed, authorization given up, links buried.

Every step can be repeated, and leaves nothing to be found out by the next: a crash anywhere begins anew and ends alike.
A connection that does not work any more keeps nobody from leaving.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from events.failures import Gone, MustReconnect, Refused
from events.integration import Grant, Status
from events.reasons import Reason
from events.runs import RunState
from events.values import replace
from worker import outcomes
from worker.clearing import clear
from worker.revising import bury
from worker.runs.ending import end

if TYPE_CHECKING:
    from datetime import datetime

    from worker.setup import Setup
    from worker.slice import Slice


TOMBSTONES_KEPT: Final = timedelta(days=90)
"""How long a late message about a deleted integration is recognised."""


async def leave(work: Slice, setup: Setup) -> datetime | None:
    """Carry out a deletion. Returns when to go on with it; None once everything is done."""
    holding = work.holding
    wish = holding.integration.wanted.deletion
    assert wish is not None, "nobody wants it to be deleted"
    if not await bury(work):
        return work.now()
    while (run := await work.tools.runs.under_way(holding.id)) is not None:
        await end(work.tools, holding, run, RunState.CANCELLED, Reason.DELETED)
    complete = True
    if wish.remove_events:
        try:
            again = await _clear(work)
        except (MustReconnect, Refused, Gone):
            complete = False  # without a way to the calendar nothing can be removed from it, now or later
        else:
            if again is not None:
                return again
    await _let_go(setup)
    at = work.now()
    await setup.outcomes.publish([outcomes.deleted(holding, wish, at, complete=complete)])
    await holding.become(
        replace(
            holding.held,
            deleted=True,
            deletion_revision=wish.revision,
            cleared=wish.remove_events and complete,
            status=Status.NOT_CONNECTED,
            reason=Reason.DELETED,
            probe_at=None,
        )
    )
    await forget(work)
    return None


async def answer_late(work: Slice, setup: Setup) -> None:
    """Tell whoever asks for more after the deletion was carried out. The way to the calendar has been given up."""
    holding = work.holding
    wish = holding.integration.wanted.deletion
    assert wish is not None, "nobody wants it to be deleted"
    if wish.revision <= holding.held.deletion_revision and not wish.erase:
        return
    complete = holding.held.cleared or not wish.remove_events
    await setup.outcomes.publish([outcomes.deleted(holding, wish, work.now(), complete=complete)])
    await holding.save(deletion_revision=wish.revision)


async def forget(work: Slice) -> None:
    """Let what is left of a deleted integration go with its time; or at once, if that was asked for.

    Not if another deletion has come in since, which is answered first.
    """
    wish, now = work.holding.integration.wanted.deletion, work.now()
    assert wish is not None, "nobody wants it to be deleted"
    if wish.erase:
        await work.tools.leavers.erase(work.holding.lease, wish.revision, now, now + TOMBSTONES_KEPT)
    else:
        await work.tools.leavers.retire(work.holding.lease, now + TOMBSTONES_KEPT)


async def leave_former(work: Slice) -> datetime | None:
    """Remove our copies from calendars that were linked before, if that was asked for. Returns when to go on."""
    for calendar_id in work.holding.held.former:
        try:
            again = await clear(work, calendar_id, Reason.CALENDAR_LEFT)
        except Refused:
            again = None  # it takes no writes: what is there stays there
        if again is not None:
            return again
        former = tuple(one for one in work.holding.held.former if one != calendar_id)
        await work.holding.save(former=former, clear_after=None if not former else work.holding.held.clear_after)
    return None


async def _clear(work: Slice) -> datetime | None:
    held = work.holding.held
    for calendar_id in dict.fromkeys((held.calendar_id, *held.former)):
        if calendar_id and (again := await clear(work, calendar_id, Reason.DELETED)) is not None:
            return again
    return None


async def _let_go(setup: Setup) -> None:
    """Close the channel and give up what opens the account, unless somebody else needs it."""
    holding = setup.holding
    held = holding.held
    if held.channel_id is not None:
        with contextlib.suppress(MustReconnect, Refused, Gone):
            await setup.access.close_channel(held.channel_id)
    retired = list(held.retired)
    if held.account is not None and held.tokens is not None:
        retired.append(Grant(held.account, held.tokens))
    if held.offered is not None:
        retired.append(held.offered)
    await holding.become(
        replace(held, channel_id=None, account=None, tokens=None, offered=None, retired=tuple(retired), calendars=())
    )
    await setup.revoke_retired()
