"""What is under way in a world."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sandbox.cronofy.control.operation_messages import Pending, PendingChange, PendingNotification, PendingWrite
from sandbox.cronofy.model.agenda import ApplyNext, Learn, Send, Show, TryProvider
from sandbox.cronofy.model.draft import (
    Answer,
    DeleteAllManaged,
    DeleteExternal,
    DeleteManaged,
    EditExternal,
    Upsert,
    Write,
)
from sandbox.cronofy.model.state import Accepted, Calendar, World
from sandbox.cronofy.model.visibility import reachable


def is_quiet(world: World, delivering: int) -> bool:
    """Tell whether nothing is under way but what waits for somebody: held writes and failed notifications."""
    return not delivering and next(_dues(world), None) is None


def _dues(world: World) -> Iterator[datetime]:
    """When things happen that break the quiet, in no order."""
    for due, task in world.agenda:
        match task:
            case Learn() | Show():
                yield due
            case ApplyNext(calendar_id=calendar_id) if reachable(world, world.calendars[calendar_id].profile):
                yield due
            case Send(number=number, first=True) if number in world.notifications:
                yield due
            case ApplyNext() | Send() | TryProvider():
                pass


def pending(world: World, delivering: int) -> Pending:
    """Show all that is under way. `delivering`: how many notifications are on the wire."""
    return Pending(
        quiet=is_quiet(world, delivering),
        next_due=min(_dues(world), default=None),
        writes=tuple(
            _view_write(calendar, accepted, held=not reachable(world, calendar.profile))
            for calendar in world.calendars.values()
            for accepted in calendar.queue
        ),
        changes=tuple(_changes(world)),
        notifications=tuple(_notifications(world)),
    )


def _changes(world: World) -> Iterator[PendingChange]:
    for due, task in world.agenda:
        if isinstance(task, Learn | Show):
            event = task.event
            stage = "unknown" if isinstance(task, Learn) else "unshown"
            yield PendingChange(calendar_id=event.calendar_id, event_uid=event.uid, stage=stage, due=due)


def _notifications(world: World) -> Iterator[PendingNotification]:
    dues = {task.number: due for due, task in world.agenda if isinstance(task, Send)}
    for notice in world.notifications.values():
        yield PendingNotification(
            number=notice.number,
            channel_id=notice.channel.id,
            type=notice.type,
            attempts=notice.attempts,
            due=dues.get(notice.number),
        )


def _view_write(calendar: Calendar, accepted: Accepted, *, held: bool) -> PendingWrite:
    kind, event = _describe(accepted.write)
    return PendingWrite(calendar_id=calendar.id, kind=kind, event=event, accepted_at=accepted.at, held=held)


def _describe(write: Write) -> tuple[str, str | None]:
    match write:
        case Upsert(event_id=event_id):
            return "upsert", event_id
        case EditExternal(uid=uid):
            return "edit_external", uid
        case DeleteManaged(event_id=event_id):
            return "delete", event_id
        case DeleteExternal(uid=uid):
            return "delete_external", uid
        case DeleteAllManaged():
            return "delete_all", None
        case Answer(uid=uid):
            return "answer", uid
