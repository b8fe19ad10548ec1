"""What must be true when everything has come to rest."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable

from events.calendar import CalendarEvent
from events.content import Content, Field
from events.integration import Status
from events.items import ItemType
from events.link import Link, LinkState, PsaSeen
from events.reasons import Reason
from events.tenant import PrivateInbound
from tests.memory.platform import Row
from tests.simulation.people import People
from tests.simulation.world import World
from worker.core.ownership import Ownership
from worker.core.sides import PsaHolds
from worker.projection.events import key_of, observe
from worker.projection.items import Showing, picture

_UNIQUE = re.compile(r"(psa|calendar)-\d+$|\d{4}-\d\d-\d\dT")
"""What `people` set, each value once."""

Trio = tuple[Link, Row | None, CalendarEvent | None]


def check_all(world: World, people: People | None = None, *, faultless: bool = False) -> None:
    """Check every property; an AssertionError tells the story."""
    check_no_duplicates(world)
    check_both_sides_equal(world)
    check_nothing_wrongly_there(world)
    check_it_will_be_looked_at(world)
    if people is not None:
        check_no_lost_edit(world, people, faultless=faultless)
    if faultless:
        check_what_was_overruled_stays_so(world)
        check_no_needless_write(world)


def check_it_will_be_looked_at(world: World) -> None:
    """Whoever works is looked at unasked from time to time, whatever has happened."""
    for row in world.integrations.rows.values():
        one = row.integration
        if (
            one.held.status is Status.CONNECTED
            and one.wanted.active
            and one.wanted.settings
            and not one.wanted.deletion
        ):
            assert one.due_at is not None, f"nobody will ever look at {one.id}\n" + _tail(world)


def trios(world: World) -> list[Trio]:
    """Return each link with the item and the event it stands for."""
    by_key = {key_of(event): event for event in world.calendar.events.values()}
    found: list[Trio] = []
    for link in world.links.links.values():
        row = world.platform.rows.get(link.item.item_id) if link.item else None
        found.append((link, row, by_key.get(link.event)))
    return found


def item_content(world: World, row: Row) -> Content | None:
    """Return what the product itself makes of an item."""
    seen = PsaSeen(row.revision, row.deleted, assigned=True, item=json.dumps(row.item), at=world.clock.now())
    view = picture(row.key, seen, None, Showing()).view
    return view.content if isinstance(view, PsaHolds) else None


def event_content(event: CalendarEvent) -> Content | None:
    """Return what the product itself makes of an event."""
    seen = observe(event, PrivateInbound.BUSY)
    return seen.content if seen else None


def check_no_duplicates(world: World) -> None:
    """At most one event per item, one item per event; and no text that a person wrote once is there twice."""
    for side in (_summaries_of_items(world), _summaries_of_events(world)):
        assert not [text for text, n in side.items() if n > 1], "the same thing is there twice\n" + _tail(world)
    managed = Counter(e.event_id for e in world.calendar.live() if e.event_id)
    assert not [id_ for id_, n in managed.items() if n > 1], "an item has two events"
    references = Counter(row.reference for row in world.platform.live() if row.reference)
    assert not [ref for ref, n in references.items() if n > 1], "an event has two items"
    alive = [link for link in world.links.links.values() if link.state is not LinkState.BURIED]
    items = Counter(link.item for link in alive if link.item)
    assert not [item for item, n in items.items() if n > 1], "an item has two links"


def _summaries_of_items(world: World) -> Counter[str]:
    return Counter(c.summary for row in world.platform.live() if (c := item_content(world, row)) is not None)


def _summaries_of_events(world: World) -> Counter[str]:
    return Counter(c.summary for event in world.calendar.live() if (c := event_content(event)) is not None)


def check_both_sides_equal(world: World) -> None:
    """Where both sides are there, they show the same in every field that flows both ways.

    Except where it is on record that the user's own event may not be changed, or that the PSA owns a text.
    """
    for link, row, event in trios(world):
        if row is None or event is None or row.deleted or event.deleted or link.state is LinkState.BLOCKED:
            continue
        assert link.state is not LinkState.PENDING, f"still pending: {link}"
        held, shown = item_content(world, row), event_content(event)
        assert held is not None
        assert shown is not None
        for field in Ownership().of(row.key.item_type).two_way:
            assert held.value(field) == shown.value(field), f"the sides differ: {field} {link}\n" + _tail(world)
        if link.reason is Reason.IN_SYNC:
            differ = [f for f in Field if held.value(f) != shown.value(f) and f is not Field.BUSY]
            assert not differ, f"the sides differ, and nothing says so: {differ} {link}\n" + _tail(world)


def check_nothing_wrongly_there(world: World) -> None:
    """Every item has its event and every event its item, unless one was deleted or detached."""
    by_item = {link.item.item_id: (link, event) for link, _, event in trios(world) if link.item}
    for row in world.platform.live():
        assert row.key.item_id in by_item, f"an item was never synced: {row}\n" + _tail(world)
        link, event = by_item[row.key.item_id]
        there = event is not None and not event.deleted
        assert there or link.state is LinkState.DETACHED, f"an item has no event: {row} {link}\n" + _tail(world)
    by_event = {event.event_uid: (link, item) for link, item, event in trios(world) if event}
    for event in world.calendar.live():
        assert event.event_uid in by_event, f"an event was never synced: {event}\n" + _tail(world)
        link, item = by_event[event.event_uid]
        there = item is not None and not item.deleted
        kept = link.state in {LinkState.DETACHED, LinkState.BLOCKED}
        assert there or kept, f"an event has no item: {event} {link}\n" + _tail(world)


def check_no_needless_write(world: World) -> None:
    """Nothing is written that is there already."""
    for applied in world.calendar.applied:
        before = applied.before
        if before is not None and not before.deleted and not applied.after.deleted:
            same = event_content(before) == event_content(applied.after)
            assert not same, f"written without a difference: {applied}\n" + _tail(world)
    for kind, before_row, after_row in world.platform.writes:
        if kind == "change" and before_row is not None:
            assert before_row.item != after_row.item, f"changed without a difference: {after_row}\n" + _tail(world)


def check_no_lost_edit(world: World, people: People, *, faultless: bool) -> None:
    """The last value that somebody set in a place is visible, was seen on the other side, or is on record as overruled.

    The one exception is an edit that a write of ours hit while it was on the wire: no read can have shown it when the
    write was sent. Without crashes that is no excuse if a read has shown it since.
    """
    last: dict[tuple[str, str], str] = {}
    for edit in people.edits:
        if not edit.deleted:
            last[edit.where, edit.field] = edit.value
    gone = {edit.where for edit in people.edits if edit.deleted}
    on_record = [value for entry in world.journal.entries.values() for _, value in entry.lost]
    raced = [v for one in world.calendar.applied for v in (one.unseen if faultless else one.late)]
    excused = _words([*on_record, *raced, *_visible(world), *_ever_synced(world)])
    for (where, name), value in last.items():
        if value in excused or _may_be_gone(world, where, gone) or _is_owned_text(world, where, name):
            continue
        raise AssertionError(f"lost: {name}={value} at {where}\n" + _tail(world, 200))


def check_what_was_overruled_stays_so(world: World) -> None:
    """The loser of a conflict, whom the user was told of, does not win in the end.

    Unless the winner was deleted afterwards: then an edit that lost to it is all that is left, and beats the deletion.
    Nor after a crash or an outage, which can keep the winner from being written until our own earlier write hides it.
    """
    entries = world.journal.entries.values()
    beaten = {entry.link_id for entry in entries if entry.reason is Reason.EDIT_BEATS_DELETE}
    told = [entry for entry in entries if entry.link_id not in beaten and entry.reason is not Reason.PSA_DELETED]
    lost = _words(value for entry in told for _, value in entry.lost)
    back = [value for value in lost & _words(_visible(world)) if _UNIQUE.match(value)]
    assert not back, f"overruled, and back: {back}\n" + _tail(world, 200)


def _words(texts: Iterable[str]) -> set[str]:
    """Return the words and starts in texts, however a time is written."""
    found: set[str] = set()
    for text in texts:
        plain = text.replace("+00:00", "Z").replace(" 12:", "T12:").replace(" 13:", "T13:")
        found |= set(plain.replace("/", " ").split()) | {plain.rpartition(":evt")[2]}
        found |= set(plain.replace("/", " ").replace("evt_", " ").split())
    return found | {word.partition(":")[2] for word in found}


def _visible(world: World) -> list[str]:
    return [_line(event_content(e)) for e in world.calendar.live()] + [
        _line(item_content(world, row)) for row in world.platform.live()
    ]


def _ever_synced(world: World) -> list[str]:
    """Return what was ever brought over to the other side: whoever changed it afterwards had seen it."""
    events = [_line(event_content(applied.after)) for applied in world.calendar.applied]
    return events + [_line(item_content(world, row)) for _, _, row in world.platform.writes]


def _line(content: Content | None) -> str:
    return f"{content.summary} {content.when}" if content else ""


def _may_be_gone(world: World, where: str, gone: set[str]) -> bool:
    """Whether the item or its event was deleted by somebody, so that its values went with it."""
    side, _, id_ = where.partition(":")
    for link, row, event in trios(world):
        item, uid = (row.key.item_id if row else None), (event.event_uid if event else None)
        if (side == "psa" and item == id_) or (side == "calendar" and uid == id_):
            return f"psa:{item}" in gone or f"calendar:{uid}" in gone or link.state is LinkState.BURIED
    return where in gone


def _is_owned_text(world: World, where: str, name: str) -> bool:
    """Whether it is a text that the PSA owns: an edit of it in the calendar is not taken over, by rule."""
    if not where.startswith("calendar:") or name != "summary":
        return False
    uid = where.partition(":")[2]
    owned = [row for _, row, event in trios(world) if row and event and event.event_uid == uid]
    return any(row.key.item_type is not ItemType.APPOINTMENT for row in owned)


def _tail(world: World, lines: int = 40) -> str:
    return world.story(lines)
