"""From what is known to a story: what happened in order, why it is as it is, and what both sides hold. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from events.content import FIELDS, TEXT_FIELDS, Content, Field
from events.journal import Act, Entry, Result
from events.link import EventKey, Link, LinkState, ManagedEvent
from events.outcomes import Direction
from events.reasons import Reason
from worker.core.sides import PsaHolds
from worker.explaining.absence import why_nothing
from worker.explaining.answer import Line, Pair, Step, Story, Verdict
from worker.explaining.hindering import hindrance
from worker.explaining.question import AboutEvent, AboutItem, AboutLink, AboutOurEvent
from worker.judging import showing_of
from worker.projection.events import observe
from worker.projection.items import picture

if TYPE_CHECKING:
    from events.letters import Letter
    from worker.explaining.known import Known
    from worker.explaining.question import Subject

HIDDEN: Final = "(private)"
"""Stands for what is private."""
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)


def story(subject: Subject, known: Known, user: tuple[int, int] | None = None) -> Story:
    """Return the answer for one link, or for one integration or user without one. `user`: tenant id, user id."""
    link, integration = known.link, known.integration
    tenant_id, user_id = user or (None, None)
    if integration is not None:
        tenant_id, user_id = integration.tenant_id, integration.user_id
    if link is None:
        return Story(
            why_nothing(subject, known),
            integration_id=integration.id if integration else "",
            tenant_id=tenant_id,
            user_id=user_id,
            item=_item_named(subject),
            event=_event_named(subject),
            lines=_ordered([*_of_letters(known), *_of_looks(known), *_of_integration(known)]),
        )
    return Story(
        _verdict(link, known),
        integration_id=link.integration_id,
        tenant_id=link.tenant_id,
        user_id=link.user_id,
        link_id=link.id,
        item=str(link.item or ""),
        event=_own_name(link.event),
        state=link.state.value,
        lines=_ordered([
            *_of_link(link),
            *(_of_entry(entry) for entry in known.entries),
            *_of_letters(known),
            *_of_looks(known),
            *_of_integration(known),
        ]),
        pairs=_pairs(link, known),
        live=known.item is not None or known.event is not None,
    )


def _item_named(subject: Subject) -> str:
    match subject:
        case AboutItem():
            return str(subject.key(0))
        case AboutOurEvent(item=item):
            return str(item)
        case _:
            return ""


def _event_named(subject: Subject) -> str:
    match subject:
        case AboutItem():
            return ""
        case AboutOurEvent(event_id=name):
            return name
        case AboutEvent(event_uid=name):
            return name
        case AboutLink(link_id=name):
            return name.rpartition("/")[2]


def _own_name(event: EventKey) -> str:
    return event.event_id if isinstance(event, ManagedEvent) else event.event_uid


# Why


def _verdict(link: Link, known: Known) -> Verdict:
    """Return why a link is as it is. What is not at rest waits for its integration first."""
    waits = link.state is LinkState.PENDING or (link.due_at is not None and link.due_at <= known.now)
    if waits and known.integration is not None:
        hindered = hindrance(known.integration, known.now)
        if hindered is not None:
            return hindered
    if link.state is LinkState.SETTLED and known.event is not None and known.event.lacks:
        return Verdict(Reason.EVENT_NOT_FOUND)
    if link.state is LinkState.PENDING and link.calendar_asks and not link.attempts:
        return Verdict(Reason.AWAITING_CONFIRMATION, until=link.due_at)
    return Verdict(link.reason, link.message, link.due_at)


# What happened


def _ordered(lines: list[Line]) -> tuple[Line, ...]:
    """The oldest first; what holds now comes last."""
    return tuple(sorted(lines, key=lambda line: line.at or _END))


def _of_link(link: Link) -> Iterator[Line]:
    seen, shown = link.psa_seen, link.calendar_seen
    if seen is not None:
        yield Line(Step.OBSERVED, seen.at, f"PSA: revision {seen.revision}{_psa_words(link)}")
    if shown is not None:
        words = "missing" if shown.missing else "deleted" if shown.deleted else "the event as it is"
        yield Line(Step.OBSERVED, shown.updated or _BEGINNING, f"calendar: {words}")
    if link.ending is not None:
        ending = link.ending
        step = Step.BLOCKED if link.held_back else Step.DECIDED
        yield Line(step, ending.at, f"a deletion is to be carried over: {ending.verdict}", ending.reason)
    if link.failing_since is not None:
        yield Line(Step.BLOCKED, link.failing_since, f"failing since then, {link.attempts} attempts", link.reason)
    for ask in link.calendar_asks:
        words = "accepted by the calendar, not yet shown" if ask.sent else "written down, to be sent to the calendar"
        yield Line(Step.SENT if ask.sent else Step.DECIDED, ask.at, words, None if ask.sent else link.reason)
    for field, freeze in link.frozen.items():
        yield Line(Step.BLOCKED, None, f"{field} is frozen until {freeze.until:%Y-%m-%d %H:%M}Z", Reason.FIELD_FLIPS)


def _psa_words(link: Link) -> str:
    seen = link.psa_seen
    if seen is None:
        return ""
    said = [
        ", deleted" if seen.deleted else "",
        ", the PSA does not know it" if seen.absent else "",
        "" if seen.assigned or seen.deleted else ", the user is not assigned",
        ", content not read yet" if seen.item is None and not (seen.deleted or seen.absent) else "",
    ]
    return "".join(said)


def _of_entry(entry: Entry) -> Line:
    way = {Direction.TO_CALENDAR: " → calendar", Direction.FROM_CALENDAR: " → PSA"}.get(entry.direction, "")
    fields = f" ({', '.join(entry.fields)})" if entry.fields else ""
    lost = f", lost: {', '.join(name for name, _ in entry.lost)}" if entry.lost else ""
    attempt = f", attempt {entry.attempt}" if entry.attempt > 1 else ""
    message = f": {entry.message}" if entry.message else ""
    words = f"{entry.act}{way}{fields} {entry.result}, by {entry.trigger}{lost}{attempt}{message}"
    return Line(_step(entry), entry.at, words, entry.reason, entry.run_id)


def _step(entry: Entry) -> Step:
    match entry.result:
        case Result.ACCEPTED:
            return Step.SENT
        case Result.RETRYING | Result.FAILED:
            return Step.BLOCKED
        case Result.SKIPPED | Result.CONFLICT:
            return Step.BLOCKED if entry.act is Act.REJECT else Step.DECIDED
        case Result.DONE:
            return Step.OBSERVED if entry.act is Act.FIND else Step.CONFIRMED


def _of_letters(known: Known) -> Iterator[Line]:
    for letter in known.letters:
        words = f"dead letter {letter.id}, {letter.status}: {letter.failure.detail}".rstrip(": ")
        yield Line(Step.BLOCKED, letter.last_at, words, _reason_of(letter))


def _reason_of(letter: Letter) -> Reason | None:
    try:
        return Reason.of(letter.failure.reason)
    except ValueError:  # of a newer version
        return None


def _of_looks(known: Known) -> Iterator[Line]:
    """What both sides answered just now."""
    for side, looked in (("PSA", known.item), ("calendar", known.event)):
        if looked is None:
            continue
        if looked.trouble is not None:
            yield Line(Step.BLOCKED, known.now, f"{side}: could not be asked {looked.detail}".rstrip(), looked.trouble)
        else:
            words = "shows no such thing" if looked.found is None else "asked just now, and answered"
            yield Line(Step.OBSERVED, known.now, f"{side}: {words}")


def _of_integration(known: Known) -> Iterator[Line]:
    hindered = hindrance(known.integration, known.now) if known.integration else None
    if hindered is not None:
        yield Line(Step.BLOCKED, None, f"the integration waits {hindered.message}".rstrip(), hindered.reason)


# What both sides hold


def _pairs(link: Link, known: Known) -> tuple[Pair, ...]:
    psa, calendar = _psa_content(link, known), _calendar_content(link, known)
    if psa is None and calendar is None:
        return ()
    private = any(content is not None and content.private for content in (psa, calendar))
    return tuple(_pair(field, psa, calendar, private=private) for field in FIELDS)


def _psa_content(link: Link, known: Known) -> Content | None:
    seen = link.psa_seen
    if known.item is not None and known.item.trouble is None:
        seen = known.item.found.seen_by(link.user_id, known.now) if known.item.found else None
    zone = known.integration.held.time_zone if known.integration else None
    try:
        view = picture(link.item, seen, zone, showing_of(link, known.tenant)).view
    except ValidationError:  # stored by another version; whatever else is known is told all the same
        return None
    return view.content if isinstance(view, PsaHolds) else None


def _calendar_content(link: Link, known: Known) -> Content | None:
    seen = link.calendar_seen
    if known.event is not None and known.event.trouble is None:
        seen = observe(known.event.found, known.tenant.private_inbound) if known.event.found else None
    return seen.content if seen else None


def _pair(field: Field, psa: Content | None, calendar: Content | None, *, private: bool) -> Pair:
    ours, theirs = _value(psa, field), _value(calendar, field)
    same = ours == theirs
    if private and field in TEXT_FIELDS:
        return Pair(field.value, HIDDEN if psa else None, HIDDEN if calendar else None, same)
    return Pair(field.value, ours, theirs, same)


def _value(content: Content | None, field: Field) -> str | None:
    return None if content is None else str(content.value(field))
