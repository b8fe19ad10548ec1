"""Taking back what a run did to one link: only as long as nobody has changed either side since.

Afterwards the two do not follow each other until one of them is edited: what was made is gone and the link is detached;
what was changed shows what it showed before, and that is what both sides are compared with from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.content import ALL_FIELDS, Content, Field
from events.link import Link, LinkState, PreImage, RunResult, Undoing, Verdict
from events.reasons import Reason
from events.values import replace
from worker.core.compare import differing, overlay
from worker.core.merge import moved
from worker.core.plan import Await, ChangeItem, CreateItem, Decision, DeleteItem, Detach, LetBe, PutEvent, RemoveEvent
from worker.core.record import left_by_run, without_first_image
from worker.core.sides import PsaHolds, PsaView, news

if TYPE_CHECKING:
    from datetime import datetime

    from worker.core.decide import Asked


def marked_for_undoing(link: Link, run_id: str, now: datetime) -> Link:
    """Return a link that is to be rid of what this run did; the same one if it did nothing."""
    if not any(image.run_id == run_id for image in link.images):
        return link
    return replace(link, undoing=Undoing.WANTED, due_at=now)


def take_back(link: Link, psa: PsaView, asked: Asked) -> Decision | None:
    """Return the next step of taking back; None if nothing is to be taken back, or something else comes first."""
    if link.undoing is None or not link.images:
        return None
    if link.undoing is Undoing.WANTED:
        if link.calendar_asks or link.psa_asks:
            return None  # what is under way comes to its end first
        if (obstacle := _obstacle(link, psa)) is not None:
            return Decision(LetBe(), obstacle)
    image = link.images[0]
    if image.inbound:
        if image.before is not None and link.calendar_asks:
            return None  # its event first
        return _item_back(link, psa, image)
    return _event_back(link, psa, image, asked)


def _obstacle(link: Link, psa: PsaView) -> Reason | None:
    if any(image.wrote is RunResult.DELETED for image in link.images):
        return Reason.NOT_UNDOABLE
    if any(image.wrote is RunResult.UPDATED and image.before is None for image in link.images):
        return Reason.REDACTED
    if link.ending is not None and link.ending.verdict is Verdict.DISCARDED:
        return Reason.CANCELLED
    as_left = all(image.left == left_by_run(link) for image in link.images)
    return None if as_left and _untouched(link, psa) else Reason.CHANGED_SINCE


def _untouched(link: Link, psa: PsaView) -> bool:
    """Whether both sides are there and show what they were last seen to agree on."""
    seen = link.calendar_seen
    if not isinstance(psa, PsaHolds) or seen is None or seen.content is None:
        return False
    return not news(link, seen.content) and not moved(link, psa.content)


# The event


def _event_back(link: Link, psa: PsaView, image: PreImage, asked: Asked) -> Decision:
    if image.before is not None:
        return Decision(PutEvent(image.before, image.before, ALL_FIELDS), Reason.UNDONE)
    shown = link.calendar_seen.content if link.calendar_seen else None
    asks = link.calendar_asks
    removing = bool(asks) and asks[-1].content is None
    if shown is None and not asks:
        changed = isinstance(psa, PsaHolds) and image.agreed is not None and psa.content != image.agreed
        return Decision(LetBe(), Reason.CHANGED_SINCE) if changed else Decision(Detach(), Reason.UNDONE)
    if removing and asks[-1].sent and not asked.overdue:
        return Decision(Await(), Reason.AWAITING_CONFIRMATION)
    edited = shown is not None and bool(news(link, shown))
    rewritten = isinstance(psa, PsaHolds) and not removing and bool(moved(link, psa.content))
    return Decision(LetBe(), Reason.CHANGED_SINCE) if edited or rewritten else Decision(RemoveEvent(), Reason.UNDONE)


# The item


def _item_back(link: Link, psa: PsaView, image: PreImage) -> Decision:
    shown = link.calendar_seen.content if link.calendar_seen else None
    if not isinstance(psa, PsaHolds):
        # While its item was deleted, somebody may have worked on the event.
        edited = shown is not None and bool(news(link, shown))
        return (
            Decision(CreateItem(shown), Reason.CALENDAR_CHANGED)
            if shown and edited
            else Decision(Detach(), Reason.UNDONE)
        )
    if not link.psa_asks and not _untouched(link, psa):
        return Decision(LetBe(), Reason.CHANGED_SINCE)  # while its item was written, somebody was quicker
    if image.before is not None:
        return Decision(_change(psa.content, image.before), Reason.UNDONE)
    if link.deletion_refused:
        return Decision(LetBe(), Reason.PSA_REFUSED)
    return Decision(DeleteItem(), Reason.UNDONE)


def _change(now: Content, before: Content) -> ChangeItem:
    fields = differing(now, before) - {Field.BUSY}
    return ChangeItem(overlay(now, {field: before.value(field) for field in fields}), frozenset(fields))


# Afterwards


def still_undoing(link: Link) -> Link:
    """Return the link without what the PSA has answered to be taken back."""
    image = link.images[0] if link.undoing is Undoing.BEGUN and link.images else None
    if image is None or not image.begun or not image.inbound or image.before is None or link.psa_asks:
        return link
    return without_first_image(link)


def let_be(link: Link, reason: Reason, now: datetime) -> Link:
    """Return a link that goes on as if nobody had wanted to take anything back."""
    mark = link.run
    if mark is not None and mark.result is None:
        mark = replace(mark, result=mark.wrote or RunResult.SKIPPED)
    return replace(link, images=(), undoing=None, run=mark, state=LinkState.PENDING, reason=reason, due_at=now)


def comes_back(link: Link, changed: frozenset[Field]) -> bool:
    """Whether two that a person let go of by taking a run back follow each other again.

    One of them was edited, or another run was asked to bring it.
    """
    if link.state is not LinkState.DETACHED or link.reason is not Reason.UNDONE:
        return False
    again = link.run is not None and link.run.result is None
    return bool(changed) or again
