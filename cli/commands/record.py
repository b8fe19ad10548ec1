"""`calsync record`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from adapters.mongodb.replay_jobs import OperatorActions
from cli.database import opened_database
from cli.running import run
from cli.showing import console, instant, json_line, plain
from events.letters import Which
from events.replays import OperatorAction
from worker.settings import Store


def command(
    limit: Annotated[int, typer.Option(help="Show at most so many.", min=1, max=10_000)] = 50,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show what operators did with dead letters and tenants' settings, and why; the newest first."""
    found = run(_newest(Store.load(), limit))
    if json:
        for one in found:
            typer.echo(json_line({**asdict(one), "which": dict(_filters(one.which))}))
        return
    table = Table("at", "who", "did", "to", "why", box=None, pad_edge=False)
    for one in found:
        table.add_row(instant(one.at), *map(plain, (one.who, one.deed, _told(one), one.why)))
    console().print(table)


async def _newest(settings: Store, limit: int) -> list[OperatorAction]:
    async with opened_database(settings) as database:
        return await OperatorActions(database).newest(limit)


def _told(one: OperatorAction) -> str:
    """Say to what it was done."""
    words = [f"{name} {value}" for name, value in _filters(one.which)]
    words += [f"{one.letters} letters"] if one.letters else []
    words += [f"job {one.job}"] if one.job else []
    return ", ".join([*words, *([one.detail] if one.detail else [])])


def _filters(which: Which) -> Iterator[tuple[str, str]]:
    """Name what was said about which letters, or whose settings, were meant."""
    if which.ids:
        yield ("letter", " ".join(sorted(which.ids))) if len(which.ids) == 1 else ("letters", str(len(which.ids)))
    named = {
        "tenant": which.tenant_id,
        "integration": which.integration_id,
        "item": which.item,
        "reason": which.reason,
        "group": which.fingerprint,
        "since": instant(which.since),
        "until": instant(which.until),
    }
    for name, value in named.items():
        if value not in {None, ""}:
            yield name, str(value)
