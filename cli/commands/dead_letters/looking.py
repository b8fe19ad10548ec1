"""`calsync dead-letters list|groups|show|export`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.acting import As
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
    statuses_of,
    which_of,
)
from cli.commands.dead_letters.words import (
    PRIVATE,
    body_text,
    everything,
    group_summary,
    groups_table,
    letters_table,
    summary,
)
from cli.failing import Failed
from cli.running import run
from cli.showing import console, instant, json_line, plain
from events.letters import Cursor, Deed, Group, Letter, Which
from worker.settings import Store

Statuses = Annotated[str, typer.Option("--status", help="Comma-separated; or all.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show private texts as well. That is recorded.")]
Limit = Annotated[int, typer.Option(help="Show at most so many.", min=1, max=10_000)]
_OPEN: Final = "open,replayed"
_PAGE: Final = 200


def list_(
    tenant: Tenant = None,
    integration: Integration = "",
    item: Item = "",
    reason: ReasonCode = "",
    group: Fingerprint = "",
    newer: Newer = "",
    older: Older = "",
    status: Statuses = _OPEN,
    after: Annotated[str, typer.Option(help="Go on behind this place: what the page before ended with.")] = "",
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """List dead letters, the latest failure first."""
    which = _which(status, tenant, integration, item, reason, group, newer, older)
    found = run(_page(Store.load(), which, _cursor(after), limit))
    more = Cursor(found[-1].last_at, found[-1].id).token() if len(found) == limit else ""
    if json:
        for one in found:
            typer.echo(json_line(summary(one)))
        if more:
            typer.echo(f"There may be more: --after {more}", err=True)
        return
    console().print(letters_table(found))
    if more:
        typer.echo(f"There may be more: --after {more}")


def groups(
    tenant: Tenant = None,
    integration: Integration = "",
    item: Item = "",
    reason: ReasonCode = "",
    newer: Newer = "",
    older: Older = "",
    status: Statuses = _OPEN,
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """Group dead letters that failed in the same way, the most frequent first."""
    which = _which(status, tenant, integration, item, reason, "", newer, older)
    found = run(_groups(Store.load(), which, limit))
    if json:
        for one in found:
            typer.echo(json_line(group_summary(one)))
        return
    console().print(groups_table(found))


def show(
    letter_id: Annotated[str, typer.Argument(help="Which one.")],
    reveal: Reveal = False,
    as_: As = "",
    json: AsJson = False,
) -> None:
    """Show everything about one dead letter: what failed, where, the message, and what was done about it."""
    one = run(_letter(Store.load(), letter_id, as_, reveal=reveal))
    if json:
        typer.echo(json_line(everything(one, reveal=reveal)))
        return
    for line in _told(one, reveal=reveal):
        typer.echo(plain(line))


def export(
    out: Annotated[Path | None, typer.Option("--out", help="Into this file instead of standard output.")] = None,
    tenant: Tenant = None,
    integration: Integration = "",
    item: Item = "",
    reason: ReasonCode = "",
    group: Fingerprint = "",
    newer: Newer = "",
    older: Older = "",
    status: Statuses = _OPEN,
    reveal: Reveal = False,
    as_: As = "",
) -> None:
    """Write dead letters as JSON lines, with their messages."""
    which = _which(status, tenant, integration, item, reason, group, newer, older)
    written = run(_export(Store.load(), which, out, as_, reveal=reveal))
    typer.echo(f"{written} letters", err=True)


def _which(
    status: str, tenant: int | None, integration: str, item: str, reason: str, group: str, newer: str, older: str
) -> Which:
    which = which_of(
        tenant=tenant, integration=integration, item=item, reason=reason, group=group, newer=newer, older=older
    )
    return replace(which, statuses=statuses_of(status))


def _cursor(token: str) -> Cursor | None:
    cursor = Cursor.of(token) if token else None
    if token and cursor is None:
        raise typer.BadParameter("--after takes what a page ended with")
    return cursor


async def _page(settings: Store, which: Which, after: Cursor | None, limit: int) -> list[Letter]:
    async with office(settings, "") as here:
        return await here.letters.page(which, after, limit)


async def _groups(settings: Store, which: Which, limit: int) -> list[Group]:
    async with office(settings, "") as here:
        return await here.letters.groups(which, here.clock.now(), limit)


async def _letter(settings: Store, letter_id: str, acting: str, *, reveal: bool) -> Letter:
    async with office(settings, acting) as here:
        found = await here.letters.get(letter_id)
        if found is None:
            raise Failed(f"There is no dead letter {letter_id}.")
        if reveal:
            await here.desk.saw([letter_id], Deed.SHOWN)
        return found


async def _export(settings: Store, which: Which, out: Path | None, acting: str, *, reveal: bool) -> int:
    """Write letters one by one, so that memory does not grow with their number."""
    written = 0
    with contextlib.ExitStack() as stack:
        file = sys.stdout if out is None else stack.enter_context(out.open("w", encoding="utf-8"))
        async with office(settings, acting) as here:
            async for page in _pages(here, which):
                if reveal:
                    await here.desk.saw(page, Deed.EXPORTED)
                for letter_id in page:
                    letter = await here.letters.get(letter_id)
                    if letter is not None:
                        file.write(f"{json_line(everything(letter, reveal=reveal))}\n")
                        written += 1
    return written


async def _pages(here: Office, which: Which) -> AsyncGenerator[list[str]]:
    after: Cursor | None = None
    while page := await here.letters.page(which, after, _PAGE):
        after = Cursor(page[-1].last_at, page[-1].id)
        yield [one.id for one in page]


def _told(one: Letter, *, reveal: bool) -> list[str]:
    failure = one.failure
    lines = [
        f"{name:14} {value}"
        for name, value in {**summary(one), "first_at": instant(one.first_at), "last_at": instant(one.last_at)}.items()
        if value not in {"", None}
    ]
    lines += ["", "where", *(f"  {line}" for line in failure.trace.stack.splitlines())] if failure.trace.stack else []
    lines += ["", "message", body_text(one, reveal=reveal).rstrip()]
    lines += [] if reveal else [PRIVATE]
    lines += ["", "headers", *(f"  {name}: {value}" for name, value in one.original.headers.items())]
    lines += ["", "replays"] if one.replays else []
    for replay in one.replays:
        lines.append(f"  {instant(replay.at)} by {replay.who}: {replay.verdict or 'not heard of yet'} {replay.detail}")
    lines += ["", "history", *(f"  {instant(act.at)} {act.deed} by {act.who} {act.why}" for act in one.history)]
    return lines
