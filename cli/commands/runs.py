"""`calsync runs list|show|start|cancel|undo`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer
from pydantic import JsonValue
from rich.table import Table

from adapters.mongodb.links import Links
from adapters.mongodb.runs import Runs
from cli.database import opened_database
from cli.failing import Failed
from cli.ordering import give_order
from cli.running import run
from cli.showing import console, instant, json_line
from events.orders import OrderKind
from events.psa import FutureRange, PastRange, Range, SyncDirection
from events.runs import Run, RunTrigger, Span
from worker.settings import Store

app = typer.Typer(no_args_is_help=True, help="Runs: manual syncs and backfills, and taking them back.")

_Run = Annotated[str, typer.Argument(help="Which one, as `calsync runs list` names it.")]


@app.command("list")
def list_(
    integration: Annotated[str, typer.Option(help="Only of this integration.")] = "",
    limit: Annotated[int, typer.Option(help="Show at most so many.", min=1, max=10_000)] = 50,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List runs, the newest first."""
    found = run(_page(Store.load(), integration, limit))
    if json:
        for one in found:
            typer.echo(json_line(_told(one)))
        return
    table = Table("run", "kind", "trigger", "state", "reason", "started", "done", "failed", box=None, pad_edge=False)
    for one in found:
        totals, reason = one.totals, one.reason.value if one.reason else ""
        counts = str(totals.done), str(totals.failed + totals.failing)
        table.add_row(
            one.id, one.kind.value, one.trigger.value, one.state.value, reason, instant(one.started_at), *counts
        )
    console().print(table)


@app.command()
def show(run_id: _Run, json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False) -> None:
    """Show everything about one run; of one under way, the totals as they are now."""
    told = _told(run(_now(Store.load(), run_id)))
    if json:
        typer.echo(json_line(told))
        return
    for name, value in told.items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"`calsync log --run {run_id}` shows what was done.")


@app.command()
def start(
    integration: Annotated[str, typer.Argument(help="Of which integration.")],
    direction: Annotated[SyncDirection, typer.Option(help="Which way.")] = SyncDirection.BOTH,
    past: Annotated[PastRange, typer.Option(help="How far back.")] = PastRange.NONE,
    future: Annotated[FutureRange, typer.Option(help="How far ahead.")] = FutureRange.ONE_MONTH,
) -> None:
    """Begin a run, or join the one under way, as pressing Sync now does."""
    span = Range(past=past, future=future).model_dump(mode="json")
    details: dict[str, JsonValue] = {
        "trigger": RunTrigger.ASKED.value,
        "retrieve": span if direction is not SyncDirection.SEND else None,
        "send": span if direction is not SyncDirection.RETRIEVE else None,
    }
    order = run(give_order(Store.load(), integration, OrderKind.SYNC, details))
    typer.echo(f"Ordered. `calsync runs show {order.id}` shows how it goes, unless it is refused or joins another one.")


@app.command()
def cancel(run_id: _Run) -> None:
    """End a run under way. What it has done stays."""
    _give(run_id, OrderKind.CANCEL_RUN)


@app.command()
def undo(run_id: _Run) -> None:
    """Take back what a run did, except what somebody has changed since."""
    _give(run_id, OrderKind.UNDO_RUN)


def _give(run_id: str, kind: OrderKind) -> None:
    settings = Store.load()
    known = run(_now(settings, run_id))
    order = run(give_order(settings, known.integration_id, kind, {"run_id": run_id}))
    typer.echo(
        f"Ordered as {order.id}. `calsync runs list --integration {known.integration_id}` shows what becomes of it."
    )


async def _page(settings: Store, integration_id: str, limit: int) -> list[Run]:
    async with opened_database(settings) as database:
        return await Runs(database).page(integration_id, limit)


async def _now(settings: Store, run_id: str) -> Run:
    """Return a run with its totals as they are now. Raises `Failed` if there is none."""
    async with opened_database(settings) as database:
        found = await Runs(database).get(run_id)
        if found is None:
            raise Failed(f"There is no run {run_id}.")
        return (
            found
            if found.over
            else replace(found, totals=await Links(database).run_totals(found.integration_id, run_id))
        )


def _told(one: Run) -> dict[str, object]:
    totals = one.totals
    return {
        "run_id": one.id,
        "integration_id": one.integration_id,
        "tenant_id": one.tenant_id,
        "user_id": one.user_id,
        "kind": one.kind.value,
        "of_run": one.of_run,
        "trigger": one.trigger.value,
        "state": one.state.value,
        "reason": one.reason.value if one.reason else "",
        "phase": one.phase.value,
        "retrieve": _span(one.retrieve),
        "send": _span(one.send),
        "started_at": instant(one.started_at),
        "ended_at": instant(one.ended_at) if one.ended_at else "",
        "created": totals.created,
        "updated": totals.updated,
        "deleted": totals.deleted,
        "unchanged": totals.unchanged,
        "skipped": totals.skipped,
        "failed": totals.failed + totals.failing,
        "under_way": totals.pending,
    }


def _span(span: Span | None) -> str:
    return "" if span is None else f"{instant(span.start)} to {instant(span.end)}"
