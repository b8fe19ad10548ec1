"""Notifications: what is worth one, gathering changes into one, attempts to deliver it, and closing a channel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from sandbox.cronofy.model import ids
from sandbox.cronofy.model.agenda import Send
from sandbox.cronofy.model.event import Event
from sandbox.cronofy.model.moments import show_time
from sandbox.cronofy.model.reading import ever_synced
from sandbox.cronofy.model.records import Posted
from sandbox.cronofy.model.state import CHANNELS_PER_ACCOUNT, Account, Channel, Dispatch, Filters, Notification, World

# Channels


def open_channel(world: World, account: Account, url: str, filters: Filters, now: datetime) -> Channel | None:
    """Open a channel, or return the one that is identical. None: the account has too many."""
    for channel in account.channels:
        if channel.callback_url == url and channel.filters == filters:
            return channel
    if len(account.channels) >= CHANNELS_PER_ACCOUNT:
        return None
    channel = Channel(ids.channel_id(world.ids), account.sub, url, filters)
    account.channels.append(channel)
    world.channels[channel.id] = channel
    announce(world, channel, "verification", now)
    return channel


def close_channel(world: World, channel: Channel) -> None:
    """Close a channel. What was on its way is not sent any more."""
    channel.closed = True
    world.accounts[channel.sub].channels.remove(channel)
    for number in [number for number, notice in world.notifications.items() if notice.channel is channel]:
        del world.notifications[number]


# Reasons to notify


def notify_change(world: World, event: Event, now: datetime) -> None:
    """Tell of a change that the application did not make itself."""
    if not ever_synced(event, world.settings, now):
        return
    account = world.accounts[world.calendars[event.calendar_id].profile.sub]
    for channel in account.channels:
        if channel.filters.cover(event):
            _gather(world, channel, event.updated, now)


def notify_account(world: World, account: Account, kind: str, now: datetime) -> None:
    """Tell every channel of an account of something that is not about events."""
    for channel in account.channels:
        announce(world, channel, kind, now)


def announce(world: World, channel: Channel, kind: str, now: datetime, since: datetime | None = None) -> None:
    """Send a notification of any kind at once."""
    notice = Notification(world.next_number(), channel, kind, since)
    world.notifications[notice.number] = notice
    world.agenda.note(now, Send(notice.number, first=True))


def _gather(world: World, channel: Channel, changed: datetime, now: datetime) -> None:
    notice = world.notifications.get(channel.gathering or 0)
    if notice is not None and notice.since is not None:
        notice.since = min(notice.since, changed)
        return
    notice = Notification(world.next_number(), channel, "change", changed)
    world.notifications[notice.number] = notice
    channel.gathering = notice.number
    due = now + timedelta(seconds=world.delays.between(*world.settings.notification_delay))
    world.agenda.note(due, Send(notice.number, first=True))


# Delivery


def send(world: World, task: Send, now: datetime) -> None:
    """Hand a notification over for delivery; or lose it, or put it off, as the settings say."""
    notice = world.notifications.get(task.number)
    if notice is None:
        return  # its channel was closed meanwhile
    if notice.channel.gathering == notice.number:
        notice.channel.gathering = None
    if task.first and _went_astray(world, notice, now):
        return
    notice.body = notice.body or _compose(world, notice)
    notice.attempts += 1
    notice.sent = now
    notice.first_sent = notice.first_sent or now
    world.outbox.append(Dispatch(notice.number, notice.channel.callback_url, notice.body))
    if task.first and world.luck.happens(world.settings.notifications_doubled):
        world.outbox.append(Dispatch(notice.number, notice.channel.callback_url, notice.body, copy=True))


def _went_astray(world: World, notice: Notification, now: datetime) -> bool:
    if world.luck.happens(world.settings.notifications_lost):
        del world.notifications[notice.number]
        _record(world, notice, now, "lost")
        return True
    if not notice.held_back and world.luck.happens(world.settings.notifications_late):
        notice.held_back = True
        world.agenda.note(now + timedelta(seconds=world.luck.between(1, 60)), Send(notice.number, first=True))
        return True
    return False


def delivered(world: World, number: int, *, accepted: bool) -> None:
    """Take note of an attempt's outcome. A failure is tried again until the channel is closed for it."""
    notice = world.notifications.get(number)
    if notice is None or notice.sent is None or notice.first_sent is None:
        return
    _record(world, notice, notice.sent, "accepted" if accepted else "failed")
    if accepted:
        del world.notifications[number]
        return
    # counted from the attempt, not from now: when the clock jumps, the schedule is gone through all the same
    due = notice.sent + timedelta(seconds=_pause(world, notice.attempts))
    if (due - notice.first_sent).total_seconds() > world.settings.retry_for:
        close_channel(world, notice.channel)
    else:
        world.agenda.note(due, Send(number, first=False))


def _pause(world: World, attempts: int) -> float:
    schedule = world.settings.retry_schedule
    pause = schedule[min(attempts, len(schedule)) - 1]
    jitter = world.settings.retry_jitter
    return pause * world.delays.between(1 - jitter, 1 + jitter)


def _compose(world: World, notice: Notification) -> bytes:
    notification: dict[str, object] = {"type": notice.type}
    if notice.since is not None:
        notice.since = min([notice.since, *_told_in_vain(world, notice.channel)])
        notification["changes_since"] = show_time(notice.since)
    return json.dumps({"notification": notification, "channel": show_channel(notice.channel)}).encode()


def _told_in_vain(world: World, channel: Channel) -> Iterator[datetime]:
    """Since when there are changes that the receiver was told of and did not accept."""
    for notice in world.notifications.values():
        if notice.channel is channel and notice.since is not None and notice.attempts:
            yield notice.since


def show_channel(channel: Channel) -> dict[str, object]:
    """Show a channel as Cronofy does: filters that are at their defaults are left out."""
    filters: dict[str, object] = {}
    if channel.filters.calendar_ids is not None:
        filters["calendar_ids"] = sorted(channel.filters.calendar_ids)
    if channel.filters.only_managed:
        filters["only_managed"] = True
    return {"channel_id": channel.id, "callback_url": channel.callback_url, "filters": filters}


def _record(world: World, notice: Notification, at: datetime, outcome: Literal["accepted", "failed", "lost"]) -> None:
    world.posts.append(
        Posted(at, notice.number, notice.channel.id, notice.type, notice.since, notice.attempts, outcome)
    )
