"""How much is too much: many deletions at once, a text that goes to and fro, one item written again and again.

Every brake is a function of what is stored, so a crash, another worker or another slice finds it as it was. A deletion
counts from the moment it is weighed, which is written down before it is carried out; a write from its intention.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from events.content import Content, Field
from events.link import Flip, Freeze, LinkState, Verdict
from events.reasons import Reason
from events.values import replace
from worker.core.compare import letters, take
from worker.core.plan import (
    ChangeItem,
    CreateItem,
    Decision,
    DeleteItem,
    Detach,
    Pause,
    PutEvent,
    Quarantine,
    RemoveEvent,
    Weigh,
)
from worker.core.sides import PsaHolds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from events.link import Link, Tally
    from events.tenant import Brakes
    from worker.core.sides import PsaView


_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

# Deletions


def holds(limits: Brakes, tally: Tally, more: int) -> bool:
    """Whether `more` deletions are too many, after those of late."""
    recent = tally.gone + tally.held + more
    if recent > limits.many_deletions:
        return True
    return recent > limits.few_deletions and recent > limits.deletions_percent / 100 * (tally.gone + tally.alive)


def ends(decision: Decision) -> bool:
    """Whether a step carries a deletion over, so that a mistake would be costly.

    Withdrawing the event of an item that lives on is none: the item brings it back whenever it wants to.
    """
    match decision.action:
        case DeleteItem():
            return True
        case RemoveEvent():
            return decision.reason is Reason.PSA_DELETED
        case Detach():
            return decision.reason in {Reason.CALENDAR_DELETED, Reason.DELETE_NOT_TICKED}
        case _:
            return False


def braked(decision: Decision, link: Link) -> Decision:
    """Return the step, or what comes before it or instead of it because it carries a deletion over."""
    if not ends(decision):
        return decision
    if link.ending is None:
        return Decision(Weigh(), decision.reason)
    return Decision(Quarantine(), link.ending.reason) if link.ending.verdict is Verdict.HELD else decision


def is_inbound(link: Link) -> bool:
    """Whether the deletion that a link is about was made in the calendar."""
    return link.calendar_seen is not None and link.calendar_seen.deleted


def resolved(link: Link, verdict: Verdict, now: datetime) -> Link:
    """Say of a deletion that is held back what becomes of it, and have it verified first: it may be undone by now."""
    assert link.ending is not None, "only what ends is held back"
    link = replace(
        link,
        ending=replace(link.ending, verdict=verdict),
        state=LinkState.PENDING,
        reason=link.ending.reason,
        due_at=now,
    )
    if link.calendar_seen is not None and link.calendar_seen.deleted:
        return replace(link, calendar_seen=replace(link.calendar_seen, missing=True))
    known = link.psa_seen and replace(link.psa_seen, deleted=False, item=None)
    return replace(link, psa_seen=known)


# Texts that go to and fro

FREEZABLE: Final = frozenset({Field.SUMMARY, Field.DESCRIPTION, Field.LOCATION})
"""Times always flow, and what is private must always become so."""


def fingerprint(text: object) -> str:
    """Name a text, however a side lays it out."""
    plain = letters(text) if isinstance(text, str) else repr(text)
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()[:12]


def flips(link: Link, decision: Decision, psa: PsaView, now: datetime) -> tuple[Flip, ...]:
    """Return the texts that a step replaces by others. What was asked before counts as if it were there already."""
    shown = link.calendar_seen.content if link.calendar_seen else None
    if decision.reason in {Reason.WANTED_BACK, Reason.UNDONE}:
        return ()  # a person says so
    match decision.action:
        case PutEvent(content=content) if shown is not None:
            before = link.calendar_asks[-1].content if link.calendar_asks else None
            return _flips(before or shown, content, FREEZABLE, now)
        case ChangeItem(content=content, fields=fields) if isinstance(psa, PsaHolds):
            before = link.psa_asks[-1].content if link.psa_asks else None
            return _flips(before or psa.content, content, fields & FREEZABLE, now)
        case _:
            return ()


def _flips(before: Content, after: Content, fields: Iterable[Field], now: datetime) -> tuple[Flip, ...]:
    texts = [(field, before.value(field), after.value(field)) for field in sorted(fields)]
    pairs = [(field, fingerprint(one), fingerprint(other)) for field, one, other in texts if one != other]
    return tuple(Flip(field, one, other, now) for field, one, other in pairs if one != other)


def frozen(link: Link, decision: Decision, psa: PsaView, limits: Brakes, now: datetime) -> Link:
    """Freeze what would go to and fro once too often by a step. Returns the same link if nothing does."""
    if not link.churn.flips:
        return link
    ahead = [flip for flip in flips(link, decision, psa, now) if flip.field not in link.frozen]
    recent = [flip for flip in link.churn.flips if now - flip.at < _DAY]
    freezes: dict[Field, Freeze] = {}
    for flip in ahead:
        course = _course([one for one in (*recent, flip) if one.field is flip.field])
        if _alternations(course) >= limits.alternations:
            values = frozenset(course) | _known(link, psa, flip.field)
            freezes[flip.field] = Freeze(now + timedelta(hours=limits.freeze_hours), values)
    return replace(link, frozen={**link.frozen, **freezes}) if freezes else link


def _course(flips: Iterable[Flip]) -> list[str]:
    """Return the texts in the order in which they were there."""
    values = [value for flip in flips for value in (flip.before, flip.after)]
    return values[:1] + [later for earlier, later in pairwise(values) if later != earlier]


def _alternations(course: list[str]) -> int:
    return sum(1 for before, after in zip(course, course[2:], strict=False) if before == after)


def _known(link: Link, psa: PsaView, field: Field) -> frozenset[str]:
    """Return the forms in which the two texts are known: providers rewrite."""
    contents = [link.psa_base, link.calendar_base, link.calendar_seen.content if link.calendar_seen else None]
    contents += [psa.content if isinstance(psa, PsaHolds) else None]
    return frozenset(fingerprint(content.value(field)) for content in contents if content is not None)


def thawed(link: Link, psa: PsaView, now: datetime) -> Link:
    """Let go of fields whose time is over, or in which somebody wrote something else than the two texts.

    What that somebody wrote counts, whatever the other side holds: that is only what a tool left there.
    """
    if not link.frozen:
        return link
    shown = link.calendar_seen.content if link.calendar_seen else None
    held = psa.content if isinstance(psa, PsaHolds) else None
    by_calendar, by_psa = _rewritten(link, shown), _rewritten(link, held)
    if held is not None and link.psa_base is not None:
        link = replace(link, psa_base=take(link.psa_base, held, by_calendar - by_psa))
    if shown is not None and link.calendar_base is not None:
        link = replace(link, calendar_base=take(link.calendar_base, shown, by_psa - by_calendar))
    over = {field for field, freeze in link.frozen.items() if now >= freeze.until}
    gone = over | by_calendar | by_psa
    return let_flow(link, gone) if gone else link


def _rewritten(link: Link, content: Content | None) -> frozenset[Field]:
    """Return frozen fields in which a side holds neither of the two texts."""
    if content is None:
        return frozenset()
    return frozenset(f for f, freeze in link.frozen.items() if fingerprint(content.value(f)) not in freeze.values)


def unfrozen(link: Link, now: datetime) -> Link:
    """Let go of all fields, because a person says so."""
    return replace(let_flow(link, link.frozen), due_at=now)


def let_flow(link: Link, fields: Iterable[Field]) -> Link:
    """Let go of some fields, and forget that they ever went to and fro."""
    gone = frozenset(fields)
    kept = tuple(flip for flip in link.churn.flips if flip.field not in gone)
    frozen = {field: freeze for field, freeze in link.frozen.items() if field not in gone}
    return replace(link, frozen=frozen, churn=replace(link.churn, flips=kept))


# One item, written again and again

_QUIET: Final = 2 * _DAY
"""After so long without a write all is forgotten; longer than the longest pause."""


def within_budget(decision: Decision, link: Link, limits: Brakes, now: datetime) -> Decision:
    """Return the step, or a pause if it writes and the item was written too often. Each pause in a row is longer."""
    if not _writes(decision) or _is_repeated(decision, link) or len(link.churn.writes) < limits.writes_an_hour:
        return decision
    until = link.churn.writes[-limits.writes_an_hour] + _window(link)
    return decision if now >= until else Decision(Pause(until), Reason.WRITE_BUDGET)


def _window(link: Link) -> timedelta:
    pauses = link.churn.pauses - (1 if link.reason is Reason.WRITE_BUDGET else 0)  # the present one is counted already
    longer: int = 2 ** min(max(0, pauses), 8)
    return min(_HOUR * longer, _DAY)


def _writes(decision: Decision) -> bool:
    return isinstance(decision.action, PutEvent | RemoveEvent | CreateItem | ChangeItem | DeleteItem)


def _is_repeated(decision: Decision, link: Link) -> bool:
    """Whether it is not known how the last write ended. Failures have pauses of their own."""
    if isinstance(decision.action, PutEvent | RemoveEvent):
        return bool(link.calendar_asks) and not link.calendar_asks[-1].sent
    return bool(link.psa_asks)


def counted(link: Link, decision: Decision, psa: PsaView, limits: Brakes, now: datetime) -> Link:
    """Count a write that is about to be intended. `link`: as it was decided on."""
    if not _writes(decision) or _is_repeated(decision, link):
        return link
    churn = link.churn
    quiet = not churn.writes or now - churn.writes[-1] >= _QUIET
    recent = tuple(flip for flip in churn.flips if now - flip.at < _DAY)
    churn = replace(
        churn,
        writes=(now,) if quiet else (*churn.writes, now)[-limits.writes_an_hour :],
        pauses=0 if quiet else churn.pauses,
        flips=(*recent, *flips(link, decision, psa, now)),
    )
    return replace(link, churn=churn)
