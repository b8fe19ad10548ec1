"""Writing events: what is accepted, and what stands against it."""

from __future__ import annotations

from sandbox.cronofy.api.call import Call, Reply, accepted, invalid, not_found, plain
from sandbox.cronofy.api.showing import may_edit_external
from sandbox.cronofy.api.site import Site
from sandbox.cronofy.model.draft import (
    DeleteAllManaged,
    DeleteExternal,
    DeleteManaged,
    EditExternal,
    Upsert,
    Write,
    parse_answer,
    parse_deletion,
    parse_event,
)
from sandbox.cronofy.model.form import Form, Problems
from sandbox.cronofy.model.state import Account, Calendar, World
from sandbox.cronofy.model.writes import accept


def write_event(site: Site, account: Account, call: Call) -> Reply:
    """Create or change a managed event by `event_id`, or change one of the person's own by `event_uid`."""
    calendar = own_calendar(account, call.ids["calendar_id"])
    if isinstance(calendar, Reply):
        return calendar
    write = parse_event(call.payload, can_invite=calendar.can_invite)
    match write:
        case Problems():
            return invalid(write)
        case EditExternal(uid=uid):
            return _external_refusal(calendar, uid, "update") or _accept(site.world, calendar, write, call)
        case Upsert():
            return _accept(site.world, calendar, write, call)


def delete_event(site: Site, account: Account, call: Call) -> Reply:
    """Delete a managed event by `event_id`, or one of the person's own by `event_uid`."""
    calendar = own_calendar(account, call.ids["calendar_id"])
    if isinstance(calendar, Reply):
        return calendar
    write = parse_deletion(call.payload)
    match write:
        case Problems():
            return invalid(write)
        case DeleteExternal(uid=uid):
            return _external_refusal(calendar, uid, "delete") or _accept(site.world, calendar, write, call)
        case DeleteManaged(event_id=event_id):
            return _unknown(site.world, calendar, event_id) or _accept(site.world, calendar, write, call)


def delete_all_events(site: Site, account: Account, call: Call) -> Reply:
    """Delete all managed events, or those in some calendars. Client libraries put this into the query."""
    form = _bulk_form(call)
    whole, calendar_ids = form.flag("delete_all"), form.texts("calendar_ids")
    if whole is False:
        form.problems.add("delete_all", "errors.must_be_boolean", "must be true")
    if (whole is None) == (not calendar_ids) and not form.problems:
        form.problems.add("delete_all", "errors.required", "either delete_all or calendar_ids must be specified")
    if form.problems:
        return invalid(form.problems)
    known = {calendar.id: calendar for calendar in account.calendars}
    if any(calendar_id not in known for calendar_id in calendar_ids):
        return not_found()
    for calendar_id in calendar_ids or known:
        accept(site.world, known[calendar_id], DeleteAllManaged(), call.now, never=call.never_applied)
    return accepted()


def _bulk_form(call: Call) -> Form:
    texts = {"true": True, "false": False}
    asked = dict(call.payload)
    if flag := call.parameter("delete_all"):
        asked["delete_all"] = texts.get(flag.lower(), flag)
    if calendar_ids := call.parameters.get("calendar_ids[]"):
        asked["calendar_ids"] = list(calendar_ids)
    return Form(asked)


def answer_invitation(site: Site, account: Account, call: Call) -> Reply:
    """Answer an invitation in the person's name."""
    calendar = own_calendar(account, call.ids["calendar_id"])
    if isinstance(calendar, Reply):
        return calendar
    write = parse_answer(call.ids["event_uid"], call.payload)
    if isinstance(write, Problems):
        return invalid(write)
    event = calendar.seen.get(write.uid)
    if event is None or event.deleted:
        return not_found()
    if not event.may_answer:
        return plain(403, "Forbidden")
    return _accept(site.world, calendar, write, call)


# What stands against a write


def own_calendar(account: Account, calendar_id: str) -> Calendar | Reply:
    """Find a calendar of the account, or say that there is none."""
    for calendar in account.calendars:
        if calendar.id == calendar_id:
            return calendar
    return not_found()


def _accept(world: World, calendar: Calendar, write: Write, call: Call) -> Reply:
    """Take a valid write on, unless its calendar takes none."""
    if calendar.readonly or calendar.deleted:
        return plain(world.settings.closed_calendar_status, "Calendar is not writable")
    if world.settings.while_disconnected == "locked" and not calendar.profile.connected:
        return plain(423, "Locked")
    accept(world, calendar, write, call.now, never=call.never_applied)
    return accepted()


def _external_refusal(calendar: Calendar, uid: str, what: str) -> Reply | None:
    event = calendar.seen.get(uid)
    if event is None or event.deleted:
        return not_found()
    allowed = event.may_update if what == "update" else event.may_delete
    return None if allowed and may_edit_external(event, calendar) else plain(403, "Forbidden")


def _unknown(world: World, calendar: Calendar, event_id: str) -> Reply | None:
    if world.settings.unknown_delete_status == 202:
        return None
    event = calendar.events.managed(event_id)
    coming = any(isinstance(entry.write, Upsert) and entry.write.event_id == event_id for entry in calendar.queue)
    return None if coming or (event is not None and not event.deleted) else not_found()
