"""From a PSA item to what the user's calendar should show. Source: psa.md, mapping onto a calendar event."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from events.content import AllDay, Content, Field, When
from events.items import DEFAULT_LENGTH, Appointment, CrmActivity, Item, ItemType, ServiceCall, Task, Todo
from events.reasons import Reason
from events.values import replace
from worker.core.ownership import Traits
from worker.core.sides import PsaGone, PsaHolds, PsaNever, PsaUnread, PsaView
from worker.projection.footer import footer, room_for_text
from worker.projection.text import SUMMARY_LIMIT, cut, fitted, line, literal, plain, unescaped
from worker.projection.times import all_day, due, timed, zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from events.items import Person, Place, Project, Ticket
    from events.link import ItemKey, PsaSeen

_SNAPSHOTS: Final[dict[ItemType, TypeAdapter[Item]]] = {
    ItemType.APPOINTMENT: TypeAdapter(Appointment),
    ItemType.CRM_ACTIVITY: TypeAdapter(CrmActivity),
    ItemType.SERVICE_CALL: TypeAdapter(ServiceCall),
    ItemType.TASK: TypeAdapter(Task),
    ItemType.TODO: TypeAdapter(Todo),
}


@dataclass(frozen=True, slots=True)
class Pictured:
    """An item as this user's calendar should show it. `item` is None where there is nothing to show."""

    view: PsaView
    item: Item | None = None


@dataclass(frozen=True, slots=True)
class Showing:
    """How much of an item its event may show. What a tenant can decide of that is in `events.tenant`."""

    hides_private: bool = False
    """Whether of a private item only the time is shown."""
    removes_done: bool = False
    """Whether a completed item is not shown."""
    left_out: frozenset[Field] = frozenset()
    """Of these two, description and location, whichever is not shown."""


def picture(key: ItemKey | None, seen: PsaSeen | None, time_zone: str | None, showing: Showing) -> Pictured:
    """Return what one side of a link holds, from its newest observation.

    `time_zone`: the user's, where the item does not name one.
    """
    if key is None:
        return Pictured(PsaNever())
    if seen is None:
        return Pictured(PsaUnread())
    if seen.deleted:
        return Pictured(PsaGone(Reason.PSA_DELETED))
    if not seen.assigned:
        return Pictured(PsaGone(Reason.UNASSIGNED))
    if seen.absent:
        return Pictured(PsaGone(Reason.ITEM_NOT_FOUND))
    if seen.item is None:
        return Pictured(PsaUnread())
    return _pictured(key, seen.item, time_zone, showing)


@functools.lru_cache(maxsize=1024)
def _pictured(key: ItemKey, snapshot: str, time_zone: str | None, showing: Showing) -> Pictured:
    """Picture a snapshot. Kept for a while, because a link is judged several times on its way to rest."""
    item = _SNAPSHOTS[key.item_type].validate_json(snapshot)
    return Pictured(_shown(project(key, item, time_zone), item, showing), item)


def _shown(view: PsaHolds | PsaGone, item: Item, showing: Showing) -> PsaHolds | PsaGone:
    if isinstance(view, PsaGone):
        return view
    if showing.removes_done and is_done(item):
        return PsaGone(Reason.COMPLETED)
    if not (showing.hides_private and view.content.private):
        return _without(showing.left_out, view) if showing.left_out else view
    content = Content(view.content.when, HIDDEN_SUMMARY, private=True, busy=view.content.busy)
    return PsaHolds(content, replace(view.traits, text_is_hidden=True))


def _without(fields: frozenset[Field], view: PsaHolds) -> PsaHolds:
    described = "" if Field.DESCRIPTION in fields else view.content.description
    location = "" if Field.LOCATION in fields else view.content.location
    content = replace(view.content, description=described, location=location)
    return PsaHolds(content, replace(view.traits, left_out=fields))


HIDDEN_SUMMARY: Final = "Busy"
"""What the calendar shows of an item that is private, where the tenant shows no more."""


def is_done(item: Item) -> bool:
    """Whether the item is completed."""
    match item:
        case Appointment():
            return False
        case CrmActivity() | Task():
            return item.completed
        case ServiceCall() | Todo():
            return item.complete


def project(key: ItemKey, item: Item, time_zone: str | None) -> PsaHolds | PsaGone:
    """Return the content of the item's event, or why there is none."""
    where = zone(item.time_zone, time_zone)
    match item:
        case Appointment():
            return _appointment(key, item)
        case CrmActivity():
            return _crm_activity(key, item, where)
        case ServiceCall():
            return _service_call(key, item)
        case Task():
            return _task(key, item)
        case Todo():
            return _todo(key, item, where)


def _holds(key: ItemKey, item: Item, content: Content, traits: Traits) -> PsaHolds:
    room = room_for_text(footer(key, item.url))
    description = fitted(content.description, room)
    was_cut = description != content.description
    content = Content(
        when=content.when,
        summary=cut(content.summary, SUMMARY_LIMIT),
        description=description,
        location=content.location,
        private=content.private,
        busy=content.busy,
    )
    if was_cut:
        traits = replace(traits, text_was_cut=True)
    return PsaHolds(content, traits)


