"""`calsync topology check|apply`."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from adapters.mongodb import indexes
from adapters.mongodb.indexes import Lacking
from adapters.rabbitmq import topology
from adapters.rabbitmq.connection import connect_once
from adapters.rabbitmq.topology import Finding
from cli.database import opened_database
from cli.failing import Failed
from cli.running import run
from worker.settings import Infrastructure
from worker.starting import look_at_broker

app = typer.Typer(no_args_is_help=True, help="What exists on the broker and in the store.")


@app.command()
def check() -> None:
    """Compare exchanges, queues and indexes with what this version needs. Changes nothing."""
    _show(run(_check(Infrastructure.load())))


@app.command()
def apply() -> None:
    """Create exchanges, queues and indexes that are missing. Never deletes or changes what exists."""
    _show(run(apply_topology(Infrastructure.load())))


async def _check(settings: Infrastructure) -> list[Finding]:
    findings = await look_at_broker(settings)
    async with opened_database(settings) as database:
        return [*findings, *map(_finding, await indexes.check(database))]


async def apply_topology(settings: Infrastructure) -> list[Finding]:
    """Create what is missing. Returns what could not be made as declared. Raises `TryLater` if a system is away."""
    async with connect_once(settings.broker_url, "calsync topology") as connection:
        findings = await topology.apply(connection)
    async with opened_database(settings) as database:
        return [*findings, *map(_finding, await indexes.apply(database))]


def _finding(lacking: Lacking) -> Finding:
    return Finding(lacking.subject, lacking.problem, lacking.remedy)


def _show(findings: Sequence[Finding]) -> None:
    for finding in findings:
        typer.echo(f"{finding.subject}: {finding.problem}\n    {finding.remedy}")
    if findings:
        raise Failed
    typer.echo("Exchanges, queues and indexes are as they should be.")
