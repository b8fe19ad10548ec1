"""`calsync dead-letters discard|restore`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.acting import As, Why
from cli.commands.dead_letters.options import (
    Fingerprint,
    Integration,
    Item,
    Older,
    ReasonCode,
    Tenant,
    office,
    some,
    which_of,
)
from cli.failing import Failed
from cli.running import run
from events.letters import Which
from worker.settings import Store

Ids = Annotated[list[str] | None, typer.Argument(help="Which ones.")]


def discard(
    why: Annotated[str, typer.Option(help="Why nothing is to be done: it is kept with the letters.")],
    ids: Ids = None,
    tenant: Tenant = None,
    integration: Integration = "",
    item: Item = "",
    reason: ReasonCode = "",
    group: Fingerprint = "",
    older: Older = "",
    as_: As = "",
) -> None:
    """Decide that nothing is to be done about dead letters. They can be restored until they expire."""
    which = which_of(
        ids or (), tenant=tenant, integration=integration, item=item, reason=reason, group=group, older=older
    )
    if not why.strip():
        raise typer.BadParameter("say why")
    _say(run(_discard(Store.load(), some(which, all_=False), why, as_)), "discarded")


def restore(
    ids: Ids = None,
    tenant: Tenant = None,
    group: Fingerprint = "",
    why: Why = "",
    as_: As = "",
) -> None:
    """Open discarded dead letters again."""
    which = which_of(ids or (), tenant=tenant, group=group)
    _say(run(_restore(Store.load(), some(which, all_=False), why, as_)), "restored")


async def _discard(settings: Store, which: Which, why: str, acting: str) -> int:
    async with office(settings, acting) as here:
        return await here.desk.discard(which, why)


async def _restore(settings: Store, which: Which, why: str, acting: str) -> int:
    async with office(settings, acting) as here:
        return await here.desk.restore(which, why)


def _say(letters: int, what: str) -> None:
    if not letters:
        raise Failed("There are no such letters, or nothing is to be done with them.")
    typer.echo(f"{letters} {what}")
