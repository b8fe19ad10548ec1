"""`calsync tenants show|set`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, cast

import orjson
import typer
from pydantic import BaseModel, JsonValue, ValidationError

from adapters.mongodb.replay_jobs import OperatorActions
from adapters.mongodb.tenants import Tenants
from adapters.process.system import SystemClock, new_id
from cli.acting import As, Why, who
from cli.database import opened_database
from cli.failing import Failed
from cli.ids import LARGEST_ID, LEAST_ID
from cli.running import run
from cli.showing import json_line
from events.letters import Deed, Which
from events.psa import TenantOptions
from events.replays import OperatorAction
from events.tenant import Tenant
from worker.intake.tenants import amend_tenant, options_of
from worker.settings import Store

app = typer.Typer(no_args_is_help=True, help="Tenants: what counts for all users of one.")

Json = dict[str, JsonValue]


@app.command()
def show(
    tenant_id: Annotated[int, typer.Argument(help="Which one.", min=LEAST_ID, max=LARGEST_ID)],
    json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show what is set for a tenant, and what is not."""
    _say(run(_get(Store.load(), tenant_id)), json=json)


@app.command("set")
def set_(
    tenant_id: Annotated[int, typer.Argument(help="Which one.", min=LEAST_ID, max=LARGEST_ID)],
    changes: Annotated[
        list[str], typer.Argument(help="NAME=VALUE, such as log_keep_days=30 or ownership.service_call.when=psa.")
    ],
    why: Why = "",
    as_: As = "",
    json: Annotated[bool, typer.Option("--json", help="Say the outcome as one JSON object.")] = False,
) -> None:
    """Change settings of a tenant; without a value (NAME=) one gets its default again.

    The PSA platform's next settings overrule it. Who did it is on record: calsync record.
    """
    _say(run(_set(Store.load(), tenant_id, changes, who(as_), why)), json=json)


def _say(tenant: Tenant, *, json: bool) -> None:
    settings = options_of(tenant.settings).model_dump(mode="json")
    told = {"tenant_id": tenant.id, "revision": tenant.revision, "version": tenant.version, **settings}
    if json:
        typer.echo(json_line(told))
        return
    for name, value in _flat(told):
        typer.echo(f"{name:40} {'' if value is None else value}")


def _flat(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _flat(cast("dict[str, object]", value), f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", value))
    return found


async def _get(settings: Store, tenant_id: int) -> Tenant:
    async with opened_database(settings) as database:
        return await Tenants(database).get(tenant_id)


async def _set(settings: Store, tenant_id: int, changes: Sequence[str], acting: str, why: str) -> Tenant:
    async with opened_database(settings) as database:
        tenants, now = Tenants(database), SystemClock().now()
        known = await tenants.get(tenant_id)
        options = changed(options_of(known.settings), changes)
        whose, detail = Which(tenant_id=tenant_id), " ".join(changes)
        action = OperatorAction(new_id(), now, acting, Deed.CONFIGURED, why, whose, detail=detail)
        await OperatorActions(database).write(action)
        amended = await amend_tenant(known, options, tenants, now)
    if amended is None:
        raise Failed(f"Tenant {tenant_id} was changed at the same moment; look and try again.")
    return amended


def changed(options: TenantOptions, changes: Sequence[str]) -> TenantOptions:
    """Return the options with some changed, each given as NAME=VALUE."""
    document: Json = options.model_dump(mode="json", exclude_unset=True)
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or not _exists(name.split("."), TenantOptions):
            raise typer.BadParameter(f"{change}: no setting is named so; `calsync tenants show` lists them")
        _put(document, name.split("."), _value(value))
    try:
        return TenantOptions.model_validate_json(orjson.dumps(document), strict=True)
    except ValidationError as error:
        problem = error.errors()[0]
        raise typer.BadParameter(f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}") from error


def _exists(path: Sequence[str], model: type[BaseModel]) -> bool:
    field = model.model_fields.get(path[0])
    if field is None:
        return False
    inner = field.annotation
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return len(path) > 1 and _exists(path[1:], inner)
    return len(path) == 1


def _put(document: Json, path: Sequence[str], value: JsonValue) -> None:
    *outer, last = path
    for name in outer:
        document = cast("Json", document.setdefault(name, {}))
    if value is None:
        document.pop(last, None)
    else:
        document[last] = value


def _value(text: str) -> JsonValue:
    """Read a value: a number, `true` or `false`, or else a word; nothing for none."""
    if not text:
        return None
    try:
        value: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if isinstance(value, bool | int) else text
