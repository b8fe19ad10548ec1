"""The story, chapter by chapter. Each does something as a person would, waits for what should come of it, and tells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from cli.demo.screens import Screens
from cli.demo.stage import NotYet, Stage
from cli.failing import Failed
from events.items import ItemType
from events.outcomes import Configured, Connected, ItemSynced
from sandbox.cronofy.api.faults import Instead, Match
from sandbox.cronofy.control.account_messages import NewAccount
from sandbox.cronofy.control.event_messages import EventView
from sandbox.cronofy.control.operation_messages import NewNotification
from sandbox.cronofy.model.settings import Service
from sandbox.psa.client import PsaItem
from sandbox.psa.model.commands import NewPeriod

_OUTAGE_SECONDS: Final = 6.0
Trouble = Callable[[], Awaitable[str]]
"""Makes trouble and says what it did."""


async def link_a_calendar(stage: Stage, screens: Screens) -> Stage:
    """Connect and configure, as the wizard does."""
    screens.chapter("1. Dana links her calendar")
    account = await stage.cronofy.create_account(
        Service.OFFICE365, NewAccount(person="Dana Reyes", zone="Europe/Berlin")
    )
    began = stage.clock.monotonic()
    await stage.psa.connect(stage.integration_id, stage.user_id, account.code, time_zone="Europe/Berlin")
    connected = await stage.psa.outcome(Connected, integration_id=stage.integration_id, within=30)
    screens.took(
        f"connected: {connected.data.provider}, {connected.data.profile_name}", stage.clock.monotonic() - began
    )
    await stage.psa.configure(stage.integration_id, account.calendar_id)
    await stage.psa.outcome(Configured, integration_id=stage.integration_id, within=30)
    screens.took("calendar chosen, all ticks set: real-time sync is on", stage.clock.monotonic() - began)
    return replace(stage, calendar_id=account.calendar_id)


async def five_kinds_go_out(stage: Stage, screens: Screens) -> dict[ItemType, PsaItem]:
    """Make one item of each kind in the PSA."""
    screens.chapter("2. The PSA plans her week: one item of each of the five kinds")
    make, who = stage.psa.create_item, [stage.user_id]
    day = stage.hour(1, 9)
    period = NewPeriod(start=stage.hour(2, 13), end=stage.hour(2, 16))
    made = {
        ItemType.APPOINTMENT: await make(ItemType.APPOINTMENT, who, subject="Quarterly review - Contoso", start=day),
        ItemType.CRM_ACTIVITY: await make(ItemType.CRM_ACTIVITY, who, subject="Renewal", due=stage.hour(1, 11)),
        ItemType.SERVICE_CALL: await make(ItemType.SERVICE_CALL, who, start=stage.hour(1, 14), end=stage.hour(1, 15)),
        ItemType.TODO: await make(ItemType.TODO, who, description="Call back about VPN quote", date=stage.hour(2, 9)),
    }
    task = await make(ItemType.TASK, who, periods=[period], name="Migrate mail server")
    made[ItemType.TASK] = (await stage.psa.parts(task))[0]
    await screens.both_sides(stage)
    for kind, item in made.items():
        _, seconds = await stage.until(f"the {kind} in the calendar", partial(stage.event_of, item))
        screens.took(f"{kind} {item.item_id} is in the calendar", seconds)
    for item in made.values():
        await stage.psa.outcome(ItemSynced, item_id=item.item_id, within=30)
    screens.say("Read back and confirmed, all five:")
    await screens.both_sides(stage)
    return made


async def she_drags_the_service_call(stage: Stage, screens: Screens, call: PsaItem) -> None:
    """Move the event of a service call in the calendar."""
    screens.chapter("3. She drags the service call two hours later, in her calendar")
    event = await stage.event_of(call)
    start, end = stage.hour(1, 16), stage.hour(1, 17)
    await stage.cronofy.edit_event(event, start=start, end=end)

    async def moved() -> None:
        if (await stage.psa.item(call.item_type, call.item_id)).field("start") != start:
            raise NotYet

    _, seconds = await stage.until("the service call moved in the PSA", moved)
    screens.took("the service call has moved in the PSA", seconds)
    await screens.both_sides(stage)


async def she_types_an_event(stage: Stage, screens: Screens) -> EventView:
    """Create an event in the calendar."""
    screens.chapter("4. She types an event into her calendar")
    event = await stage.cronofy.create_event(
        stage.calendar_id, summary="Dentist", start=stage.hour(3, 8), end=stage.hour(3, 9), location="Main St 4"
    )
    _, seconds = await stage.until("the event as an appointment in the PSA", lambda: stage.item_of(event))
    screens.took("it is an appointment in the PSA", seconds)
    await screens.both_sides(stage)
    return event


async def she_deletes_it(stage: Stage, screens: Screens, event: EventView) -> None:
    """Delete the event again."""
    screens.chapter("5. She deletes it again, in her calendar")
    await stage.cronofy.delete_event(event)

    async def gone() -> None:
        if any(str(event.event_uid) in str(item.field("external_reference")) for item in await _appointments(stage)):
            raise NotYet

    _, seconds = await stage.until("the appointment gone from the PSA", gone)
    screens.took("the appointment is gone from the PSA", seconds)
    await screens.both_sides(stage)


async def _appointments(stage: Stage) -> list[PsaItem]:
    return [item for item in await stage.items() if item.item_type is ItemType.APPOINTMENT]


async def the_dispatcher_edits_and_deletes(stage: Stage, screens: Screens, made: dict[ItemType, PsaItem]) -> None:
    """Change and delete items in the PSA."""
    screens.chapter("6. The dispatcher renames the appointment and deletes the to-do, in the PSA")
    review, todo = made[ItemType.APPOINTMENT], made.pop(ItemType.TODO)
    await stage.psa.edit_item(review, subject="Quarterly review - Contoso (room 2)")
    await stage.psa.delete_item(todo)

    async def followed() -> None:
        names = [event.summary for event in await stage.events()]
        if "Quarterly review - Contoso (room 2)" not in names or any("VPN quote" in name for name in names):
            raise NotYet

    _, seconds = await stage.until("the calendar followed", followed)
    screens.took("renamed and deleted in the calendar, too", seconds)
    await screens.both_sides(stage)


async def an_outage_passes(
    stage: Stage, screens: Screens, made: dict[ItemType, PsaItem], trouble: Trouble | None
) -> None:
    """Let Cronofy fail for a while, and a worker be killed, while both sides are edited."""
    screens.chapter("7. Cronofy fails for some seconds, a worker is killed, and both sides edit the same appointment")
    review = made[ItemType.APPOINTMENT]
    event = await stage.event_of(review)
    outage = await stage.cronofy.set_fault(Instead(status=503), Match(path="/v1/*"), count=None)
    await stage.psa.edit_item(review, location="Room 2")
    await stage.cronofy.edit_event(event, start=stage.hour(1, 10), end=stage.hour(1, 11))
    if trouble is not None:
        screens.say(f"  {await trouble()}")
    await stage.clock.sleep(_OUTAGE_SECONDS)
    await stage.cronofy.clear_fault(outage)
    screens.say(f"  Cronofy answered 503 for {_OUTAGE_SECONDS:.0f} s; it is back.")

    async def merged() -> None:
        item = await stage.psa.item(review.item_type, review.item_id)
        shown = await stage.event_of(review)
        if (item.field("start"), shown.location) != (stage.hour(1, 10), "Room 2"):
            raise NotYet

    _, seconds = await stage.until("both edits on both sides", merged)
    screens.took("her new time is in the PSA, the PSA's room is in her calendar: neither edit was lost", seconds)
    await screens.both_sides(stage)


async def the_log_tells(stage: Stage, screens: Screens, call: PsaItem) -> None:
    """Show what the sync log says of one item."""
    screens.chapter("8. What the sync log says of the service call")
    screens.log(await stage.log(call))


async def everything_rests(stage: Stage, screens: Screens) -> str:
    """Make sure that both sides are equal, and that another look at both writes nothing."""
    screens.chapter("9. And then nothing more moves, because nothing differs")
    await stage.quiet()
    items, events = await stage.items(), await stage.events()
    for item in items:
        event = await stage.event_of(item)
        await stage.until(f"{item.item_type} {item.item_id} equal on both sides", partial(_equal, event, item))
    if len(items) != len(events):
        raise Failed(f"There are {len(items)} items and {len(events)} events.")
    before = await stage.writes()
    await _look_again(stage, items)
    await stage.quiet()
    after = await stage.writes()
    if after != before:
        raise Failed(f"Another look at both sides wrote {after - before} times.")
    mails = await stage.cronofy.mails()
    if mails:
        raise Failed(f"{len(mails)} mails were sent to people.")
    return (
        f"{len(items)} items, {len(events)} events, equal; another look at all of them wrote nothing; no mail was sent"
    )


async def _look_again(stage: Stage, items: list[PsaItem]) -> None:
    """Save every item as it is, and notify of nothing."""
    for item in items:
        await stage.psa.edit_item(item)
    for channel in await stage.cronofy.channels():
        since = stage.clock.now().replace(microsecond=0) - timedelta(days=1)
        await stage.cronofy.notify(channel.channel_id, NewNotification(type="change", changes_since=since))


async def _equal(event: EventView, item: PsaItem) -> None:  # noqa: RUF029 - it is looked at again and again
    """Compare independently of how calendar sync does."""
    start = event.start
    facts = item.facts.item
    times = [getattr(facts, name, None) for name in ("start", "due", "date")]
    times += [period.start for period in getattr(facts, "periods", ())]
    if not any(moment is not None and f"{moment:%Y-%m-%dT%H:%M}" in start for moment in times):
        raise NotYet
