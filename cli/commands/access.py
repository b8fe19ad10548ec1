"""`calsync access rabbitmq|mongodb`."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Annotated
from urllib.parse import quote, urlsplit

import typer

from adapters.mongodb import access as in_store
from adapters.process.endpoints import ManagedBroker
from adapters.rabbitmq import access as on_broker
from adapters.rabbitmq.management import virtual_host
from cli.database import opened_database
from cli.running import run
from events.failures import Misconfigured
from events.reasons import Reason
from events.roles import Role
from worker.settings import Store

app = typer.Typer(no_args_is_help=True, help="Users of RabbitMQ and MongoDB, each with the least that it needs.")

_Apply = Annotated[
    bool, typer.Option("--apply", help="Make them, and print the new ones' passwords, instead of printing a script.")
]


@app.command()
def rabbitmq(
    vhost: Annotated[str, typer.Option(help="The virtual host, for the script.")] = "/", apply: _Apply = False
) -> None:
    """Print `rabbitmqctl` commands; or apply them as the administrator that CALSYNC_RABBITMQ_MANAGEMENT_URL names."""
    if apply:
        _show(run(_make_on_broker(ManagedBroker.load())))
    else:
        _print(on_broker.commands(vhost))


@app.command()
def mongodb(
    database: Annotated[str, typer.Option(help="The database, for the script.")] = "calsync", apply: _Apply = False
) -> None:
    """Print commands for `mongosh`; or apply them as the user that CALSYNC_MONGODB_URL names, to its database."""
    if apply:
        _show(run(_make_in_store(Store.load())))
    else:
        _print(in_store.commands(database))


async def _make_on_broker(settings: ManagedBroker) -> Mapping[Role, str]:
    if settings.rabbitmq_management_url is None:
        raise Misconfigured(Reason.BAD_SETTINGS, "CALSYNC_RABBITMQ_MANAGEMENT_URL: is missing")
    url = settings.rabbitmq_url.get_secret_value()
    api, host = settings.rabbitmq_management_url.get_secret_value(), virtual_host(url)
    made = await on_broker.apply(api, url, host, secrets.token_urlsafe, settings.rabbitmq_ca_file)
    return {role: f"CALSYNC_RABBITMQ_URL={_as_user(url, role, word)}" for role, word in made.items()}


async def _make_in_store(settings: Store) -> Mapping[Role, str]:
    async with opened_database(settings) as database:
        made = await in_store.apply(database, settings.mongodb_database, secrets.token_urlsafe)
    url = settings.mongodb_url.get_secret_value()
    source = f"authSource={quote(settings.mongodb_database)}"
    return {role: f"CALSYNC_MONGODB_URL={_as_user(url, role, word, source)}" for role, word in made.items()}


def _as_user(url: str, role: Role, password: str, source: str = "") -> str:
    parts = urlsplit(url)
    kept = [each for each in parts.query.split("&") if each and not each.lower().startswith("authsource=")]
    query = "&".join([*kept, source] if source else kept)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role.user}:{password}@{host}", path=parts.path or "/", query=query).geturl()


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _show(made: Mapping[Role, str]) -> None:
    for role, setting in made.items():
        typer.echo(f"# {role.user} {role.purpose}\n{setting}")
    typer.echo(f"# {len(made)} users are new; those that were there keep their passwords, and have these rights now.")
