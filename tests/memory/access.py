"""A calendar account in memory: always connected, with one calendar, until somebody says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from events.calendar import ChannelInfo, ProfileInfo, UserInfo
from events.integration import Account, CalendarInfo, Grant, Tokens
from tests.memory.calendar import CALENDAR_ID
from tests.memory.steps import MemoryClock, Stepper

ACCOUNT = Account("acc_1", "pro_1", "dana@example.com", "google", "gsuite")


@dataclass
class MemoryAccess:
    """See `worker.access.Access`."""

    step: Stepper
    clock: MemoryClock
    CALENDAR: ClassVar = CalendarInfo(CALENDAR_ID, "Dana", ACCOUNT.profile_id)
    calendar: CalendarInfo = CALENDAR
    others: tuple[CalendarInfo, ...] = ()
    connected: bool = True

    async def exchange(self, code: str, redirect_uri: str) -> Grant:
        raise AssertionError((code, redirect_uri))

    async def userinfo(self) -> UserInfo:
        await self.step("userinfo")
        profile = ProfileInfo(
            profile_id=ACCOUNT.profile_id,
            profile_name=ACCOUNT.profile_name,
            provider_name=ACCOUNT.provider_name,
            provider_service=ACCOUNT.provider_service,
            connected=self.connected,
            initial_sync_required=False,
            relink_url=None,
        )
        return UserInfo(ACCOUNT.sub, "Europe/Berlin", (profile,), (self.calendar, *self.others))

    async def calendars(self) -> tuple[CalendarInfo, ...]:
        await self.step("list calendars")
        return (self.calendar, *self.others)

    async def create_channel(self, calendar_id: str | None) -> ChannelInfo:
        await self.step("create channel")
        return ChannelInfo(f"chn_{calendar_id}", "https://relay.example/int-1", self.clock.now())

    async def close_channel(self, channel_id: str) -> None:
        await self.step(f"close channel {channel_id}")

    async def revoke(self, tokens: Tokens) -> None:
        await self.step(f"revoke what ends at {tokens.expires_at}")
