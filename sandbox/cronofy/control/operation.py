"""Time, settings, faults, and what was received, sent and is under way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Final

from pydantic import JsonValue

from sandbox.cronofy.api.faults import Fault
from sandbox.cronofy.api.received import Received
from sandbox.cronofy.control.command import Command, Desk, Ids, Unknown, command
from sandbox.cronofy.control.operation_messages import (
    Advance,
    ChannelView,
    ClockView,
    FaultView,
    MailView,
    NewNotification,
    Pending,
    PostView,
    RequestFilter,
    RequestsView,
    RequestView,
    Secrets,
    SetClock,
    TallyView,
    Wait,
)
from sandbox.cronofy.control.pending import is_quiet, pending
from sandbox.cronofy.control.shapes import Nothing
from sandbox.cronofy.model.notify import announce
from sandbox.cronofy.model.settings import Settings
from sandbox.cronofy.model.state import Channel
from sandbox.cronofy.model.visibility import reachable, resume

# The clock


def read_clock(desk: Desk, _ids: Ids, _given: Nothing) -> ClockView:
    """Tell what time it is in the sandbox."""
    return ClockView(now=desk.now(), frozen=desk.clock.frozen)


def advance_clock(desk: Desk, _ids: Ids, given: Advance) -> ClockView:
    """Move the clock on. What becomes due has happened before this is answered."""
    desk.clock.advance(given.seconds)
    return read_clock(desk, {}, Nothing())


def set_clock(desk: Desk, _ids: Ids, given: SetClock) -> ClockView:
    """Move the clock to a point in time."""
    desk.clock.set(given.to)
    return read_clock(desk, {}, Nothing())


def freeze_clock(desk: Desk, _ids: Ids, _given: Nothing) -> ClockView:
    """Let time stand still unless it is moved."""
    desk.clock.freeze()
    return read_clock(desk, {}, Nothing())


def unfreeze_clock(desk: Desk, _ids: Ids, _given: Nothing) -> ClockView:
    """Let time run on from where it stands."""
    desk.clock.unfreeze()
    return read_clock(desk, {}, Nothing())


# Settings and secrets


def read_settings(desk: Desk, _ids: Ids, _given: Nothing) -> Settings:
    """Tell how all switches stand."""
    return desk.world.settings


def change_settings(desk: Desk, _ids: Ids, given: dict[str, JsonValue]) -> Settings:
    """Change switches; those not given stay."""
    return _put_in_force(desk, Settings.model_validate(desk.world.settings.model_dump() | given))


def reset_settings(desk: Desk, _ids: Ids, _given: Nothing) -> Settings:
    """Put all switches back to how Cronofy behaves."""
    return _put_in_force(desk, Settings())


def _put_in_force(desk: Desk, settings: Settings) -> Settings:
    profiles = desk.world.profiles.values()
    out_of_reach = [profile for profile in profiles if not reachable(desk.world, profile)]
    desk.world.settings = settings
    for profile in out_of_reach:
        resume(desk.world, profile, desk.now())
    return settings


def rotate_secrets(desk: Desk, _ids: Ids, given: Secrets) -> Secrets:
    """Set the application's active client secrets, one or two."""
    desk.world.application = replace(desk.world.application, client_secrets=given.secrets)
    return given


def expire_pages(desk: Desk, _ids: Ids, _given: Nothing) -> None:
    """Let every page of every read expire."""
    desk.world.listings.expire()


# Faults


def set_fault(desk: Desk, _ids: Ids, given: Fault) -> FaultView:
    """Let something go wrong with the next requests that match."""
    return FaultView(number=desk.site.faults.set(given), fault=given, left=given.count)


def list_faults(desk: Desk, _ids: Ids, _given: Nothing) -> list[FaultView]:
    """List the rules in force."""
    return [FaultView(number=number, fault=fault, left=left) for number, fault, left in desk.site.faults.rules()]


def clear_faults(desk: Desk, _ids: Ids, _given: Nothing) -> None:
    """Take all rules back."""
    desk.site.faults.clear()


def clear_fault(desk: Desk, ids: Ids, _given: Nothing) -> None:
    """Take one rule back."""
    desk.site.faults.clear(int(ids["number"]))


# What happened


