"""Point 7: every action is in the log, both ways, real time and manual, with its reason; kept as the tenant decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from adapters.mongodb.journal import Journal, kept_for
from cli.database import opened_database
from events.items import ItemType
from events.journal import Entry, Which
from events.outcomes import LogPage, LogPageData, OrderClosed, RunProgress
from events.psa import FutureRange, PastRange, Range, SyncDirection, TenantOptions
from sandbox.psa.client import PsaItem
from sandbox.psa.model.integrations import ReadLog
from sandbox.psa.publishing.mishaps import Kind, Mishap
from tests.stories.stage import DANA, Linked, NotYet, Services, Stage, stage

TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
LATER = TOMORROW + timedelta(hours=1)
WEEK = Range(past=PastRange.ONE_WEEK, future=FutureRange.ONE_MONTH)
DAYS = 7


async def lines(world: Stage, dana: Linked, **which: Any) -> list[Entry]:
    """Return the log as `calsync log` reads it, newest first, page by page."""
    async with opened_database(world.settings) as database:
        journal = Journal(database, kept_for(timedelta(days=1)))
        found, mark = list[Entry](), None
        while page := await journal.page(Which(integration_id=dana.integration_id, **which), mark, 2):
            found += page
            mark = await journal.mark(page[-1].id)
        return found


async def pages(world: Stage, dana: Linked, **which: Any) -> list[LogPageData]:
    """Return the log as the PSA reads it, newest first, page by page."""
    found, after = list[LogPageData](), None
    while True:
        asked = await world.psa.read_log(dana.integration_id, ReadLog(limit=5, after=after, **which))
        found.append(await world.until(partial(page, world, dana, asked.revision)))
        after = found[-1].next
        if after is None:
            return found


async def page(world: Stage, dana: Linked, revision: int) -> LogPageData:
    told = await world.psa.outcomes(LogPage.model_fields["type"].default, integration_id=dana.integration_id)
    for one in told:
        if isinstance(one.event, LogPage) and one.event.data.revision == revision:
            return one.event.data
    raise NotYet


async def names(world: Stage, dana: Linked, **which: Any) -> list[str]:
    return [line.id for one in await pages(world, dana, **which) for line in one.lines]


def about(told: list[Entry], item: PsaItem) -> list[Entry]:
    """Return the lines about an item, those before it had a name included."""
    links = {line.link_id for line in told if line.item and line.item.item_id == item.item_id}
    return [line for line in told if line.link_id in links]


async def is_over(world: Stage, dana: Linked) -> None:
    told = await world.psa.outcomes("calsync.run.progress.v1", integration_id=dana.integration_id)
    if not any(isinstance(one.event, RunProgress) and one.event.data.state != "running" for one in told):
        raise NotYet


async def test_every_action_is_told_both_ways_and_manual_ones_apart(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, world.working():
        await world.psa.configure_tenant(TenantOptions(log_keep_days=DAYS))
        dana = await world.link()
        out = await world.psa.create_item(ItemType.APPOINTMENT, [DANA], subject="out", start=TOMORROW, end=LATER)
        typed = await world.cronofy.create_event(dana.calendar_id, summary="in", start=TOMORROW, end=LATER)
        await dana.event(out)
        back = await dana.appointment(typed)
        await world.rest()
        assert await lines(world, dana, manual=True) == [], "nobody has asked for anything yet"

        await world.psa.add_mishap(Mishap(kind=Kind.LOST, type="psa.calendar_item.changed.v1", times=1))
        unheard = await world.psa.create_item(ItemType.APPOINTMENT, [DANA], subject="asked", start=TOMORROW, end=LATER)
        await world.psa.sync_now(dana.integration_id, SyncDirection.SEND, WEEK)
        await dana.event(unheard)
        await world.until(lambda: is_over(world, dana))
        await world.rest()

        told = await lines(world, dana)
        for item, created in ((out, "to_calendar"), (back, "from_calendar")):
            mine = about(told, item)
            assert (mine[-1].act, mine[-1].direction, mine[0].act) == ("create", created, "confirm")
            assert all(line.reason and line.trigger != "run" and line.attempt == 1 for line in mine)

        manual = await lines(world, dana, manual=True)
        assert {line.item.item_id for line in manual if line.item} == {unheard.item_id}
        assert all(line.run_id and line.trigger == "run" for line in manual)
        assert set(manual) < set(told)

        # The PSA is told the same.
        seen = await pages(world, dana)
        assert [len(one.lines) for one in seen[:-1]] == [5] * (len(seen) - 1)
        by_message = [line for one in seen for line in one.lines]
        assert [line.id for line in by_message] == [line.id for line in told]
        assert all(line.trigger and line.reason and line.explanation and line.attempt for line in by_message)
        assert {line.id for line in by_message if line.manual} == {line.id for line in manual}
        assert {"out", "in", "asked"} <= {line.title for line in by_message}
        assert await names(world, dana, manual=True) == [line.id for line in manual]
        for direction in ("from_calendar", "to_calendar"):
            there = [line.id for line in told if line.direction == direction]
            assert await names(world, dana, direction=direction) == there
        assert await names(world, dana, result="done", item_type="appointment", item_id=out.item_id) == [
            line.id for line in told if line.item and line.item.item_id == out.item_id and line.result == "done"
        ]
        late = await world.psa.read_log(dana.integration_id, ReadLog(after="no such line"))
        await world.until(lambda: is_refused(world, dana, late.revision))

        await world.until(lambda: is_kept_for(world, dana, DAYS))
        await world.psa.configure_tenant(TenantOptions(log_keep_days=DAYS + 23))
        await world.until(lambda: is_kept_for(world, dana, DAYS + 23))
        await world.psa.deactivate(dana.integration_id)
        await world.psa.configure_tenant(TenantOptions(log_keep_days=DAYS + 5))
        await world.until(lambda: is_kept_for(world, dana, DAYS + 5))


async def is_refused(world: Stage, dana: Linked, revision: int) -> None:
    told = await world.psa.outcomes(OrderClosed.model_fields["type"].default, integration_id=dana.integration_id)
    closed = [one.event.data for one in told if isinstance(one.event, OrderClosed)]
    said = [(one.order, one.result, one.reason) for one in closed if one.revision == revision]
    if not said:
        raise NotYet
    assert said == [("read_log", "refused", "gone")]


async def is_kept_for(world: Stage, dana: Linked, days: int) -> None:
    """Raise `NotYet` unless every line goes after so many days, those that were written before included."""
    kept = {line["expires_at"] - line["at"] for line in await world.log(dana.integration_id)}
    if kept != {timedelta(days=days)}:
        raise NotYet(f"{kept}")
