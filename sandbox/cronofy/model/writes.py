"""Writes of the application: accepted at once, applied later, one after another within a calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from sandbox.cronofy.model import ids
from sandbox.cronofy.model.draft import (
    Answer,
    DeleteAllManaged,
    DeleteExternal,
    DeleteManaged,
    Draft,
    EditExternal,
    Upsert,
    Write,
)
from sandbox.cronofy.model.event import Deletion, Event, Person
from sandbox.cronofy.model.filling import blank, is_blank, mails, written
from sandbox.cronofy.model.moments import whole_second
from sandbox.cronofy.model.provider import provider_of, rewrite
from sandbox.cronofy.model.records import Mail, Tally
from sandbox.cronofy.model.state import Accepted, Calendar, Invitation, World
from sandbox.cronofy.model.visibility import learn_later, reachable, schedule_queue, show_later, use_failed


def accept(world: World, calendar: Calendar, write: Write, now: datetime, *, never: bool = False) -> None:
    """Take a write on. `never`: it will not be applied, and nothing will tell."""
    lost = world.settings.while_disconnected == "dropped" and not calendar.profile.connected
    calendar.queue.append(Accepted(write, now, never or lost))
    schedule_queue(world, calendar, now)


def apply_next(world: World, calendar: Calendar, now: datetime) -> None:
    """Apply the first write that waits, unless the provider cannot be reached: then it stays the first."""
    calendar.scheduled -= 1
    if not reachable(world, calendar.profile):
        use_failed(world, calendar.profile, now)
        return
    accepted = calendar.queue.popleft()
    if not accepted.never and not calendar.readonly and not calendar.deleted:
        apply(world, calendar, accepted.write, now)


def apply(world: World, calendar: Calendar, write: Write, now: datetime) -> None:
    """Change the person's calendar. What the provider refuses changes nothing, and nothing tells."""
    match write:
        case Upsert():
            _upsert(world, calendar, write, now)
        case EditExternal(uid=uid, draft=draft):
            if (event := _live(calendar, uid)) is not None:
                _fill_in(world, calendar, event, draft, now)
        case DeleteManaged(event_id=event_id):
            _delete(world, calendar, calendar.events.managed(event_id), now)
        case DeleteExternal(uid=uid):
            _delete(world, calendar, calendar.events.get(uid), now)
        case DeleteAllManaged():
            for event in calendar.events.all_managed():
                _delete(world, calendar, event, now)
        case Answer(uid=uid, status=status):
            if (event := _live(calendar, uid)) is not None:
                _answer(world, calendar, event, status, now)


def _live(calendar: Calendar, uid: str) -> Event | None:
    event = calendar.events.get(uid)
    return None if event is None or event.deleted else event


# Upserts


def _upsert(world: World, calendar: Calendar, write: Upsert, now: datetime) -> None:
    old = calendar.events.managed(write.event_id)
    if old is not None and old.deletion is Deletion.PERSON and world.settings.recreation == "ignored":
        return
    if old is not None and not old.deleted:
        _fill_in(world, calendar, old, write.draft, now)
    elif calendar.profile.free_busy_only:
        _invite_owner(world, calendar, write, now)
    else:
        create(world, calendar, write, now)


def create(world: World, calendar: Calendar, write: Upsert, now: datetime) -> None:
    """Create a managed event, or one in place of a deleted one."""
    old = calendar.events.managed(write.event_id)
    again = old is not None and (old.deletion is Deletion.APPLICATION or world.settings.recreation == "same_uid")
    uid = old.uid if old is not None and again else ids.managed_uid(world.ids)
    owner = Person(calendar.profile.name, world.accounts[calendar.profile.sub].name, "accepted")
    _fill_in(world, calendar, blank(calendar.id, uid, owner, write, now), write.draft, now)


def _fill_in(world: World, calendar: Calendar, event: Event, draft: Draft, now: datetime) -> None:
    """Write a draft into an event, in the provider's own form."""
    own_form = rewrite(draft, calendar.profile.service, world.settings)
    kept = written(event, own_form, world.next_number(), now)
    if kept is None:
        return
    world.mails.extend(mails(event, draft, now))
    calendar.events.put(kept)
    _count(world, kept, "creates" if is_blank(event) else "updates")
    if world.settings.rewriting_seen == "later" and own_form != draft:
        _show_as_sent(world, event, draft, kept, now)
    else:
        show_later(world, kept, now)


def _show_as_sent(world: World, event: Event, draft: Draft, kept: Event, now: datetime) -> None:
    """Let reads show what was sent first, and what the provider made of it as if a person had changed it."""
    sent = written(event, draft, kept.version, now)
    assert sent is not None, "what the provider takes was a proper event before"
    show_later(world, sent, now)
    learn_later(world, replace(kept, version=world.next_number()), now)


def _invite_owner(world: World, calendar: Calendar, write: Upsert, now: datetime) -> None:
    """With Free/Busy access the person gets a mail, and the event exists once they accept. The newest one counts."""
    invitation = Invitation(f"{calendar.id}/{write.event_id}", calendar.id, write)
    world.invitations[invitation.id] = invitation
    world.mails.append(Mail(now, calendar.id, write.event_id, calendar.profile.name, "invitation"))


# Deletions and answers


def _delete(world: World, calendar: Calendar, event: Event | None, now: datetime) -> None:
    if event is None or event.deleted:
        return
    gone = replace(event, deletion=Deletion.APPLICATION, updated=whole_second(now), version=world.next_number())
    calendar.events.put(gone)
    _count(world, gone, "deletes")
    show_later(world, gone, now)


def _answer(world: World, calendar: Calendar, event: Event, status: str, now: datetime) -> None:
    if status == "declined" and provider_of(calendar.profile.service).drops_declined:
        _delete(world, calendar, event, now)
        return
    answered = replace(event, participation_status=status, updated=whole_second(now), version=world.next_number())
    calendar.events.put(answered)
    _count(world, answered, "updates")
    show_later(world, answered, now)


def _count(world: World, event: Event, what: Literal["creates", "updates", "deletes"]) -> None:
    key = (event.calendar_id, event.event_id or event.uid)
    tally = world.tallies.setdefault(key, Tally(event.calendar_id, event.uid, event.event_id))
    tally.event_uid = event.uid
    match what:
        case "creates":
            tally.creates += 1
        case "updates":
            tally.updates += 1
        case "deletes":
            tally.deletes += 1
