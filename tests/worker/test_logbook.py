"""The log is told in pages that are no larger than a message may be, and every line once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import JsonValue

from events.commands import Cause, Wake
from events.contract import MAX_BYTES
from events.integration import DeletionWish
from events.journal import Act, Entry, Result
from events.orders import Order, OrderKind
from events.outcomes import Direction, LogPage, LogPageData, OrderClosed
from events.reasons import Reason
from tests.simulation.world import INTEGRATION, USER, Message, World


def written(world: World, count: int, message: str = "") -> list[str]:
    """Write lines, of which every second one is of a run. Returns their ids, the newest first."""
    for number in range(count):
        entry = Entry(
            id=f"line {number:03}",
            at=world.clock.now() + timedelta(seconds=number // 2),
            tenant_id=1,
            integration_id=INTEGRATION,
            trigger=Cause.RUN if number % 2 else Cause.DUE,
            direction=Direction.TO_CALENDAR,
            act=Act.REJECT,
            result=Result.FAILED,
            reason=Reason.CALENDAR_REFUSED,
            message=message,
        )
        world.journal.entries[entry.id] = entry
    return sorted(world.journal.entries, reverse=True)


def asked(world: World, revision: int, **details: JsonValue) -> LogPageData:
    """Ask for a page."""
    order = Order(f"{INTEGRATION}/{revision}", INTEGRATION, revision, OrderKind.READ_LOG, world.clock.now(), details)
    world.orders.orders[order.id] = order
    wake = Wake(integration_id=INTEGRATION, cause=Cause.SETTINGS)
    world.queue.append(Message("wake", f"read-log-{revision}", wake))
    world.settle()
    pages = [one.data for one in world.outcomes if isinstance(one, LogPage)]
    assert [page.revision for page in pages][-1] == revision
    return pages[-1]


def all_pages(world: World, **details: JsonValue) -> list[LogPageData]:
    pages = [asked(world, 10, **details)]
    while pages[-1].next is not None:
        pages.append(asked(world, 10 + len(pages), after=pages[-1].next, **details))
    return pages


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_every_line_is_told_once_the_newest_first(world: World, limit: int) -> None:
    ids = written(world, 9)
    pages = all_pages(world, limit=limit)
    assert [line.id for page in pages for line in page.lines] == ids
    assert all(len(page.lines) <= limit for page in pages)


def test_only_what_a_person_asked_for_is_told_if_that_is_wanted(world: World) -> None:
    ids = written(world, 9)
    (page,) = all_pages(world, manual=True)
    assert [line.id for line in page.lines] == ids[1::2]
    assert all(line.manual and line.explanation == Reason.CALENDAR_REFUSED.explanation for line in page.lines)


def test_long_lines_make_short_pages(world: World) -> None:
    ids = written(world, 100, "é" * 4000)
    pages = all_pages(world, limit=100)
    assert [line.id for page in pages for line in page.lines] == ids
    assert len(pages) > 1
    assert max(len(page.model_dump_json().encode()) for page in pages) < MAX_BYTES


def test_an_empty_log_has_one_empty_page(world: World) -> None:
    page = asked(world, 10)
    assert (page.lines, page.next, page.user_id) == ((), None, USER)


def test_a_page_behind_a_line_that_has_gone_is_refused(world: World) -> None:
    written(world, 3)
    with pytest.raises(IndexError):
        asked(world, 10, after="gone")
    (closed,) = [one.data for one in world.outcomes if isinstance(one, OrderClosed)]
    assert (closed.order, closed.result, closed.reason) == ("read_log", "refused", "gone")


def test_the_log_of_a_deleted_integration_is_read_for_as_long_as_it_is_kept(world: World) -> None:
    written(world, 3)
    row = world.integrations.rows[INTEGRATION]
    wanted = row.integration.wanted
    row.integration = replace(row.integration, wanted=replace(wanted, deletion=DeletionWish(5)))
    assert len(asked(world, 10).lines) == 3
