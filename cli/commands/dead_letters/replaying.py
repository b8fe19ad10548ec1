"""`calsync dead-letters replay|jobs`."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Final

import typer

from adapters.mongodb.links import Links
from adapters.mongodb.overview import Overview
from adapters.process.ending import run_until_asked
from adapters.process.environment import AnySecrets
from adapters.process.environment import plain as unwrapped
from adapters.process.system import SystemClock, new_id
from adapters.rabbitmq.connection import connect
from adapters.rabbitmq.publisher import open_publisher
from cli.acting import As, Why
from cli.commands.dead_letters.options import (
    AsJson,
    Fingerprint,
    Integration,
    Item,
    Newer,
    Office,
    Older,
    ReasonCode,
    Tenant,
    office,
    some,
    which_of,
)
from cli.commands.dead_letters.words import job_line
from cli.failing import Failed
from cli.running import run
from cli.showing import json_line, plain
from events.letters import Place, Which
from events.replays import JobState, ReplayJob
from worker.dead_letters.foreseeing import Expected, Forecast, Foresight
from worker.dead_letters.publishing import EXCHANGES, Republisher
from worker.dead_letters.replaying import Replayer
from worker.settings import Infrastructure, Store

if TYPE_CHECKING:
    from events.failures import TryLater

_GRACE: Final = 30.0
_PAGE: Final = 200
_SAY_EVERY: Final = 5.0


class _Foreseeing(Store):
    """With the secrets, it is known as well whether a notification's signature would be believed."""

    cronofy_client_secrets: AnySecrets = ()


def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Which ones.")] = None,
    tenant: Tenant = None,
    integration: Integration = "",
    item: Item = "",
    reason: ReasonCode = "",
    group: Fingerprint = "",
    newer: Newer = "",
    older: Older = "",
    all_: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen to each.")] = False,
    rate: Annotated[float, typer.Option(help="At most so many a second.", min=0.01, max=1000)] = 20.0,
    stop_after: Annotated[
        int | None,
        typer.Option("--stop-after-failures", help="Stop when so many have failed again.", min=1, max=1_000_000),
    ] = None,
    resume: Annotated[str, typer.Option(help="Go on with this job, where it was interrupted.", metavar="JOB")] = "",
    why: Why = "",
    as_: As = "",
    json: AsJson = False,
) -> None:
    """Publish dead letters again: oldest first, one at a time for each item. Safe at any time.

    Ctrl-C ends it in order; what it says then resumes it.
    """
    which = which_of(
        ids or (),
        tenant=tenant,
        integration=integration,
        item=item,
        reason=reason,
        group=group,
        newer=newer,
        older=older,
    )
    which = which if resume else some(which, all_=all_)
    if dry_run:
        run(_foresee(_Foreseeing.load(), which, json=json))
        return
    job = run(_replay(Infrastructure.load(), which, _Order(why, as_, rate, stop_after, resume)))
    if job.state is not JobState.DONE:
        raise Failed(f"Go on with: calsync dead-letters replay --resume {job.id}")
    if job.tally.failed_again:
        raise Failed(f"{job.tally.failed_again} failed again.")


def jobs(
    limit: Annotated[int, typer.Option(help="Show at most so many.", min=1, max=1000)] = 20, json: AsJson = False
) -> None:
    """List replay jobs, the newest first."""
    for job in run(_newest(Store.load(), limit)):
        typer.echo(json_line(asdict(job)) if json else f"{job_line(job)} ({job.who}) {job.why}".rstrip())


async def _newest(settings: Store, limit: int) -> list[ReplayJob]:
    async with office(settings, "") as here:
        return await here.jobs.newest(limit)


# Foreseeing


async def _foresee(settings: _Foreseeing, which: Which, *, json: bool) -> None:
    counts: Counter[Expected] = Counter()
    async with office(settings, "") as here:
        foresight = Foresight(
            Links(here.database),
            Overview(here.database),
            unwrapped(settings.cronofy_client_secrets) or None,
        )
        async for one in _forecasts(here, foresight, which):
            counts[one.expected] += 1
            typer.echo(json_line(asdict(one)) if json else plain(f"{one.letter_id}  {one.expected:12} {one.detail}"))
    told = ", ".join(f"{count} {expected}" for expected, count in sorted(counts.items())) or "no letters"
    typer.echo(f"Nothing was published. {told}", err=json)


async def _forecasts(here: Office, foresight: Foresight, which: Which) -> AsyncGenerator[Forecast]:
    place: Place | None = None
    while page := await here.letters.in_order(which, place, _PAGE):
        for slim in page:
            letter = await here.letters.get(slim.id)
            if letter is not None:
                yield await foresight.of(letter)
        place = Place.of(page[-1])


# Replaying


@dataclass(frozen=True, slots=True)
class _Order:
    """What was asked for. `resume`: a job that is to go on, instead of a new one."""

    why: str
    acting: str
    rate: float
    stop_after: int | None
    resume: str


async def _replay(settings: Infrastructure, which: Which, order: _Order) -> ReplayJob:
    async with office(settings, order.acting) as here:
        job_id = order.resume or (await here.desk.replay(which, order.why, order.rate, order.stop_after)).id
        return await run_job(settings, here, job_id)


async def run_job(settings: Infrastructure, here: Office, job_id: str) -> ReplayJob:
    """Run a job until it is done or somebody interrupts it, and show how it comes along."""
    ended: list[ReplayJob] = []
    async with (
        connect(settings.broker_url, "calsync replay") as connections,
        open_publisher(connections.publishing, EXCHANGES) as publisher,
    ):
        republisher = Republisher(here.letters, publisher.send, new_id, here.clock)
        replayer = Replayer(here.letters, here.jobs, republisher, here.clock, runner=new_id())

        show = _Progress()

        async def program(stopping: asyncio.Event) -> None:
            ended.append(await replayer.run(job_id, stopping, show))

        await run_until_asked(program, _GRACE)
    show.end()
    typer.echo(job_line(ended[0]))
    return ended[0]


class _Progress:
    """One line that moves on a terminal; elsewhere a line now and then."""

    def __init__(self) -> None:
        self._said = ""
        self._at = 0.0

    def __call__(self, job: ReplayJob, waiting: TryLater | None) -> None:
        """Say how far a job has come."""
        line = job_line(job) if waiting is None else f"{job_line(job)}; {waiting.system} is away"
        if line == self._said:
            return
        if sys.stderr.isatty():
            self._said = line
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
        elif SystemClock().monotonic() - self._at >= _SAY_EVERY:
            self._said, self._at = line, SystemClock().monotonic()
            typer.echo(line, err=True)

    def end(self) -> None:
        """Leave the line."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