def _appointment(key: ItemKey, item: Appointment) -> PsaHolds | PsaGone:
    when: When
    if item.all_day and item.start_date:
        when = all_day(item.start_date, item.end_date or item.start_date)
    elif not item.all_day and item.start:
        when = timed(item.start, item.end or item.start + DEFAULT_LENGTH)
    else:
        return PsaGone(Reason.NO_DATE)
    content = Content(
        when=when,
        summary=line(item.subject) or "(no subject)",
        description=plain(item.description),
        location=line(item.location),
        private=item.is_private,
    )
    return _holds(key, item, content, Traits(ItemType.APPOINTMENT))


def _crm_activity(key: ItemKey, item: CrmActivity, where: ZoneInfo) -> PsaHolds | PsaGone:
    if item.due is None:
        return PsaGone(Reason.NO_DATE)
    when = timed(item.due, item.end) if item.end else due(item.due, DEFAULT_LENGTH, where)
    subject = line(item.subject) or line(item.account.name)
    content = Content(
        when=when,
        summary=_done(_headed(line(item.type) or "CRM activity", subject), done=item.completed),
        description=_text(
            item.notes,
            _labelled("Account", item.account.name),
            _contact(item.contact),
            _labelled("Status", item.status),
            _labelled("Priority", item.priority),
        ),
        private=item.is_private,
        busy=not item.completed and not isinstance(when, AllDay),
    )
    keeps_end = item.end is not None
    return _holds(key, item, content, Traits(ItemType.CRM_ACTIVITY, keeps_end=keeps_end, keeps_all_day=not keeps_end))


def _service_call(key: ItemKey, item: ServiceCall) -> PsaHolds | PsaGone:
    if item.start is None:
        return PsaGone(Reason.NO_DATE)
    about = line(item.ticket.title) if item.ticket else line(item.task_name)
    content = Content(
        when=timed(item.start, item.end or item.start + DEFAULT_LENGTH),
        summary=_done(_headed("Service call", _and(about, line(item.account.name))), done=item.complete),
        description=_text(
            item.description,
            _ticket(item.ticket),
            _contact(item.contact),
            _labelled("Priority", item.priority),
            _labelled("Status", item.status),
        ),
        location=_place(item.location),
        busy=not item.complete,
    )
    return _holds(key, item, content, Traits(ItemType.SERVICE_CALL, keeps_all_day=False))


def _task(key: ItemKey, item: Task) -> PsaHolds | PsaGone:
    planned = [period for period in item.periods if str(period.task_member_hour_id) == key.part_id]
    when: When
    if planned:
        when = timed(planned[0].start, planned[0].end)
    elif key.part_id is not None:
        return PsaGone(Reason.NO_DATE)  # this period is not planned any more
    elif item.periods:
        return PsaGone(Reason.PLANNED_IN_PERIODS)
    elif item.end_date:
        when = all_day(item.end_date, item.end_date + timedelta(days=1))
    else:
        return PsaGone(Reason.NO_DATE)
    hours = f"{item.planned_hours:.2f}".rstrip("0").rstrip(".") if item.planned_hours is not None else None
    content = Content(
        when=when,
        summary=_done(_headed("Task", line(f"{item.name} {_project(item.project)}")), done=item.completed),
        description=_text(
            item.description,
            _labelled("Planned hours", hours),
            _labelled("Project", item.project.name),
            _labelled("Status", item.status),
        ),
        busy=bool(planned) and not item.completed,
    )
    return _holds(key, item, content, Traits(ItemType.TASK, keeps_all_day=not planned, movable=bool(planned)))


_TODO_SUMMARY: Final = 80


def _todo(key: ItemKey, item: Todo, where: ZoneInfo) -> PsaHolds | PsaGone:
    if item.date is None:
        return PsaGone(Reason.NO_DATE)
    about = cut(line(unescaped(plain(item.description))), _TODO_SUMMARY)
    content = Content(
        when=due(item.date, DEFAULT_LENGTH, where),
        summary=_done(_headed("To-do", about), done=item.complete),
        description=_text(item.description, _ticket(item.ticket)),
        busy=False,
    )
    return _holds(key, item, content, Traits(ItemType.TODO, keeps_end=False))


# The pieces of a text


def _done(summary: str, *, done: bool) -> str:
    return f"[Done] {summary}" if done else summary


def _headed(kind: str, about: str) -> str:
    return f"{kind}: {about}" if kind and about else kind or about


def _and(one: str, other: str) -> str:
    return f"{one} - {other}" if one and other else one or other


def _text(body: str | None, *lines: str) -> str:
    facts = "\n".join(fact for fact in lines if fact)
    text = unescaped(plain(body))  # or it would be escaped twice
    return literal(f"{text}\n\n{facts}" if text and facts else text or facts)


def _labelled(label: str, value: str | None) -> str:
    text = line(value)
    return f"{label}: {text}" if text else ""


def _contact(contact: Person | None) -> str:
    if contact is None:
        return ""
    return _labelled("Contact", ", ".join(line(part) for part in (contact.name, contact.phone) if line(part)))


def _ticket(ticket: Ticket | None) -> str:
    if ticket is None:
        return ""
    return _labelled("Ticket", f"{ticket.number} {ticket.title}")


def _place(place: Place | None) -> str:
    if place is None:
        return ""
    return ", ".join(line(part) for part in (place.name, place.address) if line(part))


def _project(project: Project) -> str:
    return f"({line(project.name)})" if line(project.name) else ""
