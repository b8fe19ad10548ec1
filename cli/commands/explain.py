"""`calsync explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table

from adapters.mongodb.records import Records
from adapters.process.system import SystemClock
from cli.database import opened_database
from cli.ids import LARGEST_ID, LEAST_ID
from cli.running import run
from cli.showing import console, instant, json_line, plain
from worker.explaining.answer import Answer, Line, Pair, Story
from worker.explaining.looking import Explainer
from worker.explaining.question import Question, asked
from worker.run import opened_sides
from worker.settings import Settings, Store


def command(
    subject: Annotated[
        str, typer.Argument(help="TYPE/ID or TYPE/ID/PART, the id of an event, or that of a link.", metavar="WHAT")
    ],
    tenant: Annotated[
        int | None, typer.Option(help="Of which tenant an item is.", min=LEAST_ID, max=LARGEST_ID)
    ] = None,
    integration: Annotated[str, typer.Option(help="Only as far as this integration is concerned.")] = "",
    live: Annotated[
        bool, typer.Option("--live", help="Ask both sides, too, what they say now. Needs a worker's settings.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say why an item is, or is not, in a calendar: what was seen, decided by which rule, sent and confirmed."""
    question = asked(subject, tenant, integration)
    answer = run(_live(Settings.load(), question) if live else _stored(Store.load(), question))
    if json:
        typer.echo(json_line(told(answer)))
        return
    for story in answer.stories:
        console().print(Group(*_parts(story)))


async def _stored(settings: Store, question: Question) -> Answer:
    async with opened_database(settings) as database:
        return await Explainer(Records(database), SystemClock()).answer(question)


async def _live(settings: Settings, question: Question) -> Answer:
    async with opened_database(settings) as database, opened_sides(settings, database) as sides:
        return await Explainer(Records(database), SystemClock(), sides).answer(question)


def told(answer: Answer) -> Mapping[str, object]:
    """Return an answer as JSON shows it, with the words that belong to its reasons."""
    return {"question": answer.question, "stories": [_story(story) for story in answer.stories]}


def _story(story: Story) -> Mapping[str, object]:
    verdict = story.verdict
    words = {"explanation": verdict.explanation, "rule": verdict.rule, "advice": verdict.advice}
    lines = [asdict(line) | {"rule": line.rule} for line in story.lines]
    return asdict(story) | {"verdict": asdict(verdict) | words, "lines": lines}


def _parts(story: Story) -> Iterator[str | Table]:
    verdict = story.verdict
    yield plain(f"{story.item or story.event}  {_whose(story)}")
    yield plain(f"  {verdict.reason}: {verdict.explanation} {verdict.message}".rstrip())
    yield f"  rule: {verdict.rule}"
    if verdict.advice:
        yield f"  what helps: {verdict.advice}"
    if verdict.until:
        yield f"  looked at again: {instant(verdict.until)}"
    if story.lines:
        yield _lines(story.lines)
    if story.pairs:
        yield _pairs(story.pairs)
    yield ""


def _whose(story: Story) -> str:
    named = (
        ("integration", story.integration_id),
        ("tenant", story.tenant_id),
        ("user", story.user_id),
        ("event", story.event if story.item else ""),
        ("state", story.state),
    )
    return ", ".join(f"{name} {value}" for name, value in named if value not in {"", None})


def _lines(lines: tuple[Line, ...]) -> Table:
    table = Table("at", "step", "what", "reason", "rule", box=None)
    for line in lines:
        moment = instant(line.at) if line.at and line.at.year > 1 else "now" if line.at is None else "?"
        table.add_row(moment, line.step, plain(line.words), line.reason or "", line.rule)
    return table


def _pairs(pairs: tuple[Pair, ...]) -> Table:
    table = Table("field", "PSA", "calendar", "same", box=None)
    for pair in pairs:
        table.add_row(pair.field, _shown(pair.psa), _shown(pair.calendar), "yes" if pair.same else "no")
    return table


def _shown(value: str | None) -> str:
    return "-" if value is None else plain(value[:200])
