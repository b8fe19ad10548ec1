"""What each change makes of an item and its parts. Decides only: the drafts returned are saved elsewhere.

A task and its planned periods show one snapshot, so whatever changes it touches them all. The occurrences of a series
have a snapshot each; the series as such has none.
"""

from __future__ import annotations

from dataclasses import replace

from events.items import Appointment, CrmActivity, Item, Period, ServiceCall, Task, Todo
from events.link import ItemKey
from sandbox.psa.model.commands import NewPeriod, Shift
from sandbox.psa.model.ledger import Ledger, User
from sandbox.psa.model.records import Drafts, Record
from sandbox.psa.model.refusal import Code, Refusal
from sandbox.psa.model.settings import Style
from sandbox.psa.model.snapshots import Document, made, patched
from sandbox.psa.model.style import in_house_style
from sandbox.psa.model.times import moved, switched


def edited(ledger: Ledger, key: ItemKey, fields: Document, style: Style) -> Drafts:
    """Change fields of the snapshot; with a task's part, of that period."""
    records = _meant(ledger, key)
    if isinstance(records[0].item, Task):
        return _task_edited(ledger, key, records[0].item, fields, style)
    return tuple(replace(record, item=_edited(record.item, key, fields, style)) for record in records)


def _edited(item: Item, key: ItemKey, fields: Document, style: Style) -> Item:
    if key.part_id is not None:
        fields = {**fields, "recurrence": {"is_exception": True}}
    return in_house_style(patched(item, switched(fields)), style)


def _task_edited(ledger: Ledger, key: ItemKey, task: Task, fields: Document, style: Style) -> Drafts:
    if key.part_id is not None:
        period = in_house_style(patched(_period(task, key.part_id), fields), style)
        return _shown(ledger, key, _with(task, period))
    if "periods" in fields:
        raise Refusal(Code.REFUSED, "A task's periods are planned, moved and deleted one by one.")
    return _shown(ledger, key, in_house_style(patched(task, fields), style))


def relocated(ledger: Ledger, key: ItemKey, to: Shift, style: Style) -> Drafts:
    """Move it. A series as a whole is moved by some minutes, each occurrence by as many."""
    records = _meant(ledger, key)
    item = records[0].item
    if isinstance(item, Task):
        timed = item if key.part_id is None else _period(item, key.part_id)
        return _task_edited(ledger, key, item, moved(timed, to), style)
    if len(records) > 1 and to.by_minutes is None:
        raise Refusal(Code.REFUSED, "A series is moved by some minutes; to move one occurrence, name it.")
    return tuple(replace(record, item=_edited(record.item, key, moved(record.item, to), style)) for record in records)


def reassigned(ledger: Ledger, key: ItemKey, users: tuple[User, ...]) -> Drafts:
    """Assign to others; a task together with its periods."""
    records = _meant(ledger, key)
    if isinstance(records[0].item, Task) and key.part_id is None:
        records = _live(ledger, key)
    assignees = tuple(user.user_id for user in users)
    return tuple(replace(record, item=_owned(record.item, users), assignees=assignees) for record in records)


def _owned(item: Item, users: tuple[User, ...]) -> Item:
    if not users:
        return item
    owner = users[0]
    match item:
        case Appointment():
            return patched(item, {"resource": {"user_id": owner.user_id, "name": owner.name}})
        case CrmActivity():
            return patched(item, {"assigned_to": {"id": owner.user_id, "name": owner.name}})
        case ServiceCall():
            return patched(item, {"user_id": owner.user_id, "resource": owner.name})
        case Todo():
            return patched(item, {"user_id": owner.user_id})
        case Task():
            return item


def completed(ledger: Ledger, key: ItemKey, style: Style, *, complete: bool) -> Drafts:
    """Tick as done, or not done."""
    match _meant(ledger, key)[0].item:
        case Appointment():
            raise Refusal(Code.REFUSED, "An appointment cannot be completed.")
        case ServiceCall() | Todo():
            return edited(ledger, key, {"complete": complete}, style)
        case CrmActivity() | Task():
            number, status = (3, "Completed") if complete else (1, "Open")
            fields: Document = {"completed": complete, "status_id": number, "status": status}
            return edited(ledger, replace(key, part_id=None), fields, style)


