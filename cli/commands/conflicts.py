"""`calsync conflicts list|restore`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic import JsonValue
from rich.table import Table

from adapters.mongodb.journal import Journal, kept_for
from cli.commands.log import item_named
from cli.database import opened_database
from cli.failing import Failed
from cli.ids import LARGEST_ID, LEAST_ID
from cli.ordering import give_order
from cli.running import run
from cli.showing import console, instant, json_line
from events.content import Field
from events.journal import Entry, Mark, Result, Which
from events.orders import Order, OrderKind
from events.outcomes import Direction
from worker.settings import Store

app = typer.Typer(no_args_is_help=True, help="Conflicts: fields that were changed on both sides, and what was lost.")


@app.command("list")
def list_(
    integration: Annotated[str, typer.Option(help="Only of this integration.")] = "",
    item: Annotated[str, typer.Option(help="Only about this item, such as appointment/70551.")] = "",
    tenant: Annotated[int | None, typer.Option(help="Only of this tenant.", min=LEAST_ID, max=LARGEST_ID)] = None,
    before: Annotated[datetime | None, typer.Option(help="Only before this moment (UTC).")] = None,
    limit: Annotated[int, typer.Option(help="Show at most so many.", min=1, max=10_000)] = 50,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show which values were not taken over, the newest first."""
    which = Which(integration_id=integration, item=item_named(item), tenant_id=tenant, result=Result.CONFLICT)
    found = run(_page(Store.load(), which, before, limit))
    if json:
        for entry in found:
            typer.echo(json_line(asdict(entry)))
        return
    table = Table("at", "item", "field", "won", "lost value", "conflict", box=None, pad_edge=False)
    for entry in found:
        for name, value in entry.lost:
            told = "(private)" if entry.hidden else value[:40]
            table.add_row(instant(entry.at), str(entry.item or ""), name, _winner(entry), told, entry.id)
    console().print(table)


@app.command()
def restore(
    conflict: Annotated[str, typer.Argument(help="Which one, as `calsync conflicts list` names it.")],
    field: Annotated[Field | None, typer.Option(help="Only the value of this field.")] = None,
) -> None:
    """Bring lost values back, as if their user had entered them in the PSA now."""
    order = run(_restore(Store.load(), conflict, field))
    typer.echo(f"Ordered as {order.id}. `calsync log --integration {order.integration_id}` shows what becomes of it.")


def _winner(entry: Entry) -> str:
    return "PSA" if entry.direction is Direction.TO_CALENDAR else "calendar"


async def _page(settings: Store, which: Which, before: datetime | None, limit: int) -> list[Entry]:
    async with opened_database(settings) as database:
        return await Journal(database, kept_for(timedelta(days=1))).page(
            which, Mark(before.replace(tzinfo=UTC)) if before else None, limit
        )


async def _restore(settings: Store, conflict: str, field: Field | None) -> Order:
    async with opened_database(settings) as database:
        entry = await Journal(database, kept_for(timedelta(days=1))).find(conflict)
    if entry is None or entry.result is not Result.CONFLICT:
        raise Failed(f"There is no conflict {conflict}, or the log that held it has run out.")
    details: dict[str, JsonValue] = {"conflict_id": conflict, "field": None if field is None else field.value}
    return await give_order(settings, entry.integration_id, OrderKind.RESTORE, details)
