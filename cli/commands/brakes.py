"""`calsync brakes list|release|discard|unfreeze`."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import JsonValue
from rich.table import Table

from adapters.mongodb.overview import HeldBack, Overview
from cli.database import opened_database
from cli.ids import LARGEST_ID, LEAST_ID
from cli.ordering import give_order
from cli.running import run
from cli.showing import console, instant, json_line
from events.link import Link
from events.orders import OrderKind
from events.outcomes import Direction
from worker.settings import Store

app = typer.Typer(no_args_is_help=True, help="Brakes: deletions that are held back, and texts that are frozen.")

_Integration = Annotated[str, typer.Argument(help="Of which integration.")]
_Which = Annotated[
    Direction | None, typer.Option(help="Only deletions made in the calendar (from_calendar) or in the PSA.")
]


@app.command("list")
def list_(
    integration: Annotated[str, typer.Option(help="Each deletion and each text of this integration.")] = "",
    tenant: Annotated[
        int | None, typer.Option(help="Only integrations of this tenant.", min=LEAST_ID, max=LARGEST_ID)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List what is held back, by integration; or item by item."""
    rows = run(_links(Store.load(), integration) if integration else _counts(Store.load(), tenant))
    if json:
        for row in rows:
            typer.echo(json_line(row))
        return
    table = Table(*(rows[0] if rows else ("nothing is held back",)), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console().print(table)


@app.command()
def release(integration: _Integration, direction: _Which = None) -> None:
    """Carry out deletions that are held back, each if what was deleted is still gone."""
    _give(integration, OrderKind.RELEASE_DELETIONS, _details(direction))


@app.command()
def discard(integration: _Integration, direction: _Which = None) -> None:
    """Bring back what was deleted."""
    _give(integration, OrderKind.DISCARD_DELETIONS, _details(direction))


@app.command()
def unfreeze(integration: _Integration) -> None:
    """Let all frozen texts flow again."""
    _give(integration, OrderKind.UNFREEZE, {})


def _details(direction: Direction | None) -> dict[str, JsonValue]:
    if direction is Direction.NONE:
        raise typer.BadParameter("from_calendar or to_calendar")
    return {} if direction is None else {"direction": direction.value}


def _give(integration_id: str, kind: OrderKind, details: dict[str, JsonValue]) -> None:
    order = run(give_order(Store.load(), integration_id, kind, details))
    typer.echo(f"Ordered as {order.id}. `calsync log --integration {integration_id}` shows what becomes of it.")


async def _counts(settings: Store, tenant_id: int | None) -> list[dict[str, object]]:
    async with opened_database(settings) as database:
        held = await Overview(database).held_back(tenant_id)
    return [_counted(one) for one in held]


def _counted(one: HeldBack) -> dict[str, object]:
    return {
        "integration_id": one.integration_id,
        "tenant_id": one.tenant_id,
        "user_id": one.user_id,
        "deletions": one.count,
        "reason": one.reason,
        "since": instant(one.since),
    }


async def _links(settings: Store, integration_id: str) -> list[dict[str, object]]:
    async with opened_database(settings) as database:
        links = await Overview(database).braked(integration_id)
    return [row for link in links for row in _rows(link)]


def _rows(link: Link) -> list[dict[str, object]]:
    """Return what is held back of one link. No titles: they may be private."""
    item = str(link.item or "")
    deleted_in = "calendar" if link.calendar_seen and link.calendar_seen.deleted else "psa"
    held = [(link.ending.reason.value, deleted_in, link.ending.at)] if link.held_back and link.ending else []
    told = held + [("field_flips", name.value, freeze.until) for name, freeze in link.frozen.items()]
    return [{"item": item, "reason": reason, "where": where, "at": instant(at)} for reason, where, at in told]
