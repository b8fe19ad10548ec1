"""From what the user wants to what is the case: connect, check the connection, configure, list calendars.

Each step is taken when what is wanted is newer than what was done, saves its result at once and can be repeated; so
integration events may arrive in any order and twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from events.failures import MustReconnect
from events.integration import Held, Status
from events.reasons import Reason
from worker import outcomes

if TYPE_CHECKING:
    from events.calendar import ProfileInfo, UserInfo
    from events.integration import CalendarInfo, ConnectWish, SettingsWish
    from worker.access import Access
    from worker.holding import Holding
    from worker.ports import Clock, Outcomes

_LOOK_AGAIN: Final = timedelta(seconds=30)
"""How often to ask whether a provider has finished its first sync."""
_PROBE: Final = timedelta(minutes=10)
"""How often to ask whether a broken connection works again."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The steps, and what they work with."""

    holding: Holding
    access: Access
    outcomes: Outcomes
    clock: Clock

    @property
    def _held(self) -> Held:
        return self.holding.held

    async def run(self) -> None:
        """Take all steps that are due."""
        wanted = self.holding.integration.wanted
        if wanted.connect is not None and wanted.connect.revision > self._held.connected_revision:
            await self._connect(wanted.connect)
        if self._held.tokens is None:
            return
        settings = wanted.settings
        new_settings = settings is not None and settings.revision != self._held.configured_revision
        if new_settings or self._check_is_due():
            await self.check_connection()
            self.holding.check_served()
        if wanted.list_calendars_revision > self._held.listed_revision:
            await self._list_calendars(wanted.list_calendars_revision)
        if new_settings and settings is not None and self._held.status is Status.CONNECTED:
            await self._configure(settings)

    def ready(self) -> bool:
        """Whether there is a calendar to be synced, and the user wants it to be."""
        wanted = self.holding.integration.wanted
        configured = wanted.settings is not None and self._held.configured_revision == wanted.settings.revision
        return configured and wanted.active and self._held.status is Status.CONNECTED

    def _check_is_due(self) -> bool:
        signals = self.holding.integration.signals
        if signals.profile_check > signals.profile_checked:
            return True
        return self._held.probe_at is not None and self._held.probe_at <= self.clock.now()

    # Connect

    async def _connect(self, wish: ConnectWish) -> None:
        try:
            grant = await self.access.exchange(wish.code, wish.redirect_uri)
        except MustReconnect as error:
            # The code works once. Whether we used it up before a crash or somebody else did, only the user can help.
            await self._became(replace(self._held, connected_revision=wish.revision, reason=error.reason, tokens=None))
            return
        await self.holding.save(
            connected_revision=wish.revision,
            tokens=grant.tokens,
            account=grant.account,
            time_zone=wish.time_zone,
            probe_at=self.clock.now(),
            calendar_hold=None,
            calendar_failures=0,
        )

    # The connection

    async def check_connection(self) -> None:
        """Ask the calendar service how the profile and the calendar are. Nothing else ever changes the status."""
        try:
            info = await self.access.userinfo()
        except MustReconnect as error:
            await self._became(replace(self._held, status=Status.NOT_CONNECTED, reason=error.reason))
            return
        profile = self._profile(info)
        reason = _profile_trouble(profile)
        calendars = await self.access.calendars() if reason is None else self._held.calendars
        reason = reason or self._calendar_trouble(calendars)
        await self._became(
            replace(
                self._held,
                status=Status.CONNECTED if reason is None else Status.NOT_CONNECTED,
                reason=reason or Reason.IN_SYNC,
                relink_url=profile.relink_url if profile else None,
                calendars=calendars,
                time_zone=self._held.time_zone or info.time_zone,
            )
        )

    def _profile(self, info: UserInfo) -> ProfileInfo | None:
        account = self._held.account
        ours = [profile for profile in info.profiles if account and profile.profile_id == account.profile_id]
        return ours[0] if ours else None

    def _calendar_trouble(self, calendars: tuple[CalendarInfo, ...]) -> Reason | None:
        settings = self.holding.integration.wanted.settings
        if settings is None:
            return None
        chosen = [calendar for calendar in calendars if calendar.calendar_id == settings.calendar_id]
        if not chosen or chosen[0].deleted:
            return Reason.CALENDAR_MISSING
        return Reason.CALENDAR_READ_ONLY if chosen[0].read_only else None

    async def _became(self, now: Held) -> None:
        """Save a new state of the connection, and tell if it differs."""
        before, at = self._held, self.clock.now()
        connected = now.status is Status.CONNECTED
        changed = (before.status, before.reason) != (now.status, now.reason)
        if connected and changed:
            found = outcomes.calendars_found(self.holding, now, at)
            await self.outcomes.publish([outcomes.connected(self.holding, at), found])
            now = replace(now, turns=before.turns + 1)
        elif changed or now.connected_revision != before.connected_revision:
            await self.outcomes.publish([outcomes.disconnected(self.holding, now, at)])
            now = replace(now, turns=before.turns + 1)
        wait = _LOOK_AGAIN if now.reason is Reason.PENDING_INITIAL_SYNC else _PROBE
        now = replace(now, probe_at=None if connected else at + wait)
        await self.holding.become(now)

    # Configure, list

    async def _configure(self, wish: SettingsWish) -> None:
        # The channel comes before the cursor, so that nothing falls between the two.
        channel = await self.access.create_channel(wish.calendar_id)
        at = self.clock.now()
        since = channel.as_of or at
        await self.outcomes.publish([outcomes.configured(self.holding, wish.revision, wish.calendar_id, at)])
        await self.holding.save(
            configured_revision=wish.revision,
            channel_id=channel.channel_id,
            cursor=self._held.cursor or since,
            linked_since=self._held.linked_since or since,
        )

    async def _list_calendars(self, revision: int) -> None:
        calendars = await self.access.calendars()
        now = replace(self._held, calendars=calendars, listed_revision=revision)
        await self.outcomes.publish([outcomes.calendars_found(self.holding, now, self.clock.now())])
        await self.holding.become(now)


def _profile_trouble(profile: ProfileInfo | None) -> Reason | None:
    if profile is None:
        return Reason.REVOKED_BY_USER
    if not profile.connected:
        return Reason.REAUTHORISE_NEEDED
    return Reason.PENDING_INITIAL_SYNC if profile.initial_sync_required else None
