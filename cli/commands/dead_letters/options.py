"""What the commands have in common: which letters are meant, who is acting, and the way to the store."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer

from adapters.mongodb.dead_letters import DeadLetters
from adapters.mongodb.driver import Database
from adapters.mongodb.replay_jobs import OperatorActions, ReplayJobs
from adapters.process.system import SystemClock, new_id
from cli.acting import who
from cli.database import opened_database
from cli.ids import LARGEST_ID, LEAST_ID
from events.letters import Status, Which
from worker.dead_letters.desk import Desk
from worker.settings import Store

Tenant = Annotated[int | None, typer.Option(help="Only of this tenant.", min=LEAST_ID, max=LARGEST_ID)]
Integration = Annotated[str, typer.Option(help="Only of this integration.")]
Item = Annotated[str, typer.Option(help="Only about this item, such as service_call/70551.")]
ReasonCode = Annotated[str, typer.Option("--reason", help="Only with this reason code.")]
Fingerprint = Annotated[str, typer.Option("--group", help="Only of this group: its fingerprint.")]
Newer = Annotated[str, typer.Option(help="Only what failed within this time, such as 30m, 12h or 7d.")]
Older = Annotated[str, typer.Option(help="Only what has not failed for this time, such as 7d.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]

_AGE: Final = re.compile(r"(?P<number>\d{1,6})(?P<unit>[smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def which_of(
    ids: Iterable[str] = (),
    *,
    tenant: int | None = None,
    integration: str = "",
    item: str = "",
    reason: str = "",
    group: str = "",
    newer: str = "",
    older: str = "",
) -> Which:
    """Return which letters are meant."""
    return Which(
        ids=frozenset(ids),
        tenant_id=tenant,
        integration_id=integration,
        item=item,
        reason=reason,
        fingerprint=group,
        since=ago(newer, "--newer"),
        until=ago(older, "--older"),
    )


def statuses_of(words: str) -> frozenset[Status]:
    """Return the statuses that are named, comma-separated."""
    if words == "all":
        return frozenset(Status)
    names = [word.strip() for word in words.split(",") if word.strip()]
    unknown = [name for name in names if name not in set(Status)]
    if unknown or not names:
        raise typer.BadParameter(f"a status is one of {', '.join(Status)}; or all")
    return frozenset(Status(name) for name in names)


def ago(words: str, option: str) -> datetime | None:
    """Return the moment that lies so long ago."""
    if not words:
        return None
    match = _AGE.fullmatch(words)
    if match is None:
        raise typer.BadParameter(f"{option} takes a number and a unit, such as 30m, 12h or 7d")
    try:
        return SystemClock().now() - timedelta(**{_UNITS[match["unit"]]: int(match["number"])})
    except OverflowError as error:
        raise typer.BadParameter(f"{option} reaches back to before all time") from error


def some(which: Which, *, all_: bool) -> Which:
    """Return which letters are meant, unless nobody said so: that all are meant has to be said."""
    if which.everything and not all_:
        raise typer.BadParameter("say which letters: ids, --group, another filter, or --all")
    return which


@dataclass(frozen=True, slots=True)
class Office:
    """What the commands work with."""

    database: Database
    letters: DeadLetters
    jobs: ReplayJobs
    actions: OperatorActions
    desk: Desk
    clock: SystemClock


@contextlib.asynccontextmanager
async def office(settings: Store, acting: str) -> AsyncGenerator[Office]:
    """Open the store for somebody."""
    async with opened_database(settings) as database:
        letters = DeadLetters(database, timedelta(days=settings.dead_letters_keep_days))
        jobs, actions, clock = ReplayJobs(database), OperatorActions(database), SystemClock()
        yield Office(database, letters, jobs, actions, Desk(who(acting), letters, jobs, actions, clock, new_id), clock)