def planned(ledger: Ledger, key: ItemKey, period: NewPeriod) -> Drafts:
    """Plan another period of a task."""
    whole_task = replace(key, part_id=None)
    _meant(ledger, whole_task)
    return with_period(_live(ledger, whole_task), period, ledger.new_id())


def with_period(drafts: Drafts, new: NewPeriod, number: int) -> Drafts:
    """Add a period to a task, given with its parts so far."""
    if not drafts or not isinstance(drafts[0].item, Task):
        raise Refusal(Code.REFUSED, "Only work on a task is planned in periods.")
    hours = (new.end - new.start).total_seconds() / 3600
    times: Document = {"from": new.start.isoformat(), "to": new.end.isoformat(), "scheduled_hours": hours}
    task = _with(drafts[0].item, made(Period, {"task_member_hour_id": number, **times}))
    owners = drafts[0].assignees if new.user_id is None else (new.user_id,)
    part = replace(drafts[0], key=replace(drafts[0].key, part_id=str(number)), assignees=owners)
    return tuple(replace(draft, item=task) for draft in (*drafts, part))


def deleted(ledger: Ledger, key: ItemKey) -> Drafts:
    """Delete it: all of an item, or one part."""
    records = _meant(ledger, key)
    task = records[0].item
    if not isinstance(task, Task):
        return tuple(replace(record, deleted=True) for record in records)
    if key.part_id is None:
        return tuple(replace(record, deleted=True) for record in _live(ledger, key))
    rest = _without(task, _period(task, key.part_id))
    others = (draft for draft in _shown(ledger, key, rest) if draft.key != key)
    return (*others, replace(records[0], deleted=True))


def restored(ledger: Ledger, key: ItemKey) -> Drafts:
    """Bring back what was deleted last: all of an item that went together, or one part."""
    itself = ledger.record(key)
    if itself and itself.deleted and isinstance(itself.item, Task) and key.part_id is not None:
        return _period_restored(ledger, itself, itself.item, key.part_id)
    records = (itself,) if itself and key.part_id is not None else ledger.all_of(key)
    gone = tuple(record for record in records if record.deleted)
    if not gone or (itself and not itself.deleted):
        raise Refusal(Code.NOT_FOUND, f"There is no deleted {key}.")
    last = max(record.revision for record in gone)
    return tuple(replace(record, deleted=False) for record in gone if record.revision == last)


def _period_restored(ledger: Ledger, part: Record, before: Task, part_id: str) -> Drafts:
    now = _meant(ledger, replace(part.key, part_id=None))[0].item
    assert isinstance(now, Task)
    task = _with(now, _period(before, part_id))
    return (*_shown(ledger, part.key, task), replace(part, item=task, deleted=False))


def _meant(ledger: Ledger, key: ItemKey) -> tuple[Record, ...]:
    """Return the item or part; of a series as a whole, all occurrences."""
    itself = ledger.record(key)
    if itself and not itself.deleted:
        return (itself,)
    if itself is None and key.part_id is None and (occurrences := _live(ledger, key)):
        return occurrences
    raise Refusal(Code.NOT_FOUND, f"There is no {key}.")


def _live(ledger: Ledger, key: ItemKey) -> tuple[Record, ...]:
    return tuple(record for record in ledger.all_of(key) if not record.deleted)


def _shown(ledger: Ledger, key: ItemKey, task: Task) -> Drafts:
    """Show this snapshot in the task and all of its periods."""
    return tuple(replace(record, item=task) for record in _live(ledger, key))


def _period(task: Task, part_id: str) -> Period:
    (period,) = (period for period in task.periods if str(period.task_member_hour_id) == part_id)
    return period


def _with(task: Task, period: Period) -> Task:
    others = (other for other in task.periods if other.task_member_hour_id != period.task_member_hour_id)
    return task.model_copy(update={"periods": tuple(sorted((*others, period), key=lambda each: each.start))})


def _without(task: Task, period: Period) -> Task:
    return task.model_copy(update={"periods": tuple(other for other in task.periods if other != period)})