def list_requests(desk: Desk, _ids: Ids, given: RequestFilter) -> RequestsView:
    """List the requests that were received, in order, without the secrets in them."""
    shown = (_view_request(received) for received in _wanted(desk, given))
    return RequestsView(last=desk.site.received.count, requests=tuple(shown))


def _wanted(desk: Desk, given: RequestFilter) -> Iterator[Received]:
    for received in desk.site.received.after(given.after):
        if received.call.path.startswith(given.path) and given.method in {"", received.call.method}:
            yield received


def _view_request(received: Received) -> RequestView:
    return RequestView.model_validate({
        "number": received.number,
        "at": received.at,
        "operation": received.operation,
        "method": received.call.method,
        "path": received.call.path,
        "query": received.query,
        "headers": received.headers,
        "body": received.body,
        "status": received.status,
        "entries": received.entries,
        "fault": received.fault,
    })


def list_tallies(desk: Desk, _ids: Ids, _given: Nothing) -> list[TallyView]:
    """Count how often the application's writes created, updated and deleted each event."""
    return [TallyView.model_validate(asdict(tally)) for tally in desk.world.tallies.values()]


def list_mails(desk: Desk, _ids: Ids, _given: Nothing) -> list[MailView]:
    """List the mails that providers sent because of the application's writes."""
    return [MailView.model_validate(asdict(mail)) for mail in desk.world.mails]


# Notifications


def list_channels(desk: Desk, _ids: Ids, _given: Nothing) -> list[ChannelView]:
    """List all channels, closed ones included."""
    return [_view_channel(channel) for channel in desk.world.channels.values()]


def _view_channel(channel: Channel) -> ChannelView:
    calendar_ids = channel.filters.calendar_ids
    return ChannelView(
        channel_id=channel.id,
        sub=channel.sub,
        callback_url=channel.callback_url,
        calendar_ids=None if calendar_ids is None else tuple(sorted(calendar_ids)),
        only_managed=channel.filters.only_managed,
        closed=channel.closed,
    )


def list_posts(desk: Desk, _ids: Ids, _given: Nothing) -> list[PostView]:
    """List the attempts to deliver notifications and what came of them."""
    return [PostView.model_validate(asdict(post)) for post in desk.world.posts]


def notify(desk: Desk, ids: Ids, given: NewNotification) -> ChannelView:
    """Send a notification of any type through a channel."""
    channel = desk.world.channels.get(ids["channel_id"])
    if channel is None or channel.closed:
        raise Unknown(ids["channel_id"])
    announce(desk.world, channel, given.type, desk.now(), given.changes_since)
    return _view_channel(channel)


# What is under way


async def read_pending(desk: Desk, _ids: Ids, given: Wait) -> Pending:
    """Tell what is under way; with `wait`, first wait so many real seconds for nothing to be."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(given.wait):
            while not is_quiet(desk.world, desk.background.delivering):
                await desk.background.turned()
    return pending(desk.world, desk.background.delivering)


COMMANDS: Final[tuple[Command, ...]] = (
    command("GET", "/clock", Nothing, read_clock),
    command("POST", "/clock/advance", Advance, advance_clock),
    command("POST", "/clock/set", SetClock, set_clock),
    command("POST", "/clock/freeze", Nothing, freeze_clock),
    command("POST", "/clock/unfreeze", Nothing, unfreeze_clock),
    command("GET", "/settings", Nothing, read_settings),
    command("PATCH", "/settings", dict[str, JsonValue], change_settings),
    command("DELETE", "/settings", Nothing, reset_settings),
    command("POST", "/application/secrets", Secrets, rotate_secrets),
    command("POST", "/pages/expire", Nothing, expire_pages),
    command("POST", "/faults", Fault, set_fault),
    command("GET", "/faults", Nothing, list_faults),
    command("DELETE", "/faults", Nothing, clear_faults),
    command("DELETE", "/faults/{number:int}", Nothing, clear_fault),
    command("GET", "/requests", RequestFilter, list_requests),
    command("GET", "/tallies", Nothing, list_tallies),
    command("GET", "/mails", Nothing, list_mails),
    command("GET", "/channels", Nothing, list_channels),
    command("POST", "/channels/{channel_id}/notifications", NewNotification, notify),
    command("GET", "/notifications", Nothing, list_posts),
    command("GET", "/pending", Wait, read_pending),
)
