"""The passage of time: everything that has become due happens, in order and as of when it was due."""

from __future__ import annotations

from datetime import datetime

from sandbox.cronofy.model.agenda import ApplyNext, Learn, Send, Show, Task, TryProvider
from sandbox.cronofy.model.notify import send
from sandbox.cronofy.model.state import World
from sandbox.cronofy.model.visibility import learn, show, try_provider
from sandbox.cronofy.model.writes import apply_next


def catch_up(world: World, now: datetime) -> None:
    """Let everything happen that is due. Notifications to deliver are left in the outbox."""
    for due, task in world.agenda.take_due(now):
        _happen(world, task, due)


def _happen(world: World, task: Task, due: datetime) -> None:
    match task:
        case ApplyNext(calendar_id=calendar_id):
            apply_next(world, world.calendars[calendar_id], due)
        case Learn(event=event):
            learn(world, event, due)
        case Show(event=event):
            show(world, event)
        case Send():
            send(world, task, due)
        case TryProvider():
            try_provider(world, task, due)
