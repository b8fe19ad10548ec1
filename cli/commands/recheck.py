"""`calsync integrations recheck`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Annotated

import typer
from pydantic import JsonValue

from adapters.mongodb.links import Links
from adapters.mongodb.overview import Overview
from adapters.process.system import SystemClock
from cli.database import opened_database
from cli.failing import Failed
from cli.ids import LARGEST_ID, LEAST_ID
from cli.ordering import give_order
from cli.running import run
from events.integration import Integration
from events.orders import OrderKind
from events.psa import FutureRange, PastRange, Range
from events.runs import RunTrigger
from worker.settings import Store

_PAGE = 200


def command(
    integration_id: Annotated[str | None, typer.Argument(help="Which one.")] = None,
    tenant: Annotated[int | None, typer.Option(help="All of this tenant.", min=LEAST_ID, max=LARGEST_ID)] = None,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    past: Annotated[PastRange, typer.Option(help="How far back to look for what is not known.")] = PastRange.NONE,
    future: Annotated[FutureRange, typer.Option(help="How far ahead.")] = FutureRange.ONE_MONTH,
) -> None:
    """Have both sides looked at anew: after an older store was restored, say, or events of the PSA were lost.

    Every known item is read from the PSA, and a run looks for what is not known. What is there already is not written.
    """
    if sum((integration_id is not None, tenant is not None, everything)) != 1:
        raise Failed("Name one integration, a tenant (--tenant), or all of them (--all).")
    span = Range(past=past, future=future).model_dump(mode="json")
    run(_recheck(Store.load(), integration_id, tenant, {"trigger": RunTrigger.ASKED, "retrieve": span, "send": span}))


async def _recheck(settings: Store, only: str | None, tenant: int | None, details: Mapping[str, JsonValue]) -> None:
    integrations = items = 0
    async with opened_database(settings) as database:
        links, clock = Links(database), SystemClock()
        async for one in _those(Overview(database), only, tenant):
            items += await links.read_anew(one.id, clock.now())
            await give_order(settings, one.id, OrderKind.SYNC, details)
            integrations += 1
    typer.echo(f"{items} items of {integrations} integrations are read anew, and a run looks for what is not known.")


async def _those(overview: Overview, only: str | None, tenant: int | None) -> AsyncGenerator[Integration, None]:
    """Yield the integrations that are meant, but not those that are deleted."""
    if only is not None:
        found = await overview.get(only)
        if found is None:
            raise Failed(f"There is no integration {only}.")
        yield found
        return
    after = ""
    while page := await overview.page(tenant, None, after, _PAGE):
        for one in page:
            if one.wanted.deletion is None:
                yield one
        after = page[-1].id
