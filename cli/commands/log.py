"""`calsync log`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Column, Table

from adapters.mongodb.journal import Journal, kept_for
from cli.database import opened_database
from cli.failing import Failed
from cli.ids import LARGEST_ID, LEAST_ID
from cli.running import run
from cli.showing import console, instant, json_line
from events.items import ItemType
from events.journal import Entry, Mark, Result, Which
from events.outcomes import Direction
from worker.settings import Store


def command(
    integration: Annotated[str, typer.Option(help="Only of this integration.")] = "",
    item: Annotated[str, typer.Option(help="Only about this item, such as service_call/70551.")] = "",
    tenant: Annotated[int | None, typer.Option(help="Only of this tenant.", min=LEAST_ID, max=LARGEST_ID)] = None,
    run_id: Annotated[str, typer.Option("--run", help="Only of this run.")] = "",
    manual: Annotated[bool, typer.Option("--manual", help="Only what was done because a person asked.")] = False,
    direction: Annotated[Direction | None, typer.Option(help="Only what went this way.")] = None,
    result: Annotated[Result | None, typer.Option(help="Only what went like this.")] = None,
    before: Annotated[datetime | None, typer.Option(help="Only before this moment (UTC).")] = None,
    after: Annotated[str, typer.Option(help="Go on after this line, named by its id.")] = "",
    limit: Annotated[int, typer.Option(help="Show at most so many.", min=1, max=10_000)] = 50,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show what was done and what deliberately was not, the newest first, each with its reason."""
    which = Which(
        integration_id=integration,
        item=item_named(item),
        tenant_id=tenant,
        run_id=run_id,
        result=result,
        direction=direction,
        manual=manual,
    )
    found = run(_page(Store.load(), which, _start(before, after), limit))
    if json:
        for entry in found:
            typer.echo(json_line(asdict(entry)))
    else:
        console().print(log_table(found))
        if len(found) == limit:
            typer.echo(f"There may be more: --after '{found[-1].id}'")


def _start(before: datetime | None, after: str) -> Mark | str | None:
    if before is not None and after:
        raise typer.BadParameter("either --before or --after")
    return after or (None if before is None else Mark(before.replace(tzinfo=UTC)))


def log_table(entries: Sequence[Entry]) -> Table:
    """Return log lines as a table."""
    item = Column("item", overflow="fold")
    table = Table(
        Column("at", no_wrap=True), item, "what", "result", "reason", "trigger", "title", box=None, pad_edge=False
    )
    for entry in entries:
        table.add_row(
            instant(entry.at),
            str(entry.item or ""),
            _what(entry),
            entry.result if entry.attempt == 1 else f"{entry.result} ({entry.attempt})",
            entry.reason,
            entry.trigger,
            (entry.title or "")[:30],
        )
    return table


def _what(entry: Entry) -> str:
    way = {"to_calendar": " → calendar", "from_calendar": " → PSA"}.get(entry.direction, "")
    fields = f" ({', '.join(entry.fields)})" if entry.fields and entry.act == "update" else ""
    return f"{entry.act}{way}{fields}"


def item_named(words: str) -> tuple[ItemType, str, str | None] | None:
    """Read an item's name, as people type it."""
    if not words:
        return None
    kind, _, rest = words.partition("/")
    item_id, _, part_id = rest.partition("/")
    if kind not in set(ItemType) or not item_id:
        raise typer.BadParameter(f"an item is named TYPE/ID, with TYPE one of {', '.join(ItemType)}")
    return ItemType(kind), item_id, part_id or None


async def _page(settings: Store, which: Which, start: Mark | str | None, limit: int) -> list[Entry]:
    async with opened_database(settings) as database:
        journal = Journal(database, kept_for(timedelta(days=1)))
        if isinstance(start, str):
            mark = await journal.mark(start)
            if mark is None:
                raise Failed(f"There is no line {start} (any more).")
            start = mark
        return await journal.page(which, start, limit)
