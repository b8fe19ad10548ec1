"""What must be true when everything has come to rest."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from events.calendar import CalendarEvent
from events.link import ExternalEvent, Link, LinkState, ManagedEvent
from tests.memory.platform import Row, stamp
from tests.simulation.people import People
from tests.simulation.world import World
from worker.projection.events import key_of


def check_all(world: World, people: People | None = None, *, faultless: bool = False) -> None:
    """Check every property; an AssertionError tells the story."""
    check_no_duplicates(world)
    check_both_sides_equal(world)
    check_nothing_wrongly_there(world)
    if people is not None:
        check_no_lost_edit(world, people)
    if faultless:
        check_no_needless_write(world)


def pairs(world: World) -> list[tuple[Link, Row | None, CalendarEvent | None]]:
    """Return each link with the item and the event it stands for."""
    found: list[tuple[Link, Row | None, CalendarEvent | None]] = []
    for link in world.links.links.values():
        row = world.platform.rows.get(link.item.item_id) if link.item else None
        event = next((e for e in world.calendar.events.values() if _is(link, e)), None)
        found.append((link, row, event))
    return found


def _is(link: Link, event: CalendarEvent) -> bool:
    match key_of(event), link.event:
        case ManagedEvent(event_id=one), ManagedEvent(event_id=other):
            return one == other
        case ExternalEvent(event_uid=one), ExternalEvent(event_uid=other):
            return one == other
        case _:
            return False


def check_no_duplicates(world: World) -> None:
    """At most one event per item, one item per event."""
    managed = Counter(e.event_id for e in world.calendar.live() if e.event_id)
    assert not [id_ for id_, n in managed.items() if n > 1], "an item has two events"
    references = Counter(row.reference for row in world.platform.live() if row.reference)
    assert not [ref for ref, n in references.items() if n > 1], "an event has two items"
    links = [link for link in world.links.links.values() if link.state is not LinkState.BURIED]
    items = Counter(link.item for link in links if link.item)
    twice = [item for item, n in items.items() if n > 1]
    assert not twice, f"an item has two links: {twice}"


def check_both_sides_equal(world: World) -> None:
    """Where both sides are there, they show the same, unless the user's own event may not be changed."""
    for link, row, event in pairs(world):
        if row is None or event is None or row.deleted or event.deleted or link.state is LinkState.BLOCKED:
            continue
        assert link.state is not LinkState.PENDING, f"still pending: {link}"
        shown = (event.summary, _start(event))
        held = (row.item["subject"], row.item["start"])
        assert shown == held, f"the sides differ: {shown} {held} {link}\n" + _tail(world)


def check_nothing_wrongly_there(world: World) -> None:
    """Every item has its event and every event its item, unless one was deleted or detached."""
    by_item = {link.item.item_id: (link, event) for link, _, event in pairs(world) if link.item}
    for row in world.platform.live():
        assert row.key.item_id in by_item, f"an item was never synced: {row}\n" + _tail(world)
        link, event = by_item[row.key.item_id]
        there = event is not None and not event.deleted
        assert there or link.state is LinkState.DETACHED, f"an item has no event: {row} {link}\n" + _tail(world)
    by_event = {event.event_uid: (link, row) for link, row, event in pairs(world) if event}
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
        if before is None or before.deleted:
            continue
        same = (before.summary, before.start, before.deleted) == (
            applied.after.summary,
            applied.after.start,
            applied.after.deleted,
        )
        assert not same, f"written without a difference: {applied}\n" + _tail(world)
    for kind, before_row, after_row in world.platform.writes:
        if kind == "change" and before_row is not None:
            assert before_row.item != after_row.item, f"changed without a difference: {after_row}\n" + _tail(world)


def check_no_lost_edit(world: World, people: People) -> None:
    """The last value that somebody set is visible, or was overruled on the record, or raced with a write of ours."""
    last: dict[tuple[str, str], str] = {}
    gone: set[str] = set()
    for edit in people.edits:
        if edit.deleted:
            gone.add(edit.item)
        else:
            last[edit.item, edit.field] = edit.value
    recorded = " ".join(value for entry in world.journal.entries.values() for _, value in entry.lost)
    raced = " ".join(value for applied in world.calendar.applied for value in applied.unseen)
    raced = raced.replace("+00:00", "Z").replace(" 2026", "T2026")
    for (where, name), value in last.items():
        visible = _visible(world)
        if value in visible or value in recorded or _in(value, raced) or _overtaken(world, where, name, value):
            continue
        assert _was_deleted(world, where, gone), f"lost: {name}={value} at {where}\n" + _tail(world, 200)


def _in(value: str, raced: str) -> bool:
    return value in raced or value.replace("T", " ").removesuffix("Z") in raced


def _visible(world: World) -> str:
    events = [f"{event.summary} {_start(event)}" for event in world.calendar.live()]
    items = [f"{row.item['subject']} {row.item['start']}" for row in world.platform.live()]
    return " ".join(events + items)


def _overtaken(world: World, where: str, name: str, value: str) -> bool:
    """Whether it arrived on the other side, and was changed there afterwards by somebody who saw it."""
    if where.startswith("calendar:"):
        seen = [row for _, _, row in world.platform.writes]
        return any(value in (row.item["subject"], row.item["start"]) for row in seen)
    applied = [write.after for write in world.calendar.applied]
    del name
    return any(value in (event.summary, _start(event)) for event in applied)


def _was_deleted(world: World, where: str, gone: set[str]) -> bool:
    side, _, id_ = where.partition(":")
    for link, row, event in pairs(world):
        item_id = row.key.item_id if row else None
        uid = event.event_uid if event else None
        if (side == "psa" and item_id == id_) or (side == "calendar" and uid == id_):
            return f"psa:{item_id}" in gone or f"calendar:{uid}" in gone or link.state is LinkState.BURIED
    return where in gone


def _start(event: CalendarEvent) -> str:
    assert isinstance(event.start, datetime)
    return stamp(event.start)


def _tail(world: World, lines: int = 40) -> str:
    return "\n".join(world.trace[-lines:])
