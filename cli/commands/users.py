"""`calsync users export|erase`."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.mongodb.integrations import Integrations
from adapters.mongodb.leavers import Leavers
from adapters.mongodb.vault import Vault, new_key
from adapters.process.system import SystemClock
from cli.database import opened_database
from cli.failing import Failed
from cli.ids import LARGEST_ID, LEAST_ID
from cli.running import run
from cli.showing import json_line
from worker.settings import Store

app = typer.Typer(no_args_is_help=True, help="Users: what is kept about one, told or erased.")

Tenant = Annotated[int, typer.Argument(help="The user's tenant.", min=LEAST_ID, max=LARGEST_ID)]
User = Annotated[int, typer.Argument(help="Which user.", min=LEAST_ID, max=LARGEST_ID)]


@app.command()
def export(tenant_id: Tenant, user_id: User) -> None:
    """Write everything that is kept about a user, one JSON object a line; secrets are left out."""
    if run(_export(Store.load(), tenant_id, user_id)) == 0:
        raise Failed(f"Nothing is kept about user {user_id} of tenant {tenant_id}.")


@app.command()
def erase(
    tenant_id: Tenant,
    user_id: User,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete all integrations of a user and erase everything that is kept about them. What is in calendars stays."""
    if not yes:
        typer.confirm(f"Erase everything about user {user_id} of tenant {tenant_id}? There is no way back.", abort=True)
    concerned = run(_erase(Store.load(), tenant_id, user_id))
    typer.echo(f"{concerned} integrations will be deleted and erased by the next worker that is free.")


async def _export(settings: Store, tenant_id: int, user_id: int) -> int:
    told = 0
    vault = Vault([new_key()])  # no secret is opened, so an operator needs no key
    async with opened_database(settings) as database:
        leavers = Leavers(database, vault)
        for one in await Integrations(database, vault, SystemClock().monotonic).of_user(tenant_id, user_id):
            async for page in leavers.told(one.integration_id):
                for record in page:
                    typer.echo(json_line(record))
                    told += 1
    return told


async def _erase(settings: Store, tenant_id: int, user_id: int) -> int:
    clock = SystemClock()
    async with opened_database(settings) as database:
        integrations = Integrations(database, Vault([new_key()]), clock.monotonic)
        return await integrations.want_erasing(tenant_id, user_id, clock.now())
