"""`calsync integrations list|show|recheck`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from adapters.cronofy.portal import CronofyPortal
from adapters.mongodb.overview import Overview
from cli.commands import recheck
from cli.database import opened_database
from cli.failing import Failed
from cli.ids import LARGEST_ID, LEAST_ID
from cli.running import run
from cli.showing import console, instant, json_line
from events.calendar import Provider
from events.integration import Integration
from worker.core.audits import upcoming
from worker.settings import Settings, Store

app = typer.Typer(no_args_is_help=True, help="Integrations: users' links to their calendars.")
app.command("recheck")(recheck.command)


@app.command("list")
def list_(
    tenant: Annotated[int | None, typer.Option(help="Only those of this tenant.", min=LEAST_ID, max=LARGEST_ID)] = None,
    user: Annotated[int | None, typer.Option(help="Only those of this user.", min=LEAST_ID, max=LARGEST_ID)] = None,
    after: Annotated[str, typer.Option(help="Begin after this integration.")] = "",
    limit: Annotated[int, typer.Option(help="Show at most so many.", min=1, max=10_000)] = 100,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List integrations with their status."""
    found = run(_page(Store.load(), tenant, user, after, limit))
    if json:
        for one in found:
            typer.echo(json_line(summary(one)))
        return
    table = Table("integration", "tenant", "user", "status", "reason", "active", "last sync", "due", box=None)
    for one in found:
        row = summary(one)
        table.add_row(*(str(row[name]) for name in _COLUMNS))
    console().print(table)
    if len(found) == limit:
        typer.echo(f"There may be more: --after {found[-1].id}")


_COLUMNS = ("integration_id", "tenant_id", "user_id", "status", "reason", "active", "last_sync", "due_at")


@app.command()
def show(
    integration_id: Annotated[str, typer.Argument(help="Which one.")],
    json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show everything about one integration, except its secrets."""
    told = run(_told(Store.load(), integration_id))
    if told is None:
        raise Failed(f"There is no integration {integration_id}.")
    if json:
        typer.echo(json_line(told))
        return
    for name, value in told.items():
        typer.echo(f"{name:20} {value}")


@app.command()
def authorize(
    redirect_uri: Annotated[str, typer.Option(help="Where the browser goes afterwards; Cronofy must know it.")],
    state: Annotated[str, typer.Option(help="Comes back unaltered.")],
    provider: Annotated[Provider | None, typer.Option(help="Preselected in the portal.")] = None,
) -> None:
    """Write the address at which a user grants access to a calendar."""
    settings = Settings.load()
    portal = CronofyPortal(settings.portal_url, settings.cronofy_client_id)
    typer.echo(portal.address(redirect_uri, state, provider))


async def _page(settings: Store, tenant: int | None, user: int | None, after: str, limit: int) -> Sequence[Integration]:
    async with opened_database(settings) as database:
        return await Overview(database).page(tenant, user, after, limit)


async def _told(settings: Store, integration_id: str) -> dict[str, object] | None:
    async with opened_database(settings) as database:
        overview = Overview(database)
        one = await overview.get(integration_id)
        if one is None:
            return None
        states = await overview.link_states(integration_id)
    return summary(one) | details(one) | {f"links_{state}": count for state, count in sorted(states.items())}


def summary(one: Integration) -> dict[str, object]:
    """Return what a list shows."""
    held = one.held
    return {
        "integration_id": one.id,
        "tenant_id": one.tenant_id,
        "user_id": one.user_id,
        "status": held.status.value,
        "reason": held.reason.value,
        "active": one.wanted.active,
        "last_sync": instant(held.last_sync),
        "due_at": instant(one.due_at),
    }


def details(one: Integration) -> dict[str, object]:
    """Return what else there is to know."""
    held, settings, account = one.held, one.wanted.settings, one.held.account
    return {
        "explanation": held.reason.explanation,
        "relink_url": held.relink_url or "",
        "provider": (account.provider_service or account.provider_name) if account else "",
        "calendar": settings.calendar_id if settings else "",
        "inbound": _ticks(
            create=bool(settings and settings.inbound_create),
            update=bool(settings and settings.inbound_update),
            delete=bool(settings and settings.inbound_delete),
        ),
        "outbound": " ".join(sorted(settings.outbound)) if settings else "",
        "epoch": one.epoch,
        "channel": held.channel_id or "",
        "time_zone": held.time_zone or "",
        "read_up_to": instant(held.cursor),
        "linked_since": instant(held.linked_since),
        "last_verified": instant(held.verified_at),
        "suspicious_reads": held.audit.suspicious,
        "next_look": instant(upcoming(held.audit)),
        "unread_signals": one.signals.requested - one.signals.served,
        "calendar_waits_until": instant(held.calendar_hold),
        "psa_waits_until": instant(held.psa_hold),
    }


def _ticks(**ticked: bool) -> str:
    return " ".join(name for name, on in ticked.items() if on)
