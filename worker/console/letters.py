"""Pages about dead letters: groups, single ones, and what people decide about them. The desk records every decision."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse

from events.failures import Malformed, Refused
from events.letters import Cursor, Deed, Letter, Status, Which
from events.replays import JobState, OperatorAction
from worker.console.asking import Misused, number, word
from worker.console.guarding import ROOT, refusal
from worker.dead_letters.editing import difference, text_of
from worker.dead_letters.veil import veiled

if TYPE_CHECKING:
    from starlette.responses import Response

    from worker.console.guarding import Done, Visit

_GROUPS: Final = 100
_PAGE: Final = 50
_JOBS: Final = 30
RATE: Final = 20.0
"""Letters a second that are replayed, as at the command line."""
_HELD: Final = frozenset({Status.OPEN, Status.REPLAYED})


# Looking


def _which(visit: Visit) -> Which:
    request = visit.request
    return Which(
        tenant_id=number(request, "tenant"),
        integration_id=word(request, "integration"),
        item=word(request, "item", 256),
        reason=word(request, "reason", 64),
    )


async def groups(visit: Visit) -> Response:
    """Show what failed for good, by cause."""
    which = _which(visit)
    found = await visit.office.letters.groups(which, visit.office.clock.now(), _GROUPS)
    return visit.shown("groups", groups=found, which=which, most=_GROUPS)


async def group(visit: Visit) -> Response:
    """Show one group."""
    fingerprint = visit.request.path_params["fingerprint"]
    status = word(visit.request, "status")
    statuses = frozenset({Status(status)}) if status in set(Status) else _HELD
    which = Which(statuses=statuses, fingerprint=fingerprint)
    after = Cursor.of(word(visit.request, "after")) if word(visit.request, "after") else None
    found = await visit.office.letters.page(which, after, _PAGE)
    more = Cursor(found[-1].last_at, found[-1].id).token() if len(found) == _PAGE else ""
    count = await visit.office.letters.count(Which(fingerprint=fingerprint))
    return visit.shown(
        "group",
        fingerprint=fingerprint,
        letters=found,
        more=more,
        status=status,
        statuses=list(Status),
        open_count=count,
    )


async def letter(visit: Visit) -> Response:
    """Show one letter, without its private texts."""
    one = await _found(visit)
    if one is None:
        return _unknown(visit)
    forecast = await visit.office.foresight.of(one)
    return visit.shown("letter", one=one, body=text_of(veiled(one.original.body)), forecast=forecast, held=_HELD)


async def jobs(visit: Visit) -> Response:
    """Show replays and what operators did."""
    office = visit.office
    found, done = await office.jobs.newest(_JOBS), await office.actions.newest(_JOBS)
    running = any(job.state is JobState.RUNNING for job in found)
    return visit.shown("jobs", jobs=found, actions=done, running=running)


async def _found(visit: Visit) -> Letter | None:
    return await visit.office.letters.get(visit.request.path_params["id"])


def _unknown(visit: Visit) -> Response:
    return refusal(HTTPStatus.NOT_FOUND, f"There is no dead letter {visit.request.path_params['id']} (any more).")


# Deciding


def _meant(done: Done) -> Which:
    """Return the letters that a form is about: one, or the open ones of a group."""
    one, fingerprint = done.field("letter"), done.field("group")
    if bool(one) == bool(fingerprint):
        raise Misused("Say which letters are meant.")
    return Which(ids=frozenset({one})) if one else Which(fingerprint=fingerprint)


async def replayed(done: Done) -> Response:
    """Order letters to be published again."""
    which = _meant(done)
    await _order(done, which)
    return _on_to("jobs")


async def _order(done: Done, which: Which) -> None:
    if done.office.jobs_to_run.full():
        raise Misused("Many replays wait already. Try again when some are done.")
    job = await done.office.desk(done.session.who).replay(which, done.why, RATE, None)
    done.office.jobs_to_run.put_nowait(job.id)


async def discarded(done: Done) -> Response:
    """Decide that nothing is to be done about letters."""
    await done.office.desk(done.session.who).discard(_meant(done), done.why)
    return _on_to("letters")


async def restored(done: Done) -> Response:
    """Open letters again that were discarded, or a single one that was resolved."""
    which = _meant(done)
    await done.office.desk(done.session.who).restore(which, done.why)
    return _on_to(f"letters/one/{next(iter(which.ids))}" if which.ids else "letters")


async def resumed(done: Done) -> Response:
    """Go on with a replay that was interrupted."""
    job = await done.office.jobs.get(done.field("job"))
    if job is None or job.state is JobState.DONE:
        raise Misused("There is no such replay to go on with.")
    if done.office.jobs_to_run.full():
        raise Misused("Many replays wait already. Try again when some are done.")
    now, new_id = done.office.clock.now(), done.office.means.new_id
    action = OperatorAction(new_id(), now, done.session.who, Deed.REPLAYED, done.why, job.which, job=job.id)
    await done.office.actions.write(action)
    done.office.jobs_to_run.put_nowait(job.id)
    return _on_to("jobs")


async def opened(done: Done) -> Response:
    """Show a message as it is, private texts and all, to be mended. That is recorded."""
    one = await _found(done)
    if one is None:
        return _unknown(done)
    await done.office.desk(done.session.who).saw([one.id], Deed.SHOWN, done.why)
    return done.shown("edit", one=one, body=text_of(one.original.body), why=done.why, problem="")


async def mended(done: Done) -> Response:
    """Let a mended message stand for a letter, and replay it. What still breaks its contract is shown again."""
    one = await _found(done)
    if one is None:
        return _unknown(done)
    text = done.fields.get("body", "").replace("\r\n", "\n")
    if not difference(one.original.body, text.encode()):
        raise Misused("Nothing was changed.")
    try:
        new = await done.office.desk(done.session.who).edit(one, text.encode(), done.why)
    except (Malformed, Refused) as error:
        problem = f"{error.reason.explanation} {error.detail}"
        return done.shown("edit", one=one, body=text, why=done.why, problem=problem)
    await _order(done, replace(Which(), ids=frozenset({new.id})))
    return _on_to(f"letters/one/{new.id}")


def _on_to(path: str) -> Response:
    return RedirectResponse(f"{ROOT}/{path}", HTTPStatus.SEE_OTHER)
