"""The way of a change from the person's calendar into what reads show; and what stops it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sandbox.cronofy.model.agenda import ApplyNext, Learn, Show, TryProvider
from sandbox.cronofy.model.event import Event
from sandbox.cronofy.model.moments import whole_second
from sandbox.cronofy.model.notify import notify_account, notify_change
from sandbox.cronofy.model.state import Calendar, Profile, World


def changed_by_person(world: World, event: Event, now: datetime) -> Event:
    """Put a person's change into their calendar. Cronofy learns of it after a while."""
    calendar = world.calendars[event.calendar_id]
    calendar.events.put(event)
    learn_later(world, event, now)
    return event


def learn_later(world: World, event: Event, now: datetime) -> None:
    """Let Cronofy learn of a change after the provider's lag."""
    world.agenda.note(now + world.provider_lag(world.calendars[event.calendar_id]), Learn(event))


def learn(world: World, event: Event, now: datetime) -> None:
    """Let Cronofy learn of a change: reads show it after a while, and channels are told."""
    profile = world.calendars[event.calendar_id].profile
    if not reachable(world, profile):
        use_failed(world, profile, now)
        return  # it is made up for when the profile comes back
    if profile.initial_sync_required:
        return
    if world.settings.stamped == "seen":
        event = replace(event, updated=whole_second(now))
    show_later(world, event, now)
    notify_change(world, event, now)


def show_later(world: World, event: Event, now: datetime) -> None:
    """Let reads show an event after their lag."""
    world.agenda.note(now + world.read_lag(), Show(event))


def show(world: World, event: Event) -> None:
    """Let reads show a version of an event. An older one that arrives late changes nothing."""
    seen = world.calendars[event.calendar_id].seen
    known = seen.get(event.uid)
    if known is None or known.version < event.version:
        seen.put(event)


# Whether Cronofy can use a profile


def reachable(world: World, profile: Profile) -> bool:
    """Tell whether anything can be applied to, or learned from, a profile's calendars at present."""
    return profile.connected and profile.credentials_valid and profile.service not in world.settings.outages


def use_failed(world: World, profile: Profile, now: datetime) -> None:
    """Note that a profile could not be used. Invalid credentials are tried a few times, then it is disconnected."""
    if profile.connected and not profile.credentials_valid and not profile.failing:
        profile.failing = True
        _try_again(world, TryProvider(profile.id, failures=1), now)


def try_provider(world: World, task: TryProvider, now: datetime) -> None:
    """Try a failing profile once more."""
    profile = world.profiles[task.profile_id]
    if profile.credentials_valid or not profile.connected:
        profile.failing = False
    else:
        _try_again(world, TryProvider(profile.id, task.failures + 1), now)


def _try_again(world: World, task: TryProvider, now: datetime) -> None:
    if task.failures >= world.settings.failures_until_disconnected:
        disconnect(world, world.profiles[task.profile_id], now)
    else:
        world.agenda.note(now + timedelta(seconds=world.settings.failure_pause), task)


def disconnect(world: World, profile: Profile, now: datetime) -> None:
    """Stop using a profile until the person links it again."""
    profile.failing = False
    if profile.connected:
        profile.connected = False
        notify_account(world, world.accounts[profile.sub], "profile_disconnected", now)


def relink(world: World, profile: Profile, now: datetime) -> None:
    """The person gave new credentials: what waited goes on."""
    was_reachable = reachable(world, profile)
    profile.connected = profile.credentials_valid = True
    profile.failing = False
    if not was_reachable:
        resume(world, profile, now)


def resume(world: World, profile: Profile, now: datetime) -> None:
    """Apply what was accepted meanwhile and learn what changed, if the profile can be used."""
    if not reachable(world, profile):
        return
    for calendar in world.accounts[profile.sub].calendars:
        if calendar.profile is profile:
            schedule_queue(world, calendar, now)
            _catch_up(world, calendar, now)


def schedule_queue(world: World, calendar: Calendar, now: datetime) -> None:
    """Put every waiting write on the agenda that is not there yet. No write overtakes one accepted before it."""
    while calendar.scheduled < len(calendar.queue):
        due = now + world.write_delay(calendar)
        calendar.busy_until = max(due, calendar.busy_until or due)
        calendar.scheduled += 1
        world.agenda.note(calendar.busy_until, ApplyNext(calendar.id))


def _catch_up(world: World, calendar: Calendar, now: datetime) -> None:
    for event in calendar.events.changed_since(None):
        seen = calendar.seen.get(event.uid)
        if seen is None or seen.version < event.version:
            learn_later(world, event, now)


def finish_initial_sync(world: World, profile: Profile, now: datetime) -> None:
    """Let Cronofy know everything that is in a profile's calendars."""
    profile.initial_sync_required = False
    account = world.accounts[profile.sub]
    for calendar in account.calendars:
        if calendar.profile is profile:
            for event in calendar.events.changed_since(None):
                show(world, event)
    notify_account(world, account, "profile_initial_sync_completed", now)
